//! What becomes of old readings: after 30 days an hour's readings become one row, after two years that one goes too.
//!
//! Every step is a short transaction of its own, so that a reading that comes in meanwhile hardly waits.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{Moment, Store, StoreError, readings::MEMORY, series::SUMS};

/// How long single readings are kept.
const RAW: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The most rows that one transaction takes away, and the most pages that it gives back to the disk.
const ROWS: i64 = 500;
const PAGES: i64 = 256;

/// How often is looked for what is old, and how long the others get between two steps.
const EVERY: Duration = Duration::from_hours(1);
const BREATHER: Duration = Duration::from_millis(20);

const HOUR: i64 = 3_600_000;

impl Store {
    /// Takes care of old readings for as long as it is polled, from now on and every hour.
    pub async fn retain(&self) {
        let mut due = interval(EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            if let Err(error) = self.retain_once().await {
                // The disk may have room again in an hour; nothing is lost meanwhile.
                tracing::warn!(error = &error as &dyn std::error::Error, "old readings could not be rolled up");
            }
        }
    }

    /// Rolls up and deletes what is old by now; the number of rows that went.
    ///
    /// # Errors
    /// When the storage is in trouble; what was done until then is complete in itself.
    pub async fn retain_once(&self) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let step = self.roll_up().await? + self.drop_hours().await?;
            gone += step;
            if step == 0 {
                break;
            }
            sleep(BREATHER).await;
        }
        while gone > 0 && self.shrink().await? {
            sleep(BREATHER).await;
        }
        Ok(gone)
    }

    fn ago(&self, age: SignedDuration) -> i64 {
        // A clock before 1970 leaves everything as it is.
        self.clock.now().checked_sub(age).map_or(0, |time| Moment::new(time).millis())
    }

    /// Turns some of the readings that are too old into their hours' sums.
    async fn roll_up(&self) -> Result<u64, StoreError> {
        // Whole hours only, so that an hour seldom is in both tables.
        let before = self.ago(RAW) / HOUR * HOUR;
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
        let mut change = self.write.begin().await?;
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
    async fn drop_hours(&self) -> Result<u64, StoreError> {
        let query = "DELETE FROM hours WHERE (series_id, at) IN (SELECT hours.series_id, at FROM series
                     CROSS JOIN hours ON hours.series_id = series.id AND at < ? LIMIT ?)";
        Ok(sqlx::query(query).bind(self.ago(MEMORY)).bind(ROWS).execute(&self.write).await?.rows_affected())
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
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{
        clock::Clock,
        keeper::store::{Bucket, Span},
        reading::{Outcome, Reading},
    };

    const NOW: i64 = 1_800_000_000;
    const DAY: i64 = 24 * 3600;

    async fn store(folder: &tempfile::TempDir, now: i64) -> Store {
        let url = format!("sqlite:{}", folder.path().join("k.db").display());
        Store::open(&url, Clock::new(move || Timestamp::from_second(now).unwrap())).await.unwrap()
    }

    /// A reading a minute for `hours`, from `from` on: every tenth failed, the others 1 to 9 ms.
    fn readings(from: i64, hours: i64) -> Vec<Reading> {
        (0..hours * 60)
            .map(|minute| {
                let at = Timestamp::from_second(from + minute * 60).unwrap();
                let digit = i32::try_from(minute % 10).unwrap();
                let outcome = match digit {
                    0 => Outcome::Failure("lost".into()),
                    digit => Outcome::Value(digit.into()),
                };
                let mut reading = Reading::new("ping".parse().unwrap(), at, outcome);
                reading.loss = Some(if digit == 0 { 100.0 } else { 0.0 });
                reading
            })
            .collect()
    }

    async fn hourly(store: &Store) -> Vec<Bucket> {
        let moment = |second| Moment::new(Timestamp::from_second(second).unwrap());
        let span = Span { from: moment(NOW - 800 * DAY), to: moment(NOW + DAY), step: SignedDuration::from_hours(1) };
        store.series("ping", span).await.unwrap()
    }

    async fn rows(store: &Store, table: &str) -> i64 {
        let query = format!("SELECT COUNT(*) FROM {table}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&store.read).await.unwrap()
    }

    #[tokio::test]
    async fn what_was_rolled_up_is_told_as_before() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder, NOW).await;
        let hour = NOW - NOW % 3600;
        store.add_readings(&readings(hour - 40 * DAY, 15)).await.unwrap();
        store.add_readings(&readings(hour - 20 * DAY, 2)).await.unwrap();
        let before = hourly(&store).await;
        assert_eq!((before.len(), before[0].measured, before[0].failed), (17, 54, 6));
        assert_eq!((before[0].value, before[0].max, before[0].loss), (Some(5.0), Some(9.0), Some(10.0)));
        assert_eq!(store.retain_once().await.unwrap(), 15 * 60);
        assert_eq!((rows(&store, "readings").await, rows(&store, "hours").await), (120, 15));
        assert_eq!(hourly(&store).await, before);
        assert_eq!(store.retain_once().await.unwrap(), 0, "there is nothing left to do");
    }

    #[tokio::test]
    async fn what_arrives_late_is_added_to_its_hour() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder, NOW).await;
        let all = readings(NOW - NOW % 3600 - 40 * DAY, 1);
        for half in [&all[..30], &all[30..]] {
            store.add_readings(half).await.unwrap();
            store.retain_once().await.unwrap();
        }
        let told = hourly(&store).await;
        assert_eq!((told.len(), told[0].measured, told[0].failed, told[0].value), (1, 54, 6, Some(5.0)));
        assert_eq!(rows(&store, "hours").await, 1);
    }

    #[tokio::test]
    async fn hours_go_after_two_years_and_the_file_shrinks() {
        let folder = tempfile::tempdir().unwrap();
        let then = store(&folder, NOW - 730 * DAY).await;
        for day in 0..60 {
            then.add_readings(&readings(NOW - 730 * DAY - (70 - day) * DAY, 8)).await.unwrap();
        }
        let pages = async |store: &Store| -> i64 {
            sqlx::query_scalar("PRAGMA page_count").fetch_one(&store.write).await.unwrap()
        };
        let most = pages(&then).await;
        then.close().await;
        drop(then);
        let store = store(&folder, NOW).await;
        store.retain_once().await.unwrap();
        assert_eq!((rows(&store, "readings").await, rows(&store, "hours").await), (0, 0));
        let left = pages(&store).await;
        assert!(left * 5 < most, "{left} pages of {most} are left");
    }

    #[tokio::test]
    async fn no_step_takes_more_than_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder, NOW).await;
        store.add_readings(&readings(NOW - 40 * DAY, 16)).await.unwrap();
        assert_eq!((store.roll_up().await.unwrap(), store.roll_up().await.unwrap()), (500, 460));
    }
}
