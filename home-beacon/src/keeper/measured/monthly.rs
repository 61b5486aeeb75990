//! What a month's bandwidth tests came to, beside what the contract promises: from single readings as long as they are kept,
//! else from the hours that took their place.

use crate::keeper::{
    KeeperError,
    db::{Conn, Db, FromRow, Moment, Row, StorageError, built, query},
    measured::series_rows,
};

/// The most tests below the promise that are read one by one.
const MAX_TESTS: usize = 500;

/// A time that is past.
pub(in crate::keeper) type Between = (Moment, Moment);

/// The bandwidth tests of a time, in one direction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::keeper) struct Tests {
    /// How many measured a speed.
    pub(in crate::keeper) measured: i64,
    /// How many failed.
    pub(in crate::keeper) failed: i64,
    /// The average, in Mbit/s.
    pub(in crate::keeper) average: Option<f64>,
    /// The slowest.
    pub(in crate::keeper) worst: Option<Test>,
    /// How many were below the promise: at least so many, and at most.
    pub(in crate::keeper) below: (i64, i64),
    /// Those of them that are known one by one, the oldest first.
    pub(in crate::keeper) listed: Vec<Test>,
    /// Whether some of them are known by their hour alone.
    pub(in crate::keeper) by_the_hour: bool,
}

/// A test's speed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::keeper) struct Test {
    /// When, in milliseconds since 1970.
    pub(in crate::keeper) at: i64,
    /// In Mbit/s.
    pub(in crate::keeper) value: f64,
    /// Whether `at` is the beginning of the hour in which it was.
    pub(in crate::keeper) is_hour: bool,
}

/// What an hour's tests came to.
struct Sum {
    at: i64,
    measured: i64,
    failed: i64,
    total: f64,
    least: Option<f64>,
    most: Option<f64>,
}

/// What single tests came to.
struct Singles {
    measured: i64,
    failed: i64,
    total: f64,
    below: i64,
    least: Option<f64>,
}

/// The bandwidth tests of that time; `None` where there was none.
///
/// # Errors
/// When the storage fails.
pub(in crate::keeper) async fn tests(
    db: &Db,
    reading: &str,
    promised: Option<f64>,
    between: Between,
) -> Result<Option<Tests>, KeeperError> {
    // One state of both tables: rows move from one to the other.
    let mut conn = db.snapshot().await?;
    let Some(id) = series_rows::find(&mut conn, reading).await? else { return Ok(None) };
    let mut tests = Tests::default();
    let mut total = 0.0;
    for sum in hours(&mut conn, id, between).await? {
        total += sum.total;
        tests.add_hour(&sum, promised);
    }
    total += tests.add_singles(&mut conn, id, promised, between).await?;
    tests.average = average(total, tests.measured);
    Ok(Some(tests).filter(|tests| tests.measured + tests.failed > 0))
}

async fn hours(conn: &mut Conn, series: i64, (from, to): Between) -> Result<Vec<Sum>, KeeperError> {
    let list = query(
        "SELECT at, measured, failed, value_sum AS total, min AS least, max AS most FROM hours
         WHERE series_id = ? AND at >= ? AND at < ? ORDER BY at",
    );
    Ok(list.bind(series).bind(from).bind(to).all(conn).await?)
}

impl Tests {
    fn add_hour(&mut self, sum: &Sum, promised: Option<f64>) {
        self.measured += sum.measured;
        self.failed += sum.failed;
        let (Some(least), Some(most)) = (sum.least, sum.most) else { return };
        // The least and the most of an hour are of samples, where a test has any.
        let (least, most) = if sum.measured == 1 { (sum.total, sum.total) } else { (least, most) };
        let test = Test { at: sum.at, value: least, is_hour: true };
        self.slowest(test);
        let Some(promised) = promised.filter(|promised| least < *promised) else { return };
        // Of several tests, some of which reached it, only the slowest is known to be below.
        let (at_least, at_most) = if most < promised { (sum.measured, sum.measured) } else { (1, sum.measured - 1) };
        self.below = (self.below.0 + at_least, self.below.1 + at_most);
        self.by_the_hour = true;
        self.list(test);
    }

    /// Adds the tests that are known one by one, and returns their sum.
    async fn add_singles(
        &mut self,
        conn: &mut Conn,
        series: i64,
        promised: Option<f64>,
        (from, to): Between,
    ) -> Result<f64, KeeperError> {
        let count = query(
            "SELECT COUNT(value) AS measured, COUNT(failure) AS failed, TOTAL(value) AS total, MIN(value) AS least,
                 COUNT(value) FILTER (WHERE value < ?4) AS below
             FROM readings WHERE series_id = ?1 AND at >= ?2 AND at < ?3 AND mark IS NULL",
        );
        let count = count.bind(series).bind(from).bind(to).bind(promised);
        let Singles { measured, failed, total, below, least } = count.one(conn).await?;
        self.measured += measured;
        self.failed += failed;
        self.below = (self.below.0 + below, self.below.1 + below);
        // Those of that value, or of less than is promised, the oldest first.
        let list = "SELECT at, value FROM readings WHERE series_id = ?1 AND at >= ?2 AND at < ?3 AND mark IS NULL";
        let at_most = built(format!("{list} AND value <= ?4 ORDER BY at LIMIT 1"));
        let slowest: Option<(i64, f64)> = at_most.bind(series).bind(from).bind(to).bind(least).optional(conn).await?;
        if let Some((at, value)) = slowest {
            self.slowest(Test { at, value, is_hour: false });
        }
        let below = built(format!("{list} AND value < ?4 ORDER BY at LIMIT ?5"));
        let below = below.bind(series).bind(from).bind(to).bind(promised);
        let below: Vec<(i64, f64)> = below.bind(i64::try_from(MAX_TESTS).unwrap_or(i64::MAX)).all(conn).await?;
        for (at, value) in below {
            self.list(Test { at, value, is_hour: false });
        }
        Ok(total)
    }

    fn slowest(&mut self, test: Test) {
        if self.worst.is_none_or(|worst| test.value < worst.value) {
            self.worst = Some(test);
        }
    }

    fn list(&mut self, test: Test) {
        if self.listed.len() < MAX_TESTS {
            self.listed.push(test);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are millions at most")]
pub(super) fn average(sum: f64, count: i64) -> Option<f64> {
    (count > 0).then(|| sum / count as f64)
}

impl FromRow for Sum {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            at: row.get("at")?,
            measured: row.get("measured")?,
            failed: row.get("failed")?,
            total: row.get("total")?,
            least: row.get("least")?,
            most: row.get("most")?,
        })
    }
}

impl FromRow for Singles {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            measured: row.get("measured")?,
            failed: row.get("failed")?,
            total: row.get("total")?,
            below: row.get("below")?,
            least: row.get("least")?,
        })
    }
}

#[cfg(test)]
mod tests_of_sums {
    use super::*;

    fn hour(at: i64, measured: i64, total: f64, least: f64, most: f64) -> Sum {
        Sum { at, measured, failed: 0, total, least: Some(least), most: Some(most) }
    }

    #[test]
    fn of_an_hour_with_several_tests_it_is_said_how_many_were_below_at_least() {
        let mut tests = Tests::default();
        for hour in [
            // Its samples went up and down, and its only test was this.
            hour(0, 1, 40.0, 10.0, 140.0),
            hour(1, 3, 270.0, 80.0, 99.0),
            hour(2, 4, 390.0, 90.0, 100.0),
            hour(3, 2, 220.0, 105.0, 115.0),
            Sum { failed: 2, least: None, most: None, ..hour(4, 0, 0.0, 0.0, 0.0) },
        ] {
            tests.add_hour(&hour, Some(100.0));
        }
        assert_eq!((tests.measured, tests.failed, tests.below), (10, 2, (1 + 3 + 1, 1 + 3 + 3)));
        assert_eq!(tests.listed.iter().map(|test| test.value).collect::<Vec<_>>(), [40.0, 80.0, 90.0]);
        assert_eq!((tests.worst, tests.by_the_hour), (Some(Test { at: 0, value: 40.0, is_hour: true }), true));
        let mut without = Tests::default();
        without.add_hour(&hour(0, 1, 40.0, 40.0, 40.0), None);
        assert_eq!((without.below, without.listed.len(), without.by_the_hour), ((0, 0), 0, false));
    }
}
