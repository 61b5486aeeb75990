//! What kind of outage it was, from how long host and beacon say they have been running.

use std::time::Duration;

use jiff::Timestamp;
use shared::proof::Running;

use crate::pace::LONGEST_RUN;

/// An outage is noticed up to a run and its attempts after it began, and whatever caused it came before.
const NOTICED_WITHIN: Duration = Duration::from_mins(2);

/// The kind of an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The host booted during it.
    PowerOrReboot,
    /// Only the beacon began during it.
    BeaconRestart,
    /// Both ran throughout.
    Network,
}

impl Kind {
    /// The kind of an outage from `down_since` to `up_since`, from what the beacon says of itself at `at`.
    pub fn of(running: Running, at: Timestamp, down_since: Timestamp, up_since: Timestamp) -> Self {
        // What began after the run that found the home up again is another story.
        let outage = down_since - NOTICED_WITHIN..=up_since + LONGEST_RUN;
        // Ages beyond what a clock can tell began before any outage.
        let during =
            |seconds: u64| at.checked_sub(Duration::from_secs(seconds)).is_ok_and(|start| outage.contains(&start));
        match (during(running.up), during(running.age)) {
            (true, _) => Self::PowerOrReboot,
            (false, true) => Self::BeaconRestart,
            (false, false) => Self::Network,
        }
    }

    /// The kind in a sentence, for those who read the page.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::PowerOrReboot => "The machine at home was started meanwhile: a power cut, or a reboot.",
            Self::BeaconRestart => "The machine at home ran throughout, but its beacon was started anew.",
            Self::Network => "The machine at home ran throughout: it was the network.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_told_by_what_began_during_the_outage() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let (down_since, up_since) = (at - Duration::from_mins(30), at - Duration::from_mins(2));
        for (up, age, kind) in [
            (600, 500, Kind::PowerOrReboot),
            // The machine was up again before the outage was even noticed.
            (1_860, 1_850, Kind::PowerOrReboot),
            (90_000, 500, Kind::BeaconRestart),
            (90_000, 80_000, Kind::Network),
            // Updated while it was watched.
            (90_000, 60, Kind::Network),
            // It came back while the run that found it was under way.
            (90_000, 80, Kind::BeaconRestart),
            (u64::MAX, u64::MAX, Kind::Network),
        ] {
            assert_eq!(Kind::of(Running { up, age }, at, down_since, up_since), kind, "{up} {age}");
        }
    }
}
