//! What a month's readings came to: bandwidth tests beside what the contract promises, and latency and loss by the
//! hour. From single readings as long as they are kept, else from the hours that took their place.

use crate::keeper::{
    KeeperError,
    db::{Conn, Db, FromRow, Moment, Row, StorageError, query},
    measured::series_rows,
};

/// The most tests below the promise that are read one by one.
const MAX_TESTS: usize = 500;

const HOUR: i64 = 3_600_000;

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

/// What was measured of the line at rest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::keeper) struct AtRest {
    /// In milliseconds.
    pub(in crate::keeper) latency: Option<OverHours>,
    /// In per cent.
    pub(in crate::keeper) loss: Option<OverHours>,
}

/// What many hours came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::keeper) struct OverHours {
    /// Of all that was measured.
    pub(in crate::keeper) average: f64,
    /// The average of the worst hour.
    pub(in crate::keeper) worst: f64,
    /// When that began, in milliseconds since 1970.
    pub(in crate::keeper) worst_at: i64,
}

/// What an hour's tests, or a single one, came to.
struct Sum {
    at: i64,
    measured: i64,
    failed: i64,
    total: f64,
    least: Option<f64>,
    most: Option<f64>,
    is_hour: bool,
}

struct Hour {
    at: i64,
    measured: i64,
    total: f64,
    losses: i64,
    loss: f64,
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
    let sums = sums(&mut conn, id, between).await?;
    Ok(Some(counted(&sums, promised)).filter(|tests| tests.measured + tests.failed > 0))
}

/// The most rows that are read: a test each minute of the longest month.
const MAX_ROWS: i64 = 45_000;

async fn sums(conn: &mut Conn, series: i64, (from, to): Between) -> Result<Vec<Sum>, KeeperError> {
    let list = query(
        "SELECT at, measured, failed, value_sum AS total, min AS least, max AS most, 1 AS is_hour FROM hours
             WHERE series_id = ?1 AND at >= ?2 AND at < ?3
         UNION ALL
         SELECT at, value IS NOT NULL, failure IS NOT NULL, COALESCE(value, 0.0), value, value, 0 FROM readings
             WHERE series_id = ?1 AND at >= ?2 AND at < ?3 AND mark IS NULL
         ORDER BY at LIMIT ?4",
    );
    Ok(list.bind(series).bind(from).bind(to).bind(MAX_ROWS).all(conn).await?)
}

fn counted(sums: &[Sum], promised: Option<f64>) -> Tests {
    let mut tests = Tests::default();
    let mut total = 0.0;
    for sum in sums {
        tests.measured += sum.measured;
        tests.failed += sum.failed;
        total += sum.total;
        let (Some(least), Some(most)) = (sum.least, sum.most) else { continue };
        // The least and the most of an hour are of samples, where a test has any.
        let (least, most) = if sum.measured == 1 { (sum.total, sum.total) } else { (least, most) };
        let test = |value| Test { at: sum.at, value, is_hour: sum.is_hour };
        if tests.worst.is_none_or(|worst| least < worst.value) {
            tests.worst = Some(test(least));
        }
        let Some(promised) = promised.filter(|promised| least < *promised) else { continue };
        // Of an hour with several tests, some of which reached it, only the slowest is known to be below.
        let most = if most < promised { sum.measured } else { sum.measured - 1 };
        let least_below = if most == sum.measured { sum.measured } else { 1 };
        tests.below = (tests.below.0 + least_below, tests.below.1 + most.max(1));
        tests.by_the_hour |= sum.is_hour;
        if tests.listed.len() < MAX_TESTS {
            tests.listed.push(test(least));
        }
    }
    tests.average = average(total, tests.measured);
    tests
}

/// Latency and loss of that time, as `ping` measured them while no bandwidth test filled the line.
///
/// # Errors
/// When the storage fails.
pub(in crate::keeper) async fn at_rest(db: &Db, (from, to): Between) -> Result<AtRest, KeeperError> {
    let mut conn = db.snapshot().await?;
    let Some(id) = series_rows::find(&mut conn, "ping").await? else { return Ok(AtRest::default()) };
    let list = query(
        "SELECT hour, SUM(measured) AS measured, TOTAL(total) AS total, SUM(losses) AS losses, TOTAL(loss) AS loss FROM
             (SELECT at / ?4 * ?4 AS hour, measured, value_sum AS total, loss_count AS losses, loss_sum AS loss
                 FROM hours
                 WHERE series_id = ?1 AND at >= ?2 AND at < ?3
             UNION ALL
             SELECT at / ?4 * ?4, COUNT(value), TOTAL(value), COUNT(loss), TOTAL(loss) FROM readings
                 WHERE series_id = ?1 AND at >= ?2 AND at < ?3 AND mark IS NULL GROUP BY 1)
         GROUP BY hour ORDER BY hour",
    );
    let hours: Vec<Hour> = list.bind(id).bind(from).bind(to).bind(HOUR).all(&mut conn).await?;
    Ok(AtRest {
        latency: over(hours.iter().map(|hour| (hour.at, hour.total, hour.measured))),
        loss: over(hours.iter().map(|hour| (hour.at, hour.loss, hour.losses))),
    })
}

/// The average, and the first of the worst hours: of when each begins, its sum, and of how many.
fn over(hours: impl Iterator<Item = (i64, f64, i64)>) -> Option<OverHours> {
    let (mut total, mut count, mut worst) = (0.0, 0, None);
    for (at, sum, of) in hours {
        let Some(value) = average(sum, of) else { continue };
        (total, count) = (total + sum, count + of);
        if worst.is_none_or(|(_, most)| value > most) {
            worst = Some((at, value));
        }
    }
    let ((worst_at, worst), average) = (worst?, average(total, count)?);
    Some(OverHours { average, worst, worst_at })
}

#[expect(clippy::cast_precision_loss, reason = "there are millions at most")]
fn average(sum: f64, count: i64) -> Option<f64> {
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
            is_hour: row.get("is_hour")?,
        })
    }
}

impl FromRow for Hour {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            at: row.get("hour")?,
            measured: row.get("measured")?,
            total: row.get("total")?,
            losses: row.get("losses")?,
            loss: row.get("loss")?,
        })
    }
}

#[cfg(test)]
mod tests_of_sums {
    use super::*;

    fn single(at: i64, value: Option<f64>) -> Sum {
        let (measured, failed) = (i64::from(value.is_some()), i64::from(value.is_none()));
        Sum { at, measured, failed, total: value.unwrap_or_default(), least: value, most: value, is_hour: false }
    }

    fn hour(at: i64, measured: i64, total: f64, least: f64, most: f64) -> Sum {
        Sum { at, measured, failed: 0, total, least: Some(least), most: Some(most), is_hour: true }
    }

    #[test]
    fn single_tests_are_counted_and_listed_with_their_times() {
        let sums = [single(1, Some(95.0)), single(2, Some(40.0)), single(3, None), single(4, Some(100.0))];
        let tests = counted(&sums, Some(100.0));
        let test = |at, value| Test { at, value, is_hour: false };
        assert_eq!((tests.measured, tests.failed, tests.below), (3, 1, (2, 2)));
        assert_eq!((tests.listed, tests.worst), (vec![test(1, 95.0), test(2, 40.0)], Some(test(2, 40.0))));
        assert!((tests.average.unwrap() - 235.0 / 3.0).abs() < 1e-9);
        let without = counted(&sums, None);
        assert_eq!((without.below, without.listed.len(), without.worst.unwrap().at), ((0, 0), 0, 2));
    }

    #[test]
    fn of_an_hour_with_several_tests_it_is_said_how_many_were_below_at_least() {
        let all = [
            hour(0, 1, 40.0, 40.0, 40.0),
            hour(1, 3, 270.0, 80.0, 99.0),
            hour(2, 4, 390.0, 90.0, 100.0),
            hour(3, 2, 220.0, 105.0, 115.0),
        ];
        let tests = counted(&all, Some(100.0));
        assert_eq!((tests.measured, tests.below, tests.by_the_hour), (10, (1 + 3 + 1, 1 + 3 + 3), true));
        assert_eq!(tests.listed.iter().map(|test| test.value).collect::<Vec<_>>(), [40.0, 80.0, 90.0]);
    }

    #[test]
    fn the_worst_hour_is_the_one_with_the_worst_average() {
        let hours = [(0, 100.0, 10), (1, 90.0, 3), (2, 0.0, 0), (3, 60.0, 2)];
        let over_all = over(hours.into_iter()).unwrap();
        assert!((over_all.average - 250.0 / 15.0).abs() < 1e-9);
        assert!((over_all.worst_at, over_all.worst) == (1, 30.0), "{over_all:?}");
        assert_eq!(over([(2, 0.0, 0)].into_iter()), None);
    }
}
