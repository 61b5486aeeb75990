//! What bandwidth tests say of the line as a whole: how many of them kept the contract's promise, and how much latency grows
//! when the line is busy.

use crate::keeper::{
    KeeperError,
    db::{Db, FromRow, Moment, Row, StorageError, query},
};

/// What the contract promises, in Mbit/s.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Promised {
    /// Towards the home.
    pub down: Option<f64>,
    /// From the home.
    pub up: Option<f64>,
}

impl Promised {
    /// Of what these readings measure.
    pub fn of(&self, reading: &str) -> Option<f64> {
        match reading {
            "bandwidth" => self.down,
            "upload" => self.up,
            _ => None,
        }
    }
}

/// How many tests there were, and how many of them met the promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromiseKept {
    /// All that measured a speed; one that failed says nothing of it.
    pub tests: i64,
    /// Those that measured at least what is promised.
    pub met: i64,
}

/// How much latency grows under load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bufferbloat {
    /// Milliseconds at rest, on average.
    pub idle: f64,
    /// Milliseconds while a test fills the line, on average.
    pub loaded: f64,
}

impl PromiseKept {
    /// In per cent, rounded down: 100 is said only where every test met it.
    pub const fn percent(&self) -> i64 {
        self.met * 100 / if self.tests > 0 { self.tests } else { 1 }
    }
}

impl Bufferbloat {
    /// By how many milliseconds it grows.
    pub fn increase(&self) -> f64 {
        (self.loaded - self.idle).max(0.0)
    }

    /// The grade that the speed test of `DSLReports` gives (<https://www.dslreports.com/faq/17930>, read 2026-11-28); there is no E.
    pub fn grade(&self) -> &'static str {
        match self.increase() {
            ..5.0 => "A+",
            5.0..30.0 => "A",
            30.0..60.0 => "B",
            60.0..200.0 => "C",
            200.0..400.0 => "D",
            _ => "F",
        }
    }
}

/// How the tests since then kept a promise, in the readings' unit; `None` where there was none.
///
/// # Errors
/// When the storage fails.
pub(in crate::keeper) async fn promise_kept(
    db: &Db,
    reading: &str,
    promised: f64,
    since: Moment,
) -> Result<Option<PromiseKept>, KeeperError> {
    let count = query(
        "SELECT COUNT(value) AS tests, COUNT(value) FILTER (WHERE value >= ?3) AS met
         FROM readings JOIN series ON series.id = series_id AND name = ?1 WHERE at >= ?2",
    );
    let kept: PromiseKept = count.bind(reading).bind(since).bind(promised).one(&mut db.read().await?).await?;
    Ok((kept.tests > 0).then_some(kept))
}

/// How much latency has grown under load since then; `None` where it was not measured both ways.
///
/// # Errors
/// When the storage fails.
pub(in crate::keeper) async fn bufferbloat(db: &Db, since: Moment) -> Result<Option<Bufferbloat>, KeeperError> {
    let average = query(
        "SELECT AVG(value) FILTER (WHERE name = 'latency_idle') AS idle,
                AVG(value) FILTER (WHERE name = 'latency_loaded') AS loaded
         FROM series CROSS JOIN readings ON series_id = series.id AND at >= ?
         WHERE name IN ('latency_idle', 'latency_loaded')",
    );
    let Averages { idle, loaded } = average.bind(since).one(&mut db.read().await?).await?;
    Ok(idle.zip(loaded).map(|(idle, loaded)| Bufferbloat { idle, loaded }))
}

struct Averages {
    idle: Option<f64>,
    loaded: Option<f64>,
}

impl FromRow for Averages {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { idle: row.get("idle")?, loaded: row.get("loaded")? })
    }
}

impl FromRow for PromiseKept {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { tests: row.get("tests")?, met: row.get("met")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grade_is_that_of_the_increase() {
        for (idle, loaded, grade) in [
            (10.0, 8.0, "A+"),
            (10.0, 14.9, "A+"),
            (10.0, 15.0, "A"),
            (10.0, 40.0, "B"),
            (10.0, 70.0, "C"),
            (10.0, 210.0, "D"),
            (10.0, 410.0, "F"),
        ] {
            assert_eq!(Bufferbloat { idle, loaded }.grade(), grade, "{loaded}");
        }
    }

    #[test]
    fn all_is_said_only_where_every_test_met_it() {
        assert_eq!(PromiseKept { tests: 1000, met: 999 }.percent(), 99);
        assert_eq!(PromiseKept { tests: 3, met: 3 }.percent(), 100);
    }
}
