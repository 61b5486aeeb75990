//! How far each thing has come that is worth a notice, and what follows for the queue.

use jiff::Timestamp;
use notify::{
    event::{Event, Stage},
    rules::Now,
};

use super::{
    condition::{Condition, Missed},
    queue::{drop_pointless, queue},
    track::{Track, When},
};
use crate::keeper::db::{Conn, Db, FromRow, Moment, Row, StorageError, Tx, query};

/// How far that has come.
pub(super) async fn track(conn: &mut Conn, key: &str) -> Result<Option<Track>, StorageError> {
    query("SELECT * FROM notice_tracks WHERE key = ?").bind(key).optional(conn).await
}

/// The keys of what goes on, or has not been calm for long.
pub(super) async fn tracked(conn: &mut Conn) -> Result<Vec<String>, StorageError> {
    query("SELECT key FROM notice_tracks ORDER BY key").all(conn).await
}

/// Writes how a condition is, and queues the notice that is due of it for those channels; whether one was.
pub(super) async fn observe(
    tx: &mut Tx,
    condition: &Condition,
    when: When,
    at: Timestamp,
    channels: &[String],
) -> Result<bool, StorageError> {
    let before = track(tx, &condition.key).await?;
    let (after, stage) = Track::step(before.clone(), condition.now, when, at);
    if after == before && stage.is_none() {
        return Ok(false);
    }
    if let Some(stage) = stage {
        let of = after.as_ref().or(before.as_ref());
        if let Some(track) = of {
            // An end is of what was announced before this step.
            let announced = before.as_ref().and_then(|before| before.announced).or(track.announced);
            let ended = track.ended.or(Some(at)).filter(|_| stage == Stage::Ended);
            let event = condition.event(&Track { ended, announced, ..track.clone() }, stage, at);
            queue_stage(tx, &event, condition.missed, channels).await?;
        }
    }
    match after {
        Some(track) => save(tx, &condition.key, &track).await?,
        None => {
            query("DELETE FROM notice_tracks WHERE key = ?").bind(&condition.key).execute(tx).await?;
        }
    }
    Ok(stage.is_some())
}

/// Whether observing this would write anything.
pub(super) async fn would_change(
    conn: &mut Conn,
    condition: &Condition,
    when: When,
    at: Timestamp,
) -> Result<bool, StorageError> {
    let before = track(conn, &condition.key).await?;
    // Most of what is well was never anything else.
    if before.is_none() && condition.now == Now::Well {
        return Ok(false);
    }
    let (after, stage) = Track::step(before.clone(), condition.now, when, at);
    Ok(stage.is_some() || after != before)
}

async fn save(tx: &mut Tx, key: &str, track: &Track) -> Result<(), StorageError> {
    query(
        "INSERT OR REPLACE INTO notice_tracks (key, since, ended, announced, last, begins, first)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(key)
    .bind(Moment::new(track.since))
    .bind(track.ended.map(Moment::new))
    .bind(track.announced.map(Moment::new))
    .bind(track.last.map(Moment::new))
    .bind(track.begins)
    .bind(Moment::new(track.first))
    .execute(tx)
    .await?;
    Ok(())
}

/// Queues a notice. An end takes the place of what was not sent yet of the same, and nobody is reminded who was not given the notice
/// before.
async fn queue_stage(tx: &mut Tx, event: &Event, missed: Missed, channels: &[String]) -> Result<(), StorageError> {
    match event.stage {
        Stage::Began => queue(tx, event, missed, channels).await,
        Stage::Reminder => {
            let mut given = channels.to_vec();
            let unsent = query(
                "SELECT DISTINCT channel FROM notice_deliveries JOIN notices ON id = notice_id
                 WHERE key = ? AND failure IS NULL",
            );
            let unsent: Vec<String> = unsent.bind(&event.key).all(tx).await?;
            given.retain(|channel| !unsent.contains(channel));
            queue(tx, event, missed, &given).await
        }
        Stage::Ended => {
            queue(tx, event, missed, channels).await?;
            for channel in channels {
                drop_pointless(tx, channel).await?;
            }
            Ok(())
        }
    }
}

/// The keys of what goes on.
pub(super) async fn lasting(db: &Db) -> Result<Vec<String>, StorageError> {
    query("SELECT key FROM notice_tracks WHERE ended IS NULL ORDER BY key").all(&mut db.read().await?).await
}

impl FromRow for Track {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let time = |moment: Option<Moment>| moment.map(Moment::timestamp);
        Ok(Self {
            since: row.get("since")?,
            ended: time(row.get("ended")?),
            announced: time(row.get("announced")?),
            last: time(row.get("last")?),
            begins: u32::try_from(row.get::<i64>("begins")?).unwrap_or(u32::MAX),
            first: row.get("first")?,
        })
    }
}
