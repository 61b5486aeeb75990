//! Whether a failure says anything of the check itself: what it depends on may be what is down. Pure.

use checks::{
    check::Dependency,
    outcome::{Outcome, State},
    thresholds::Standing,
};
use tokio::time::Instant;

/// What is known of something that others depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// What its runs come to.
    pub(super) standing: Standing,
    /// When its last run began that has ended.
    pub(super) as_of: Option<Instant>,
    /// Whether its last run could not tell because of what it depends on itself.
    pub(super) is_blocked: bool,
}

impl Known {
    /// Whether it is down, or about to count as down.
    pub(super) fn is_down(&self) -> bool {
        self.is_blocked || self.standing.counts == Some(State::Critical) || self.standing.failed > 0
    }
}

/// What dependencies make of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// It is the check's own.
    Own,
    /// That one is down.
    Of(Dependency),
    /// These have to be looked into first: nothing is known of them since.
    Open(Vec<Dependency>),
}

/// Whom to blame for a failure of a run that began then.
pub(super) fn blame(depends_on: &[Dependency], began: Instant, known: impl Fn(&Dependency) -> Option<Known>) -> Blame {
    let mut open = Vec::new();
    for dependency in depends_on {
        // What is not there any more blames nothing.
        let Some(known) = known(dependency) else { continue };
        // What was known before the run began may have changed since.
        if known.as_of.is_none_or(|as_of| as_of < began) {
            open.push(dependency.clone());
        } else if known.is_down() {
            return Blame::Of(dependency.clone());
        }
    }
    if open.is_empty() { Blame::Own } else { Blame::Open(open) }
}

/// What is made of an outcome when something else is to blame for it.
pub(super) fn blocked(outcome: &Outcome, dependency: &Dependency) -> Outcome {
    let what = match dependency {
        Dependency::Home => "the home's line".to_owned(),
        Dependency::Check(name) => name.to_string(),
    };
    let text = format!("{what} is down, on which it depends ({})", outcome.text);
    Outcome { took: outcome.took, phases: outcome.phases, ..Outcome::because(checks::cause::Cause::Dependency, text) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use checks::thresholds::Thresholds;

    use super::*;

    fn after(runs: &[State]) -> Standing {
        runs.iter().fold(Standing::default(), |standing, run| standing.after(*run, Thresholds::default()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_its_own_only_once_what_it_depends_on_has_worked_since() {
        let began = Instant::now();
        let (before, since) = (began - Duration::from_secs(1), began + Duration::from_secs(1));
        let home = [Dependency::Home];
        let known = |runs: &[State], as_of| Known { standing: after(runs), as_of: Some(as_of), is_blocked: false };
        let blame = |known: Known| blame(&home, began, |_| Some(known));
        assert_eq!(blame(known(&[State::Ok], since)), Blame::Own);
        assert_eq!(blame(known(&[State::Ok], before)), Blame::Open(home.to_vec()));
        assert_eq!(blame(Known::default()), Blame::Open(home.to_vec()));
        // A first failure does not count as down yet, but is enough to say nothing of others.
        assert_eq!(blame(known(&[State::Ok, State::Critical], since)), Blame::Of(Dependency::Home));
        // It may be up again.
        assert_eq!(blame(known(&[State::Critical, State::Critical], before)), Blame::Open(home.to_vec()));
        assert_eq!(blame(Known { is_blocked: true, ..known(&[State::Ok], since) }), Blame::Of(Dependency::Home));
        assert_eq!(super::blame(&home, began, |_| None), Blame::Own);
        assert_eq!(super::blame(&[], began, |_| None), Blame::Own);
    }

    #[test]
    fn an_outcome_that_is_anothers_says_whose_and_is_unknown() {
        let failed = Outcome::because(checks::cause::Cause::Refused, "port 80 of nas.lan is closed");
        let outcome = blocked(&failed, &Dependency::Check("router".parse().unwrap()));
        assert_eq!(outcome.state, State::Unknown);
        assert_eq!(outcome.text, "router is down, on which it depends (port 80 of nas.lan is closed)");
    }
}
