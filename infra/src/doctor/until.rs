//! The one deadline that all looks share: each has one of its own, and none has more than is left of this one.

use std::time::Duration;

use shared::http::Deadlines;
use tokio::time::Instant;

/// Someone waits for the answer: half a minute with what comes before and after, on a machine that is busy.
const BUDGET: Duration = Duration::from_secs(22);

/// What can be done with even where nothing is left: it says that it took too long.
const LEAST: Duration = Duration::from_millis(1);

/// When all looks end.
#[derive(Clone, Copy, Debug)]
pub struct Until(Instant);

impl Until {
    /// An examination that begins now.
    pub fn from_now() -> Self {
        Self(Instant::now() + BUDGET)
    }

    /// What is left of it, and `most` at most.
    pub fn left(self, most: Duration) -> Duration {
        self.left_at(Instant::now(), most)
    }

    fn left_at(self, now: Instant, most: Duration) -> Duration {
        self.0.saturating_duration_since(now).min(most).max(LEAST)
    }

    /// The moment after that time, and no later than all looks end.
    pub fn after(self, most: Duration) -> Instant {
        Instant::now() + self.left(most)
    }

    /// An end that leaves so much for what comes after.
    #[must_use]
    pub fn leaving(self, rest: Duration) -> Self {
        Self(self.0.checked_sub(rest).unwrap_or(self.0))
    }

    /// The deadlines of one call.
    pub fn deadlines(self, connect: Duration, read: Duration, total: Duration) -> Deadlines {
        Deadlines { connect: self.left(connect), read: self.left(read), total: self.left(total) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_looks_share_one_deadline() {
        let until = Until::from_now();
        let began = until.0.checked_sub(BUDGET).unwrap();
        let (own, rest) = (Duration::from_secs(12), Duration::from_secs(8));
        assert_eq!(until.left_at(began, own), own);
        assert_eq!(until.left_at(began + own, own), BUDGET.saturating_sub(own));
        assert_eq!(until.leaving(rest).left_at(began + own, own), BUDGET.saturating_sub(own + rest));
        assert_eq!(until.left_at(began + own * 2, own), LEAST, "it is over");
        assert!(BUDGET < Duration::from_secs(25), "the half minute has room for a busy machine");
    }
}
