//! What is known of checks, as the API lists it.

use std::collections::HashSet;

use checks::check::CheckName;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    conditions,
    definition::{dependency_text, place_text},
    known::Known,
    late::Waiting,
    places, store,
};
use crate::keeper::{
    KeeperError,
    db::{Db, Moment},
    notices::{Mute, mutes},
};

/// All checks, by name.
pub(in crate::keeper) async fn all(
    db: &Db,
    mutes: &[Mute],
    now: Timestamp,
    began: Timestamp,
) -> Result<Vec<Value>, KeeperError> {
    let all = store::all(&mut db.read().await?).await?;
    Ok(all.iter().map(|known| listed(known, Muted::of(known, mutes, now), now, began)).collect())
}

/// Whether nobody is written to about a check for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::keeper) struct Muted {
    pub(in crate::keeper) is_muted: bool,
    /// `None` where it is not, and where it has no end.
    pub(in crate::keeper) until: Option<Moment>,
}

impl Muted {
    /// By all mutes that there are.
    pub(in crate::keeper) fn of(known: &Known, mutes: &[Mute], now: Timestamp) -> Self {
        let until = mutes::muted_until(mutes, &mute_key(&known.check.name), now);
        Self { is_muted: until.is_some(), until: until.filter(|until| *until < Moment::new(mutes::NO_END)) }
    }
}

/// What is muted where a check is.
pub(in crate::keeper) fn mute_key(name: &CheckName) -> String {
    conditions::key(name)
}

/// All checks with what is known of them, by name.
pub(in crate::keeper) async fn known(db: &Db) -> Result<Vec<Known>, KeeperError> {
    Ok(store::all(&mut db.read().await?).await?)
}

/// The check of that name.
pub(in crate::keeper) async fn find(db: &Db, name: &CheckName) -> Result<Option<Known>, KeeperError> {
    Ok(store::find(&mut db.read().await?, name).await?)
}

/// The components that somebody works on, by their ids.
pub(in crate::keeper) async fn maintained(db: &Db) -> Result<HashSet<String>, KeeperError> {
    Ok(places::maintained(&mut db.read().await?).await?)
}

fn listed(known: &Known, muted: Muted, now: Timestamp, began: Timestamp) -> Value {
    let (check, standing) = (&known.check, known.standing);
    let depends_on: Vec<_> = check.depends_on.iter().map(dependency_text).collect();
    let run = known.last.as_ref().map(|run| {
        json!({
            "at": run.at,
            "state": run.state,
            "cause": run.cause.map(checks::cause::Cause::label),
            "text": run.text,
            "duration_ms": run.took,
            "phases": store::phases(run.phases),
            "figures": run.figures,
            "certificate_ends": run.certificate_ends.map(Moment::new),
        })
    });
    let passive = check.passive.map(|passive| {
        json!({
            "period_seconds": passive.period_seconds,
            "grace_seconds": passive.grace_seconds,
            "started_at": known.started_at,
            "body": known.body,
        })
    });
    json!({
        "name": check.name,
        "source": known.source,
        "title": check.title,
        "group": check.group,
        "kind": check.kind,
        "target": check.target,
        "every_seconds": check.every_seconds,
        "component": place_text(&check.component),
        "component_id": known.component,
        "depends_on": depends_on,
        "counts": standing.counts,
        "since": standing.since,
        "late": Waiting::of(known).is_some_and(|waiting| waiting.is_late(now, began)),
        "muted": muted.is_muted,
        "muted_until": muted.until,
        "successes": known.successes,
        "failures": known.failures,
        "last_run": run,
        "passive": passive,
    })
}
