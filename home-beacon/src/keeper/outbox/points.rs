//! The queue of points of relayed metrics: the latest value of each slot.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::id::MetricId;

use super::Outbox;
use crate::{
    keeper::{
        KeeperError,
        db::{FromRow, Moment, Row, StorageError, Tx, built, query},
    },
    reading::slots::{AHEAD, BACKFILL},
};

/// How many rejected points are kept; beyond that the oldest are deleted.
const MAX_REJECTED: i64 = 10_000;

/// A point that upstream has not taken yet.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuedPoint {
    /// The metric, by its id upstream.
    pub metric: MetricId,
    /// Seconds since 1970: a multiple of 30, or of a repetition the time at which it is sent.
    pub slot: i64,
    /// In the metric's unit.
    pub value: f64,
}

/// A point that upstream refused.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RejectedPoint {
    /// The metric, by its id upstream.
    pub metric: MetricId,
    /// Seconds since 1970, a multiple of 30.
    #[serde(rename = "timestamp")]
    pub slot: i64,
    /// In the metric's unit.
    pub value: f64,
    /// What upstream said.
    pub reason: String,
    /// When it was refused; its own time where it is too old.
    pub at: Moment,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Backlog {
    /// Points in the queue that upstream would take.
    pub waiting: i64,
    /// The slot of the oldest of them.
    pub oldest: Option<i64>,
    /// Points that upstream refused, or that are too old for it.
    pub rejected: i64,
    /// Of those, how many are older than upstream takes.
    pub too_old: i64,
    /// Readings that came before the clock was set, and wait for their time.
    pub undated: i64,
}

/// Queues a point. Another value of its slot is replaced, in the queue and among the rejected ones.
pub(in crate::keeper) async fn enqueue(
    tx: &mut Tx,
    metric: &MetricId,
    slot: i64,
    value: f64,
) -> Result<(), KeeperError> {
    let enqueue = query("INSERT OR REPLACE INTO relay_points (slot, metric_id, value) VALUES (?, ?, ?)");
    enqueue.bind(slot).bind(metric.as_str()).bind(value).execute(tx).await?;
    let replaced = query("DELETE FROM relay_set_aside WHERE slot = ? AND metric_id = ?");
    replaced.bind(slot).bind(metric.as_str()).execute(tx).await?;
    Ok(())
}

/// Deletes everything queued and rejected whose metric is not relayed any more.
pub(in crate::keeper) async fn drop_unrelayed(tx: &mut Tx) -> Result<(), KeeperError> {
    for text in [
        "DELETE FROM relay_points WHERE metric_id NOT IN (SELECT id FROM metrics WHERE relayed)",
        "DELETE FROM relay_set_aside WHERE metric_id NOT IN (SELECT id FROM metrics WHERE relayed)",
    ] {
        query(text).execute(tx).await?;
    }
    Ok(())
}

/// Deletes a metric's points, queued and rejected.
pub(in crate::keeper) async fn drop_metric(tx: &mut Tx, metric: &MetricId) -> Result<(), KeeperError> {
    for text in ["DELETE FROM relay_points WHERE metric_id = ?", "DELETE FROM relay_set_aside WHERE metric_id = ?"] {
        query(text).bind(metric.as_str()).execute(tx).await?;
    }
    Ok(())
}

/// The slots that upstream takes points of.
fn window(now: Timestamp) -> (i64, i64) {
    let by = |age: SignedDuration| now.as_second().saturating_sub(age.as_secs());
    // The call takes its time, and upstream has a clock of its own.
    (by(BACKFILL - AHEAD), by(-AHEAD))
}

impl Outbox {
    /// The oldest queued points that upstream would take, up to `max` of them, without those of the metrics in `except`.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn pending(
        &self,
        now: Timestamp,
        except: &[&MetricId],
        max: usize,
    ) -> Result<Vec<QueuedPoint>, KeeperError> {
        // Before the query: what is dequeued meanwhile is still in its answer, and is not to be sent again.
        let delivered = self.delivered.values();
        let places = vec!["?"; except.len()].join(", ");
        let (from, to) = window(now);
        let pending = built(format!(
            "SELECT slot, metric_id, value FROM relay_points WHERE slot BETWEEN ? AND ? AND metric_id NOT IN ({places})
             ORDER BY slot, metric_id LIMIT ?"
        ));
        let pending = pending.bind(from).bind(to);
        let pending = except.iter().fold(pending, |pending, metric| pending.bind(metric.as_str()));
        let limit = i64::try_from(max + delivered.len()).unwrap_or(i64::MAX);
        let points: Vec<QueuedPoint> = pending.bind(limit).all(&mut self.db.read().await?).await?;
        let is_delivered = |point: &QueuedPoint| {
            let value = delivered.get(&(point.slot, point.metric.clone()));
            // A newer value of a slot is still to be sent.
            value.is_some_and(|value| value.to_bits() == point.value.to_bits())
        };
        Ok(points.into_iter().filter(|point| !is_delivered(point)).take(max).collect())
    }

    /// Moves a point that upstream refused out of the queue, unless its slot has another value by now.
    ///
    /// # Errors
    /// When the storage fails; the point stays queued then.
    pub async fn reject(&self, point: &QueuedPoint, reason: &str, now: Moment) -> Result<(), KeeperError> {
        let mut tx = self.db.begin().await?;
        let dequeue = query("DELETE FROM relay_points WHERE slot = ? AND metric_id = ? AND value = ?");
        if dequeue.bind(point.slot).bind(point.metric.as_str()).bind(point.value).execute(&mut tx).await? == 0 {
            return Ok(());
        }
        query("INSERT OR REPLACE INTO relay_set_aside (slot, metric_id, value, reason, at) VALUES (?, ?, ?, ?, ?)")
            .bind(point.slot)
            .bind(point.metric.as_str())
            .bind(point.value)
            .bind(reason)
            .bind(now)
            .execute(&mut tx)
            .await?;
        let bound = "DELETE FROM relay_set_aside WHERE (slot, metric_id) IN
                         (SELECT slot, metric_id FROM relay_set_aside ORDER BY slot DESC LIMIT -1 OFFSET ?)";
        let deleted = query(bound).bind(MAX_REJECTED).execute(&mut tx).await?;
        tx.commit().await?;
        if deleted > 0 {
            tracing::warn!(deleted, max = MAX_REJECTED, "too many points were refused: the oldest are deleted");
        }
        Ok(())
    }

    /// The points that upstream refused, and those that are too old for it, the newest first. The latter stay in the queue:
    /// a clock that ran ahead for a while makes points look old that are not.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn rejected(&self, now: Timestamp, max: u32) -> Result<Vec<RejectedPoint>, KeeperError> {
        let list = query(
            "SELECT slot, metric_id, value, reason, at FROM relay_set_aside
             UNION ALL SELECT slot, metric_id, value, 'it is older than 28 days, which upstream does not take',
                 slot * 1000 FROM relay_points WHERE slot < ?
             ORDER BY slot DESC, metric_id LIMIT ?",
        );
        Ok(list.bind(window(now).0).bind(max).all(&mut self.db.read().await?).await?)
    }

    /// Queues everything again that was rejected, but where a newer value of its slot is queued; how many there were.
    ///
    /// # Errors
    /// When the storage fails; nothing is queued then.
    pub async fn retry_rejected(&self) -> Result<u64, KeeperError> {
        let mut tx = self.db.begin().await?;
        let enqueue = "INSERT INTO relay_points (slot, metric_id, value)
                       SELECT slot, metric_id, value FROM relay_set_aside WHERE true ON CONFLICT DO NOTHING";
        query(enqueue).execute(&mut tx).await?;
        let count = query("DELETE FROM relay_set_aside").execute(&mut tx).await?;
        tx.commit().await?;
        self.wake();
        Ok(count)
    }

    /// How much waits.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn backlog(&self, now: Timestamp) -> Result<Backlog, KeeperError> {
        let (from, to) = window(now);
        let count = query(
            "SELECT COUNT(*) FILTER (WHERE slot BETWEEN ?1 AND ?2), MIN(slot) FILTER (WHERE slot >= ?1),
                 COUNT(*) FILTER (WHERE slot < ?1), (SELECT COUNT(*) FROM relay_set_aside),
                 (SELECT COUNT(*) FROM undated) FROM relay_points",
        );
        let (queued, oldest, too_old, refused, undated): (i64, Option<i64>, i64, i64, i64) =
            count.bind(from).bind(to).one(&mut self.db.read().await?).await?;
        let delivered = i64::try_from(self.delivered.len()).unwrap_or(i64::MAX);
        let waiting = (queued - delivered).max(0);
        let oldest = oldest.filter(|_| waiting > 0);
        Ok(Backlog { waiting, oldest, rejected: refused + too_old, too_old, undated })
    }
}

impl FromRow for QueuedPoint {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { metric: row.get("metric_id")?, slot: row.get("slot")?, value: row.get("value")? })
    }
}

impl FromRow for RejectedPoint {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            metric: row.get("metric_id")?,
            slot: row.get("slot")?,
            value: row.get("value")?,
            reason: row.get("reason")?,
            at: row.get("at")?,
        })
    }
}
