//! `ping`: how long an echo takes, and how many are lost.
//!
//! - `rtt`: what samples come to
//! - `echo`, `connect`: the ways to take a sample, ICMP and TCP
//! - `packet`: the messages of an echo
//! - `unreachable`: why a sample was lost, where a router on the way says so
//! - `names`: the address behind a name
//! - `job`: one run

mod connect;
mod echo;
mod job;
mod names;
mod packet;
mod rtt;
mod settings;
mod unreachable;

pub use job::command;
pub use settings::{Method, PingSettings, Target};
