//! One run: observe all targets while secrets and pages are read, judge, plan, publish.
//!
//! - [`prober`](Prober): what outlives a run, and probing one home without a page
//! - `cycle`: a run on all targets
//! - [`target_state`](TargetState): one target during a run: what was seen, and what becomes of it
//! - `last_heartbeat`: homes that send heartbeats
//! - `locations`: the prober at another location, which has a say
//! - `looks`: what homes and their keepers are told of the run
//! - `response`: the answer time as a metric's point
//! - `online`: `--check --online`: whether what the settings name exists

mod cycle;
mod last_heartbeat;
mod locations;
mod looks;
mod online;
mod prober;
mod response;
mod target_state;

pub use self::{
    last_heartbeat::LastHeartbeat,
    prober::{Prober, RunError},
    target_state::TargetState,
};
