//! A reading: what a job measured, or why it could not. Jobs hand readings over, the keeper stores them.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The most readings in one call.
pub const MOST: usize = 1000;

/// The longest text in a reading, in characters.
const LONGEST_TEXT: usize = 300;

/// Whether a number can be a measurement. Sums of millions of them stay finite.
pub fn is_sane(number: f64) -> bool {
    number.abs() <= 1e12
}

/// What is measured, like `ping` or `ping:9.9.9.9`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Metric(String);

/// A text that names no metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a metric has up to 100 lower-case letters, digits and _ - . :, like ping or ping:9.9.9.9")]
pub struct NoMetric;

/// What our own programs measure; of `ping` and its kin also with a further target behind a colon.
const OURS: [&str; 7] = ["ping", "resolve", "bandwidth", "upload", "latency_idle", "latency_loaded", "dns"];

impl Metric {
    /// Whether a program of ours measures it.
    pub fn is_ours(&self) -> bool {
        OURS.contains(&self.0.split(':').next().unwrap_or_default())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Metric {
    type Err = NoMetric;

    fn from_str(text: &str) -> Result<Self, NoMetric> {
        let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.' | b':');
        let good = !text.is_empty() && text.len() <= 100 && text.bytes().all(known);
        if good { Ok(Self(text.to_owned())) } else { Err(NoMetric) }
    }
}

impl TryFrom<String> for Metric {
    type Error = NoMetric;

    fn try_from(text: String) -> Result<Self, NoMetric> {
        text.parse()
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a measurement came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// In the metric's unit: `ping` in ms, `bandwidth` in decimal Mbit/s.
    Value(f64),
    /// It could not be measured; why, in words.
    Failure(String),
    /// It was left out on purpose; why, in words.
    Skipped(String),
}

/// A part of a reading that can be a curve of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    #[default]
    Value,
    Min,
    Max,
    Jitter,
    Loss,
}

/// What else was going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A bandwidth test filled the line, so the value says little about the line at rest.
    BandwidthTest,
}

impl Field {
    pub const ALL: [Self; 5] = [Self::Value, Self::Min, Self::Max, Self::Jitter, Self::Loss];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Min => "min",
            Self::Max => "max",
            Self::Jitter => "jitter",
            Self::Loss => "loss",
        }
    }
}

/// A text that names no field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a field is value, min, max, jitter or loss")]
pub struct NoField;

impl FromStr for Field {
    type Err = NoField;

    fn from_str(text: &str) -> Result<Self, NoField> {
        Self::ALL.into_iter().find(|field| field.as_str() == text).ok_or(NoField)
    }
}

impl Mark {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BandwidthTest => "bandwidth_test",
        }
    }
}

/// One measurement at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Reading {
    pub metric: Metric,
    pub at: Timestamp,
    pub outcome: Outcome,
    /// Whom it was measured against.
    pub target: Option<String>,
    /// How, like `icmp` or `fast.com`.
    pub method: Option<String>,
    /// Of the single samples behind the value, in its unit.
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// Mean absolute difference of neighbouring samples, in the value's unit.
    pub jitter: Option<f64>,
    /// Percent of the samples that were lost. A failed measurement has it too: 100.
    pub loss: Option<f64>,
    pub mark: Option<Mark>,
}

impl Reading {
    pub fn new(metric: Metric, at: Timestamp, outcome: Outcome) -> Self {
        Self {
            metric,
            at,
            outcome,
            target: None,
            method: None,
            min: None,
            max: None,
            jitter: None,
            loss: None,
            mark: None,
        }
    }

    /// What a curve of that field shows of this reading: nothing where it was not measured, and nothing of one that a
    /// bandwidth test spoilt.
    pub fn shown(&self, field: Field) -> Option<f64> {
        if self.mark.is_some() {
            return None;
        }
        match (field, &self.outcome) {
            (Field::Value, Outcome::Value(value)) => Some(*value),
            (Field::Value, _) => None,
            (Field::Min, _) => self.min,
            (Field::Max, _) => self.max,
            (Field::Jitter, _) => self.jitter,
            (Field::Loss, _) => self.loss,
        }
    }
}

/// A reading as it is written: with exactly one of `value`, `failure` and `skipped`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    metric: Metric,
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
            if text.is_empty() || text.chars().count() > LONGEST_TEXT {
                return Err(format!("a text in a reading has 1 to {LONGEST_TEXT} characters"));
            }
        }
        let Written { metric, at, target, method, min, max, jitter, loss, mark, .. } = written;
        Ok(Self { metric, at, outcome, target, method, min, max, jitter, loss, mark })
    }
}

impl From<Reading> for Written {
    fn from(reading: Reading) -> Self {
        let short = |why: String| why.chars().take(LONGEST_TEXT).collect();
        let (value, failure, skipped) = match reading.outcome {
            Outcome::Value(value) => (Some(value), None, None),
            Outcome::Failure(why) => (None, Some(short(why)), None),
            Outcome::Skipped(why) => (None, None, Some(short(why))),
        };
        let Reading { metric, at, target, method, min, max, jitter, loss, mark, .. } = reading;
        Self { metric, at, value, failure, skipped, target, method, min, max, jitter, loss, mark }
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
    fn a_wrong_reading_is_told_by_what_is_wrong() {
        for (from, to, message) in [
            ("\"value\":12.5", "\"value\":12.5,\"failure\":\"no answer\"", "exactly one of"),
            ("\"value\":12.5,", "", "exactly one of"),
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

    #[test]
    fn a_curve_shows_what_was_measured_and_nothing_that_a_bandwidth_test_spoilt() {
        let mut reading = read(GOOD).unwrap();
        assert_eq!((reading.shown(Field::Value), reading.shown(Field::Loss)), (Some(12.5), Some(20.0)));
        assert_eq!(reading.shown(Field::Jitter), None);
        reading.mark = Some(Mark::BandwidthTest);
        assert_eq!(reading.shown(Field::Value), None);
        let lost = read(&GOOD.replace("\"value\":12.5", "\"failure\":\"no answer\"")).unwrap();
        assert_eq!((lost.shown(Field::Value), lost.shown(Field::Loss)), (None, Some(20.0)));
    }
}
