//! The last points of metrics that are measured rarely, which are sent upstream again.

use std::time::Duration;

use jiff::Timestamp;
use shared::id::MetricId;

use crate::keeper::{
    KeeperError,
    db::{Db, FromRow, Moment, Row, StorageError, query},
};

/// The last point of a metric that is still good.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LastPoint {
    pub(super) metric: MetricId,
    /// Seconds since 1970.
    pub(super) slot: i64,
    pub(super) value: f64,
}

/// The last points of the metrics that are held and not older than `hold`, without those after which a measurement failed or
/// the line was found dead.
pub(super) async fn held_points(db: &Db, now: Timestamp, hold: Duration) -> Result<Vec<LastPoint>, KeeperError> {
    let now = Moment::new(now).millis();
    let oldest = now.saturating_sub(i64::try_from(hold.as_millis()).unwrap_or(i64::MAX));
    let find = query(
        "SELECT m.id, p.at, p.value FROM metrics m
         JOIN series s ON s.name = '@' || m.id
         JOIN readings p ON p.series_id = s.id
             AND p.at = (SELECT MAX(at) FROM readings WHERE series_id = s.id AND at <= ?1)
         WHERE m.relayed AND m.held AND p.at >= ?2
             AND NOT EXISTS (SELECT 1 FROM readings r
                 WHERE r.series_id = (SELECT id FROM series WHERE name = m.reading)
                     AND r.at > p.at AND r.at <= ?1 AND r.failure IS NOT NULL)
             AND NOT EXISTS (SELECT 1 FROM readings r
                 WHERE r.series_id = (SELECT id FROM series WHERE name = 'ping')
                     AND r.at > p.at AND r.at <= ?1 AND (r.loss >= 100 OR r.failure IS NOT NULL))",
    );
    Ok(find.bind(now).bind(oldest).all(&mut db.read().await?).await?)
}

impl FromRow for LastPoint {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let at: Timestamp = row.get("at")?;
        Ok(Self { metric: row.get("id")?, slot: at.as_second(), value: row.get("value")? })
    }
}
