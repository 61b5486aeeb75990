//! When something was, so that how long ago can be told after the clock was set, and after a boot.

use std::time::Duration;

use home_beacon::clock::Host;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A time by the clock, and by one that nobody sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// By the clock on the wall; for people.
    pub clock: Timestamp,
    /// Which boot of this machine that was; empty where the system does not tell.
    pub boot: String,
    /// For how many seconds the machine had been up then.
    pub uptime: u64,
}

impl Moment {
    /// This one.
    pub fn now() -> Self {
        let host = Host::system();
        Self { clock: host.wall.now(), boot: host.boot.clone(), uptime: host.uptime.now().as_secs() }
    }

    /// How long it has been since that one, at least: how long a machine was off, nobody knows. A clock that was set does not count.
    pub fn since(&self, earlier: &Self) -> Duration {
        if self.boot.is_empty() || earlier.boot.is_empty() {
            return Duration::try_from(self.clock.duration_since(earlier.clock)).unwrap_or_default();
        }
        let began = if self.boot == earlier.boot { earlier.uptime } else { 0 };
        Duration::from_secs(self.uptime.saturating_sub(began))
    }
}

/// One for tests: of one boot, so many seconds after it.
#[cfg(test)]
pub(super) fn at(uptime: u64) -> Moment {
    let clock = Timestamp::from_second(i64::try_from(uptime).unwrap()).unwrap();
    Moment { clock, boot: "one".into(), uptime }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_ago_it_was_is_told_by_the_clock_that_nobody_sets() {
        let later = Moment { clock: Timestamp::MAX, ..at(1_300) };
        assert_eq!(later.since(&at(1_000)), Duration::from_secs(300), "a clock that jumped");
        let next = Moment { boot: "two".into(), ..at(40) };
        assert_eq!(next.since(&at(1_000)), Duration::from_secs(40), "for at least so long as this boot");
        assert_eq!(at(10).since(&at(20)), Duration::ZERO);
        let untold = |second| Moment { boot: String::new(), ..at(second) };
        assert_eq!(untold(50).since(&untold(20)), Duration::from_secs(30));
        assert_eq!(untold(20).since(&untold(50)), Duration::ZERO);
        assert_eq!(Moment::now().since(&Moment::now()), Duration::ZERO);
    }
}
