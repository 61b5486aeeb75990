//! A reading as it travels, and what must be true of one that another program wrote.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::leap_second::{LEAP_SECOND, is_leap_second};

use super::{CheckRun, Mark, MetricName, Outcome, Reading, is_sane};

/// The longest text in a reading, in characters.
const MAX_TEXT: usize = 300;

/// A reading as it is written: with exactly one of `value`, `failure` and `skipped`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    metric: MetricName,
    #[serde(deserialize_with = "time")]
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jitter: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loss: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mark: Option<Mark>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check: Option<Box<CheckRun>>,
}

/// The library would read a leap second as the second before it.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    if is_leap_second(&text) {
        return Err(D::Error::custom(format_args!("at is {LEAP_SECOND}")));
    }
    text.parse().map_err(D::Error::custom)
}

impl TryFrom<Written> for Reading {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let outcome = match (written.value, written.failure, written.skipped) {
            (Some(value), None, None) => Outcome::Value(value),
            (None, Some(why), None) => Outcome::Failure(why),
            (None, None, Some(why)) => Outcome::Skipped(why),
            _ => return Err("a reading has exactly one of value, failure and skipped".into()),
        };
        if written.loss.is_some_and(|loss| !(0.0..=100.0).contains(&loss)) {
            return Err("loss is from 0 to 100 percent".into());
        }
        let numbers = [written.value, written.min, written.max, written.jitter];
        if numbers.into_iter().flatten().any(|number| !is_sane(number)) {
            return Err("a number in a reading lies between -1e12 and 1e12".into());
        }
        let why = match &outcome {
            Outcome::Failure(why) | Outcome::Skipped(why) => Some(why),
            Outcome::Value(_) => None,
        };
        for text in [why, written.target.as_ref(), written.method.as_ref()].into_iter().flatten() {
            if text.is_empty() || text.chars().count() > MAX_TEXT {
                return Err(format!("a text in a reading has 1 to {MAX_TEXT} characters"));
            }
        }
        let Written { metric, at, target, method, min, max, jitter, loss, mark, check, .. } = written;
        if let Some(run) = &check {
            run.belongs_to(&metric, &outcome)?;
        }
        Ok(Self { metric, at, outcome, target, method, min, max, jitter, loss, mark, check })
    }
}

impl From<Reading> for Written {
    fn from(reading: Reading) -> Self {
        // An error text may hold anything, and a keeper refuses a U+0000.
        let short = |why: String| why.replace('\0', "\u{fffd}").chars().take(MAX_TEXT).collect();
        let (value, failure, skipped) = match reading.outcome {
            Outcome::Value(value) => (Some(value), None, None),
            Outcome::Failure(why) => (None, Some(short(why)), None),
            Outcome::Skipped(why) => (None, None, Some(short(why))),
        };
        let Reading { metric, at, target, method, min, max, jitter, loss, mark, check, .. } = reading;
        Self { metric, at, value, failure, skipped, target, method, min, max, jitter, loss, mark, check }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"metric":"ping","at":"2026-11-21T04:30:00Z","value":12.5,"method":"icmp","loss":20.0}"#;

    fn read(text: &str) -> Result<Reading, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_reading_is_written_as_it_is_read() {
        let reading = read(GOOD).unwrap();
        assert_eq!(reading.outcome, Outcome::Value(12.5));
        assert_eq!(serde_json::to_string(&reading).unwrap(), GOOD);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_reading_panic(text: String) {
            let _ = read(&text);
        }

        #[test]
        fn what_is_written_can_be_read(value: f64, loss in 0.0..=100.0_f64, seconds in 0..4_000_000_000_i64, why in ".{1,400}") {
            let at = Timestamp::from_second(seconds).unwrap();
            for outcome in [Outcome::Value(value), Outcome::Failure(why.clone()), Outcome::Skipped(why.clone())] {
                let mut reading = Reading::new("ping".parse().unwrap(), at, outcome.clone());
                reading.loss = Some(loss);
                let text = serde_json::to_string(&reading).unwrap();
                let good = is_sane(value) || !matches!(outcome, Outcome::Value(_));
                proptest::prop_assert_eq!(read(&text).is_ok_and(|read| read.at == at), good);
            }
        }
    }

    #[test]
    fn a_wrong_reading_is_refused_with_what_is_wrong() {
        for (from, to, message) in [
            ("\"value\":12.5", "\"value\":12.5,\"failure\":\"no answer\"", "exactly one of"),
            ("\"value\":12.5,", "", "exactly one of"),
            ("04:30:00", "23:59:60", "at is a leap second (60)"),
            ("20.0", "120.0", "0 to 100 percent"),
            ("12.5", "1e13", "between -1e12 and 1e12"),
            ("ping", "Ping!", "lower-case letters"),
            ("loss", "lost", "unknown field `lost`"),
            ("\"icmp\"", "\"\"", "1 to 300 characters"),
        ] {
            let error = read(&GOOD.replace(from, to)).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
