//! What kind of outage it was: from when host and beacon started, as seen by the last run before it and by this one.

use std::time::Duration;

use jiff::Timestamp;

use crate::judge::start_times::{BOOT_TOLERANCE, START_TOLERANCE, StartTimes};

/// How far two clocks drift apart at worst: one part in this many. Even a Pi without NTP is better than that.
const MAX_DRIFT: u32 = 5_000;

/// How long before an outage was noticed the home may have been seen last: a run every ten minutes is a slow schedule.
const MAX_NOTICE: Duration = Duration::from_mins(10);

/// The kind of an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutageKind {
    /// The host booted since it was last seen up.
    PowerOrReboot,
    /// Only the beacon started since.
    BeaconRestart,
    /// Neither did. A machine that slept gives the same times.
    NotRestarted,
}

impl OutageKind {
    /// The kind of an outage that began at `down_since` and is over at `at`; `None` where that is not known.
    ///
    /// A boot that is later than before may also be that of a virtual machine that was paused, whose uptime counts no
    /// pause, or be a clock that was set: both move boot and start alike, and by no more than the time in which no run
    /// saw the home. A boot that is earlier is another machine's, or a clock that was set back.
    pub fn of(before: StartTimes, now: StartTimes, at: Timestamp, down_since: Timestamp) -> Option<Self> {
        // Times that were noted after the outage began say nothing of the time before.
        if before.started > down_since + BOOT_TOLERANCE {
            return None;
        }
        let outage = at.duration_since(down_since).unsigned_abs();
        let later = now.booted.duration_since(before.booted);
        let moved = now.start_after_boot() - before.start_after_boot();
        if later.unsigned_abs() > BOOT_TOLERANCE + outage / MAX_DRIFT {
            // Nothing but another boot brings the start nearer to it.
            let restarted = moved < -START_TOLERANCE || later.unsigned_abs() > outage + MAX_NOTICE;
            return (later.is_positive() && restarted).then_some(Self::PowerOrReboot);
        }
        match moved {
            _ if moved > START_TOLERANCE => Some(Self::BeaconRestart),
            // With the same boot that is another beacon.
            _ if moved < -START_TOLERANCE => None,
            _ => Some(Self::NotRestarted),
        }
    }

    /// The kind in a sentence, for the page's readers.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::PowerOrReboot => "The machine at home was started meanwhile: a power cut, or a reboot.",
            Self::BeaconRestart => "The machine at home was not restarted, but its beacon was.",
            Self::NotRestarted => "The machine at home was not restarted, nor was its beacon.",
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::proof::Running;

    use super::*;

    const NOON: i64 = 1_800_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(NOON + seconds).unwrap()
    }

    /// What a run at that second sees of a host that has been running so long, and of its beacon.
    fn seen(second: i64, up: u64, age: u64) -> StartTimes {
        StartTimes::of(Running { up, age }, at(second)).unwrap()
    }

    fn kind(before: StartTimes, now: StartTimes, ended: i64, down: i64) -> Option<OutageKind> {
        OutageKind::of(before, now, at(ended), at(down))
    }

    #[test]
    fn a_beacon_that_was_updated_before_a_line_was_cut_was_not_restarted_by_it() {
        // Updated at 10 s, seen up at 60 s, cut at 90 s, noticed at 120 s, over at 600 s.
        assert_eq!(kind(seen(60, 90_060, 50), seen(600, 90_600, 590), 600, 120), Some(OutageKind::NotRestarted));
        assert_eq!(
            kind(seen(60, 90_060, 50), seen(600, 90_601, 589), 600, 120),
            Some(OutageKind::NotRestarted),
            "rounded"
        );
        assert_eq!(kind(seen(60, 90_060, 50), seen(600, 90_600, 30), 600, 120), Some(OutageKind::BeaconRestart));
    }

    #[test]
    fn a_boot_that_is_later_is_a_restart_however_far_apart_runs_are() {
        let before = seen(0, 900_000, 800_000);
        // Ten minutes apart: booted at 200 s, between two runs, and the line was cut at 500 s.
        assert_eq!(kind(before, seen(1_800, 1_600, 1_590), 1_800, 600), Some(OutageKind::PowerOrReboot));
        assert_eq!(kind(before, seen(1_800, 60, 50), 1_800, 60), Some(OutageKind::PowerOrReboot));
        // Booted a minute before the outage, with a start that took longer then: the start is nearer to the boot.
        assert_eq!(kind(seen(0, 60, 20), seen(400, 200, 180), 400, 60), Some(OutageKind::PowerOrReboot));
    }

    #[test]
    fn a_machine_that_slept_was_not_restarted_and_of_one_that_was_paused_nothing_is_said() {
        let before = seen(0, 900_000, 800_000);
        assert_eq!(kind(before, seen(7_200, 907_200, 807_200), 7_200, 60), Some(OutageKind::NotRestarted));
        // Paused for 7000 s, and a clock that was set an hour ahead meanwhile.
        assert_eq!(kind(before, seen(7_200, 900_200, 800_200), 7_200, 60), None);
        assert_eq!(kind(before, seen(4_000, 900_400, 800_400), 4_000, 60), None);
        // A clock that was set back, and another machine.
        assert_eq!(kind(before, seen(7_200, 910_800, 810_800), 7_200, 60), None);
        assert_eq!(kind(before, seen(7_200, 9_000_000, 100), 7_200, 60), None);
    }

    #[test]
    fn clocks_that_drift_and_times_of_later_give_no_wrong_kind() {
        let before = seen(0, 900_000, 800_000);
        // Three days at 100 parts in a million.
        assert_eq!(kind(before, seen(259_200, 1_159_174, 1_059_174), 259_200, 60), Some(OutageKind::NotRestarted));
        assert_eq!(kind(seen(300, 100, 90), seen(600, 400, 390), 600, 60), None, "noted after it began");
        assert!(StartTimes::of(Running { up: u64::MAX, age: u64::MAX }, at(0)).is_none());
    }
}
