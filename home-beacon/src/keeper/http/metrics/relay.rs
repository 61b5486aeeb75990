//! What is sent upstream, and copied from there.

use shared::metrics::Snapshot;

use crate::keeper::{
    outbox::Backlog,
    relay::{Condition, Report},
};

/// How the relay is.
pub(super) fn add(snapshot: &mut Snapshot, report: &Report, backlog: Option<Backlog>) {
    let Report { condition, mirrored_at, calls, failed_calls, points, held_points, skipped, .. } = report;
    snapshot.gauge("relay_up", "Whether the last call upstream went well.", *condition == Condition::Well);
    let paused = *condition == Condition::Paused;
    snapshot.gauge("relay_paused", "Whether upstream refuses everything until a person has mended it.", paused);
    snapshot.gauge("relay_unmatched", "Metrics and components that upstream does not know or take.", skipped.len());
    snapshot.counter("relay_calls", "Calls upstream.", *calls);
    snapshot.counter("relay_failed_calls", "Calls upstream that failed.", *failed_calls);
    snapshot.counter("relay_points", "Points that upstream has taken.", *points);
    snapshot.counter("relay_held_points", "Repetitions of what is measured rarely.", *held_points);
    if let Some(backlog) = backlog {
        snapshot.gauge("relay_queued_points", "Points that upstream has not taken yet.", backlog.waiting);
        let help = "Points that upstream refused, or that are too old for it.";
        snapshot.gauge("relay_rejected_points", help, backlog.rejected);
        if let Some(oldest) = backlog.oldest {
            let help = "The time of the oldest point that waits, since 1970.";
            snapshot.gauge("relay_oldest_timestamp_seconds", help, oldest);
        }
    }
    if let Some(mirrored_at) = mirrored_at {
        let help = "When upstream's page was copied last, since 1970.";
        snapshot.gauge("mirror_timestamp_seconds", help, mirrored_at.as_second());
    }
}
