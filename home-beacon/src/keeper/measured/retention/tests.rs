use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use super::*;
use crate::{
    clock::{Clock, Host},
    keeper::{
        measured::{
            Recorder,
            series::{Bucket, Span, buckets},
        },
        outbox::Outbox,
    },
    reading::{Outcome, Reading},
};

/// The beginning of an hour.
const NOW: i64 = 1_800_000_000;
const DAY: i64 = 24 * 3600;

/// A database whose clock is set by hand.
struct Kept {
    db: Db,
    recorder: Recorder,
    clock: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

impl Kept {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("k.db").display());
        let clock = Arc::new(AtomicI64::new(NOW));
        let shown = Arc::clone(&clock);
        let host = Host::at(Clock::new(move || second(shown.load(Relaxed))));
        let db = Db::open(&url).await.unwrap();
        let recorder = Recorder::new(db.clone(), host, Outbox::new(db.clone(), false)).await.unwrap();
        Self { db, recorder, clock, _folder: folder }
    }

    /// Stores readings at the time at which they were made.
    async fn add(&self, readings: &[Reading]) {
        self.clock.store(readings.last().unwrap().at.as_second(), Relaxed);
        self.recorder.add_readings(readings).await.unwrap();
        self.clock.store(NOW, Relaxed);
    }

    /// What one pass takes away when it is so late by the clock on the wall.
    async fn pass(&self, now: i64) -> u64 {
        run_once(&self.db, second(now)).await.unwrap()
    }

    async fn hourly(&self) -> Vec<Bucket> {
        let (from, to) = (Moment::new(second(NOW - 800 * DAY)), Moment::new(second(NOW + DAY)));
        buckets(&self.db, "ping", Span { from, to, step: SignedDuration::from_hours(1) }).await.unwrap()
    }

    async fn count(&self, what: &'static str) -> i64 {
        query(what).one(&mut self.db.write().await.unwrap()).await.unwrap()
    }

    async fn rows(&self) -> (i64, i64) {
        (self.count("SELECT COUNT(*) FROM readings").await, self.count("SELECT COUNT(*) FROM hours").await)
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A reading a minute for `hours`, from `from` on: every tenth failed, the others 1 to 9 ms.
fn readings(from: i64, hours: i64) -> Vec<Reading> {
    (0..hours * 60)
        .map(|minute| {
            let digit = i32::try_from(minute % 10).unwrap();
            let outcome = match digit {
                0 => Outcome::Failure("lost".into()),
                digit => Outcome::Value(digit.into()),
            };
            let mut reading = Reading::new("ping".parse().unwrap(), second(from + minute * 60), outcome);
            reading.loss = Some(if digit == 0 { 100.0 } else { 0.0 });
            reading
        })
        .collect()
}

#[tokio::test]
async fn what_was_rolled_up_is_told_as_before() {
    let kept = Kept::new().await;
    kept.add(&readings(NOW - 40 * DAY, 15)).await;
    kept.add(&readings(NOW - 20 * DAY, 2)).await;
    let before = kept.hourly().await;
    assert_eq!((before.len(), before[0].measured, before[0].failed), (17, 54, 6));
    assert_eq!((before[0].value, before[0].max, before[0].loss), (Some(5.0), Some(9.0), Some(10.0)));
    assert_eq!(kept.pass(NOW).await, 15 * 60);
    assert_eq!((kept.rows().await, kept.hourly().await), ((120, 15), before));
    assert_eq!(kept.pass(NOW).await, 0, "there is nothing left to do");
}

#[tokio::test]
async fn an_hour_that_is_rolled_up_in_two_steps_is_one_row() {
    let kept = Kept::new().await;
    let all = readings(NOW - 40 * DAY, 1);
    for half in [&all[..30], &all[30..]] {
        kept.add(half).await;
        kept.pass(NOW).await;
    }
    let hours = kept.hourly().await;
    assert_eq!((hours.len(), hours[0].measured, hours[0].failed, hours[0].value), (1, 54, 6, Some(5.0)));
    assert_eq!(kept.rows().await, (0, 1));
}

#[tokio::test]
async fn a_reading_that_would_be_counted_again_is_refused() {
    let kept = Kept::new().await;
    let old = readings(NOW - 31 * DAY, 1);
    let refused = kept.recorder.add_readings(&old).await.unwrap_err().to_string();
    assert!(refused.starts_with("readings[0].at: ") && refused.contains("last 30 days"), "{refused}");
}

#[tokio::test]
async fn hours_go_after_two_years_and_the_file_shrinks() {
    let kept = Kept::new().await;
    for day in 0..60 {
        kept.add(&readings(NOW - (800 - day) * DAY, 8)).await;
    }
    let most = kept.count("PRAGMA page_count").await;
    run_as_of(&kept.db, second(NOW)).await.unwrap();
    assert_eq!(kept.rows().await, (0, 0));
    assert_eq!(kept.count("SELECT COUNT(*) FROM series").await, 0, "its name makes room too");
    let left = kept.count("PRAGMA page_count").await;
    assert!(left * 5 < most, "{left} pages of {most} are left");
}

#[tokio::test]
async fn a_clock_years_ahead_does_not_throw_the_history_away() {
    let kept = Kept::new().await;
    kept.add(&readings(NOW - 40 * DAY, 1)).await;
    kept.add(&readings(NOW - 20 * DAY, 1)).await;
    kept.pass(NOW).await;
    let before = kept.rows().await;
    assert_eq!(kept.pass(NOW + 1100 * DAY).await, 0);
    assert_eq!(kept.rows().await, before);
    // Set right again, it goes on as before.
    assert_eq!(kept.pass(NOW + 60).await, 0);
    // One that was off for long catches up a day at a time.
    for _ in 0..11 {
        kept.pass(NOW + 100 * DAY).await;
    }
    assert_eq!(kept.rows().await, (0, 2));
}

#[tokio::test]
async fn no_step_takes_more_than_its_rows() {
    let kept = Kept::new().await;
    kept.add(&readings(NOW - 40 * DAY, 16)).await;
    let before = Moment::new(second(NOW - 30 * DAY)).millis();
    assert_eq!(roll_up(&kept.db, before).await.unwrap(), 500);
    assert_eq!(roll_up(&kept.db, before).await.unwrap(), 460);
}
