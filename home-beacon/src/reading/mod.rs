//! A reading: what a job measured, or why it could not. Jobs hand readings over, the keeper stores them.

mod check_run;
pub mod leap_second;
mod metric;
pub mod slots;
mod written;

use std::str::FromStr;

use checks::{check::CheckName, outcome::State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::written::Written;
pub use self::{
    check_run::CheckRun,
    metric::{MetricName, NoMetric},
};

/// The most readings in one call.
pub const MAX_READINGS: usize = 1000;

/// Whether a number can be a measurement. Sums of millions of them stay finite.
pub fn is_sane(number: f64) -> bool {
    number.abs() <= 1e12
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
    /// The measured value, in the metric's unit.
    #[default]
    Value,
    /// The least of the samples behind it, in its unit.
    Min,
    /// The largest of them, in its unit.
    Max,
    /// Their mean absolute difference, in its unit.
    Jitter,
    /// Percent of them that were lost.
    Loss,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 5] = [Self::Value, Self::Min, Self::Max, Self::Jitter, Self::Loss];

    /// The field as JSON and settings name it.
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

/// What else was going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A bandwidth test filled the line, so the value says little about the line at rest.
    BandwidthTest,
}

impl Mark {
    /// The mark as JSON names it.
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
    /// What was measured.
    pub metric: MetricName,
    /// When.
    pub at: Timestamp,
    /// The value, or why there is none.
    pub outcome: Outcome,
    /// The host that it was measured against.
    pub target: Option<String>,
    /// How, like `icmp` or `fast.com`.
    pub method: Option<String>,
    /// The least of the samples behind the value, in its unit.
    pub min: Option<f64>,
    /// The largest of them.
    pub max: Option<f64>,
    /// Mean absolute difference of neighbouring samples, in the value's unit.
    pub jitter: Option<f64>,
    /// Percent of the samples that were lost. A failed measurement has it too: 100.
    pub loss: Option<f64>,
    /// What else was going on, if anything.
    pub mark: Option<Mark>,
    /// Of a check's run: what it came to.
    pub check: Option<Box<CheckRun>>,
}

impl Reading {
    /// A reading with nothing but the outcome.
    pub fn new(metric: MetricName, at: Timestamp, outcome: Outcome) -> Self {
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
            check: None,
        }
    }

    /// The reading of a check's run: how many milliseconds it took where the check works, and why where it does not. `counts` is the
    /// check's state after its thresholds, where that is known.
    pub fn of_check(name: &CheckName, at: Timestamp, run: &checks::outcome::Outcome, counts: Option<State>) -> Self {
        let text = if run.text.is_empty() { run.state.label() } else { &run.text };
        let outcome = match run.state {
            State::Ok | State::Warning => Outcome::Value(run.took.as_secs_f64() * 1000.0),
            State::Critical => Outcome::Failure(text.into()),
            State::Unknown => Outcome::Skipped(text.into()),
        };
        let check = Some(Box::new(CheckRun::new(run, counts)));
        Self { check, ..Self::new(MetricName::of_check(name), at, outcome) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_shows_what_was_measured_and_nothing_that_a_bandwidth_test_spoilt() {
        let mut reading = Reading::new("ping".parse().unwrap(), Timestamp::UNIX_EPOCH, Outcome::Value(12.5));
        reading.loss = Some(20.0);
        assert_eq!((reading.shown(Field::Value), reading.shown(Field::Loss)), (Some(12.5), Some(20.0)));
        assert_eq!(reading.shown(Field::Jitter), None);
        reading.mark = Some(Mark::BandwidthTest);
        assert_eq!(reading.shown(Field::Value), None);
        let lost = Reading { outcome: Outcome::Failure("no answer".into()), mark: None, ..reading };
        assert_eq!((lost.shown(Field::Value), lost.shown(Field::Loss)), (None, Some(20.0)));
    }
}
