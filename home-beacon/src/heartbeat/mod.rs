//! Heartbeats: how a home that nobody can reach says that it is there. The keeper sends them, or `porchlight heartbeat` where there
//! is none; who takes and judges them is in the cloud.
//!
//! - [`settings`]: the address, which is a secret, the key, and how often
//! - [`sender`]: one heartbeat, with its tries; `call`: one of these; `failure`: why it was not taken
//! - `sequence`: numbers that never come twice; `time`: what is sent where this clock is wrong (both pure)
//! - [`rounds`]: again and again, and what is said of it
//! - [`job`]: the program

mod call;
mod failure;
pub mod job;
pub mod rounds;
pub mod sender;
mod sequence;
pub mod settings;
mod time;

pub use self::{failure::Failure, job::command, settings::HeartbeatSettings};
