//! Checks: what a program looks at besides the home itself, and what the keeper makes of it. A program registers its checks, and
//! hands over what came of each run as readings; the transaction that stores a reading carries everything that follows from it.
//!
//! - `definition`: a check as it is registered; `register`: replaces all of a source's; `places`: where they are shown
//! - `store`: the rows; `known`: what is known of a check, and what a run changes of that (pure)
//! - `results`: what follows from a run: its component's status, its notices; `figures`: its figures as series of their own
//! - `conditions`: what of a check is worth a notice, `late`: that its results stop (pure); `watched`: both, looked for
//! - `posted`: a result as Pinglow's clients post it (pure)
//! - `passive`: checks that call us (pure); `calls`: what they say, and which are overdue
//! - `home`: whether the home's line is up, for what depends on it
//! - `pinglow`: what is known of a check in Pinglow's words (pure); `figures_past`: its figures over time
//! - `listed`: what is known, as the API lists it; `summary`: how often it worked; `tally`: the same for `/metrics`

pub(super) mod calls;
mod conditions;
pub(super) mod definition;
pub(super) mod figures;
pub(super) mod figures_past;
pub(super) mod home;
pub(super) mod known;
mod late;
pub(super) mod listed;
pub(super) mod passive;
pub(super) mod pinglow;
mod places;
pub(super) mod posted;
pub(super) mod register;
pub(super) mod results;
mod store;
pub(super) mod summary;
pub(super) mod tally;
#[cfg(test)]
pub(super) mod tests;
pub(super) mod watched;

use std::{collections::HashMap, time::Duration};

use shared::id::ComponentId;

use super::db::{Conn, StorageError, query};

/// How long after a run what it saw holds at least.
const LEAST_PAUSE: Duration = Duration::from_mins(5);

/// How many checks there may be, of all sources.
const MAX_CHECKS: usize = 20_000;

/// How far apart two runs of a check may be for the time between them to count as looked at: one that was left out is no gap.
pub const fn pause(every: Duration) -> Duration {
    let allowed = Duration::from_secs(2 * every.as_secs() + 60);
    if allowed.as_secs() > LEAST_PAUSE.as_secs() { allowed } else { LEAST_PAUSE }
}

/// The pauses of the components that checks look at, in milliseconds. A database of an earlier version has none.
pub(super) async fn pauses(conn: &mut Conn) -> Result<HashMap<ComponentId, i64>, StorageError> {
    let is_there = query("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'checks')");
    if is_there.one::<i64>(conn).await? == 0 {
        return Ok(HashMap::new());
    }
    let longest = query(
        "SELECT component_id, MAX(every_seconds) FROM checks WHERE component_id IS NOT NULL AND kind <> 'passive'
         GROUP BY component_id",
    );
    let longest: Vec<(ComponentId, i64)> = longest.all(conn).await?;
    let millis = |every: i64| pause(Duration::from_secs(u64::try_from(every).unwrap_or_default())).as_millis();
    Ok(longest.into_iter().map(|(id, every)| (id, i64::try_from(millis(every)).unwrap_or(i64::MAX))).collect())
}
