//! The latest readings.

use jiff::Timestamp;
use shared::id::MetricId;
use sqlx::{FromRow, SqliteConnection};

use super::{Moment, SentPoint, Store, StoreError, slots::AHEAD};

/// The time of a series' latest reading.
pub(super) async fn latest(connection: &mut SqliteConnection, name: &str) -> Result<Option<Moment>, StoreError> {
    let query = "SELECT MAX(at) FROM readings WHERE series_id = (SELECT id FROM series WHERE name = ?)";
    let millis: Option<i64> = sqlx::query_scalar(query).bind(name).fetch_one(connection).await?;
    Ok(millis.and_then(|millis| Moment::try_from(millis).ok()))
}

/// A reading, as far as it is shown.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct LatestReading {
    #[sqlx(try_from = "i64")]
    pub at: Moment,
    pub value: Option<f64>,
    pub loss: Option<f64>,
    pub failed: bool,
}

/// The latest of a metric.
#[derive(Clone, Copy, Debug)]
pub struct LatestOf {
    /// Its latest point; the time is the slot's.
    pub point: Option<LatestReading>,
    /// The latest measurement of what feeds it, and the latest one that brought a value; neither was skipped or spoilt.
    pub attempt: Option<LatestReading>,
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

impl Store {
    /// The latest of a metric.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn latest_of(&self, metric: &MetricId) -> Result<LatestOf, StoreError> {
        const POINTS: &str = "(SELECT id FROM series WHERE name = '@' || ?1)";
        const READINGS: &str = "(SELECT id FROM series WHERE name = (SELECT reading FROM metrics WHERE id = ?1))";
        // A clock that ran ahead for a while must not keep the page from showing what came after.
        let soon = self.soon().millis();
        let latest = async |series, which| {
            let query = format!(
                "SELECT at, value, loss, failure IS NOT NULL AS failed FROM readings
                 WHERE series_id = {series} AND at <= ?2 AND skipped IS NULL AND mark IS NULL {which}
                 ORDER BY at DESC LIMIT 1"
            );
            let query = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(metric.as_str()).bind(soon);
            query.fetch_optional(&self.read).await
        };
        let point = latest(POINTS, "").await?;
        let (attempt, valued): (Option<LatestReading>, Option<LatestReading>) =
            (latest(READINGS, "").await?, latest(READINGS, "AND value IS NOT NULL").await?);
        let failing_since = match attempt {
            Some(LatestReading { failed: true, .. }) => {
                let query = format!(
                    "SELECT MIN(at) FROM readings WHERE series_id = {READINGS} AND at > ?3 AND at <= ?2
                         AND failure IS NOT NULL AND mark IS NULL"
                );
                let after = valued.map_or(i64::MIN, |valued| valued.at.millis());
                let query = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).bind(metric.as_str()).bind(soon).bind(after);
                let first: Option<i64> = query.fetch_one(&self.read).await?;
                first.and_then(|millis| Moment::try_from(millis).ok())
            }
            _ => None,
        };
        Ok(LatestOf { point, attempt, valued, failing_since })
    }
}

/// The latest of what a job measures.
#[derive(Clone, Debug)]
pub struct Latest {
    /// What is measured, like `ping`.
    pub name: String,
    /// The latest measurement that was neither skipped nor spoilt by a speed test, failed ones included.
    pub measured: Option<LatestReading>,
    /// When one was spoilt last, and when one was skipped.
    pub spoilt_at: Option<Moment>,
    pub skipped_at: Option<Moment>,
}

impl Store {
    /// The latest of all that is measured.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn latest_readings(&self) -> Result<Vec<Latest>, StoreError> {
        let soon = self.soon().millis();
        let query = "SELECT id, name FROM series WHERE name NOT LIKE '@%'
                         AND EXISTS (SELECT 1 FROM readings WHERE series_id = series.id) ORDER BY name";
        let series: Vec<(i64, String)> = sqlx::query_as(query).fetch_all(&self.read).await?;
        let mut latest = Vec::with_capacity(series.len());
        for (id, name) in series {
            let measured = "SELECT at, value, loss, failure IS NOT NULL AS failed FROM readings
                            WHERE series_id = ? AND at <= ? AND skipped IS NULL AND mark IS NULL
                            ORDER BY at DESC LIMIT 1";
            let measured = sqlx::query_as(measured).bind(id).bind(soon).fetch_optional(&self.read).await?;
            let last = async |query| {
                let millis: Option<i64> = sqlx::query_scalar(query).bind(id).bind(soon).fetch_one(&self.read).await?;
                Ok::<_, StoreError>(millis.and_then(|millis| Moment::try_from(millis).ok()))
            };
            let spoilt_at =
                last("SELECT MAX(at) FROM readings WHERE series_id = ? AND at <= ? AND mark IS NOT NULL").await?;
            let skipped_at =
                last("SELECT MAX(at) FROM readings WHERE series_id = ? AND at <= ? AND skipped IS NOT NULL").await?;
            latest.push(Latest { name, measured, spoilt_at, skipped_at });
        }
        Ok(latest)
    }

    /// The latest time that a reading may have: clocks differ a little.
    fn soon(&self) -> Moment {
        Moment::new(self.wall().checked_add(AHEAD).unwrap_or(Timestamp::MAX))
    }
}
