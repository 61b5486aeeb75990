//! What a run of a check came to, as it travels in the reading of it; and what must be true of one that another program wrote.

use std::time::Duration;

use checks::{
    cause::Cause,
    outcome::{self, Phases, State},
    performance::{Figure, MAX_FIGURES, MAX_LABEL},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{MetricName, Outcome};

/// The longest text, in characters.
const MAX_TEXT: usize = 1000;

/// The longest unit or range of a figure, in characters.
const MAX_WRITTEN: usize = 64;

/// The longest phase, in seconds.
const MAX_PHASE: f64 = 86_400.0;

/// What a run of a check came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct CheckRun {
    /// How it is by this run.
    pub state: State,
    /// How it is after the check's thresholds; `None` where that is not known yet.
    pub counts: Option<State>,
    /// Why it is not well.
    pub cause: Option<Cause>,
    /// One line for a person.
    pub text: String,
    /// How long each phase took that was entered.
    pub phases: Phases,
    /// Figures beside it.
    pub figures: Vec<Figure>,
    /// Until when the certificate that was shown is valid.
    pub certificate_ends: Option<Timestamp>,
}

/// As it is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    state: State,
    #[serde(default)]
    counts: Option<State>,
    #[serde(default)]
    cause: Option<String>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    phases: WrittenPhases,
    #[serde(default)]
    figures: Vec<Figure>,
    #[serde(default)]
    certificate_ends: Option<Timestamp>,
}

/// In seconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenPhases {
    #[serde(skip_serializing_if = "Option::is_none")]
    resolve: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<f64>,
}

impl CheckRun {
    /// What is handed over of a run, cut to what a keeper takes.
    pub fn new(run: &outcome::Outcome, counts: Option<State>) -> Self {
        let short = |figure: &Figure| Figure {
            label: cut(&figure.label, MAX_LABEL),
            unit: cut(&figure.unit, MAX_WRITTEN),
            warning: figure.warning.as_deref().map(|range| cut(range, MAX_WRITTEN)),
            critical: figure.critical.as_deref().map(|range| cut(range, MAX_WRITTEN)),
            ..figure.clone()
        };
        Self {
            state: run.state,
            counts,
            cause: run.cause,
            text: cut(&run.text, MAX_TEXT),
            phases: run.phases,
            figures: run.figures.iter().filter(|it| !it.label.is_empty()).take(MAX_FIGURES).map(short).collect(),
            certificate_ends: run.certificate_ends,
        }
    }

    /// # Errors
    /// When it is beside a reading of something else, or contradicts it.
    pub(super) fn belongs_to(&self, metric: &MetricName, outcome: &Outcome) -> Result<(), String> {
        if metric.check().is_none() {
            return Err(format!("check is of readings of check:<name> alone, and {metric} is none"));
        }
        let agrees = match outcome {
            Outcome::Value(_) => self.state.works(),
            Outcome::Failure(_) => self.state == State::Critical,
            Outcome::Skipped(_) => self.state == State::Unknown,
        };
        if agrees {
            return Ok(());
        }
        Err("check.state contradicts the reading: ok and warning come with a value, critical with a failure, unknown with skipped"
            .into())
    }
}

/// The first characters of a text, without a U+0000, which a keeper refuses.
fn cut(text: &str, characters: usize) -> String {
    text.replace('\0', "\u{fffd}").chars().take(characters).collect()
}

impl TryFrom<Written> for CheckRun {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { state, counts, cause, text, phases, figures, certificate_ends } = written;
        let cause = match cause {
            None => None,
            Some(label) => Some(Cause::from_label(&label).ok_or_else(|| {
                format!("check.cause is none that there is: {:?}", label.chars().take(MAX_WRITTEN).collect::<String>())
            })?),
        };
        if text.chars().count() > MAX_TEXT {
            return Err(format!("check.text has up to {MAX_TEXT} characters"));
        }
        if figures.len() > MAX_FIGURES {
            return Err(format!("check.figures: there may be {MAX_FIGURES}"));
        }
        let is_long = |text: &str, most: usize| text.chars().count() > most;
        for figure in &figures {
            if figure.label.is_empty() || is_long(&figure.label, MAX_LABEL) {
                return Err(format!("check.figures: a label has 1 to {MAX_LABEL} characters"));
            }
            let written = [Some(&figure.unit), figure.warning.as_ref(), figure.critical.as_ref()];
            if written.into_iter().flatten().any(|text| is_long(text, MAX_WRITTEN)) {
                return Err(format!("check.figures: a unit or range has up to {MAX_WRITTEN} characters"));
            }
        }
        Ok(Self { state, counts, cause, text, phases: phases.read()?, figures, certificate_ends })
    }
}

impl From<CheckRun> for Written {
    fn from(run: CheckRun) -> Self {
        let CheckRun { state, counts, cause, text, phases, figures, certificate_ends } = run;
        let cause = cause.map(|cause| cause.label().to_owned());
        Self { state, counts, cause, text, phases: WrittenPhases::of(phases), figures, certificate_ends }
    }
}

impl WrittenPhases {
    fn of(phases: Phases) -> Self {
        let seconds = |took: Option<Duration>| took.map(|took| took.as_secs_f64());
        let Phases { resolve, connect, tls, answer, transfer } = phases;
        Self {
            resolve: seconds(resolve),
            connect: seconds(connect),
            tls: seconds(tls),
            answer: seconds(answer),
            transfer: seconds(transfer),
        }
    }

    fn read(self) -> Result<Phases, String> {
        let took = |seconds: Option<f64>| match seconds {
            Some(seconds) if !(0.0..=MAX_PHASE).contains(&seconds) => {
                Err("check.phases: a phase takes from 0 to 86400 seconds".to_owned())
            }
            seconds => Ok(seconds.map(Duration::from_secs_f64)),
        };
        Ok(Phases {
            resolve: took(self.resolve)?,
            connect: took(self.connect)?,
            tls: took(self.tls)?,
            answer: took(self.answer)?,
            transfer: took(self.transfer)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::reading::Reading;

    fn written() -> Value {
        json!({"metric": "check:nas", "at": "2026-11-29T12:00:00Z", "failure": "connection refused", "method": "http", "check": {
            "state": "critical", "counts": "critical", "cause": "refused", "text": "connection refused",
            "phases": {"resolve": 0.001, "connect": 0.002}, "figures": [{"label": "load 1", "value": 0.5, "unit": "s"}],
            "certificate_ends": "2027-01-01T00:00:00Z"}})
    }

    #[test]
    fn a_run_is_written_as_it_is_read() {
        let reading: Reading = serde_json::from_value(written()).unwrap();
        let run = reading.check.as_ref().unwrap();
        assert_eq!((run.cause, run.phases.connect), (Some(Cause::Refused), Some(Duration::from_millis(2))));
        assert_eq!(serde_json::to_value(reading).unwrap(), written());
    }

    #[test]
    fn a_wrong_run_is_refused_with_what_is_wrong() {
        let figure = |label: &str| json!({"label": label, "value": 1});
        for (field, value, message) in [
            ("state", json!("fine"), "unknown variant `fine`"),
            ("state", json!("ok"), "check.state contradicts the reading"),
            ("cause", json!("bad luck"), "check.cause is none that there is: \"bad luck\""),
            ("text", json!("x".repeat(1001)), "check.text has up to 1000 characters"),
            ("figures", json!(vec![figure("a"); 201]), "check.figures: there may be 200"),
            ("figures", json!([figure("")]), "a label has 1 to 100 characters"),
            ("figures", json!([{"label": "a", "value": 1, "unit": "s".repeat(65)}]), "a unit or range has up to 64"),
            ("phases", json!({"connect": -1}), "a phase takes from 0 to 86400 seconds"),
            ("phases", json!({"dial": 1}), "unknown field `dial`"),
            ("colour", json!("red"), "unknown field `colour`"),
        ] {
            let mut wrong = written();
            wrong["check"][field] = value;
            let error = serde_json::from_value::<Reading>(wrong).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        let mut other = written();
        other["metric"] = json!("ping");
        let error = serde_json::from_value::<Reading>(other).unwrap_err().to_string();
        assert!(error.contains("and ping is none"), "{error}");
    }

    #[test]
    fn what_a_program_printed_is_cut_to_what_a_keeper_takes() {
        let figure = Figure {
            label: "l".repeat(500),
            value: Some(1.0),
            unit: "u".repeat(100),
            warning: Some("9".repeat(100)),
            critical: None,
            min: None,
            max: None,
        };
        let mut outcome = outcome::Outcome::because(Cause::Reported, "a\0".repeat(3000));
        outcome.figures = vec![figure; 300];
        let reading =
            Reading::of_check(&"nas".parse().unwrap(), Timestamp::UNIX_EPOCH, &outcome, Some(State::Critical));
        let read: Reading = serde_json::from_value(serde_json::to_value(&reading).unwrap()).unwrap();
        assert_eq!(read.check.unwrap().figures.len(), 200);
    }
}
