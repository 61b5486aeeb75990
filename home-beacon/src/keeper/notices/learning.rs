//! What is learnt becomes notices in the queue: of readings in the transaction that stores them, of what was found elsewhere in one
//! of its own, and only where it changes anything.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use notify::{
    event::{Event, Stage, Subject},
    rules::Now,
};
use serde_json::Value;

use super::{
    MAX_UNSAVED, Notices, Unsaved,
    condition::{Condition, Missed, Words},
    queue,
    series::{self, READ, Read},
    store,
    track::Track,
};
use crate::keeper::db::{Conn, Db, FromRow, Moment, Row, StorageError, Tx, query};

/// The job that remembers the home's address, and where in its document that is.
const ADDRESS_JOB: &str = "dns";
const FAMILIES: [(&str, &str); 2] = [("ipv4", "IPv4"), ("ipv6", "IPv6")];

/// What changes of the home's address are about.
pub(super) const ADDRESS: &str = "line/address";

/// How long what is an event of a moment stands where things stand.
const STANDS: SignedDuration = SignedDuration::from_mins(5);

impl Notices {
    /// Looks at what the newest readings of a series say, in the transaction that brought them.
    pub(in crate::keeper) async fn learn(
        &self,
        tx: &mut Tx,
        series: &str,
        id: i64,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let Some(shared) = &self.0 else { return Ok(()) };
        let newest = newest(tx, id, at).await?;
        for condition in series::of_readings(series, &newest, shared.thresholds, at) {
            shared.observe(tx, &condition, at).await?;
        }
        Ok(())
    }

    /// Writes how that is, in a transaction of the caller's, and queues what is due of it.
    pub(in crate::keeper) async fn observe_in(
        &self,
        tx: &mut Tx,
        condition: &Condition,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let Some(shared) = &self.0 else { return Ok(()) };
        shared.observe(tx, condition, at).await
    }

    /// Looks at what a job remembers from now on, in the transaction that stores it: the home's address may have changed.
    pub(in crate::keeper) async fn learn_state(
        &self,
        tx: &mut Tx,
        job: &str,
        (before, after): (Option<&Value>, &Value),
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let (Some(shared), Some(before), ADDRESS_JOB) = (&self.0, before, job) else { return Ok(()) };
        for (field, family) in FAMILIES {
            let of = |document: &Value| document[field]["address"].as_str().map(str::to_owned);
            let (Some(old), Some(new)) = (of(before), of(after)) else { continue };
            if old != new && !shared.is_muted(&format!("{ADDRESS}/{field}"), at) {
                let event = changed_address((field, family), &old, &new, at);
                queue::queue(tx, &event, Missed::Sent, &shared.receivers(event.subject, &event.key)).await?;
            }
        }
        Ok(())
    }

    /// Whether a job has been silent for too long.
    pub(in crate::keeper) async fn silence(
        &self,
        conn: &mut Conn,
        (series, id): (&str, i64),
        at: Timestamp,
        keeper_began: Timestamp,
    ) -> Result<Option<Condition>, StorageError> {
        Ok(series::silent(series, &newest(conn, id, at).await?, at, keeper_began))
    }

    /// Writes how these are, where that changes anything, and queues what is due of them.
    ///
    /// # Errors
    /// When the storage fails; what was to be written is found again.
    pub(in crate::keeper) async fn observe(
        &self,
        db: &Db,
        conditions: &[Condition],
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let Some(shared) = &self.0 else { return Ok(()) };
        let mut changed = Vec::new();
        let mut conn = db.read().await?;
        for condition in conditions {
            shared.note(condition);
            if store::would_change(&mut conn, condition, shared.when(condition, at), at).await? {
                changed.push(condition);
            }
        }
        drop(conn);
        if changed.is_empty() {
            return Ok(());
        }
        let mut tx = db.begin().await?;
        for condition in changed {
            shared.observe(&mut tx, condition, at).await?;
        }
        tx.commit().await?;
        self.wake();
        Ok(())
    }

    /// What of conditions that readings decide is due later, as a reminder or at the end of quiet hours, is found here: by the keys
    /// of what goes on. What was found of other things is in `found`.
    pub(in crate::keeper) async fn observe_series(
        &self,
        db: &Db,
        series: &[(String, i64)],
        found: &[Condition],
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let Some(shared) = &self.0 else { return Ok(()) };
        let mut conn = db.read().await?;
        let tracked = store::tracked(&mut conn).await?;
        let (mut conditions, mut alive) = (Vec::new(), Vec::new());
        for (name, id) in series {
            if tracked.iter().any(|key| key.contains(name.as_str())) {
                let newest = newest(&mut conn, *id, at).await?;
                if !series::is_stale(&newest, at) {
                    alive.push(name.as_str());
                }
                conditions.extend(series::of_readings(name, &newest, shared.thresholds, at));
            }
        }
        let checks: Vec<String> = query("SELECT name FROM checks").all(&mut conn).await?;
        let checks: HashSet<String> = checks.into_iter().collect();
        drop(conn);
        // Who takes a check away ends what was said of it.
        let is_of_check = |key: &str| {
            key.strip_prefix("check/").is_some_and(|of| checks.contains(of.split('/').next().unwrap_or(of)))
        };
        // Of a series that has readings all is looked at, also what these say nothing of now.
        let is_looked_at = |key: &String| {
            conditions.iter().chain(found).any(|condition| condition.key == *key)
                || key.split('/').any(|part| alive.contains(&part))
                || is_of_check(key)
        };
        let forgotten = shared.forgotten(&tracked, is_looked_at, at);
        conditions.extend(forgotten.into_iter().map(|key| no_longer(key, at)));
        self.observe(db, &conditions, at).await
    }

    /// The storage cannot note how it is itself: that is kept here, and its notice is sent from memory.
    pub(in crate::keeper) async fn observe_storage(&self, db: &Db, condition: &Condition, at: Timestamp) {
        let Some(shared) = &self.0 else { return };
        let before = shared.known().storage.take();
        let (after, stage) = Track::step(before.clone(), condition.now, shared.when(condition, at), at);
        if let (Some(stage), Some(track)) = (stage, after.as_ref().or(before.as_ref())) {
            let announced = before.as_ref().and_then(|before| before.announced).or(track.announced);
            let event = condition.event(&Track { announced, ..track.clone() }, stage, at);
            let channels = shared.receivers(event.subject, &event.key);
            if stage == Stage::Ended {
                shared.known().unsaved.retain(|unsaved| unsaved.event.key != event.key);
            }
            if queue::queue_alone(db, &event, &channels).await.is_err() {
                let mut known = shared.known();
                known.unsaved.truncate(MAX_UNSAVED - 1);
                known.unsaved.push(Unsaved { event, channels });
            }
            self.wake();
        }
        shared.known().storage = after;
    }
}

fn changed_address((field, family): (&str, &str), old: &str, new: &str, at: Timestamp) -> Event {
    Event {
        key: format!("{ADDRESS}/{field}"),
        subject: Subject::Line,
        stage: Stage::Began,
        since: at,
        at,
        title: format!("The home's {family} address is now {new}"),
        text: format!("It was {old}. DuckDNS has the new one."),
        is_serious: false,
        // It is an event of a moment, and Alertmanager has to see it stand.
        ends: at.checked_add(STANDS).ok(),
        link: None,
    }
}

/// What nothing looks at any more.
fn no_longer(key: String, at: Timestamp) -> Condition {
    let subject = key.split('/').next().and_then(|subject| subject.parse().ok()).unwrap_or(Subject::Keeper);
    let ended = format!("{key} is not there any more");
    let words = Words { ended, ..Words::default() };
    Condition { key, subject, is_serious: false, missed: Missed::Dropped, now: Now::Well, seen_at: at, words }
}

async fn newest(conn: &mut Conn, series: i64, at: Timestamp) -> Result<Vec<Read>, StorageError> {
    let newest = query(
        "SELECT at, value, loss, failure, skipped IS NOT NULL OR mark IS NOT NULL AS is_skipped FROM readings
         WHERE series_id = ? AND at <= ? ORDER BY at DESC LIMIT ?",
    );
    newest.bind(series).bind(Moment::new(at)).bind(READ).all(conn).await
}

impl FromRow for Read {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            at: row.get("at")?,
            value: row.get("value")?,
            loss: row.get("loss")?,
            failure: row.get("failure")?,
            is_skipped: row.get("is_skipped")?,
        })
    }
}
