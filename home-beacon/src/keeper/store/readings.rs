//! Readings and points as they come in. One transaction carries a whole batch with the points that it feeds.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use shared::id::{MetricId, PageId};
use sqlx::{FromRow, SqliteConnection};

use super::{
    Moment, Store, StoreError,
    metrics::{self, series_of},
    queue,
    retention::RAW,
    undated::Undated,
};
use crate::reading::{Field, Mark, Outcome, Reading};

/// statuspage.io keeps one point for each 30 seconds, and takes them up to 28 days back (facts: vendor's page on system
/// metrics).
const SLOT: i64 = 30;
pub(super) const BACKFILL: SignedDuration = SignedDuration::from_hours(28 * 24);

/// How far a client's clock may be ahead of ours.
pub(super) const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// How many series there may be: a client that makes up names must not fill the disk.
const MOST_SERIES: i64 = 1000;

/// A point of a metric as it was sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SentPoint {
    /// Seconds since 1970.
    pub timestamp: i64,
    pub value: f64,
}

impl SentPoint {
    /// The slot that the point is moved to, in seconds since 1970: the nearest one, the later one of two.
    pub fn slot(&self) -> i64 {
        self.timestamp.saturating_add(SLOT / 2).div_euclid(SLOT) * SLOT
    }

    /// Whether a point may lie there.
    pub fn in_range(&self, now: Timestamp) -> bool {
        match Timestamp::from_second(self.timestamp) {
            Ok(time) => now.duration_since(time) <= BACKFILL && time.duration_since(now) <= AHEAD,
            Err(_) => false,
        }
    }
}

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
        if self.host.now().is_some() {
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
        if self.host.now().is_some() {
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

/// The series of that name, made where it is missing.
async fn series(connection: &mut SqliteConnection, name: &str) -> Result<i64, StoreError> {
    if let Some(id) = known_series(connection, name).await? {
        return Ok(id);
    }
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM series").fetch_one(&mut *connection).await?;
    if count >= MOST_SERIES {
        return Err(StoreError::Contradiction(format!(
            "metric: there are {MOST_SERIES} already, and {name} is not one"
        )));
    }
    let query = "INSERT INTO series (name) VALUES (?) RETURNING id";
    Ok(sqlx::query_scalar(query).bind(name).fetch_one(connection).await?)
}

pub(super) async fn known_series(connection: &mut SqliteConnection, name: &str) -> Result<Option<i64>, StoreError> {
    let query = "SELECT id FROM series WHERE name = ?";
    Ok(sqlx::query_scalar(query).bind(name).fetch_optional(connection).await?)
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

/// Deletes a series with all that is in it.
pub(super) async fn forget(connection: &mut SqliteConnection, name: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM series WHERE name = ?").bind(name).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_timestamp_has_a_slot_within_half_of_one(timestamp: i64) {
            let slot = point(timestamp).slot();
            proptest::prop_assert_eq!(slot % SLOT, 0);
            proptest::prop_assert!(slot.abs_diff(timestamp) <= SLOT.unsigned_abs());
        }

        #[test]
        fn any_timestamp_can_be_asked_about(timestamp: i64, now in 0..4_000_000_000_i64) {
            let now = Timestamp::from_second(now).unwrap();
            let inside = timestamp >= now.as_second() - 28 * 86_400 && timestamp <= now.as_second() + 600;
            proptest::prop_assert_eq!(point(timestamp).in_range(now), inside);
        }
    }

    fn point(timestamp: i64) -> SentPoint {
        SentPoint { timestamp, value: 0.0 }
    }

    #[test]
    fn a_point_is_moved_to_the_nearest_slot_of_30_seconds() {
        for (timestamp, slot) in [(0, 0), (14, 0), (15, 30), (29, 30), (30, 30), (44, 30), (45, 60), (-10, 0)] {
            assert_eq!(point(timestamp).slot(), slot, "{timestamp}");
        }
    }

    #[test]
    fn points_may_lie_28_days_back_and_hardly_ahead() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let day = 24 * 3600;
        for (timestamp, good) in [
            (now.as_second(), true),
            (now.as_second() - 28 * day, true),
            (now.as_second() - 28 * day - 1, false),
            (now.as_second() + 600, true),
            (now.as_second() + 601, false),
            // Milliseconds by mistake.
            (now.as_second() * 1000, false),
            (i64::MAX, false),
            (i64::MIN, false),
        ] {
            assert_eq!(point(timestamp).in_range(now), good, "{timestamp}");
        }
    }
}
