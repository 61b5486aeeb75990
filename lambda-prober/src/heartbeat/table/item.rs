//! One home's item, in the JSON of `DynamoDB`, where a number is a text.

use serde_json::Value;
use shared::heartbeat::Heartbeat;

/// The newest heartbeat of a home. Under 700 bytes, so that writing it is one unit of capacity, and reading it half of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// What it says.
    pub(crate) heartbeat: Heartbeat,
    /// Unix time at which the function took it, in seconds.
    pub(crate) received: i64,
    /// When another host than before last sent.
    pub(crate) switched: Option<i64>,
    /// When it was last noticed that two hosts take turns.
    pub(crate) several: Option<i64>,
}

impl Item {
    /// `None` where there is none, or it is not one of ours.
    pub(super) fn read(attributes: &Value) -> Option<Self> {
        let number = |name: &str| attributes[name]["N"].as_str()?.parse().ok();
        Some(Self {
            heartbeat: attributes["line"]["S"].as_str()?.parse().ok()?,
            received: number("received")?,
            switched: number("switched"),
            several: number("several"),
        })
    }
}
