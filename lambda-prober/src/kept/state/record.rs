//! What is kept of a home between runs.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::judge::start_times::StartTimes;

/// One home's record, as JSON. Without it a run is right, only less informed: what is missing is `None`, and a record
/// that cannot be read is an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StateRecord {
    /// When the outage began that is not over yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down_since: Option<Timestamp>,
    /// Since when every run has found the home up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_since: Option<Timestamp>,
    /// While the outage is not over, when the home was last seen up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_up: Option<Timestamp>,
    /// When the home was last seen down, to within ten minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_down: Option<Timestamp>,
    /// What the outage's incident is found by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outage_key: Option<String>,
    /// The label of the outage's cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Where the home last proved itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_proven_address: Option<IpAddr>,
    /// When its host booted, as the last run that found the home up before an outage saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booted: Option<Timestamp>,
    /// When its beacon started, as that run saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// Fields of another version, kept for its return.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl StateRecord {
    /// When host and beacon started, as far as that is known of the time before an outage.
    pub(crate) fn start_times(&self) -> Option<StartTimes> {
        Some(StartTimes { booted: self.booted?, started: self.started? })
    }
}
