//! How a run spends its time: when attempts begin, how long each phase may take, and what is kept for publishing.

use std::time::Duration;

/// The longest a run takes, whatever happens: it is triggered every minute, and the Lambda is stopped at 55 s.
pub const LONGEST_RUN: Duration = Duration::from_secs(50);

/// The shortest run that still tries twice and publishes: the demo's.
pub const SHORTEST_RUN: Duration = Duration::from_secs(4);

/// The least that a name, or a phase of a connection, may take: less would call a slow home down.
const LEAST: Duration = Duration::from_millis(1500);

/// The calls that a run of [`LONGEST_RUN`] may make for changes, over all pages: with its reading, half of what statuspage.io
/// allows a token in a minute. The other half is the keeper's.
const MOST_CALLS: u32 = 26;

/// The least that one home's change takes, with its incident.
const LEAST_CALLS: u32 = 12;

/// Deadlines of one run, all in proportion to its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many attempts a home gets before it counts as silent.
    pub attempts: usize,
    /// The whole run.
    pub budget: Duration,
    /// When observing ends; what is left of the budget then is for publishing alone.
    pub observing: Duration,
    /// From the start of one attempt to the start of the next.
    pub spacing: Duration,
    /// The deadline of the resolve phase.
    pub resolve: Duration,
    /// The deadline of each phase of a connection: connect, TLS, answer.
    pub phase: Duration,
}

impl Pace {
    /// Spreads a run over `budget`, held between [`SHORTEST_RUN`] and [`LONGEST_RUN`]. Over 50 s the attempts begin
    /// 5 s apart, a name may take 3 s and each phase of a connection 4 s (a lost first packet is sent again after
    /// 1 s and 3 s), and the last 10 s are for publishing. Shorter runs have less of everything, but a phase never has less
    /// than 1.5 s.
    pub fn of(budget: Duration, attempts: usize) -> Self {
        let budget = budget.clamp(SHORTEST_RUN, LONGEST_RUN);
        let share = |part: u32| budget * part / 50;
        Self {
            attempts,
            budget,
            observing: share(40),
            spacing: share(5),
            resolve: share(3).max(LEAST),
            phase: share(4).max(LEAST),
        }
    }

    /// How many calls a run may make for changes: in proportion to its budget, so that shorter cycles keep to the same limit.
    pub fn calls(&self) -> usize {
        let share = self.budget.as_secs_f64() / LONGEST_RUN.as_secs_f64();
        let calls = (f64::from(MOST_CALLS) * share).max(f64::from(LEAST_CALLS));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 12 and 26")]
        {
            calls as usize
        }
    }

    /// For a run that is repeated `every` so often: it ends before the next one is due.
    pub fn every(every: Duration, attempts: usize) -> Self {
        Self::of(every * 5 / 6, attempts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_every_minute_takes_50_s_and_keeps_10_for_publishing() {
        let pace = Pace::every(Duration::from_mins(1), 3);
        assert_eq!(pace.budget, Duration::from_secs(50));
        assert_eq!(pace.observing, Duration::from_secs(40));
        assert_eq!(pace, Pace::every(Duration::from_mins(10), 3));
    }

    #[test]
    fn every_attempt_has_its_time_before_observing_ends() {
        for (seconds, attempts) in [(5, 2), (15, 5), (20, 5), (60, 5)] {
            let pace = Pace::every(Duration::from_secs(seconds), attempts);
            let silent = (pace.spacing * 11 / 10).max(pace.phase) * u32::try_from(attempts).unwrap();
            assert!(silent <= pace.observing, "{pace:?}");
        }
    }
}
