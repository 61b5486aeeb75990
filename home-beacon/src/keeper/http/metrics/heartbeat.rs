//! This home's heartbeats to the cloud.

use shared::{
    message::HeartbeatFault,
    metrics::{Number, Snapshot},
};

use crate::heartbeat::rounds::Report;

/// How they go.
pub(super) fn add(snapshot: &mut Snapshot, report: &Report) {
    snapshot.counter("heartbeats", "Heartbeats that the cloud has taken.", report.taken);
    let failed = HeartbeatFault::ALL.iter().zip(report.failed);
    let failed = failed.map(|(fault, count)| ([fault.label().to_owned()], Number::from(count)));
    snapshot.counters("heartbeat_failures", "Heartbeats that were not taken.", ["reason"], failed);
    if let Some(last) = report.last {
        let help = "When the cloud took a heartbeat last, by its clock, since 1970.";
        snapshot.gauge("heartbeat_last_success_timestamp_seconds", help, last);
    }
    let help = "Whether two hosts send heartbeats with this home's key.";
    snapshot.gauge("heartbeat_several_hosts", help, report.is_shared);
}
