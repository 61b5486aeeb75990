//! Reads a component's past for whoever tells it, the page, the report, the API: its statuses, the looks at it, and where those
//! do not count, the gaps of this keeper.

use std::ops::Range;

use shared::statuspage::ComponentStatus;

use super::AppState;
use crate::keeper::{
    KeeperError,
    db::Moment,
    history::Record,
    looks::past::Seen,
    measured::heartbeats::{self, MAX_GAPS},
    status::{Component, components},
};

/// When a component took a status, in milliseconds since 1970, and which.
type Status = (i64, Option<ComponentStatus>);

/// What is known of a component's past.
#[derive(Debug)]
pub(super) struct ComponentPast {
    statuses: Vec<Status>,
    pub(super) seen: Seen,
    needs_looks: bool,
}

impl ComponentPast {
    /// That of a time in milliseconds since 1970.
    ///
    /// # Errors
    /// When the storage fails.
    pub(super) async fn read(state: &AppState, component: &Component, time: Range<i64>) -> Result<Self, KeeperError> {
        let changes = components::statuses_within(&state.db, &component.id, time.clone()).await?;
        let mut statuses: Vec<_> = changes.iter().map(|change| (change.since.millis(), change.status)).collect();
        let mut seen = Seen::default();
        if component.looks {
            seen = state.recorder.looks().within(&state.db, &component.id, time).await?;
        } else {
            // Its status is this home's own word, and while nothing ran here nobody said it.
            let gaps = heartbeats::gaps(&state.db, Moment::try_from(time.start).ok(), MAX_GAPS).await?;
            statuses = interrupted(statuses, gaps.iter().map(|gap| (gap.began.millis(), gap.ended.millis())));
        }
        Ok(Self { statuses, seen, needs_looks: component.looks })
    }

    pub(super) fn record(&self) -> Record<'_> {
        Record { statuses: &self.statuses, looks: &self.seen.looks, needs_looks: self.needs_looks }
    }
}

/// The statuses with none in each of the gaps, from and to.
fn interrupted(mut statuses: Vec<Status>, gaps: impl Iterator<Item = (i64, i64)>) -> Vec<Status> {
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
