//! Checks that call us: what a call says, and when one is overdue. Pure.

use std::time::Duration;

use checks::{
    cause::Cause,
    outcome::{Outcome, State},
};
use jiff::{SignedDuration, Timestamp};

use super::known::{Known, Run, Standing};
use crate::keeper::{db::Moment, length::length};

/// The longest run that is measured: a start that nothing followed is none.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 31);

/// What somebody says by calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::keeper) enum Call {
    /// A run has worked.
    Success,
    /// One begins.
    Start,
    /// It has failed.
    Fail,
    /// Nothing but what was sent along.
    Log,
    /// It has ended with that exit code, which is not 0.
    Exit(u8),
}

impl Call {
    /// By what follows the secret in the address.
    pub(in crate::keeper) fn of(action: &str) -> Option<Self> {
        match action {
            "start" => Some(Self::Start),
            "fail" => Some(Self::Fail),
            "log" => Some(Self::Log),
            "0" => Some(Self::Success),
            // As it is written: neither `+1` nor `01`.
            code => code.parse().ok().filter(|exit: &u8| exit.to_string() == code).map(Self::Exit),
        }
    }

    /// The run that it ends, of which `started` said that it began; `None` where it ends none.
    pub(super) fn outcome(self, started: Option<Moment>, now: Timestamp) -> Option<Outcome> {
        let lasted = started.map(|started| now.duration_since(started.timestamp()));
        let lasted = lasted.filter(|lasted| (SignedDuration::ZERO..=LONGEST).contains(lasted));
        let after = lasted.map(|lasted| format!(" after {}", length(lasted))).unwrap_or_default();
        let outcome = match self {
            Self::Start | Self::Log => return None,
            Self::Success => Outcome::ok(format!("It called, and said that it worked{after}.")),
            Self::Fail => Outcome::because(Cause::Failed, format!("It called, and said that it failed{after}.")),
            Self::Exit(code) => {
                Outcome::because(Cause::Failed, format!("It called, and said that it failed{after}: exit code {code}."))
            }
        };
        let took = lasted.and_then(|lasted| Duration::try_from(lasted).ok()).unwrap_or_default();
        Some(Outcome { took, ..outcome })
    }
}

/// That a call is overdue.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Overdue {
    state: State,
    since: Timestamp,
    text: String,
}

/// After its period a call is late; after its grace, too, what should call counts as down. So does a run that has begun and has not
/// ended within the grace. `None` where nothing changes of what is known.
#[must_use]
pub(super) fn overdue(known: &Known, now: Timestamp) -> Option<(Known, Moment)> {
    let Overdue { state, since, text } = due(known, now)?;
    let is_known = known.last.as_ref().is_some_and(|last| last.cause == Some(Cause::Late) && last.state == state);
    if is_known {
        return None;
    }
    let since = Moment::new(since);
    // That it is overdue is no count of failures.
    let down_runs = if state == State::Critical { known.check.notices.after_failures.max(1) } else { 0 };
    let at = known.last.as_ref().map_or(since, |last| last.at);
    let run = Run {
        at,
        state,
        cause: Some(Cause::Late),
        text,
        took: None,
        phases: checks::outcome::Phases::default(),
        figures: Vec::new(),
        certificate_ends: None,
    };
    let standing = Standing { counts: Some(state), since: Some(since), down_runs };
    Some((Known { standing, last: Some(run), ..known.clone() }, since))
}

/// Whether it should have called again, whatever it has said.
pub(super) fn is_overdue(known: &Known, now: Timestamp) -> bool {
    let period = known.check.passive.map(|passive| SignedDuration::from_secs(passive.period_seconds.into()));
    period.zip(known.last.as_ref()).is_some_and(|(period, last)| now.duration_since(last.at.timestamp()) > period)
}

fn due(known: &Known, now: Timestamp) -> Option<Overdue> {
    let passive = known.check.passive?;
    let seconds = |seconds: u32| SignedDuration::from_secs(seconds.into());
    let (period, grace) = (seconds(passive.period_seconds), seconds(passive.grace_seconds));
    // What it has said itself, and is worse, stands; but silence after it counts as long as nobody was told.
    let has_failed = |run: &Run| run.state == State::Critical && run.cause != Some(Cause::Late);
    let has_failed = known.last.as_ref().is_some_and(has_failed);
    if has_failed && known.standing.down_runs >= known.check.notices.after_failures.max(1) {
        return None;
    }
    let after = |time: Moment, wait: SignedDuration| time.timestamp().checked_add(wait).ok();
    if let Some(started) = known.started_at.filter(|_| !grace.is_zero())
        && let Some(since) = after(started, grace).filter(|since| *since < now)
    {
        let text = format!("A run began at {}, and has not ended {} later.", clock(started), length(grace));
        return Some(Overdue { state: State::Critical, since, text });
    }
    let last = known.last.as_ref()?.at;
    let text = format!("It called last at {}, and should call each {}.", clock(last), length(period));
    let late = after(last, period).filter(|since| *since < now)?;
    match after(last, period.checked_add(grace)?).filter(|since| *since < now) {
        Some(since) => Some(Overdue { state: State::Critical, since, text }),
        None => (!has_failed).then_some(Overdue { state: State::Warning, since: late, text }),
    }
}

fn clock(at: Moment) -> String {
    at.timestamp().strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_953_600 + second).unwrap()
    }

    /// One that called at 0 and should call each hour, with ten minutes of grace.
    fn known() -> Known {
        let check = json!({"name": "backup", "title": "Backup", "kind": "passive", "target": "", "every_seconds": 3600,
            "component": "own", "passive": {"period_seconds": 3600, "grace_seconds": 600, "secret_sha256": "ab".repeat(32)}});
        Known::ran(check, at(0), State::Ok, None, "")
    }

    #[test]
    fn what_follows_the_secret_says_what_happened() {
        for (action, call) in [
            ("start", Some(Call::Start)),
            ("fail", Some(Call::Fail)),
            ("log", Some(Call::Log)),
            ("0", Some(Call::Success)),
            ("1", Some(Call::Exit(1))),
            ("255", Some(Call::Exit(255))),
            ("256", None),
            ("-1", None),
            ("+1", None),
            ("01", None),
            ("stop", None),
            ("", None),
        ] {
            assert_eq!(Call::of(action), call, "{action}");
        }
    }

    #[test]
    fn a_run_that_was_said_to_begin_is_measured() {
        let started = Some(Moment::new(at(0)));
        let outcome = Call::Success.outcome(started, at(150)).unwrap();
        assert_eq!((outcome.state, outcome.took), (State::Ok, Duration::from_secs(150)));
        let failed = Call::Exit(3).outcome(started, at(150)).unwrap();
        assert_eq!((failed.state, failed.cause), (State::Critical, Some(Cause::Failed)));
        assert!(failed.text.ends_with("exit code 3."), "{}", failed.text);
        for odd in [None, Some(Moment::new(at(200))), Some(Moment::new(at(-40 * 86_400)))] {
            assert_eq!(Call::Success.outcome(odd, at(150)).unwrap().took, Duration::ZERO);
        }
        assert_eq!(Call::Start.outcome(started, at(150)), None);
    }

    #[test]
    fn late_comes_before_down_and_each_once() {
        let mut known = known();
        let mut changes = Vec::new();
        for second in 0..6000 {
            if let Some((after, since)) = overdue(&known, at(second)) {
                changes.push((second, after.standing.counts.unwrap(), since.timestamp()));
                known = after;
            }
        }
        assert_eq!(changes, [(3601, State::Warning, at(3600)), (4201, State::Critical, at(4200))]);
        assert_eq!(known.last.unwrap().at.timestamp(), at(0), "when it called stays");
    }

    #[test]
    fn a_run_that_does_not_end_counts_as_down_after_the_grace() {
        let begun = Known { started_at: Some(Moment::new(at(100))), ..known() };
        assert!(overdue(&begun, at(700)).is_none());
        let (after, since) = overdue(&begun, at(701)).unwrap();
        assert_eq!((after.standing.counts, since.timestamp()), (Some(State::Critical), at(700)));
        let never_called = Known { last: None, started_at: None, ..known() };
        assert!(overdue(&never_called, at(999_999)).is_none(), "nothing is known of it");
    }

    #[test]
    fn what_it_has_said_itself_stands() {
        let mut failed = known();
        failed.last.as_mut().unwrap().state = State::Critical;
        failed.last.as_mut().unwrap().cause = Some(Cause::Failed);
        failed.standing = Standing { counts: Some(State::Critical), down_runs: 1, ..failed.standing };
        assert!(overdue(&failed, at(99_999)).is_none());
        failed.check.notices.after_failures = 3;
        assert!(overdue(&failed, at(4200)).is_none(), "late is better than that");
        let (after, since) = overdue(&failed, at(4201)).unwrap();
        assert_eq!(
            (after.standing.down_runs, since.timestamp()),
            (3, at(4200)),
            "nobody was told yet, and nothing comes"
        );
        assert!(overdue(&after, at(99_999)).is_none());
    }
}
