//! Exponential backoff with jitter. Pure: the number of failures and the randomness are handed in.
//!
//! Names of the kinds of jitter as in <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.

use std::time::Duration;

/// How much of a pause is drawn by chance, so that two clients that failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Nothing: every pause has its full length.
    None,
    /// The upper half.
    Equal,
    /// All of it: a pause may be as short as nothing.
    Full,
}

/// The pauses between attempts: each is twice as long as the one before it, up to a maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    jitter: Jitter,
}

impl Backoff {
    /// Pauses that begin with `first` and grow to `max`; a `first` above `max` is cut to it.
    pub const fn new(first: Duration, max: Duration, jitter: Jitter) -> Self {
        Self { first, max, jitter }
    }

    /// The same pause each time.
    pub const fn constant(pause: Duration) -> Self {
        Self::new(pause, pause, Jitter::None)
    }

    /// The pause after an attempt that failed, with so many failures before it. `random` is drawn from 0 to 1.
    pub fn pause(&self, failures: u32, random: f64) -> Duration {
        let whole = self.first.saturating_mul(2_u32.saturating_pow(failures)).min(self.max);
        let random = random.clamp(0.0, 1.0);
        whole.mul_f64(match self.jitter {
            Jitter::None => 1.0,
            Jitter::Equal => 0.5 + random / 2.0,
            Jitter::Full => random,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_the_maximum() {
        let backoff = Backoff::new(2 * SECOND, 30 * SECOND, Jitter::Full);
        let pauses: Vec<_> = (0..7).map(|failures| backoff.pause(failures, 1.0).as_secs()).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(backoff.pause(3, 0.0), Duration::ZERO);
        assert_eq!(Backoff::new(SECOND, 5 * SECOND, Jitter::Equal).pause(9, 0.0), SECOND * 5 / 2);
        assert_eq!(Backoff::constant(SECOND).pause(9, 0.0), SECOND);
    }

    fn jitter() -> impl Strategy<Value = Jitter> {
        prop_oneof![Just(Jitter::None), Just(Jitter::Equal), Just(Jitter::Full)]
    }

    proptest! {
        #[test]
        fn a_pause_lies_between_its_least_share_and_the_maximum(
            first in 1_u64..100_000, max in 1_u64..1_000_000, jitter in jitter(), failures: u32, random in 0.0..=1.0_f64,
        ) {
            let (first, max) = (Duration::from_millis(first), Duration::from_millis(max));
            let pause = Backoff::new(first, max, jitter).pause(failures, random);
            let least = match jitter {
                Jitter::None => first.min(max),
                Jitter::Equal => first.min(max) / 2,
                Jitter::Full => Duration::ZERO,
            };
            prop_assert!((least..=max).contains(&pause), "{:?}", pause);
        }

        #[test]
        fn no_further_failure_and_no_larger_draw_makes_a_pause_shorter(
            first in 1_u64..100_000, jitter in jitter(), failures in 0_u32..40, random in 0.0..=1.0_f64, more in 0.0..=1.0_f64,
        ) {
            let backoff = Backoff::new(Duration::from_millis(first), 60 * SECOND, jitter);
            prop_assert!(backoff.pause(failures, random) <= backoff.pause(failures + 1, random));
            prop_assert!(backoff.pause(failures, random) <= backoff.pause(failures, random.max(more)));
        }
    }
}
