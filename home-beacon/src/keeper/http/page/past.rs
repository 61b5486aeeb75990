//! Reads a component's past for its bars: its statuses, the looks at it, and where those count, the gaps of this keeper.

use jiff::{Timestamp, tz::TimeZone};
use shared::statuspage::ComponentStatus;

use super::{
    super::AppState,
    bars::{DAYS, HistoryView, history},
};
use crate::keeper::{
    KeeperError,
    db::Moment,
    history::{Record, start},
    measured::heartbeats,
    status::{Component, components},
};

/// For how many seconds a component's past is kept.
pub(super) const LIFETIME: i64 = 15;

/// The most gaps that are read.
const MAX_GAPS: u32 = 1000;

/// When a component took a status, in milliseconds since 1970, and which.
type Status = (i64, Option<ComponentStatus>);

/// Reads what the page shows of a component's past.
///
/// # Errors
/// When the storage fails.
pub(super) async fn read(
    state: &AppState,
    component: &Component,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<HistoryView, KeeperError> {
    let from = start(now, zone, DAYS + 1);
    let changes = components::statuses_since(&state.db, &component.id, from).await?;
    let mut statuses: Vec<_> = changes.iter().map(|change| (change.since.millis(), change.status)).collect();
    if !component.looks {
        // Its status is this home's own word, and while nothing ran here nobody said it.
        let since = Moment::try_from(from).ok();
        let gaps = heartbeats::gaps(&state.db, since, MAX_GAPS).await?;
        statuses = interrupted(statuses, gaps.iter().map(|gap| (gap.began.millis(), gap.ended.millis())));
    }
    let looks = state.recorder.looks().since(&state.db, &component.id, from).await?;
    Ok(history(&Record { statuses: &statuses, looks: &looks, needs_looks: component.looks }, now, zone))
}

/// The statuses with none in each of the gaps, from and to.
pub(in crate::keeper::http) fn interrupted(
    mut statuses: Vec<Status>,
    gaps: impl Iterator<Item = (i64, i64)>,
) -> Vec<Status> {
    for (began, ended) in gaps {
        let after = statuses[..statuses.partition_point(|(since, _)| *since <= ended)].last().and_then(|(_, it)| *it);
        statuses.retain(|(since, _)| !(began..=ended).contains(since));
        let at = statuses.partition_point(|(since, _)| *since < began);
        statuses.splice(at..at, [(began, None), (ended, after)]);
    }
    statuses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_nothing_ran_at_home_its_own_word_counts_for_nothing() {
        let (up, down) = (Some(ComponentStatus::Operational), Some(ComponentStatus::MajorOutage));
        let statuses = vec![(0, up), (25, down), (50, up)];
        let gaps = [(20, 30), (40, 45)];
        let expected = [(0, up), (20, None), (30, down), (40, None), (45, down), (50, up)];
        assert_eq!(interrupted(statuses, gaps.into_iter()), expected);
    }
}
