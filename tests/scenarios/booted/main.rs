//! The units under a systemd that has booted: what their guide (`infra/systemd/README.md`) says, run as a reader would, and
//! what is said when something is wrong.

mod failures;
mod guide;
