//! What the demo's home measures. Its line is played, and so are the pings over it: by whether the line is cut.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use home_beacon::{
    keeper::measured::Recorder,
    reading::{MetricName, NoMetric, Outcome, Reading},
};
use jiff::Timestamp;
use tokio::time::{MissedTickBehavior, interval};

/// As often as the home is probed.
const CYCLE: Duration = super::CYCLE;

/// What is pinged, at which address, whether it is behind the line, and how long an answer takes, in milliseconds.
const PINGED: [(&str, &str, bool, f64); 4] = [
    ("router", "192.168.1.1", false, 0.6),
    ("first_hop", "100.64.0.1", true, 4.2),
    ("ping", "1.1.1.1", true, 12.4),
    ("names", "example.com", true, 9.8),
];

/// Measures once a cycle; never returns.
pub(super) async fn measure(recorder: &Recorder, is_connected: &AtomicBool) {
    let mut due = interval(CYCLE);
    due.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        due.tick().await;
        let readings = PINGED.iter().map(|pinged| reading(*pinged, is_connected.load(Ordering::Relaxed)));
        let Ok(readings) = readings.collect::<Result<Vec<_>, _>>() else { continue };
        if let Err(error) = recorder.add_readings(&readings).await {
            tracing::warn!(%error, "what the demo measures is not recorded");
        }
    }
}

fn reading(
    (metric, target, is_behind, millis): (&str, &str, bool, f64),
    is_connected: bool,
) -> Result<Reading, NoMetric> {
    let answers = is_connected || !is_behind;
    let outcome = if answers { Outcome::Value(millis) } else { Outcome::Failure("none of 5 answers came".to_owned()) };
    let mut reading = Reading::new(metric.parse::<MetricName>()?, Timestamp::now(), outcome);
    (reading.target, reading.loss) = (Some(target.to_owned()), Some(if answers { 0.0 } else { 100.0 }));
    Ok(reading)
}
