//! The programs: what each reads as its settings, and what it wires. `src/bin` has an executable for each; the image has one
//! for all, which is told by its name which of them it is (`porchlight`, in `infra`).

pub mod bandwidth;
pub mod beacon;
pub mod dns;
pub mod keeper;
pub mod ping;

use std::process::ExitCode;

/// The program of that name.
pub fn named(name: &str) -> Option<fn() -> ExitCode> {
    match name {
        "bandwidth" => Some(bandwidth::main),
        "beacon" => Some(beacon::main),
        "dns" => Some(dns::main),
        "keeper" => Some(keeper::main),
        "ping" => Some(ping::main),
        _ => None,
    }
}
