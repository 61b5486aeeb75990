//! When failures count as down, and successes as up again. Pure: what a run's state makes of what was known.

use serde::{Deserialize, Serialize};

use crate::outcome::State;

/// How many runs in a row it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Failed runs until it counts as down: 1 or more.
    pub fail_after: u32,
    /// Runs that worked until it counts as up again: 1 or more.
    pub recover_after: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { fail_after: 2, recover_after: 1 }
    }
}

/// What is known of a check after its runs so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// What counts: `None` until a run has said something.
    pub counts: Option<State>,
    /// Failed runs in a row, an unknown one left out.
    pub failed: u32,
    /// Runs in a row that worked, an unknown one left out.
    pub worked: u32,
}

impl Standing {
    /// After one more run. *Unknown* is neither side: it changes no count, and what counts stays. A first run that worked counts
    /// at once, a first failure only after `fail_after`.
    #[must_use]
    pub fn after(self, run: State, thresholds: Thresholds) -> Self {
        let (failed, worked) = match run {
            State::Unknown => return self,
            State::Critical => (self.failed.saturating_add(1), 0),
            State::Ok | State::Warning => (0, self.worked.saturating_add(1)),
        };
        let is_down = self.counts == Some(State::Critical);
        let counts = match run {
            State::Critical if is_down || failed >= thresholds.fail_after => Some(State::Critical),
            State::Critical => self.counts,
            _ if is_down && worked < thresholds.recover_after => self.counts,
            works => Some(works),
        };
        Self { counts, failed, worked }
    }
}

#[cfg(test)]
mod tests {
    use State::{Critical, Ok, Unknown, Warning};

    use super::*;

    const RULES: Thresholds = Thresholds { fail_after: 3, recover_after: 2 };

    fn counts(runs: &[State]) -> Vec<Option<State>> {
        let next = |standing: &mut Standing, run: &State| {
            *standing = standing.after(*run, RULES);
            Some(standing.counts)
        };
        runs.iter().scan(Standing::default(), next).collect()
    }

    #[test]
    fn it_is_down_after_enough_failures_in_a_row_and_up_after_enough_successes() {
        assert_eq!(
            counts(&[Ok, Critical, Critical, Critical, Ok, Ok]),
            [Some(Ok), Some(Ok), Some(Ok), Some(Critical), Some(Critical), Some(Ok)]
        );
    }

    #[test]
    fn each_count_begins_again_on_the_other_side() {
        assert_eq!(counts(&[Ok, Critical, Critical, Ok, Critical, Critical]), [Some(Ok); 6]);
        let flapping = counts(&[Critical, Critical, Critical, Ok, Critical, Ok, Critical]);
        assert_eq!(flapping[2..], [Some(Critical); 5]);
    }

    #[test]
    fn an_unknown_run_is_neither() {
        assert_eq!(counts(&[Unknown, Unknown, Unknown, Unknown]), [None; 4]);
        assert_eq!(counts(&[Ok, Critical, Unknown, Critical, Critical])[4], Some(Critical));
        assert_eq!(counts(&[Ok, Critical, Critical, Unknown, Unknown]), [Some(Ok); 5]);
    }

    #[test]
    fn a_first_failure_says_nothing_yet_and_a_warning_counts_at_once() {
        assert_eq!(counts(&[Critical, Critical]), [None, None]);
        assert_eq!(counts(&[Ok, Warning, Ok]), [Some(Ok), Some(Warning), Some(Ok)]);
    }

    proptest::proptest! {
        #[test]
        fn it_turns_down_only_with_the_last_of_enough_failures(runs in proptest::collection::vec(0..4_usize, 0..60)) {
            let runs: Vec<State> = runs.into_iter().map(|code| State::ALL[code]).collect();
            let counts = counts(&runs);
            for (index, after) in counts.iter().enumerate() {
                let known = runs[..=index].iter().rev().filter(|run| **run != Unknown);
                let failed = known.take_while(|run| **run == Critical).count();
                let before = index.checked_sub(1).and_then(|before| counts[before]);
                let has_turned = *after == Some(Critical) && before != Some(Critical);
                proptest::prop_assert!(!has_turned || failed >= 3);
            }
        }
    }
}
