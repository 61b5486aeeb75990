//! What is known of a check, and what a run changes of that. Pure.

use checks::{
    cause::Cause,
    outcome::{Phases, State},
    performance::Figure,
};
use jiff::Timestamp;
use shared::id::ComponentId;

use super::definition::Definition;
use crate::{
    keeper::db::Moment,
    reading::{CheckRun, Outcome, Reading},
};

/// A check with what is known of it.
#[derive(Clone, Debug)]
pub(in crate::keeper) struct Known {
    pub(in crate::keeper) source: String,
    pub(in crate::keeper) check: Definition,
    /// Where it is shown.
    pub(in crate::keeper) component: Option<ComponentId>,
    pub(in crate::keeper) registered_at: Moment,
    pub(in crate::keeper) standing: Standing,
    /// The newest run.
    pub(in crate::keeper) last: Option<Run>,
    /// Since when no run of it could tell how it is; what it depends on aside, which is told by itself.
    pub(in crate::keeper) unknown_since: Option<Moment>,
    /// How many runs have worked and failed.
    pub(in crate::keeper) successes: i64,
    pub(in crate::keeper) failures: i64,
    /// Of one that calls us: when it said that a run begins which has not ended, and what it sent along last.
    pub(in crate::keeper) started_at: Option<Moment>,
    pub(in crate::keeper) body: Option<String>,
}

/// What counts after the thresholds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::keeper) struct Standing {
    /// `None` until a run has said something; never [`State::Unknown`].
    pub(in crate::keeper) counts: Option<State>,
    pub(in crate::keeper) since: Option<Moment>,
    /// How many runs in a row have failed since it counts as down.
    pub(in crate::keeper) down_runs: u32,
}

/// A run.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::keeper) struct Run {
    pub(in crate::keeper) at: Moment,
    pub(in crate::keeper) state: State,
    pub(in crate::keeper) cause: Option<Cause>,
    pub(in crate::keeper) text: String,
    /// In milliseconds, where it worked.
    pub(in crate::keeper) took: Option<f64>,
    pub(in crate::keeper) phases: Phases,
    pub(in crate::keeper) figures: Vec<Figure>,
    pub(in crate::keeper) certificate_ends: Option<Timestamp>,
}

#[cfg(test)]
impl Known {
    /// A check that is registered so, a minute before it ran once with that result.
    pub(in crate::keeper) fn ran(
        check: serde_json::Value,
        at: Timestamp,
        state: State,
        cause: Option<Cause>,
        text: &str,
    ) -> Self {
        let registered_at = Moment::new(at - jiff::SignedDuration::from_mins(1));
        let at = Moment::new(at);
        let (text, phases, figures) = (text.to_owned(), Phases::default(), Vec::new());
        let run = Run { at, state, cause, text, took: None, phases, figures, certificate_ends: None };
        Self {
            source: "checks".into(),
            check: serde_json::from_value(check).unwrap(),
            component: None,
            registered_at,
            standing: Standing { counts: Some(state), since: Some(at), down_runs: 0 },
            last: Some(run),
            unknown_since: None,
            successes: 1,
            failures: 0,
            started_at: None,
            body: None,
        }
    }
}

impl Standing {
    /// After a run that left the check in the state `counts`, where that is known.
    fn after(self, state: State, counts: Option<State>, at: Moment) -> Self {
        let counts = counts.filter(|counts| *counts != State::Unknown).or(self.counts);
        let since = if counts == self.counts { self.since } else { Some(at) };
        let down_runs = match (counts, state) {
            (Some(State::Critical), State::Critical) => self.down_runs.saturating_add(1),
            (Some(State::Critical), _) => self.down_runs,
            _ => 0,
        };
        Self { counts, since, down_runs }
    }
}

impl Known {
    /// Whether a run of that time is newer than what is known, at the time `now`: one of a time to come is of a clock that was set
    /// back since, and keeps nothing from counting.
    pub(super) fn is_news(&self, at: Moment, now: Moment) -> bool {
        self.last.as_ref().is_none_or(|last| last.at < at || last.at > now)
    }

    /// After a run.
    #[must_use]
    pub(super) fn after(mut self, reading: &Reading, run: &CheckRun, at: Moment) -> Self {
        self.standing = self.standing.after(run.state, run.counts, at);
        match run.state {
            State::Ok | State::Warning => self.successes += 1,
            State::Critical => self.failures += 1,
            State::Unknown => (),
        }
        self.unknown_since = match (run.state, run.cause) {
            (State::Unknown, Some(Cause::Dependency)) => self.unknown_since,
            (State::Unknown, _) => self.unknown_since.or(Some(at)),
            _ => None,
        };
        let took = match reading.outcome {
            Outcome::Value(took) => Some(took),
            Outcome::Failure(_) | Outcome::Skipped(_) => None,
        };
        // An older certificate is better known than none: the run may have failed before it was shown.
        let before = self.last.as_ref().and_then(|last| last.certificate_ends);
        let certificate_ends = run.certificate_ends.or_else(|| before.filter(|_| !run.state.works()));
        self.last = Some(Run {
            at,
            state: run.state,
            cause: run.cause,
            text: run.text.clone(),
            took,
            phases: run.phases,
            figures: run.figures.clone(),
            certificate_ends,
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_lasts_since_it_changed_and_failures_are_counted_from_then_on() {
        let at = |minute: i64| Moment::try_from(minute * 60_000).unwrap();
        let mut standing = Standing::default();
        for (minute, state, counts, expected, since, down_runs) in [
            (1, State::Critical, None, None, None, 0),
            (2, State::Critical, Some(State::Critical), Some(State::Critical), Some(2), 1),
            (3, State::Unknown, None, Some(State::Critical), Some(2), 1),
            (4, State::Critical, Some(State::Critical), Some(State::Critical), Some(2), 2),
            (5, State::Ok, Some(State::Critical), Some(State::Critical), Some(2), 2),
            (6, State::Ok, Some(State::Ok), Some(State::Ok), Some(6), 0),
            (7, State::Unknown, Some(State::Unknown), Some(State::Ok), Some(6), 0),
            (8, State::Warning, Some(State::Warning), Some(State::Warning), Some(8), 0),
        ] {
            standing = standing.after(state, counts, at(minute));
            assert_eq!(standing, Standing { counts: expected, since: since.map(at), down_runs }, "minute {minute}");
        }
    }
}
