//! How far each thing has come that is worth a notice, and what follows for the queue.

use jiff::Timestamp;
use notify::{
    event::{Event, Stage},
    rules::Now,
};

use super::{
    condition::{Condition, Missed},
    queue::{queue, tidy},
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

/// Writes how a condition is, and queues the notice that is due of it for those channels.
pub(super) async fn observe(
    tx: &mut Tx,
    condition: &Condition,
    when: When,
    at: Timestamp,
    channels: &[String],
) -> Result<(), StorageError> {
    let before = track(tx, &condition.key).await?;
    let (after, stage) = Track::step(before.clone(), condition.now, when, at);
    if after == before && stage.is_none() {
        return Ok(());
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
    Ok(())
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

/// Queues a notice. An end takes the place of what was not sent yet of the same.
async fn queue_stage(tx: &mut Tx, event: &Event, missed: Missed, channels: &[String]) -> Result<(), StorageError> {
    if event.stage != Stage::Ended {
        return queue(tx, event, channels).await;
    }
    let mut unaware = Vec::new();
    for channel in channels {
        let unsent = query(
            "SELECT COUNT(*) FROM notice_deliveries AS delivery JOIN notices ON id = notice_id
             WHERE channel = ? AND key = ? AND stage = 'began' AND tries = 0 AND failure IS NULL",
        );
        if unsent.bind(channel).bind(&event.key).one::<i64>(tx).await? > 0 {
            unaware.push(channel.as_str());
        }
    }
    let forget = query(
        "DELETE FROM notice_deliveries WHERE tries = 0 AND failure IS NULL
             AND notice_id IN (SELECT id FROM notices WHERE key = ? AND stage <> 'ended')",
    );
    forget.bind(&event.key).execute(tx).await?;
    tidy(tx).await?;
    let is_given = |channel: &&String| missed != Missed::Dropped || !unaware.contains(&channel.as_str());
    let given: Vec<_> = channels.iter().filter(is_given).cloned().collect();
    queue(tx, event, &given).await?;
    if missed == Missed::SentUnlessSeen {
        for channel in unaware {
            let mark = query(
                "UPDATE notice_deliveries SET unless_seen = 1
                 WHERE channel = ? AND notice_id = (SELECT MAX(id) FROM notices WHERE key = ? AND stage = 'ended')",
            );
            mark.bind(channel).bind(&event.key).execute(tx).await?;
        }
    }
    Ok(())
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
