//! The programs: what each reads as its settings, and what it wires. `src/bin` has an executable for each; the image has one
//! for all, whose name says which of them it is (`porchlight`, in `infra`).

pub mod beacon;
pub mod job;
pub mod keeper;
pub mod manager;
mod relay;

use std::process::ExitCode;

/// The program of that name.
pub fn named(name: &str) -> Option<fn() -> ExitCode> {
    match name {
        "bandwidth" => Some(job::bandwidth),
        "beacon" => Some(beacon::main),
        "dns" => Some(job::dns),
        "keeper" => Some(keeper::main),
        "ping" => Some(job::ping),
        _ => None,
    }
}
