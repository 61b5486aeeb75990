//! The queue of notices: who is still to be given which, and who was not.

use jiff::{SignedDuration, Timestamp};
use notify::event::{Event, Stage, Subject};
use serde::Serialize;

use super::condition::Missed;
use crate::keeper::db::{Conn, Db, FromRow, Moment, Row, StorageError, Tx, built, query};

/// How many notices wait at most; a keeper that writes more has something else to be mended.
const MAX_NOTICES: i64 = 1000;

/// How many that were not taken are kept to be listed, and for how long.
const MAX_FAILED: i64 = 100;
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A notice that one channel is to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) id: i64,
    pub(super) event: Event,
    /// How often it may have been taken.
    pub(super) tries: i64,
    pub(super) unless_seen: bool,
}

impl Waiting {
    /// It alone.
    pub(super) const fn alone(&self) -> Batch {
        Batch { first: self.id, last: self.id, serious: false }
    }
}

/// What waits for a channel.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    /// The oldest.
    pub(super) few: Vec<Waiting>,
    pub(super) count: usize,
    /// The newest.
    pub(super) last: i64,
}

/// A notice that a channel has not been given.
#[derive(Clone, Debug, Serialize)]
pub struct Undelivered {
    /// In a few words.
    pub title: String,
    /// When it was due.
    pub at: Moment,
    /// The channel, by its digest.
    #[serde(skip)]
    pub channel: String,
    /// Why it is not sent any more; `None` where it still is.
    pub failure: Option<String>,
}

/// Queues a notice for those channels; of too many, the oldest go.
pub(super) async fn queue(tx: &mut Tx, event: &Event, missed: Missed, channels: &[String]) -> Result<(), StorageError> {
    if channels.is_empty() {
        return Ok(());
    }
    let insert = query(
        "INSERT INTO notices (key, subject, stage, since, at, title, text, serious, ends, missed)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
    );
    let id: i64 = insert
        .bind(&event.key)
        .bind(event.subject.as_str())
        .bind(event.stage.as_str())
        .bind(Moment::new(event.since))
        .bind(Moment::new(event.at))
        .bind(&event.title)
        .bind(&event.text)
        .bind(event.is_serious)
        .bind(event.ends.map(Moment::new))
        .bind(missed.as_str())
        .one(tx)
        .await?;
    for channel in channels {
        let insert = query("INSERT INTO notice_deliveries (notice_id, channel) VALUES (?, ?)");
        insert.bind(id).bind(channel).execute(tx).await?;
    }
    let bound = "DELETE FROM notices WHERE id IN (SELECT id FROM notices ORDER BY id DESC LIMIT -1 OFFSET ?)";
    query(bound).bind(MAX_NOTICES).execute(tx).await?;
    Ok(())
}

/// Queues a notice by itself.
pub(super) async fn queue_alone(db: &Db, event: &Event, channels: &[String]) -> Result<(), StorageError> {
    let mut tx = db.begin().await?;
    queue(&mut tx, event, Missed::Sent, channels).await?;
    if event.stage == Stage::Ended {
        for channel in channels {
            drop_pointless(&mut tx, channel).await?;
        }
    }
    tx.commit().await
}

/// Drops what a channel was not given yet of something that has ended meanwhile; and its end, where that matters only to who was
/// given the rest.
pub(super) async fn drop_pointless(tx: &mut Tx, channel: &str) -> Result<(), StorageError> {
    const ENDED: &str = "SELECT ended.id FROM notices AS began JOIN notices AS ended USING (key)
         JOIN notice_deliveries AS delivery ON delivery.notice_id = began.id AND delivery.channel = ?1
         WHERE began.stage = 'began' AND ended.stage = 'ended' AND ended.since = began.since AND ended.id > began.id
             AND delivery.tries = 0";
    let drop = built(format!(
        "DELETE FROM notice_deliveries WHERE channel = ?1
             AND notice_id IN (SELECT id FROM notices WHERE missed = 'dropped' AND id IN ({ENDED}))"
    ));
    drop.bind(channel).execute(tx).await?;
    let mark = built(format!(
        "UPDATE notice_deliveries SET unless_seen = 1 WHERE channel = ?1 AND NOT unless_seen
             AND notice_id IN (SELECT id FROM notices WHERE missed = 'sent_unless_seen' AND id IN ({ENDED}))"
    ));
    mark.bind(channel).execute(tx).await?;
    // An end that is dropped stands here no more, but its begin is known by it: what has an end, queued or sent, is over.
    let forget = query(
        "DELETE FROM notice_deliveries WHERE channel = ?1 AND tries = 0 AND failure IS NULL AND notice_id IN (
             SELECT began.id FROM notices AS began JOIN notices AS ended USING (key)
             WHERE began.stage <> 'ended' AND ended.stage = 'ended' AND ended.since = began.since AND ended.id > began.id)",
    );
    forget.bind(channel).execute(tx).await?;
    tidy(tx).await
}

/// Deletes the notices that nobody is to be given any more.
pub(super) async fn tidy(conn: &mut Conn) -> Result<(), StorageError> {
    for tidy in [
        "DELETE FROM notices WHERE id NOT IN (SELECT notice_id FROM notice_deliveries)",
        "DELETE FROM notice_pictures WHERE notice_id NOT IN (SELECT notice_id FROM notice_deliveries WHERE failure IS NULL)",
    ] {
        query(tidy).execute(conn).await?;
    }
    Ok(())
}

/// What a channel is to be given: the oldest few, and how many there are; with `serious` those alone.
pub(super) async fn waiting(db: &Db, channel: &str, serious: bool, few: u32) -> Result<Queue, StorageError> {
    let mut conn = db.snapshot().await?;
    let oldest = query(
        "SELECT notices.*, tries, unless_seen FROM notice_deliveries JOIN notices ON id = notice_id
         WHERE channel = ?1 AND failure IS NULL AND (serious OR NOT ?2) ORDER BY id LIMIT ?3",
    );
    let few: Vec<Waiting> = oldest.bind(channel).bind(serious).bind(few).all(&mut conn).await?;
    if few.is_empty() {
        return Ok(Queue::default());
    }
    let count = query(
        "SELECT COUNT(*), COALESCE(MAX(id), 0) FROM notice_deliveries JOIN notices ON id = notice_id
         WHERE channel = ?1 AND failure IS NULL AND (serious OR NOT ?2)",
    );
    let (count, last): (i64, i64) = count.bind(channel).bind(serious).one(&mut conn).await?;
    Ok(Queue { few, count: usize::try_from(count).unwrap_or(usize::MAX), last })
}

/// Which of those that wait for a channel are meant: from one id to another, and of a summary in quiet hours the serious alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) serious: bool,
}

pub(super) const IN_BATCH: &str = "channel = ?1 AND failure IS NULL AND notice_id BETWEEN ?2 AND ?3
     AND (NOT ?4 OR notice_id IN (SELECT id FROM notices WHERE serious))";

/// Returns how many there were.
async fn of_batch(db: &Db, what: &str, channel: &str, batch: Batch, bound: Option<&str>) -> Result<u64, StorageError> {
    let mut tx = db.begin().await?;
    let statement = built(format!("{what} WHERE {IN_BATCH}"));
    let statement = statement.bind(channel).bind(batch.first).bind(batch.last).bind(batch.serious);
    let changed = match bound {
        Some(bound) => statement.bind(bound).execute(&mut tx).await?,
        None => statement.execute(&mut tx).await?,
    };
    tidy(&mut tx).await?;
    tx.commit().await?;
    Ok(changed)
}

/// They are being sent: from here on the channel may have them. Whether there are any: they may have become pointless.
pub(super) async fn claim(db: &Db, channel: &str, batch: Batch) -> Result<bool, StorageError> {
    Ok(of_batch(db, "UPDATE notice_deliveries SET tries = tries + 1", channel, batch, None).await? > 0)
}

/// The channel does not have them after all. What has ended meanwhile is not to be given as if it lasted.
pub(super) async fn release(db: &Db, channel: &str, batch: Batch) -> Result<(), StorageError> {
    of_batch(db, "UPDATE notice_deliveries SET tries = MAX(tries - 1, 0)", channel, batch, None).await?;
    let mut tx = db.begin().await?;
    drop_pointless(&mut tx, channel).await?;
    tx.commit().await
}

/// The channel has them, or need not.
pub(super) async fn settle(db: &Db, channel: &str, batch: Batch) -> Result<(), StorageError> {
    of_batch(db, "DELETE FROM notice_deliveries", channel, batch, None).await.map(|_| ())
}

/// They are not sent to that channel any more.
pub(super) async fn give_up(db: &Db, channel: &str, batch: Batch, why: &str) -> Result<(), StorageError> {
    let refused = "UPDATE notice_deliveries SET failure = ?5, tries = MAX(tries - 1, 0)";
    of_batch(db, refused, channel, batch, Some(why)).await?;
    let mut tx = db.begin().await?;
    // What has ended meanwhile is not to be given to who was not given the begin.
    drop_pointless(&mut tx, channel).await?;
    let bound = query(
        "DELETE FROM notice_deliveries WHERE (notice_id, channel) IN (SELECT notice_id, channel FROM notice_deliveries
             WHERE failure IS NOT NULL ORDER BY notice_id DESC LIMIT -1 OFFSET ?)",
    );
    bound.bind(MAX_FAILED).execute(&mut tx).await?;
    tidy(&mut tx).await?;
    tx.commit().await
}

/// Those that may have been taken for the second time are not sent any more.
pub(super) async fn give_up_unsure(db: &Db, channel: &str, batch: Batch, why: &str) -> Result<(), StorageError> {
    let second = "UPDATE notice_deliveries SET failure = CASE WHEN tries >= 2 THEN ?5 END";
    of_batch(db, second, channel, batch, Some(why)).await.map(|_| ())
}

/// What no channel, or not every one, has been given.
pub(super) async fn undelivered(db: &Db) -> Result<Vec<Undelivered>, StorageError> {
    let list = query(
        "SELECT title, at, channel, failure FROM notice_deliveries JOIN notices ON id = notice_id ORDER BY id, channel LIMIT ?",
    );
    list.bind(MAX_NOTICES).all(&mut db.read().await?).await
}

/// How many wait for each channel, and how many it has not been given and will not be.
pub(super) async fn counts(db: &Db) -> Result<Vec<(String, i64, i64)>, StorageError> {
    let count = query(
        "SELECT channel, COUNT(*) FILTER (WHERE failure IS NULL), COUNT(failure) FROM notice_deliveries GROUP BY channel",
    );
    count.all(&mut db.read().await?).await
}

/// Forgets what was not taken long ago.
pub(super) async fn forget_old(db: &Db, now: Timestamp) -> Result<(), StorageError> {
    let before = Moment::new(now.checked_sub(KEPT).unwrap_or(Timestamp::MIN));
    let mut tx = db.begin().await?;
    let forget = query(
        "DELETE FROM notice_deliveries WHERE failure IS NOT NULL AND notice_id IN (SELECT id FROM notices WHERE at < ?)",
    );
    if forget.bind(before).execute(&mut tx).await? > 0 {
        tidy(&mut tx).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Forgets what was for channels that are not there any more.
pub(super) async fn keep_only(db: &Db, channels: &[String]) -> Result<(), StorageError> {
    let kept: Vec<String> = query("SELECT DISTINCT channel FROM notice_deliveries").all(&mut db.read().await?).await?;
    let gone: Vec<_> = kept.iter().filter(|channel| !channels.contains(channel)).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    for channel in gone {
        query("DELETE FROM notice_deliveries WHERE channel = ?").bind(channel).execute(&mut tx).await?;
    }
    tidy(&mut tx).await?;
    tx.commit().await
}

impl FromRow for Waiting {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let (subject, stage): (String, String) = (row.get("subject")?, row.get("stage")?);
        let event = Event {
            key: row.get("key")?,
            subject: subject.parse().unwrap_or(Subject::Keeper),
            stage: stage.parse().unwrap_or(Stage::Began),
            since: row.get("since")?,
            at: row.get("at")?,
            title: row.get("title")?,
            text: row.get("text")?,
            is_serious: row.get("serious")?,
            ends: row.get::<Option<Moment>>("ends")?.map(Moment::timestamp),
            link: None,
        };
        Ok(Self { id: row.get("id")?, event, tries: row.get("tries")?, unless_seen: row.get("unless_seen")? })
    }
}

impl FromRow for Undelivered {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            title: row.get("title")?,
            at: row.get("at")?,
            channel: row.get("channel")?,
            failure: row.get("failure")?,
        })
    }
}
