//! The latest readings.

use jiff::Timestamp;
use shared::id::MetricId;

use crate::{
    keeper::{
        KeeperError,
        db::{Conn, Db, FromRow, Moment, Row, StorageError, built, query},
    },
    reading::slots::{AHEAD, SentPoint},
};

/// The time of a series' latest reading.
pub(super) async fn latest(conn: &mut Conn, name: &str) -> Result<Option<Moment>, KeeperError> {
    let latest = query("SELECT MAX(at) FROM readings WHERE series_id = (SELECT id FROM series WHERE name = ?)");
    Ok(latest.bind(name).one(conn).await?)
}

/// A reading, as far as it is shown.
#[derive(Clone, Copy, Debug)]
pub struct LatestReading {
    /// When it was measured.
    pub at: Moment,
    /// In the metric's unit.
    pub value: Option<f64>,
    /// In per cent.
    pub loss: Option<f64>,
    /// Whether the measurement failed.
    pub failed: bool,
}

/// The latest of a metric.
#[derive(Clone, Copy, Debug)]
pub struct LatestOf {
    /// Its latest point; the time is the slot's.
    pub point: Option<LatestReading>,
    /// The latest measurement of what feeds it that was neither skipped nor spoilt.
    pub attempt: Option<LatestReading>,
    /// The latest of these that brought a value.
    pub valued: Option<LatestReading>,
    /// When the first one failed of those that failed since then.
    pub failing_since: Option<Moment>,
}

impl LatestOf {
    /// When the point was measured.
    pub fn measured_at(&self) -> Option<Moment> {
        let point = self.point?;
        let readings = [self.attempt, self.valued].into_iter().flatten();
        Some(readings.map(|reading| reading.at).find(|at| slot(*at) == slot(point.at)).unwrap_or(point.at))
    }

    /// Since when every measurement has failed that should have brought a newer point, and whether everything was lost.
    pub fn failing(&self) -> Option<(Moment, bool)> {
        let attempt = self.attempt.filter(|attempt| attempt.failed)?;
        // A curve of the loss has a point of a measurement that failed, too.
        let is_newer = self.point.is_none_or(|point| slot(attempt.at) > slot(point.at));
        let all_lost = attempt.loss.is_some_and(|loss| loss >= 100.0);
        is_newer.then(|| (self.failing_since.unwrap_or(attempt.at), all_lost))
    }
}

fn slot(at: Moment) -> i64 {
    SentPoint { timestamp: at.timestamp().as_second(), value: 0.0 }.slot()
}

/// The latest of a metric, at that time.
pub(in crate::keeper) async fn of_metric(db: &Db, now: Timestamp, metric: &MetricId) -> Result<LatestOf, KeeperError> {
    const POINTS: &str = "(SELECT id FROM series WHERE name = '@' || ?1)";
    const READINGS: &str = "(SELECT id FROM series WHERE name = (SELECT reading FROM metrics WHERE id = ?1))";
    let mut conn = db.read().await?;
    let until = latest_plausible(now);
    let latest = |series, which| {
        let text = format!(
            "SELECT at, value, loss, failure IS NOT NULL AS failed FROM readings
             WHERE series_id = {series} AND at <= ?2 AND skipped IS NULL AND mark IS NULL {which}
             ORDER BY at DESC LIMIT 1"
        );
        built(text).bind(metric.as_str()).bind(until)
    };
    let point = latest(POINTS, "").optional(&mut conn).await?;
    let attempt: Option<LatestReading> = latest(READINGS, "").optional(&mut conn).await?;
    let valued: Option<LatestReading> = latest(READINGS, "AND value IS NOT NULL").optional(&mut conn).await?;
    let failing_since = if attempt.is_some_and(|attempt| attempt.failed) {
        let first = built(format!(
            "SELECT MIN(at) FROM readings WHERE series_id = {READINGS} AND at > ?3 AND at <= ?2
                 AND failure IS NOT NULL AND mark IS NULL"
        ));
        let after = valued.map_or(i64::MIN, |valued| valued.at.millis());
        first.bind(metric.as_str()).bind(until).bind(after).one(&mut conn).await?
    } else {
        None
    };
    Ok(LatestOf { point, attempt, valued, failing_since })
}

/// The latest of what a job measures.
#[derive(Clone, Debug)]
pub struct Latest {
    /// What is measured, like `ping`.
    pub name: String,
    /// The latest measurement that was neither skipped nor spoilt by a speed test, failed ones included.
    pub measured: Option<LatestReading>,
    /// When one was spoilt last.
    pub spoilt_at: Option<Moment>,
    /// When one was skipped last.
    pub skipped_at: Option<Moment>,
}

/// The latest of all that is measured, at that time. Checks, of which there may be thousands, have their own.
pub(in crate::keeper) async fn of_all(db: &Db, now: Timestamp) -> Result<Vec<Latest>, KeeperError> {
    let mut conn = db.read().await?;
    let until = latest_plausible(now);
    let list = query(
        "SELECT id, name FROM series WHERE name NOT LIKE '@%' AND name NOT LIKE 'check:%'
             AND EXISTS (SELECT 1 FROM readings WHERE series_id = series.id) ORDER BY name",
    );
    let series: Vec<(i64, String)> = list.all(&mut conn).await?;
    let mut latest = Vec::with_capacity(series.len());
    for (id, name) in series {
        let measured = query(
            "SELECT at, value, loss, failure IS NOT NULL AS failed FROM readings
             WHERE series_id = ? AND at <= ? AND skipped IS NULL AND mark IS NULL ORDER BY at DESC LIMIT 1",
        );
        let marked = query("SELECT MAX(at) FROM readings WHERE series_id = ? AND at <= ? AND mark IS NOT NULL");
        let skipped = query("SELECT MAX(at) FROM readings WHERE series_id = ? AND at <= ? AND skipped IS NOT NULL");
        latest.push(Latest {
            name,
            measured: measured.bind(id).bind(until).optional(&mut conn).await?,
            spoilt_at: marked.bind(id).bind(until).one(&mut conn).await?,
            skipped_at: skipped.bind(id).bind(until).one(&mut conn).await?,
        });
    }
    Ok(latest)
}

/// The latest time that a reading may have: clocks differ a little, and one that ran ahead for a while must not keep the page
/// from showing what came after.
fn latest_plausible(now: Timestamp) -> Moment {
    Moment::new(now.checked_add(AHEAD).unwrap_or(Timestamp::MAX))
}

impl FromRow for LatestReading {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { at: row.get("at")?, value: row.get("value")?, loss: row.get("loss")?, failed: row.get("failed")? })
    }
}
