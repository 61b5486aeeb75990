//! One run: observe all targets while secrets and pages are read, judge, plan, publish.
//!
//! - [`prober`](Prober): what outlives a run, and probing one home without a page
//! - `cycle`: a run on all targets
//! - [`target_state`](TargetState): one target during a run: what was seen, and what becomes of it
//! - `online`: `--check --online`: whether what the settings name exists

mod cycle;
mod online;
mod prober;
mod target_state;

pub use self::{
    prober::{Prober, RunError},
    target_state::TargetState,
};
