//! What is known of a check in Pinglow's words: its statuses, and never a last good one where nothing has come since. Pure.

use checks::{cause::Cause, outcome::State};
use jiff::Timestamp;

use super::{
    definition::Kind,
    known::{Known, Run},
    late::Waiting,
    passive,
};
use crate::keeper::{db::Moment, length::length};

/// Pinglow's statuses, by their numbers: 0 to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::keeper) enum Status {
    Ok,
    Warning,
    Critical,
    /// It could not be told.
    CheckError,
    /// Nothing has come yet.
    Pending,
}

impl Status {
    /// All of them, by their numbers.
    pub(in crate::keeper) const ALL: [Self; 5] =
        [Self::Ok, Self::Warning, Self::Critical, Self::CheckError, Self::Pending];

    /// As Pinglow's clients read it.
    pub(in crate::keeper) const fn label(self) -> &'static str {
        match self {
            Self::Ok => "Ok",
            Self::Warning => "Warning",
            Self::Critical => "Critical",
            Self::CheckError => "CheckError",
            Self::Pending => "Pending",
        }
    }

    /// What a run in this status says of the check: of one that is pending as little as of one that could not be told.
    pub(in crate::keeper) const fn state(self) -> State {
        match self {
            Self::Ok => State::Ok,
            Self::Warning => State::Warning,
            Self::Critical => State::Critical,
            Self::CheckError | Self::Pending => State::Unknown,
        }
    }

    /// Why a run in this status is not well, as the caller says. Nothing is wrong where it is pending: by that it is known from
    /// one that could not be told.
    pub(in crate::keeper) const fn cause(self) -> Option<Cause> {
        match self {
            Self::Ok | Self::Pending => None,
            Self::Warning | Self::CheckError => Some(Cause::Reported),
            Self::Critical => Some(Cause::Failed),
        }
    }

    fn of(run: &Run, kind: Kind) -> Self {
        match run.state {
            State::Ok => Self::Ok,
            State::Warning => Self::Warning,
            State::Critical => Self::Critical,
            State::Unknown if kind == Kind::Passive && run.cause.is_none() => Self::Pending,
            State::Unknown => Self::CheckError,
        }
    }
}

/// How a check is.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::keeper) struct Shown {
    pub(in crate::keeper) status: Status,
    pub(in crate::keeper) output: String,
    /// When it ran last.
    pub(in crate::keeper) at: Option<Moment>,
    /// Whether something should have come since.
    pub(in crate::keeper) is_stale: bool,
}

/// How a check is at that time, by its age alone: that the keeper was not there does not make a result younger.
pub(in crate::keeper) fn shown(known: &Known, now: Timestamp) -> Shown {
    let is_late = Waiting::of(known).is_some_and(|waiting| waiting.is_late(now, Timestamp::MIN));
    let Some(last) = &known.last else {
        let (status, output) = if is_late {
            (Status::CheckError, "It has never run, and should have.")
        } else {
            (Status::Pending, "It has not run yet.")
        };
        return Shown { status, output: output.into(), at: None, is_stale: is_late };
    };
    let status = Status::of(last, known.check.kind);
    let shown = |status, output: String, is_stale| Shown { status, output, at: Some(last.at), is_stale };
    // The keeper has said so itself, in its words.
    if last.cause == Some(Cause::Late) {
        return shown(status, last.text.clone(), true);
    }
    let overdue = passive::overdue(known, now).and_then(|(after, _)| after.last);
    if let Some(overdue) = overdue {
        return shown(Status::CheckError, overdue.text, true);
    }
    if is_late {
        let age = length(now.duration_since(last.at.timestamp()));
        let before = format!("It was {}: {}", status.label(), last.text);
        let text = format!("Its last result is {age} old, and nothing is known of it since. {before}");
        return shown(Status::CheckError, text, true);
    }
    shown(status, last.text.clone(), passive::is_overdue(known, now))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_953_600 + second).unwrap()
    }

    fn known(kind: &str, state: State, cause: Option<Cause>) -> Known {
        let mut check = json!({"name": "nas", "title": "NAS", "kind": kind, "target": "", "every_seconds": 60,
            "component": "nowhere"});
        if kind == "passive" {
            check["passive"] = json!({"period_seconds": 3600, "grace_seconds": 600});
        }
        Known::ran(check, at(0), state, cause, "As said.")
    }

    fn words(known: &Known, second: i64) -> Value {
        let Shown { status, output, is_stale, .. } = shown(known, at(second));
        json!([status.label(), output, is_stale])
    }

    #[test]
    fn each_state_has_its_word() {
        for (kind, state, cause, status) in [
            ("http", State::Ok, None, "Ok"),
            ("http", State::Warning, Some(Cause::Slow), "Warning"),
            ("http", State::Critical, Some(Cause::Refused), "Critical"),
            ("http", State::Unknown, Some(Cause::Local), "CheckError"),
            ("http", State::Unknown, None, "CheckError"),
            ("passive", State::Unknown, Some(Cause::Reported), "CheckError"),
            ("passive", State::Unknown, None, "Pending"),
        ] {
            assert_eq!(words(&known(kind, state, cause), 1), json!([status, "As said.", false]), "{kind} {state:?}");
        }
    }

    #[test]
    fn what_a_status_says_is_read_back_as_that_status() {
        for status in Status::ALL {
            let run = known("passive", status.state(), status.cause());
            assert_eq!(shown(&run, at(1)).status, status);
        }
    }

    #[test]
    fn a_good_result_that_nothing_followed_is_no_good_result() {
        let active = known("http", State::Ok, None);
        assert_eq!(words(&active, 290)[0], "Ok");
        let expected = "Its last result is 6 min old, and nothing is known of it since. It was Ok: As said.";
        assert_eq!(words(&active, 361), json!(["CheckError", expected, true]));
        let passive = known("passive", State::Ok, None);
        assert_eq!(words(&passive, 3600)[0], "Ok");
        let late = "It called last at 2026-11-29 12:00 UTC, and should call each 1 h.";
        assert_eq!(words(&passive, 3601), json!(["CheckError", late, true]));
        assert_eq!(words(&passive, 4201), json!(["CheckError", late, true]));
        let judged = passive::overdue(&passive, at(4201)).unwrap().0;
        assert_eq!(words(&judged, 4202), json!(["Critical", late, true]), "as the keeper has judged it");
    }

    #[test]
    fn what_has_said_that_it_failed_stays_so_and_is_stale_all_the_same() {
        let mut failed = known("passive", State::Critical, Some(Cause::Failed));
        failed.standing.down_runs = 1;
        assert_eq!(words(&failed, 99_999), json!(["Critical", "As said.", true]));
    }

    #[test]
    fn what_has_never_run_is_pending_until_it_should_have() {
        for (kind, second, expected) in [
            ("http", 1, json!(["Pending", "It has not run yet.", false])),
            ("http", 9999, json!(["CheckError", "It has never run, and should have.", true])),
            ("passive", 9999, json!(["Pending", "It has not run yet.", false])),
        ] {
            assert_eq!(words(&Known { last: None, ..known(kind, State::Ok, None) }, second), expected);
        }
    }
}
