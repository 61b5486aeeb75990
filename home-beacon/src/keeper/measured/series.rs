//! What readings come to over time: buckets of any length, from single readings and from the hours that took their place.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::Serialize;

use super::series_rows;
use crate::keeper::{
    KeeperError,
    db::{Db, FromRow, Moment, Row, StorageError, built, query},
};

/// How many series are listed.
const MAX_NAMES: i64 = 50;

/// What the readings of a bucket or an hour come to, by the SQL that says it. A marked reading says nothing of the line at
/// rest, so it is counted apart. Bind the length of a bucket in milliseconds as `?1`.
pub(super) const SUMS: &str = "
    at / ?1 * ?1 AS start,
    COUNT(value) FILTER (WHERE mark IS NULL) AS measured,
    COUNT(failure) AS failed,
    COUNT(skipped) AS skipped,
    COUNT(value) FILTER (WHERE mark IS NOT NULL) AS marked,
    TOTAL(value) FILTER (WHERE mark IS NULL) AS value_sum,
    MIN(COALESCE(min, value)) FILTER (WHERE mark IS NULL) AS min,
    MAX(COALESCE(max, value)) FILTER (WHERE mark IS NULL) AS max,
    TOTAL(jitter) FILTER (WHERE mark IS NULL) AS jitter_sum,
    COUNT(jitter) FILTER (WHERE mark IS NULL) AS jitter_count,
    TOTAL(loss) FILTER (WHERE mark IS NULL) AS loss_sum,
    COUNT(loss) FILTER (WHERE mark IS NULL) AS loss_count";

/// As [`SUMS`], of hours.
const SUMS_OF_HOURS: &str = "
    at / ?1 * ?1 AS start,
    SUM(measured) AS measured,
    SUM(failed) AS failed,
    SUM(skipped) AS skipped,
    SUM(marked) AS marked,
    TOTAL(value_sum) AS value_sum,
    MIN(min) AS min,
    MAX(max) AS max,
    TOTAL(jitter_sum) AS jitter_sum,
    SUM(jitter_count) AS jitter_count,
    TOTAL(loss_sum) AS loss_sum,
    SUM(loss_count) AS loss_count";

/// A stretch of time, cut into buckets.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The beginning.
    pub from: Moment,
    /// Not part of it.
    pub to: Moment,
    /// The length of a bucket. Buckets begin at multiples of it, counted from 1970.
    pub step: SignedDuration,
}

/// What a bucket's readings come to. Where there were none, there is no bucket.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bucket {
    /// When it begins.
    pub at: Moment,
    /// How many readings had a value.
    pub measured: i64,
    /// How many failed.
    pub failed: i64,
    /// How many were skipped.
    pub skipped: i64,
    /// How many were spoilt by a bandwidth test.
    pub marked: i64,
    /// The average of the values.
    pub value: Option<f64>,
    /// The least of the samples behind the values.
    pub min: Option<f64>,
    /// The most of them.
    pub max: Option<f64>,
    /// The average jitter, in the value's unit.
    pub jitter: Option<f64>,
    /// The average loss, in per cent.
    pub loss: Option<f64>,
}

#[derive(Clone, Debug)]
struct Sums {
    start: i64,
    measured: i64,
    failed: i64,
    skipped: i64,
    marked: i64,
    value_sum: f64,
    min: Option<f64>,
    max: Option<f64>,
    jitter_sum: f64,
    jitter_count: i64,
    loss_sum: f64,
    loss_count: i64,
}

/// Some of the series that there are.
pub(in crate::keeper) async fn names(db: &Db) -> Result<Vec<String>, KeeperError> {
    Ok(query("SELECT name FROM series ORDER BY name LIKE 'check:%', name LIMIT ?")
        .bind(MAX_NAMES)
        .all(&mut db.read().await?)
        .await?)
}

/// The buckets of a series that hold anything, the oldest first. The series is a reading's metric, or `@` and the id of a
/// page's metric.
///
/// # Errors
/// When there is no such series, or the storage fails.
pub async fn buckets(db: &Db, name: &str, span: Span) -> Result<Vec<Bucket>, KeeperError> {
    // One state of both tables: rows move from one to the other.
    let mut conn = db.snapshot().await?;
    let found = series_rows::find(&mut conn, name).await?;
    let id = found.ok_or_else(|| KeeperError::NotFound(format!("a reading of the metric {name}")))?;
    let step = i64::try_from(span.step.as_millis()).unwrap_or(i64::MAX);
    let mut buckets: BTreeMap<i64, Sums> = BTreeMap::new();
    for (sums, table) in [(SUMS_OF_HOURS, "hours"), (SUMS, "readings")] {
        let sum = format!("SELECT {sums} FROM {table} WHERE series_id = ?2 AND at >= ?3 AND at < ?4 GROUP BY start");
        let rows: Vec<Sums> = built(sum).bind(step).bind(id).bind(span.from).bind(span.to).all(&mut conn).await?;
        for row in rows {
            let start = row.start;
            let sums = buckets.remove(&start).map_or_else(|| row.clone(), |other| other.and(&row));
            buckets.insert(start, sums);
        }
    }
    Ok(buckets.into_values().filter_map(Sums::bucket).collect())
}

impl Sums {
    fn and(&self, other: &Self) -> Self {
        let either = |choose: fn(f64, f64) -> f64, a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(choose(a, b)),
            (a, b) => a.or(b),
        };
        Self {
            start: self.start,
            measured: self.measured + other.measured,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
            marked: self.marked + other.marked,
            value_sum: self.value_sum + other.value_sum,
            min: either(f64::min, self.min, other.min),
            max: either(f64::max, self.max, other.max),
            jitter_sum: self.jitter_sum + other.jitter_sum,
            jitter_count: self.jitter_count + other.jitter_count,
            loss_sum: self.loss_sum + other.loss_sum,
            loss_count: self.loss_count + other.loss_count,
        }
    }

    /// What they come to; `None` where the time is out of all bounds, which no reading's can be.
    fn bucket(self) -> Option<Bucket> {
        #[expect(clippy::cast_precision_loss, reason = "there are millions at most")]
        let average = |sum: f64, count: i64| (count > 0).then(|| sum / count as f64);
        Some(Bucket {
            at: Moment::try_from(self.start).ok()?,
            measured: self.measured,
            failed: self.failed,
            skipped: self.skipped,
            marked: self.marked,
            value: average(self.value_sum, self.measured),
            min: self.min,
            max: self.max,
            jitter: average(self.jitter_sum, self.jitter_count),
            loss: average(self.loss_sum, self.loss_count),
        })
    }
}

impl FromRow for Sums {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            start: row.get("start")?,
            measured: row.get("measured")?,
            failed: row.get("failed")?,
            skipped: row.get("skipped")?,
            marked: row.get("marked")?,
            value_sum: row.get("value_sum")?,
            min: row.get("min")?,
            max: row.get("max")?,
            jitter_sum: row.get("jitter_sum")?,
            jitter_count: row.get("jitter_count")?,
            loss_sum: row.get("loss_sum")?,
            loss_count: row.get("loss_count")?,
        })
    }
}
