//! Echoes: how long they take, and how many are lost. The job `ping` and the checks of kind `icmp` measure with these.
//!
//! - `echo`, `connect`: the ways to take a sample, ICMP and TCP
//! - `packet`: the messages of an echo
//! - `rtt`: what samples come to
//! - `unreachable`: why a sample was lost, where a router on the way says so

pub mod connect;
mod echo;
mod packet;
mod rtt;
mod unreachable;

pub use self::{
    echo::Echo,
    rtt::{Samples, Summary, loss, summary},
    unreachable::{IcmpError, Sample, Why},
};
