//! What is to be told upstream: points of relayed metrics, the latest of each slot.
//!
//! A point is queued in the transaction that stores it. That upstream has taken it is remembered in memory first and
//! shares the next reading's transaction, which spares the disk; a keeper that dies before sends it again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::id::MetricId;
use sqlx::{FromRow, SqliteConnection};

use super::{
    Moment, Store, StoreError,
    slots::{AHEAD, BACKFILL},
};

/// How many points may be set aside; beyond that the oldest are forgotten.
const MOST_SET_ASIDE: i64 = 10_000;

/// How many deliveries may wait for the next reading.
const MOST_DELIVERED: usize = 2000;

/// A point that upstream has not taken yet.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuedPoint {
    pub metric: MetricId,
    /// Seconds since 1970, a multiple of 30.
    pub slot: i64,
    pub value: f64,
}

/// Points that upstream has taken, which the disk does not know yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Delivered(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    points: HashMap<(i64, MetricId), f64>,
    /// The host's uptime when the first of them was.
    since: Option<Duration>,
}

/// A point that upstream refused.
#[derive(Clone, Debug, PartialEq, FromRow, Serialize)]
pub struct SetAside {
    #[sqlx(try_from = "String", rename = "metric_id")]
    pub metric: MetricId,
    #[sqlx(rename = "slot")]
    #[serde(rename = "timestamp")]
    pub slot: i64,
    pub value: f64,
    pub reason: String,
    /// When it was refused; its own time where it is too old.
    #[sqlx(try_from = "i64")]
    pub at: Moment,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Backlog {
    pub waiting: i64,
    /// The slot of the oldest one that waits.
    pub oldest: Option<i64>,
    pub set_aside: i64,
    /// Of those set aside, how many are older than upstream takes.
    pub too_old: i64,
    /// What came in before the clock was set, and waits for its time.
    pub undated: i64,
}

impl Delivered {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes everything off the queue that is not to be told upstream any more.
pub(super) async fn drop_unmarked(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    for query in [
        "DELETE FROM relay_points WHERE metric_id NOT IN (SELECT id FROM metrics WHERE relayed)",
        "DELETE FROM relay_set_aside WHERE metric_id NOT IN (SELECT id FROM metrics WHERE relayed)",
    ] {
        sqlx::query(query).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Takes a metric's points off the queue.
pub(super) async fn forget(connection: &mut SqliteConnection, metric: &MetricId) -> Result<(), StoreError> {
    for query in ["DELETE FROM relay_points WHERE metric_id = ?", "DELETE FROM relay_set_aside WHERE metric_id = ?"] {
        sqlx::query(query).bind(metric.as_str()).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The slots that upstream takes points of.
fn window(now: Timestamp) -> (i64, i64) {
    let by = |age: SignedDuration| now.as_second().saturating_sub(age.as_secs());
    // The call takes its time, and upstream has a clock of its own.
    (by(BACKFILL - AHEAD), by(-AHEAD))
}

/// Queues a point. Another one of its slot goes, wherever it is.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    metric: &MetricId,
    slot: i64,
    value: f64,
) -> Result<(), StoreError> {
    let query = "INSERT OR REPLACE INTO relay_points (slot, metric_id, value) VALUES (?, ?, ?)";
    sqlx::query(query).bind(slot).bind(metric.as_str()).bind(value).execute(&mut *connection).await?;
    let query = "DELETE FROM relay_set_aside WHERE slot = ? AND metric_id = ?";
    sqlx::query(query).bind(slot).bind(metric.as_str()).execute(connection).await?;
    Ok(())
}

impl Store {
    /// The oldest points that wait and that upstream would take, up to `most` of them, but for those metrics.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn waiting(
        &self,
        now: Timestamp,
        except: &[&MetricId],
        most: usize,
    ) -> Result<Vec<QueuedPoint>, StoreError> {
        let delivered = self.delivered.lock().points.clone();
        let places = vec!["?"; except.len()].join(", ");
        let query = format!(
            "SELECT slot, metric_id, value FROM relay_points WHERE slot BETWEEN ? AND ? AND metric_id NOT IN ({places})
             ORDER BY slot, metric_id LIMIT ?"
        );
        let (from, to) = window(now);
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(from).bind(to);
        for metric in except {
            query = query.bind(metric.as_str());
        }
        let limit = i64::try_from(most + delivered.len()).unwrap_or(i64::MAX);
        let rows: Vec<(i64, String, f64)> = query.bind(limit).fetch_all(&self.read).await?;
        let waits = |(slot, metric, value): (i64, String, f64)| {
            let metric = MetricId::try_from(metric).ok()?;
            let taken = delivered.get(&(slot, metric.clone())).is_some_and(|taken| taken.to_bits() == value.to_bits());
            (!taken).then_some(QueuedPoint { metric, slot, value })
        };
        Ok(rows.into_iter().filter_map(waits).take(most).collect())
    }

    /// Upstream has taken these.
    ///
    /// # Errors
    /// When so many are remembered that the disk must know them, and cannot be written.
    pub async fn delivered(&self, points: Vec<QueuedPoint>) -> Result<(), StoreError> {
        let many = {
            let mut delivered = self.delivered.lock();
            delivered.since.get_or_insert(self.host.uptime.now());
            delivered.points.extend(points.into_iter().map(|point| ((point.slot, point.metric), point.value)));
            delivered.points.len() > MOST_DELIVERED
        };
        if many { self.settle().await } else { Ok(()) }
    }

    /// The host's uptime since which upstream has taken something that the disk does not know yet.
    pub fn delivered_since(&self) -> Option<Duration> {
        self.delivered.lock().since
    }

    /// Takes what was delivered off the queue now, without a reading to share the transaction with.
    ///
    /// # Errors
    /// When the disk cannot be written; nothing is forgotten then.
    pub async fn settle(&self) -> Result<(), StoreError> {
        if self.delivered.lock().points.is_empty() {
            return Ok(());
        }
        let mut change = self.begin_write().await?;
        let taken = self.take_off(&mut change).await?;
        change.commit().await?;
        self.forget_delivered(&taken);
        Ok(())
    }

    /// Takes off the queue what was delivered, in somebody's transaction; what it was, to be forgotten once that is on disk.
    pub(super) async fn take_off(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<((i64, MetricId), f64)>, StoreError> {
        let taken: Vec<_> = self.delivered.lock().points.iter().map(|(key, value)| (key.clone(), *value)).collect();
        for ((slot, metric), value) in &taken {
            // A newer value of that slot is still to be told.
            let query = "DELETE FROM relay_points WHERE slot = ? AND metric_id = ? AND value = ?";
            sqlx::query(query).bind(slot).bind(metric.as_str()).bind(value).execute(&mut *connection).await?;
        }
        Ok(taken)
    }

    pub(super) fn forget_delivered(&self, taken: &[((i64, MetricId), f64)]) {
        let mut delivered = self.delivered.lock();
        for (key, value) in taken {
            if delivered.points.get(key).is_some_and(|now| now.to_bits() == value.to_bits()) {
                delivered.points.remove(key);
            }
        }
        if delivered.points.is_empty() {
            delivered.since = None;
        }
    }

    /// Moves a point out of the way of the others, unless its slot has another value by now.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn set_aside(&self, point: &QueuedPoint, reason: &str) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        let query = "DELETE FROM relay_points WHERE slot = ? AND metric_id = ? AND value = ?";
        let gone = sqlx::query(query).bind(point.slot).bind(point.metric.as_str()).bind(point.value);
        if gone.execute(&mut *change).await?.rows_affected() == 0 {
            return Ok(());
        }
        let query =
            "INSERT OR REPLACE INTO relay_set_aside (slot, metric_id, value, reason, at) VALUES (?, ?, ?, ?, ?)";
        let aside = sqlx::query(query).bind(point.slot).bind(point.metric.as_str()).bind(point.value);
        aside.bind(reason).bind(self.now().millis()).execute(&mut *change).await?;
        let query = "DELETE FROM relay_set_aside WHERE (slot, metric_id) IN
                         (SELECT slot, metric_id FROM relay_set_aside ORDER BY slot DESC LIMIT -1 OFFSET ?)";
        let forgotten = sqlx::query(query).bind(MOST_SET_ASIDE).execute(&mut *change).await?.rows_affected();
        change.commit().await?;
        if forgotten > 0 {
            tracing::warn!(forgotten, most = MOST_SET_ASIDE, "too many points are set aside: the oldest are forgotten");
        }
        Ok(())
    }

    /// The points that upstream refused, and those that are too old for it, the newest first. The latter stay in the queue:
    /// a clock that ran ahead for a while makes points look old that are not.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn points_set_aside(&self, most: u32) -> Result<Vec<SetAside>, StoreError> {
        let query = "SELECT slot, metric_id, value, reason, at FROM relay_set_aside
                     UNION ALL SELECT slot, metric_id, value, 'it is older than 28 days, which upstream does not take',
                         slot * 1000 FROM relay_points WHERE slot < ?
                     ORDER BY slot DESC, metric_id LIMIT ?";
        Ok(sqlx::query_as(query).bind(window(self.wall()).0).bind(most).fetch_all(&self.read).await?)
    }

    /// Puts everything back that was set aside, but where a newer value of its slot waits; how many there were.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn retry_set_aside(&self) -> Result<u64, StoreError> {
        let mut change = self.begin_write().await?;
        let query = "INSERT INTO relay_points (slot, metric_id, value)
                     SELECT slot, metric_id, value FROM relay_set_aside WHERE true ON CONFLICT DO NOTHING";
        sqlx::query(query).execute(&mut *change).await?;
        let count = sqlx::query("DELETE FROM relay_set_aside").execute(&mut *change).await?.rows_affected();
        change.commit().await?;
        self.queued.notify_one();
        Ok(count)
    }

    /// How much waits.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        let delivered = i64::try_from(self.delivered.lock().points.len()).unwrap_or(i64::MAX);
        let query = "SELECT COUNT(*) FILTER (WHERE slot BETWEEN ?1 AND ?2), MIN(slot) FILTER (WHERE slot >= ?1),
                         COUNT(*) FILTER (WHERE slot < ?1), (SELECT COUNT(*) FROM relay_set_aside),
                         (SELECT COUNT(*) FROM undated) FROM relay_points";
        let (from, to) = window(self.wall());
        let (queued, oldest, too_old, refused, undated): (i64, Option<i64>, i64, i64, i64) =
            sqlx::query_as(query).bind(from).bind(to).fetch_one(&self.read).await?;
        let waiting = (queued - delivered).max(0);
        let oldest = oldest.filter(|_| waiting > 0);
        Ok(Backlog { waiting, oldest, set_aside: refused + too_old, too_old, undated })
    }
}
