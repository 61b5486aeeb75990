//! The cloud half: proof, secrets, state, deployment. AWS is moto, statuspage.io a keeper; the binaries are real.

mod arm64;
mod clock;
mod heartbeat_faults;
mod heartbeat_template;
mod heartbeats;
mod leaks;
mod parameter_faults;
mod parameters;
mod proof;
mod road;
mod role;
mod schedule;
mod state;
mod templates;
