//! What is worth a notice of checks though no result says so: that results stop, and what is due later of what has begun.

use std::collections::HashSet;

use jiff::Timestamp;
use notify::rules::Now;

pub(in crate::keeper) use super::late::Silences;
use super::{late, places, store};
use crate::keeper::{
    KeeperError,
    db::{Db, query},
    notices::condition::Condition,
};

/// How all checks are, as notices go; the keeper has run since `began`. Of what is well and was never anything else there is none.
pub(in crate::keeper) async fn found(
    db: &Db,
    now: Timestamp,
    began: Timestamp,
    silences: &mut Silences,
) -> Result<Vec<Condition>, KeeperError> {
    let mut conn = db.read().await?;
    let all = store::all(&mut conn).await?;
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let maintained = places::maintained(&mut conn).await?;
    let is_maintained =
        |known: &super::known::Known| known.component.as_ref().is_some_and(|id| maintained.contains(id.as_str()));
    let mut found = late::late(&all, now, began, silences);
    found.extend(late::failing(&all, is_maintained));
    let tracked: HashSet<String> = query("SELECT key FROM notice_tracks").all(&mut conn).await?.into_iter().collect();
    found.retain(|condition| condition.now != Now::Well || tracked.contains(&condition.key));
    Ok(found)
}
