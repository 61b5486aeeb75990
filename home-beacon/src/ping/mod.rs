//! `ping`: how long an echo takes, and how many are lost.
//!
//! - `rtt`: what samples come to
//! - `echo`, `connect`: the ways to take a sample, ICMP and TCP
//! - `names`: the address behind a name
//! - `job`: one run

mod connect;
mod echo;
mod job;
mod names;
mod rtt;
mod settings;

pub use job::command;
pub use settings::{Method, PingSettings, Target};
