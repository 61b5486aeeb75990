//! `ping`: how long an echo takes, and how many are lost. How they are sent, and what samples come to, is in [`checks::icmp`].
//!
//! - `names`: the address behind a name
//! - `way`: router, first hop and name servers; `outside`: the router's address in the world
//! - `job`: one run

mod job;
mod names;
pub(crate) mod outside;
mod settings;
pub(crate) mod way;

pub use job::command;
pub use settings::{Method, PingSettings, Router, Target};
