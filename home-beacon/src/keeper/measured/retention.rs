//! What becomes of old readings: after 30 days an hour's readings become one row, after two years that one goes too.
//!
//! Every step is a short transaction of its own, so that a reading that comes in meanwhile hardly waits. Old is what is old
//! by a time that is remembered and goes on by a day in an hour at most: a Pi that starts with a wrong clock, years ahead,
//! must not throw its history away before the network sets the clock.

use std::{ops::Range, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use shared::chain::root_cause;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{
    ages::{HOURS, RAW},
    series::SUMS,
};
use crate::keeper::{
    KeeperError,
    db::{Conn, Db, Moment, StorageError, Tx, built, query},
};

/// The most rows that one transaction deletes, and the most pages that it gives back to the disk.
const MAX_ROWS: i64 = 500;
const MAX_PAGES: i64 = 256;

/// How often old readings are rolled up.
const INTERVAL: Duration = Duration::from_hours(1);

/// By how much the remembered time goes on at most in one pass.
const MAX_ADVANCE: SignedDuration = SignedDuration::from_hours(24);

/// How long other writers get between two steps.
const BATCH_PAUSE: Duration = Duration::from_millis(20);

/// In milliseconds.
pub(in crate::keeper) const HOUR: i64 = 3_600_000;

/// Rolls up old readings, now and every hour, for as long as it is polled. `now` is the time on the wall.
pub(in crate::keeper) async fn run(db: &Db, now: impl Fn() -> Timestamp) {
    let mut due = interval(INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        match run_once(db, now()).await {
            Ok(0) => (),
            Ok(rows) => tracing::info!(rows, "old readings were rolled up, and older ones deleted"),
            // The disk may have room again in an hour; nothing is lost meanwhile.
            Err(error) => tracing::warn!(cause = %root_cause(&error), "old readings could not be rolled up"),
        }
    }
}

/// Rolls up and deletes what is old now; the number of rows that were deleted.
///
/// # Errors
/// When the storage fails; what was done until then is complete in itself.
pub async fn run_once(db: &Db, now: Timestamp) -> Result<u64, KeeperError> {
    let as_of = advance(db, now).await?;
    run_as_of(db, as_of).await
}

/// The time by which readings are old: now, but not more than [`MAX_ADVANCE`] after the last time.
async fn advance(db: &Db, now: Timestamp) -> Result<Timestamp, KeeperError> {
    let mut tx = db.begin().await?;
    let last: Option<Timestamp> = query("SELECT as_of FROM retention").optional(&mut tx).await?;
    let as_of = last.unwrap_or(now).checked_add(MAX_ADVANCE).map_or(now, |most| most.min(now));
    query("DELETE FROM retention").execute(&mut tx).await?;
    query("INSERT INTO retention (as_of) VALUES (?)").bind(Moment::new(as_of)).execute(&mut tx).await?;
    tx.commit().await?;
    Ok(as_of)
}

/// Rolls up and deletes what is old by that time; the number of rows that were deleted.
///
/// # Errors
/// When the storage fails; what was done until then is complete in itself.
async fn run_as_of(db: &Db, time: Timestamp) -> Result<u64, KeeperError> {
    // A time before 1970 leaves everything as it is.
    let before = |age| time.checked_sub(age).map_or(0, |time| Moment::new(time).millis());
    let mut deleted = 0;
    loop {
        let step = roll_up(db, before(RAW)).await?
            + drop_hours(db, before(HOURS)).await?
            + drop_queued(db, before(RAW)).await?
            + drop_reads(db, before(RAW)).await?
            + drop_looks(db, before(HOURS)).await?;
        deleted += step;
        if step == 0 {
            break;
        }
        sleep(BATCH_PAUSE).await;
    }
    if deleted > 0 {
        drop_empty_series(db).await?;
    }
    while deleted > 0 && shrink(db).await? {
        sleep(BATCH_PAUSE).await;
    }
    Ok(deleted)
}

/// Turns some of the readings that are too old into their hours' sums.
async fn roll_up(db: &Db, before: i64) -> Result<u64, KeeperError> {
    // Whole hours only, so that an hour seldom is in both tables.
    let before = before / HOUR * HOUR;
    // By series, because the table is sorted by series first.
    let old = "SELECT readings.* FROM series CROSS JOIN readings ON readings.series_id = series.id AND at < ?2
               ORDER BY series.id, at LIMIT ?3";
    let sum = format!(
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
    let mut tx = db.begin().await?;
    built(sum).bind(HOUR).bind(before).bind(MAX_ROWS).execute(&mut tx).await?;
    let deleted = built(delete).bind(HOUR).bind(before).bind(MAX_ROWS).execute(&mut tx).await?;
    tx.commit().await?;
    Ok(deleted)
}

/// Turns the readings of an hour, of which no sums are known, into them: those of a time that is too old as they come in.
pub(in crate::keeper) async fn roll_up_hour(tx: &mut Tx, series: i64, hour: i64) -> Result<(), KeeperError> {
    let sum = format!(
        "INSERT INTO hours (series_id, at, measured, failed, skipped, marked, value_sum, min, max, jitter_sum,
             jitter_count, loss_sum, loss_count)
         SELECT series_id, {SUMS} FROM readings WHERE series_id = ?2 AND at >= ?3 AND at < ?4 GROUP BY series_id, start"
    );
    built(sum).bind(HOUR).bind(series).bind(hour).bind(hour + HOUR).execute(tx).await?;
    let delete = query("DELETE FROM readings WHERE series_id = ? AND at >= ? AND at < ?");
    delete.bind(series).bind(hour).bind(hour + HOUR).execute(tx).await?;
    Ok(())
}

/// What the single readings of a series come to, for each hour of a time in milliseconds since 1970: `at`, and the columns of `hours`.
pub(in crate::keeper) async fn sums_of_readings(
    conn: &mut Conn,
    series: i64,
    time: Range<i64>,
) -> Result<Vec<Map<String, Value>>, StorageError> {
    let sums = built(format!(
        "SELECT start AS at, sums.* FROM (SELECT {SUMS} FROM readings WHERE series_id = ?2 AND at >= ?3 AND at < ?4
             GROUP BY start) AS sums"
    ));
    let mut rows: Vec<Map<String, Value>> =
        sums.bind(HOUR).bind(series).bind(time.start).bind(time.end).all(conn).await?;
    for row in &mut rows {
        row.remove("start");
    }
    Ok(rows)
}

/// Deletes some of the hours that are too old.
async fn drop_hours(db: &Db, before: i64) -> Result<u64, KeeperError> {
    let delete = "DELETE FROM hours WHERE (series_id, at) IN (SELECT hours.series_id, at FROM series
                  CROSS JOIN hours ON hours.series_id = series.id AND at < ? LIMIT ?)";
    Ok(query(delete).bind(before).bind(MAX_ROWS).execute(&mut db.write().await?).await?)
}

/// Deletes some of what waits for upstream longer than single readings are kept: it is long past what upstream takes.
async fn drop_queued(db: &Db, before: i64) -> Result<u64, KeeperError> {
    let mut deleted = 0;
    for text in [
        "DELETE FROM relay_points WHERE (slot, metric_id) IN
             (SELECT slot, metric_id FROM relay_points WHERE slot < ? LIMIT ?)",
        "DELETE FROM relay_set_aside WHERE (slot, metric_id) IN
             (SELECT slot, metric_id FROM relay_set_aside WHERE slot < ? LIMIT ?)",
    ] {
        deleted += query(text).bind(before / 1000).bind(MAX_ROWS).execute(&mut db.write().await?).await?;
    }
    Ok(deleted)
}

/// Deletes some of the times in which upstream could be read: they explain no more than single readings do.
async fn drop_reads(db: &Db, before: i64) -> Result<u64, KeeperError> {
    let delete = "DELETE FROM upstream_reads WHERE began IN (SELECT began FROM upstream_reads WHERE ended < ? LIMIT ?)";
    Ok(query(delete).bind(before).bind(MAX_ROWS).execute(&mut db.write().await?).await?)
}

/// Deletes some of the looks that are too old.
async fn drop_looks(db: &Db, before: i64) -> Result<u64, KeeperError> {
    let delete = "DELETE FROM look_spans WHERE (component_id, location, inside, began) IN
                  (SELECT component_id, location, inside, began FROM look_spans WHERE ended < ? LIMIT ?)";
    Ok(query(delete).bind(before).bind(MAX_ROWS).execute(&mut db.write().await?).await?)
}

/// Makes room for other names.
async fn drop_empty_series(db: &Db) -> Result<(), KeeperError> {
    let delete = "DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM readings WHERE series_id = series.id)
                  AND NOT EXISTS (SELECT 1 FROM hours WHERE series_id = series.id)";
    query(delete).execute(&mut db.write().await?).await?;
    Ok(())
}

/// Gives some free pages back to the disk; whether there may be more.
async fn shrink(db: &Db) -> Result<bool, KeeperError> {
    let mut conn = db.write().await?;
    let before: i64 = query("PRAGMA freelist_count").one(&mut conn).await?;
    if before == 0 {
        return Ok(false);
    }
    // A pragma takes no bound values.
    built(format!("PRAGMA incremental_vacuum({MAX_PAGES})")).execute(&mut conn).await?;
    let after: i64 = query("PRAGMA freelist_count").one(&mut conn).await?;
    Ok(after > 0 && after < before)
}

#[cfg(test)]
mod tests;
