//! The latest readings.

use jiff::Timestamp;
use shared::id::MetricId;
use sqlx::{FromRow, SqliteConnection};

use super::{Moment, Store, StoreError, slots::AHEAD};

/// The time of a series' latest reading.
pub(super) async fn latest(connection: &mut SqliteConnection, name: &str) -> Result<Option<Moment>, StoreError> {
    let query = "SELECT MAX(at) FROM readings WHERE series_id = (SELECT id FROM series WHERE name = ?)";
    let millis: Option<i64> = sqlx::query_scalar(query).bind(name).fetch_one(connection).await?;
    Ok(millis.and_then(|millis| Moment::try_from(millis).ok()))
}

/// The latest reading of a series.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct LatestReading {
    #[sqlx(try_from = "i64")]
    pub at: Moment,
    pub value: Option<f64>,
    pub failed: bool,
}

impl Store {
    /// A metric's latest point, and the latest of the readings that feed it.
    pub async fn latest_of(
        &self,
        metric: &MetricId,
    ) -> Result<(Option<LatestReading>, Option<LatestReading>), StoreError> {
        let query = "SELECT at, value, failure IS NOT NULL AS failed FROM readings WHERE series_id =
                         (SELECT id FROM series WHERE name = CASE ?1 WHEN '@' THEN '@' || ?2
                             ELSE (SELECT reading FROM metrics WHERE id = ?2) END)
                         AND at <= ?3
                     ORDER BY at DESC LIMIT 1";
        // A clock that ran ahead for a while must not keep the page from showing what came after.
        let soon = self.soon().millis();
        let latest = |of| sqlx::query_as(query).bind(of).bind(metric.as_str()).bind(soon).fetch_optional(&self.read);
        Ok((latest("@").await?, latest("reading").await?))
    }
}

/// The latest reading of what a job measures.
#[derive(Clone, Debug, FromRow)]
pub struct Latest {
    /// What is measured, like `ping`.
    pub name: String,
    #[sqlx(try_from = "i64")]
    pub at: Moment,
    pub value: Option<f64>,
    pub loss: Option<f64>,
    pub failed: bool,
}

impl Store {
    /// The latest readings of all that is measured.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn latest_readings(&self) -> Result<Vec<Latest>, StoreError> {
        let query = "SELECT name, at, value, loss, failure IS NOT NULL AS failed FROM series
                     JOIN readings ON series_id = series.id
                         AND at = (SELECT MAX(at) FROM readings WHERE series_id = series.id AND at <= ?)
                     WHERE name NOT LIKE '@%' ORDER BY name";
        Ok(sqlx::query_as(query).bind(self.soon().millis()).fetch_all(&self.read).await?)
    }

    /// The latest time that a reading may have: clocks differ a little.
    fn soon(&self) -> Moment {
        Moment::new(self.wall().checked_add(AHEAD).unwrap_or(Timestamp::MAX))
    }
}
