//! The last points of metrics that are measured rarely, which upstream is told again.

use std::time::Duration;

use shared::id::MetricId;

use super::{Moment, Store, StoreError};

/// The last point of a metric that is still good.
#[derive(Clone, Debug, PartialEq)]
pub struct LastPoint {
    pub metric: MetricId,
    /// Seconds since 1970.
    pub slot: i64,
    pub value: f64,
}

impl Store {
    /// The last points of the metrics that are held and not older than `hold`, but for those after which a measurement failed or the line was found
    /// dead.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn points_to_hold(&self, hold: Duration) -> Result<Vec<LastPoint>, StoreError> {
        let now = self.now();
        let oldest = now.millis().saturating_sub(i64::try_from(hold.as_millis()).unwrap_or(i64::MAX));
        let query = "SELECT m.id, p.at, p.value FROM metrics m
                     JOIN series s ON s.name = '@' || m.id
                     JOIN readings p ON p.series_id = s.id
                         AND p.at = (SELECT MAX(at) FROM readings WHERE series_id = s.id AND at <= ?1)
                     WHERE m.relayed AND m.held AND p.at >= ?2
                         AND NOT EXISTS (SELECT 1 FROM readings r
                             WHERE r.series_id = (SELECT id FROM series WHERE name = m.reading)
                                 AND r.at > p.at AND r.at <= ?1 AND r.failure IS NOT NULL)
                         AND NOT EXISTS (SELECT 1 FROM readings r
                             WHERE r.series_id = (SELECT id FROM series WHERE name = 'ping')
                                 AND r.at > p.at AND r.at <= ?1 AND (r.loss >= 100 OR r.failure IS NOT NULL))";
        let rows: Vec<(String, i64, f64)> =
            sqlx::query_as(query).bind(now.millis()).bind(oldest).fetch_all(&self.read).await?;
        let read = |(id, at, value): (String, i64, f64)| {
            let at = Moment::try_from(at).ok()?.timestamp();
            Some(LastPoint { metric: MetricId::try_from(id).ok()?, slot: at.as_second(), value })
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }
}
