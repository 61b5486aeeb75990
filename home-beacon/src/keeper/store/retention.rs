//! What becomes of old readings: after 30 days an hour's readings become one row, after two years that one goes too.
//!
//! Every step is a short transaction of its own, so that a reading that comes in meanwhile hardly waits. Old is what is old
//! by a time that is remembered and goes on by a day in an hour at most: a Pi that starts with a wrong clock, years ahead,
//! must not throw its history away before the network sets the clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::chain::deepest;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{
    Moment, Store, StoreError,
    ages::{HOURS, RAW},
    series::SUMS,
};

/// The most rows that one transaction takes away, and the most pages that it gives back to the disk.
const ROWS: i64 = 500;
const PAGES: i64 = 256;

/// How often is looked for what is old, by how much the remembered time goes on at most, and how long the others get
/// between two steps.
const EVERY: Duration = Duration::from_hours(1);
const STRIDE: SignedDuration = SignedDuration::from_hours(24);
const BREATHER: Duration = Duration::from_millis(20);

const HOUR: i64 = 3_600_000;

impl Store {
    /// Takes care of old readings for as long as it is polled, from now on and every hour.
    pub async fn retain(&self) {
        let mut due = interval(EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            match self.retain_once().await {
                Ok(0) => (),
                Ok(rows) => tracing::info!(rows, "old readings were rolled up, and older ones deleted"),
                // The disk may have room again in an hour; nothing is lost meanwhile.
                Err(error) => tracing::warn!(cause = %deepest(&error), "old readings could not be rolled up"),
            }
        }
    }

    /// Rolls up and deletes what is old now; the number of rows that went.
    ///
    /// # Errors
    /// When the storage is in trouble; what was done until then is complete in itself.
    pub async fn retain_once(&self) -> Result<u64, StoreError> {
        self.retain_as_of(self.stride().await?).await
    }

    /// The time by which readings are old: now, but not more than a stride after the last time.
    async fn stride(&self) -> Result<Timestamp, StoreError> {
        let now = self.host.wall.now();
        let mut change = self.begin_write().await?;
        let last: Option<i64> = sqlx::query_scalar("SELECT as_of FROM retention").fetch_optional(&mut *change).await?;
        let last = last.and_then(|millis| Moment::try_from(millis).ok()).map_or(now, Moment::timestamp);
        let as_of = last.checked_add(STRIDE).map_or(now, |most| most.min(now));
        sqlx::query("DELETE FROM retention").execute(&mut *change).await?;
        let query = "INSERT INTO retention (as_of) VALUES (?)";
        sqlx::query(query).bind(Moment::new(as_of).millis()).execute(&mut *change).await?;
        change.commit().await?;
        Ok(as_of)
    }

    /// Rolls up and deletes what is old by that time; the number of rows that went.
    ///
    /// # Errors
    /// When the storage is in trouble; what was done until then is complete in itself.
    async fn retain_as_of(&self, time: Timestamp) -> Result<u64, StoreError> {
        // A time before 1970 leaves everything as it is.
        let before = |age| time.checked_sub(age).map_or(0, |time| Moment::new(time).millis());
        let mut gone = 0;
        loop {
            let step = self.roll_up(before(RAW)).await?
                + self.drop_hours(before(HOURS)).await?
                + self.drop_queued(before(RAW)).await?;
            gone += step;
            if step == 0 {
                break;
            }
            sleep(BREATHER).await;
        }
        if gone > 0 {
            self.drop_empty_series().await?;
        }
        while gone > 0 && self.shrink().await? {
            sleep(BREATHER).await;
        }
        Ok(gone)
    }

    /// Turns some of the readings that are too old into their hours' sums.
    async fn roll_up(&self, before: i64) -> Result<u64, StoreError> {
        // Whole hours only, so that an hour seldom is in both tables.
        let before = before / HOUR * HOUR;
        // By series, because the table is sorted by series first.
        let old = "SELECT readings.* FROM series CROSS JOIN readings ON readings.series_id = series.id AND at < ?2
                   ORDER BY series.id, at LIMIT ?3";
        let sums = format!(
            "INSERT INTO hours (series_id, at, measured, failed, skipped, marked, value_sum, min, max, jitter_sum,
                 jitter_count, loss_sum, loss_count)
             SELECT series_id, {SUMS} FROM ({old}) WHERE true GROUP BY series_id, start
             ON CONFLICT (series_id, at) DO UPDATE SET
                 measured = measured + excluded.measured,
                 failed = failed + excluded.failed,
                 skipped = skipped + excluded.skipped,
                 marked = marked + excluded.marked,
                 value_sum = value_sum + excluded.value_sum,
                 min = MIN(COALESCE(min, excluded.min), COALESCE(excluded.min, min)),
                 max = MAX(COALESCE(max, excluded.max), COALESCE(excluded.max, max)),
                 jitter_sum = jitter_sum + excluded.jitter_sum,
                 jitter_count = jitter_count + excluded.jitter_count,
                 loss_sum = loss_sum + excluded.loss_sum,
                 loss_count = loss_count + excluded.loss_count"
        );
        let delete = format!("DELETE FROM readings WHERE (series_id, at) IN (SELECT series_id, at FROM ({old}))");
        let mut change = self.begin_write().await?;
        for (query, gone) in [(sums, false), (delete, true)] {
            let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(HOUR).bind(before).bind(ROWS);
            let rows = query.execute(&mut *change).await?.rows_affected();
            if gone {
                change.commit().await?;
                return Ok(rows);
            }
        }
        Ok(0)
    }

    /// Deletes some of the hours that are too old.
    async fn drop_hours(&self, before: i64) -> Result<u64, StoreError> {
        let query = "DELETE FROM hours WHERE (series_id, at) IN (SELECT hours.series_id, at FROM series
                     CROSS JOIN hours ON hours.series_id = series.id AND at < ? LIMIT ?)";
        Ok(sqlx::query(query).bind(before).bind(ROWS).execute(&self.write).await?.rows_affected())
    }

    /// Deletes some of what waits for upstream longer than single readings are kept: it is long past what upstream takes.
    async fn drop_queued(&self, before: i64) -> Result<u64, StoreError> {
        let mut gone = 0;
        for query in [
            "DELETE FROM relay_points WHERE (slot, metric_id) IN
                 (SELECT slot, metric_id FROM relay_points WHERE slot < ? LIMIT ?)",
            "DELETE FROM relay_set_aside WHERE (slot, metric_id) IN
                 (SELECT slot, metric_id FROM relay_set_aside WHERE slot < ? LIMIT ?)",
        ] {
            let query = sqlx::query(query).bind(before / 1000).bind(ROWS);
            gone += query.execute(&self.write).await?.rows_affected();
        }
        Ok(gone)
    }

    /// Makes room for other names.
    async fn drop_empty_series(&self) -> Result<(), StoreError> {
        let query = "DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM readings WHERE series_id = series.id)
                     AND NOT EXISTS (SELECT 1 FROM hours WHERE series_id = series.id)";
        sqlx::query(query).execute(&self.write).await?;
        Ok(())
    }

    /// Gives some free pages back to the disk; whether there may be more.
    async fn shrink(&self) -> Result<bool, StoreError> {
        let free = || sqlx::query_scalar("PRAGMA freelist_count").fetch_one(&self.write);
        let before: i64 = free().await?;
        if before == 0 {
            return Ok(false);
        }
        // A pragma takes no bound values.
        let query = format!("PRAGMA incremental_vacuum({PAGES})");
        sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&self.write).await?;
        let after: i64 = free().await?;
        Ok(after > 0 && after < before)
    }
}

#[cfg(test)]
mod tests;
