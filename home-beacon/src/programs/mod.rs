//! The programs: what each reads as its settings, and what it wires. `src/bin` has an executable for each; `porchlight` (in
//! `infra`) is one for all, by its name as in the image, or by its first argument.

pub mod beacon;
pub mod checks;
pub mod job;
pub mod keeper;
pub mod manager;
pub mod node;
mod relay;

use std::{ffi::OsString, process::ExitCode};

/// A program: from its arguments, the name that it was called by first, to its exit code.
pub type Program = fn(Vec<OsString>) -> ExitCode;

/// The program of that name.
pub fn named(name: &str) -> Option<Program> {
    match name {
        "bandwidth" => Some(job::bandwidth),
        "beacon" => Some(beacon::program),
        "checks" => Some(checks::program),
        "dns" => Some(job::dns),
        "heartbeat" => Some(job::heartbeat),
        "keeper" => Some(keeper::program),
        "node-metrics" => Some(node::program),
        "ping" => Some(job::ping),
        _ => None,
    }
}
