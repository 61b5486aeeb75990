//! The timing of a run: when attempts begin, how long each phase may take, and what is left for publishing.

use std::time::Duration;

/// How long a run takes at most, whatever happens: it is triggered every minute, and the Lambda is stopped at 55 s.
pub const MAX_RUN: Duration = Duration::from_secs(50);

/// The shortest run that still tries twice and publishes: the demo's.
const MIN_RUN: Duration = Duration::from_secs(4);

/// The shortest deadline of a name, or of a phase of a connection: with less a slow home would be down.
const MIN_PHASE: Duration = Duration::from_millis(1500);

/// The calls that a run of [`MAX_RUN`] may make for changes, over all pages: with its reading, half of what statuspage.io
/// allows a token in a minute. The other half is the keeper's.
const MAX_CALLS: u32 = 26;

/// The calls that one home's change takes, with its incident.
const MIN_CALLS: u32 = 12;

/// The deadlines of one run, all in proportion to its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How many attempts a home gets.
    pub attempts: usize,
    /// The whole run.
    pub budget: Duration,
    /// From the start to when observing ends; the rest of the budget is for publishing alone.
    pub observing: Duration,
    /// From the start of one attempt to the start of the next.
    pub spacing: Duration,
    /// The deadline of the resolve phase.
    pub resolve: Duration,
    /// The deadline of each phase of a connection: connect, TLS, answer.
    pub phase: Duration,
}

impl Timing {
    /// Spreads a run over `budget`, held between 4 s and [`MAX_RUN`]. Over 50 s the attempts begin 5 s apart, a
    /// name may take 3 s and each phase of a connection 4 s (a lost first packet is sent again after 1 s and 3 s), and
    /// the last 10 s are for publishing. Shorter runs have less of everything, but a phase never has less than 1.5 s.
    pub fn of(budget: Duration, attempts: usize) -> Self {
        let budget = budget.clamp(MIN_RUN, MAX_RUN);
        let share = |part: u32| budget * part / 50;
        Self {
            attempts,
            budget,
            observing: share(40),
            spacing: share(5),
            resolve: share(3).max(MIN_PHASE),
            phase: share(4).max(MIN_PHASE),
        }
    }

    /// How many calls a run may make for changes: in proportion to its budget, so that shorter cycles keep to the same
    /// limit.
    pub(crate) fn calls(&self) -> usize {
        let share = self.budget.as_secs_f64() / MAX_RUN.as_secs_f64();
        let calls = (f64::from(MAX_CALLS) * share).max(f64::from(MIN_CALLS));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 12 and 26")]
        {
            calls as usize
        }
    }

    /// For a run that is repeated at this interval: it ends before the next one is due.
    pub fn every(interval: Duration, attempts: usize) -> Self {
        Self::of(interval * 5 / 6, attempts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_every_minute_takes_50_s_and_keeps_10_for_publishing() {
        let timing = Timing::every(Duration::from_mins(1), 3);
        assert_eq!(timing.budget, Duration::from_secs(50));
        assert_eq!(timing.observing, Duration::from_secs(40));
        assert_eq!(timing, Timing::every(Duration::from_mins(10), 3));
    }

    #[test]
    fn every_attempt_has_its_time_before_observing_ends() {
        for (seconds, attempts) in [(5, 2), (15, 5), (20, 5), (60, 5)] {
            let timing = Timing::every(Duration::from_secs(seconds), attempts);
            let silent = (timing.spacing * 11 / 10).max(timing.phase) * u32::try_from(attempts).unwrap();
            assert!(silent <= timing.observing, "{timing:?}");
        }
    }
}
