//! The looks of a time that is past, as [`history`](crate::keeper::history) reads them.

use shared::{id::ComponentId, verdict::Verdict};

use crate::keeper::{
    KeeperError,
    db::{Db, query},
    history::{COVERED_BY_A_LOOK, Look},
};

/// The most spans that are read: a home that flaps all the time has a few hundred a day.
const MAX_SPANS: i64 = 50_000;

/// What was seen of a component from outside since `from`, in milliseconds since 1970, the oldest first for each place. What
/// the disk does not have yet goes on from what it has, a minute or so earlier.
///
/// # Errors
/// When the storage fails.
pub(in crate::keeper) async fn since(db: &Db, component: &ComponentId, from: i64) -> Result<Vec<Look>, KeeperError> {
    let list = query(
        "SELECT location, began, ended, verdict, cause FROM look_spans
         WHERE component_id = ?1 AND inside = 0 AND ended >= ?2 ORDER BY location, began LIMIT ?3",
    );
    let list = list.bind(component.as_str()).bind(from - COVERED_BY_A_LOOK).bind(MAX_SPANS);
    let rows: Vec<(String, i64, i64, Option<String>, Option<String>)> = list.all(&mut db.read().await?).await?;
    let (mut looks, mut place) = (Vec::with_capacity(rows.len()), 0);
    let mut last: Option<String> = None;
    for (location, began, ended, verdict, cause) in rows {
        if last.as_ref().is_some_and(|last| *last != location) {
            place += 1;
        }
        last = Some(location);
        let verdict = verdict.and_then(|verdict| Verdict::from_labels(&verdict, cause.as_deref()));
        looks.push(Look { began, ended, verdict, place });
    }
    Ok(looks)
}
