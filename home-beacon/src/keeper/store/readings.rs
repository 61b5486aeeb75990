//! Readings and points as they come in. One transaction carries a whole batch with the points that it feeds.

use std::collections::HashMap;

use jiff::Timestamp;
use shared::id::{MetricId, PageId};
use sqlx::SqliteConnection;

use super::{
    Moment, Store, StoreError,
    ages::RAW,
    metrics, queue,
    series_rows::{series, series_of},
    slots::{AHEAD, SentPoint},
    undated::Undated,
};
use crate::reading::{Field, Mark, Outcome, Reading};

/// What is known of a series while a batch is stored.
struct Known {
    id: i64,
    feeds: Vec<Feed>,
}

/// A metric of the page that shows readings.
struct Feed {
    /// The series of its points.
    points: i64,
    /// What it shows of a reading.
    field: Field,
    /// The metric, where upstream is to be told.
    relayed: Option<MetricId>,
}

impl Store {
    /// Stores points of a page's metrics; those of one slot take each other's place, the last one stays. All or none.
    pub async fn add_points(&self, page: &PageId, points: &[(MetricId, Vec<SentPoint>)]) -> Result<(), StoreError> {
        self.noted(self.try_add_points(page, points).await)?;
        if points.iter().any(|(_, points)| !points.is_empty()) {
            self.trouble.is_over();
        }
        Ok(())
    }

    async fn try_add_points(&self, page: &PageId, points: &[(MetricId, Vec<SentPoint>)]) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        if self.clock_is_set() {
            self.store_points(&mut change, page, points).await?;
        } else {
            for (metric, points) in points {
                metrics::metric(&mut change, page, metric).await?;
                for point in points {
                    let at = Timestamp::from_second(point.timestamp).unwrap_or_default();
                    let (page, metric, value) = (page.clone(), metric.clone(), point.value);
                    self.keep_undated(&mut change, at, &Undated::Point { page, metric, value }).await?;
                }
            }
        }
        self.commit_readings(change).await
    }

    pub(super) async fn store_points(
        &self,
        change: &mut SqliteConnection,
        page: &PageId,
        points: &[(MetricId, Vec<SentPoint>)],
    ) -> Result<(), StoreError> {
        for (id, points) in points {
            metrics::metric(change, page, id).await?;
            let series = series(change, &series_of(id.as_str())).await?;
            let relayed = if self.relays { metrics::is_relayed(change, id).await? } else { false };
            for point in points {
                save_point(change, series, point.slot(), point.value).await?;
                if relayed {
                    queue::put(change, id, point.slot(), point.value).await?;
                }
            }
        }
        Ok(())
    }

    /// Stores readings and feeds the metrics that show them. A reading of the same metric and time takes the earlier
    /// one's place, so that sending a batch again changes nothing.
    ///
    /// # Errors
    /// When a time cannot be right; nothing is stored then.
    pub async fn add_readings(&self, readings: &[Reading]) -> Result<(), StoreError> {
        self.noted(self.try_add_readings(readings).await)?;
        if !readings.is_empty() {
            self.trouble.is_over();
        }
        Ok(())
    }

    async fn try_add_readings(&self, readings: &[Reading]) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        if self.clock_is_set() {
            self.store_readings(&mut change, readings).await?;
        } else {
            for reading in readings {
                self.keep_undated(&mut change, reading.at, &Undated::Reading(reading.clone())).await?;
            }
        }
        self.commit_readings(change).await
    }

    pub(super) async fn store_readings(
        &self,
        change: &mut SqliteConnection,
        readings: &[Reading],
    ) -> Result<(), StoreError> {
        let now = self.host.wall.now();
        let mut known: HashMap<&str, Known> = HashMap::new();
        for (index, reading) in readings.iter().enumerate() {
            let age = now.duration_since(reading.at);
            // One that is older than single readings are kept would be counted again when it is sent again.
            if age > RAW || -age > AHEAD {
                return Err(StoreError::Contradiction(format!(
                    "readings[{index}].at: {} is not within the last 30 days, because it is {now} here: look at the clocks",
                    reading.at
                )));
            }
            let name = reading.metric.as_str();
            if !known.contains_key(name) {
                let found = Known { id: series(change, name).await?, feeds: feeds(change, name).await? };
                known.insert(name, found);
            }
            let series = &known[name];
            save(change, series.id, reading).await?;
            for feed in &series.feeds {
                let point =
                    reading.shown(feed.field).map(|value| SentPoint { timestamp: reading.at.as_second(), value });
                let Some(point) = point.filter(|point| point.in_range(now)) else { continue };
                save_point(change, feed.points, point.slot(), point.value).await?;
                if let Some(metric) = feed.relayed.as_ref().filter(|_| self.relays) {
                    queue::put(change, metric, point.slot(), point.value).await?;
                }
            }
        }
        Ok(())
    }
}

/// The series of the metrics that show readings of that name, and what they show of them.
async fn feeds(connection: &mut SqliteConnection, name: &str) -> Result<Vec<Feed>, StoreError> {
    let query = "SELECT id, field, relayed FROM metrics WHERE reading = ?";
    let fed: Vec<(String, String, bool)> = sqlx::query_as(query).bind(name).fetch_all(&mut *connection).await?;
    let mut feeds = Vec::new();
    for (id, field, relayed) in fed {
        if let Ok(field) = field.parse() {
            let points = series(connection, &series_of(&id)).await?;
            let relayed = if relayed { MetricId::try_from(id).ok() } else { None };
            feeds.push(Feed { points, field, relayed });
        }
    }
    Ok(feeds)
}

async fn save_point(connection: &mut SqliteConnection, series: i64, slot: i64, value: f64) -> Result<(), StoreError> {
    sqlx::query("INSERT OR REPLACE INTO readings (series_id, at, value) VALUES (?, ?, ?)")
        .bind(series)
        .bind(slot * 1000)
        .bind(value)
        .execute(connection)
        .await?;
    Ok(())
}

async fn save(connection: &mut SqliteConnection, series: i64, reading: &Reading) -> Result<(), StoreError> {
    let (value, failure, skipped) = match &reading.outcome {
        Outcome::Value(value) => (Some(*value), None, None),
        Outcome::Failure(why) => (None, Some(why), None),
        Outcome::Skipped(why) => (None, None, Some(why)),
    };
    sqlx::query(
        "INSERT OR REPLACE INTO readings
             (series_id, at, value, failure, skipped, target, method, min, max, jitter, loss, mark)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(series)
    .bind(Moment::new(reading.at).millis())
    .bind(value)
    .bind(failure)
    .bind(skipped)
    .bind(&reading.target)
    .bind(&reading.method)
    .bind(reading.min)
    .bind(reading.max)
    .bind(reading.jitter)
    .bind(reading.loss)
    .bind(reading.mark.map(Mark::as_str))
    .execute(connection)
    .await?;
    Ok(())
}
