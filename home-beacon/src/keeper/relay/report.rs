//! The state of the relay, as the worker leaves it for the page and the metrics.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

/// The relay's condition, for `/healthz` and the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Upstream has answered nothing yet.
    #[default]
    Starting,
    /// The last call went well.
    Well,
    /// The last call failed; it is tried again by itself.
    Trouble,
    /// Upstream refuses everything until a person has mended it.
    Paused,
}

/// The state of the relay.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Whether calls succeed.
    pub condition: Condition,
    /// Why, where it is not well.
    pub reason: Option<String>,
    /// Metrics and components that upstream does not take for now.
    pub skipped: Vec<Skipped>,
    /// When upstream's page was copied last.
    pub mirrored_at: Option<Timestamp>,
    /// Calls since this process began.
    pub calls: u64,
    /// How many of them failed.
    pub failed_calls: u64,
    /// Points that upstream has taken since then.
    pub points: u64,
    /// Repetitions that upstream has taken since then.
    pub held_points: u64,
}

/// What is left alone, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Skipped {
    /// A metric's or a component's id.
    pub id: String,
    /// What upstream said.
    pub reason: String,
}

/// Where the worker leaves its report.
#[derive(Clone, Debug, Default)]
pub struct Reports(Arc<Mutex<Report>>);

impl Reports {
    /// The state now.
    pub fn latest(&self) -> Report {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
