//! What checks that call us say, as it comes in; and those that are overdue, found by looking.

use std::time::Duration;

use checks::check::CheckName;
use jiff::Timestamp;
use shared::fingerprint::Fingerprint;
use subtle::ConstantTimeEq;

use super::{
    conditions,
    known::Known,
    passive::{self, Call},
    places,
    posted::Posted,
    results, store,
};
use crate::{
    keeper::{
        KeeperError,
        db::{Db, Moment, Query, query},
        measured::Recorder,
        notices::picture,
    },
    reading::Reading,
};

/// How long after its start, or once it knows the time, the keeper waits for calls at most: those that came while nothing ran here
/// may be made again.
const LONGEST_PATIENCE: Duration = Duration::from_hours(1);

/// How much of what is sent along is kept, in bytes.
pub(in crate::keeper) const MAX_KEPT: usize = 10_000;

/// How many that are overdue are written in one transaction.
const MAX_CHANGED: usize = 500;

/// The check whose address ends with that secret.
pub(in crate::keeper) async fn find(db: &Db, secret: &str) -> Result<Option<Known>, KeeperError> {
    let sent = Fingerprint::of(secret.as_bytes());
    let find = query("SELECT * FROM checks WHERE secret_sha256 = ? AND kind = 'passive'");
    let found: Option<Known> = find.bind(sent.to_string()).optional(&mut db.read().await?).await?;
    // The index compares a digest, whose likeness tells nothing of the secret; this settles it.
    let is_it = |known: &Known| {
        let kept = known.check.passive.and_then(|passive| passive.secret_sha256);
        kept.is_some_and(|kept| kept.as_bytes().ct_eq(sent.as_bytes()).into())
    };
    Ok(found.filter(is_it))
}

/// Takes a call: the run that it ends is a reading, and what it says is known with it. `body` is what was sent along.
pub(in crate::keeper) async fn take(
    recorder: &Recorder,
    known: &Known,
    call: Call,
    body: Option<String>,
) -> Result<(), KeeperError> {
    let name = &known.check.name;
    let now = recorder.clock().wall();
    let mut also = Vec::new();
    if let Some(body) = body {
        also.push(query("UPDATE checks SET body = ? WHERE name = ?").bind(body).bind(name.as_str()));
    }
    let Some(outcome) = call.outcome(known.started_at, now) else {
        // By a clock that is wrong it would be far from its end; and the one before has not ended, and never will.
        let at = recorder.clock().is_set().then_some(now);
        also.extend((call == Call::Start).then(|| started(name, at)));
        return recorder.add_readings_and(&[], also, Vec::new()).await;
    };
    also.push(started(name, None));
    let reading = Reading::of_check(name, now, &outcome, Some(outcome.state));
    recorder.add_readings_and(&[Reading { method: Some("passive".into()), ..reading }], also, Vec::new()).await
}

/// Takes a result that was posted: a run that ends now.
pub(in crate::keeper) async fn take_result(
    recorder: &Recorder,
    known: &Known,
    posted: &Posted,
) -> Result<(), KeeperError> {
    let (name, now) = (&known.check.name, recorder.clock().wall());
    let kept = query("UPDATE checks SET body = ? WHERE name = ?");
    let kept = kept.bind(&posted.output[..posted.output.floor_char_boundary(MAX_KEPT)]).bind(name.as_str());
    let outcome = posted.outcome();
    let reading = Reading::of_check(name, now, &outcome, Some(outcome.state));
    let reading = Reading { method: Some("passive".into()), ..reading };
    let mut then = Vec::new();
    if let Some(picture) = posted.picture.as_ref().filter(|_| recorder.notices().takes_pictures()) {
        let (down, warned) = (conditions::key(name), conditions::warning_key(name));
        then.extend(picture::added([&down, &warned], now, picture.text()));
    }
    recorder.add_readings_and(&[reading], vec![kept, started(name, None)], then).await
}

fn started(name: &CheckName, at: Option<Timestamp>) -> Query {
    query("UPDATE checks SET started_at = ? WHERE name = ?").bind(at.map(Moment::new)).bind(name.as_str())
}

/// Writes which calls are overdue at that time, and what follows; how many there were that were not known to be.
///
/// # Errors
/// When the storage fails; what was not written is found again.
pub(in crate::keeper) async fn find_overdue(recorder: &Recorder, now: Timestamp) -> Result<usize, KeeperError> {
    // What was called before the clock was set has no time yet.
    let Some(known_for) = recorder.clock().trusted_for() else { return Ok(0) };
    let mut conn = recorder.db.read().await?;
    if query("SELECT EXISTS (SELECT 1 FROM undated)").one::<i64>(&mut conn).await? > 0 {
        return Ok(0);
    }
    let list = query(
        "SELECT * FROM checks WHERE kind = 'passive' AND (counts IS NULL OR counts <> 'critical' OR down_runs < after_failures)
             AND (started_at IS NOT NULL OR ran_at + 1000 * period_seconds < ?)",
    );
    let list: Vec<Known> = list.bind(Moment::new(now)).all(&mut conn).await?;
    let is_waited_for = |known: &Known| {
        let period = known.check.passive.map(|passive| Duration::from_secs(passive.period_seconds.into()));
        known_for < period.unwrap_or_default().min(LONGEST_PATIENCE)
    };
    let overdue = |known: &Known| !is_waited_for(known) && passive::overdue(known, now).is_some();
    let names: Vec<CheckName> =
        list.into_iter().filter(overdue).map(|known| known.check.name).take(MAX_CHANGED).collect();
    let misshown = store::misshown(&mut conn).await?;
    drop(conn);
    if names.is_empty() && misshown.is_empty() {
        return Ok(0);
    }
    let (mut tx, mut changed) = (recorder.db.begin().await?, 0);
    for component in misshown {
        places::show(&mut tx, &component, Moment::new(now)).await?;
    }
    for name in names {
        // Once more: it may have called meanwhile.
        let Some(before) = store::find(&mut tx, &name).await? else { continue };
        let Some((after, since)) = passive::overdue(&before, now) else { continue };
        results::follow(&mut tx, recorder.notices(), &after, before.standing, (since, now)).await?;
        changed += 1;
    }
    tx.commit().await?;
    recorder.outbox.wake();
    recorder.notices().wake_if_queued();
    Ok(changed)
}
