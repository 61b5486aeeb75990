//! Outages that began some time ago, without waiting for them.

use std::{path::Path, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

/// Dates the times of all records of a prober's state file back, so that its outages have lasted so much longer.
///
/// # Panics
/// When it is no state file.
pub fn date_back(state: &Path, seconds: u64) {
    let text = std::fs::read_to_string(state).expect("a state file");
    let mut records: Value = serde_json::from_str(&text).expect("an object");
    for record in records.as_object_mut().expect("an object").values_mut() {
        for name in ["down_since", "up_since", "booted", "started"] {
            let time: Option<Timestamp> = record[name].as_str().map(|time| time.parse().expect("a time"));
            if let Some(time) = time {
                record[name] = (time - Duration::from_secs(seconds)).to_string().into();
            }
        }
    }
    std::fs::write(state, records.to_string()).expect("it can be written");
}
