//! Whether what has waited is still worth sending.

use std::time::Duration;

use jiff::SignedDuration;
use notify::event::{Event, Stage};
use shared::id::ComponentId;

use super::{
    Shared,
    queue::Waiting,
    trouble::{SECOND, Trouble},
};
use crate::keeper::db::{Db, StorageError, query};

/// How near the time of a look that saw the home down must be to that of pings that fail.
const NEAR: SignedDuration = SignedDuration::from_mins(5);

/// How long news of what had to wait for the line is waited for: most jobs run each minute or each five, and what is rarer is sent
/// as it was known last.
const LONGEST_SILENCE: Duration = Duration::from_millis(6 * 60 * SECOND);

/// A channel that was away for less was no outage of the line.
const SHORT: Duration = Duration::from_millis(120 * SECOND);

impl Shared {
    /// Whether what had to wait for the line is left alone, because nothing has said anew that it lasts.
    pub(super) fn waits_for_news(&self, first: &Waiting, trouble: Option<Trouble>) -> bool {
        let Some(back) = trouble.and_then(|trouble| trouble.reached) else { return false };
        let seen_at = self.known().seen_at.get(&first.event.key).copied();
        let is_news = seen_at.is_none_or(|seen_at| seen_at > back.at);
        first.event.stage != Stage::Ended && !is_news && back.after >= SHORT && back.since.elapsed() < LONGEST_SILENCE
    }

    /// Whether somebody outside saw the home down at that time: they write of it.
    pub(super) async fn was_seen_down(&self, db: &Db, event: &Event) -> Result<bool, StorageError> {
        let home = self.known().home.clone();
        let (from, to) = (event.since.saturating_sub(NEAR), event.at.saturating_add(NEAR));
        let (from, to) = (from.unwrap_or(event.since), to.unwrap_or(event.at));
        let seen = query(
            "SELECT EXISTS (SELECT 1 FROM look_spans WHERE inside = 0 AND verdict = 'down' AND ended >= ?1 AND began <= ?2
                 AND component_id = COALESCE(?3, component_id))",
        );
        let seen = seen.bind(from.as_millisecond()).bind(to.as_millisecond());
        seen.bind(home.as_ref().map(ComponentId::as_str)).one(&mut db.read().await?).await
    }
}
