//! Reads what the inside view concludes from.

#[cfg(test)]
mod tests;

use std::ops::Range;

use shared::{id::ComponentId, statuspage::ComponentStatus};

use super::AppState;
use crate::keeper::{
    KeeperError,
    history::kinds::HomeRecords,
    inside::{Interval, Kind, Observed, classify},
    measured::on_the_way,
    status::components,
};

/// How much is read before and after an outage: what began with it, and what came back after it.
pub(in crate::keeper) const AROUND: i64 = 20 * 60 * 1000;

/// All that is known of a time. What is not recorded any more says nothing.
///
/// # Errors
/// When the storage fails.
pub(in crate::keeper) async fn observed(
    state: &AppState,
    component: &ComponentId,
    records: &HomeRecords,
    time: Range<i64>,
) -> Result<Observed, KeeperError> {
    let window = time.start.max(records.since)..time.end;
    let (probes, addresses) = on_the_way::read(&state.db, window.clone()).await?;
    let upstream_read = state.outbox.reads_within(window.clone()).await;
    let seen = state.recorder.looks().within(&state.db, component, window.clone()).await?;
    let statuses = components::statuses_within(&state.db, component, window.clone()).await?;
    let is_down = |status: Option<ComponentStatus>| {
        matches!(status, Some(ComponentStatus::MajorOutage | ComponentStatus::PartialOutage))
    };
    let ends = statuses.iter().skip(1).map(|change| change.since.millis()).chain([window.end]);
    let down_upstream = statuses.iter().zip(ends).filter(|(change, _)| is_down(change.status));
    let down_upstream = down_upstream.map(|(change, end)| change.since.millis().max(window.start)..end).collect();
    let silences = records.silences.iter().filter(|silence| silence.began < window.end).copied();
    let mut silences: Vec<_> = silences.collect();
    silences.sort_by_key(|silence| silence.began);
    let asks_beacon = state.at_home.as_ref().is_some_and(|at_home| at_home.asks_beacon);
    Ok(Observed { window, silences, probes, looks: seen.looks, down_upstream, upstream_read, addresses, asks_beacon })
}

/// What most of an outage was, in milliseconds since 1970; `None` where that is not known.
///
/// # Errors
/// When the storage fails.
pub(in crate::keeper) async fn cause_of(
    state: &AppState,
    component: &ComponentId,
    records: &HomeRecords,
    outage: &Range<i64>,
) -> Result<Option<Interval>, KeeperError> {
    let now = state.clock.wall().as_millisecond();
    let around = outage.start - AROUND..(outage.end + AROUND).min(now);
    let found = classify(&observed(state, component, records, around).await?);
    let shared = |interval: &Interval| {
        let extent = interval.extent(now);
        extent.end.min(outage.end) - extent.start.max(outage.start)
    };
    let known = found.into_iter().filter(|it| it.kind != Kind::NotKnown && shared(it) > 0);
    Ok(known.max_by_key(shared))
}
