//! The units under a systemd that has booted: what their guide (`infra/systemd/README.md`) says, run as a reader would, and
//! what is said when something is wrong; and what the example of checks says of them.

mod checks;
mod failures;
mod guide;
