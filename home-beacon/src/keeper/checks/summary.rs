//! How often the addresses that are checked over HTTP have worked, in `UpTimePulse`'s form: its own arithmetic, over what was recorded.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::keeper::{
    KeeperError,
    db::{Db, Moment, query},
};

/// The longest window, and how many runs are counted at most.
const MAX_WINDOW: Duration = Duration::from_hours(7 * 24);
const MAX_RUNS: i64 = 2_000_000;

/// The runs of the checks of one address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::keeper) struct Uptime {
    pub(in crate::keeper) successes: i64,
    pub(in crate::keeper) failures: i64,
}

impl Uptime {
    /// How many of 1000 runs have worked, rounded down: what failed once is not perfect. `None` without a run.
    fn thousandths(&self) -> Option<i64> {
        let runs = self.successes.saturating_add(self.failures);
        (runs > 0).then(|| i64::try_from(i128::from(self.successes) * 1000 / i128::from(runs)).unwrap_or_default())
    }

    /// As `UpTimePulse` lists it, with the numbers beside its strings.
    pub(in crate::keeper) fn row(&self, url: &str) -> Value {
        let words = self.thousandths().map(|of| format!("{}.{}%", of / 10, of % 10));
        #[expect(clippy::cast_precision_loss, reason = "nobody counts beyond 2^53")]
        let ratio = self.thousandths().map(|_| self.successes as f64 / (self.successes + self.failures) as f64);
        json!({
            "url": url,
            "success": self.successes,
            "failures": self.failures,
            "availability": words,
            "availability_ratio": ratio,
        })
    }
}

/// The addresses that are checked over HTTP, each with all runs of its checks since these were registered.
pub(in crate::keeper) async fn since_registered(db: &Db) -> Result<BTreeMap<String, Uptime>, KeeperError> {
    let list = query("SELECT target, SUM(successes), SUM(failures) FROM checks WHERE kind = 'http' GROUP BY target");
    let rows: Vec<(String, i64, i64)> = list.all(&mut db.read().await?).await?;
    Ok(rows.into_iter().map(|(url, successes, failures)| (url, Uptime { successes, failures })).collect())
}

/// The same with the runs of that time until now.
///
/// # Errors
/// When there would be too many to count.
pub(in crate::keeper) async fn within(
    db: &Db,
    window: Duration,
    now: Timestamp,
) -> Result<BTreeMap<String, Uptime>, KeeperError> {
    let mut conn = db.snapshot().await?;
    let seconds = i64::try_from(window.as_secs()).unwrap_or(i64::MAX);
    let expected = query("SELECT COALESCE(SUM(?1 / every_seconds), 0) FROM checks WHERE kind = 'http'");
    let expected: i64 = expected.bind(seconds).one(&mut conn).await?;
    if expected > MAX_RUNS {
        return Err(KeeperError::Invalid(format!(
            "window: that would be {expected} runs to count, and {MAX_RUNS} are counted at most: take a shorter one"
        )));
    }
    let from = now.checked_sub(SignedDuration::try_from(window).unwrap_or_default()).unwrap_or(Timestamp::MIN);
    let count = query(
        "SELECT checks.target, COUNT(value), COUNT(failure) FROM checks
             LEFT JOIN series ON series.name = 'check:' || checks.name
             LEFT JOIN readings ON series_id = series.id AND at > ? AND at <= ?
         WHERE kind = 'http' GROUP BY checks.target",
    );
    let count = count.bind(Moment::new(from)).bind(Moment::new(now));
    let rows: Vec<(String, i64, i64)> = count.all(&mut conn).await?;
    Ok(rows.into_iter().map(|(url, successes, failures)| (url, Uptime { successes, failures })).collect())
}

/// A window as Prometheus writes it, like `5m` or `1h30m`.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub(in crate::keeper) fn window(text: &str) -> Result<Duration, String> {
    let wrong = || "window: must be a time like 30s, 5m, 1h30m or 7d, from 1s to 7d".to_owned();
    let (mut rest, mut sum, mut last) = (text, Duration::ZERO, Duration::MAX);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u32 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = match rest.as_bytes().get(digits) {
            Some(b's') => Duration::from_secs(1),
            Some(b'm') => Duration::from_mins(1),
            Some(b'h') => Duration::from_hours(1),
            Some(b'd') => Duration::from_hours(24),
            Some(b'w') => Duration::from_hours(7 * 24),
            _ => return Err(wrong()),
        };
        // Each once, the largest first.
        if unit >= last {
            return Err(wrong());
        }
        sum = unit.checked_mul(number).and_then(|part| sum.checked_add(part)).ok_or_else(wrong)?;
        (rest, last) = (&rest[digits + 1..], unit);
    }
    if (Duration::from_secs(1)..=MAX_WINDOW).contains(&sum) { Ok(sum) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn availability_has_one_decimal_and_is_never_rounded_up() {
        for (successes, failures, expected) in [
            (0, 0, json!(null)),
            (0, 5, json!("0.0%")),
            (996, 4, json!("99.6%")),
            (9999, 1, json!("99.9%")),
            (3, 0, json!("100.0%")),
        ] {
            let row = Uptime { successes, failures }.row("http://nas.lan/");
            assert_eq!(row["availability"], expected);
        }
        let row = Uptime { successes: 3, failures: 1 }.row("http://nas.lan/");
        assert_eq!(row["availability_ratio"], 0.75);
        assert_eq!(Uptime::default().row("x")["availability_ratio"], json!(null));
    }

    #[test]
    fn a_window_is_a_time_and_nothing_else() {
        for (text, seconds) in [("5m", 300), ("1h30m", 5400), ("1s", 1), ("7d", 604_800), ("1w", 604_800)] {
            assert_eq!(window(text), Ok(Duration::from_secs(seconds)));
        }
        for wrong in
            ["", "5", "m", "0s", "8d", "5m]) or vector(1", "1m1h", "5m5m", "-5m", "5 m", "5µ", "99999999999s", "1.5h"]
        {
            assert_eq!(
                window(wrong),
                Err("window: must be a time like 30s, 5m, 1h30m or 7d, from 1s to 7d".into()),
                "{wrong}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = window(&text);
        }
    }
}
