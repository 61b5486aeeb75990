//! Whether the time on the wall is plausible, and whether the host was restarted: what is known of a boot, compared with the
//! last heartbeat. Pure.
//!
//! A machine without a battery for its clock goes on, after a power cut, from a time that was saved less than a minute before
//! the cut (systemd-timesyncd, fake-hwclock): a clock that is hours behind then shows a time after the last heartbeat. But
//! no boot can have begun before the last heartbeat of the boot before it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Shown;

/// How long a heartbeat may have been the last one before a cut, and so by how much a saved time may lie after it.
const BOOT_CLOCK_GRACE: SignedDuration = SignedDuration::from_secs(75);

/// A clock that moves by more, seen from the boot clock, was stepped.
const MIN_STEP: SignedDuration = SignedDuration::from_millis(500);

/// Two runs of the keeper that put the host's boot closer to each other have the same boot clock.
const SAME_BOOT: SignedDuration = SignedDuration::from_secs(5);

/// When the keeper was known to be alive, by a clock that was trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::keeper) struct Heartbeat {
    pub(in crate::keeper) at: Timestamp,
    pub(in crate::keeper) boot: String,
    /// The host's uptime then; `None` of a database from before that was written down.
    pub(in crate::keeper) uptime: Option<Duration>,
}

impl Heartbeat {
    fn booted(&self) -> Option<Timestamp> {
        Some(Shown { wall: self.at, uptime: self.uptime? }.booted())
    }

    /// Whether this boot clock is the one of then. A container that is started anew (LXC, systemd-nspawn) has another boot
    /// of its own, and the boot clock of its host, which runs on.
    fn is_of_this_boot_clock(&self, boot: &str, shown: &Shown) -> bool {
        if !boot.is_empty() && self.boot == boot {
            return true;
        }
        let runs_on = self.uptime.is_some_and(|uptime| shown.uptime >= uptime);
        runs_on && self.booted().is_some_and(|booted| is_near(booted, shown.booted()))
    }
}

/// What is known of a clock besides what it shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::keeper) struct Evidence {
    /// The system says that it is synchronised.
    pub(in crate::keeper) synchronised: bool,
    /// It was stepped since the keeper, or a reading that waits for its time, saw it first in this boot.
    pub(in crate::keeper) stepped: bool,
    /// It may have begun with a saved time.
    pub(in crate::keeper) saved: bool,
}

/// Whether a clock is plausible that shows a time after this program was built. Nothing is rejected for its age.
pub(in crate::keeper) fn is_plausible(last: Option<&Heartbeat>, boot: &str, shown: &Shown, evidence: Evidence) -> bool {
    let Some(last) = last else { return true };
    if evidence.synchronised || evidence.stepped || last.is_of_this_boot_clock(boot, shown) {
        return true;
    }
    let earliest =
        if evidence.saved { last.at.saturating_add(BOOT_CLOCK_GRACE).unwrap_or(Timestamp::MAX) } else { last.at };
    shown.booted() > earliest
}

/// Whether the host was restarted since the heartbeat, by a clock that is trusted.
pub(in crate::keeper) fn was_restarted(last: &Heartbeat, boot: &str, shown: &Shown) -> bool {
    let since = shown.wall.duration_since(last.at).unsigned_abs();
    !last.is_of_this_boot_clock(boot, shown) && shown.uptime < since
}

/// Whether the clock was set between two readings of it in one boot.
pub(in crate::keeper) fn was_stepped(booted: Timestamp, now: Timestamp) -> bool {
    now.duration_since(booted).abs() > MIN_STEP
}

/// Whether the host booted at the same time by both.
pub(in crate::keeper) fn is_near(booted: Timestamp, now: Timestamp) -> bool {
    now.duration_since(booted).abs() <= SAME_BOOT
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86400;

    /// The last heartbeat was at second 0 of the story, after that much uptime.
    fn heartbeat(uptime: i64) -> Heartbeat {
        Heartbeat { at: second(0), boot: "a".into(), uptime: Some(Duration::from_secs(uptime.unsigned_abs())) }
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    const NOTHING: Evidence = Evidence { synchronised: false, stepped: false, saved: false };
    const SAVED: Evidence = Evidence { saved: true, ..NOTHING };
    const STEPPED: Evidence = Evidence { stepped: true, ..NOTHING };
    const SYNCHRONISED: Evidence = Evidence { synchronised: true, ..SAVED };

    #[test]
    fn the_stories_of_clocks_and_boots() {
        // What happened; the uptime at the last heartbeat, in boot "a"; then the boot, the clock since that heartbeat, the
        // uptime; what else is known; whether the clock is believed, and whether the host was restarted.
        for (story, before, boot, wall, uptime, evidence, believed, restarted) in [
            ("a Pi after three hours, saved a minute before the cut", DAY, "b", -60 + 20, 30, SAVED, false, false),
            ("the same, saved right at the cut", DAY, "b", 20, 30, NOTHING, false, false),
            ("the same, and the last heartbeat was a minute before", DAY, "b", 60 + 20, 30, SAVED, false, false),
            ("the same, a day later: no age makes it right", DAY, "b", -60 + DAY, DAY, SAVED, false, false),
            ("the line comes back: its clock is stepped", DAY, "b", 3 * 3600 + 50, 50, STEPPED, true, true),
            ("or slewed, and the kernel says so", DAY, "b", 45, 30, SYNCHRONISED, true, true),
            ("a PC is restarted within a minute", DAY, "b", 50, 20, NOTHING, true, true),
            ("a Pi that is not set, three hours later", DAY, "b", 3 * 3600, 30, SAVED, true, true),
            ("it was set while the keeper was off", DAY, "b", 3 * 3600, 900, NOTHING, true, true),
            ("the keeper is started anew", DAY, "a", 30, DAY + 30, NOTHING, true, false),
            ("an LXC container is started anew", DAY, "b", 30, DAY + 30, NOTHING, true, false),
            ("the same after a week", DAY, "b", 7 * DAY, 8 * DAY, SAVED, true, false),
            ("the same, with its host", DAY, "b", 300, 60, NOTHING, true, true),
            ("a container in Docker: the boot of its host", DAY, "a", 5, DAY + 5, SAVED, true, false),
            ("in a namespace of time the boot clock moves", DAY, "a", 5, 3, NOTHING, true, false),
            ("a VM that was paused and is set right", DAY, "a", 3600, DAY, NOTHING, true, false),
            ("hibernation: the boot clock counts it", DAY, "a", 8 * 3600, DAY + 8 * 3600, NOTHING, true, false),
            ("the clock was years ahead before", DAY, "b", -3 * 365 * DAY, 30, NOTHING, false, false),
            ("and is set right", DAY, "b", -3 * 365 * DAY, 30, SYNCHRONISED, true, true),
            ("no boot ids, and it ran on", DAY, "", 30, DAY + 30, NOTHING, true, false),
            ("no boot ids, and it was restarted", DAY, "", 300, 60, NOTHING, true, true),
        ] {
            let shown = Shown { wall: second(wall), uptime: Duration::from_secs(uptime.unsigned_abs()) };
            let mut last = heartbeat(before);
            if boot.is_empty() {
                last.boot.clear();
            }
            assert_eq!(is_plausible(Some(&last), boot, &shown, evidence), believed, "{story}");
            // Restarts are only asked for by a trusted clock.
            assert_eq!(believed && was_restarted(&last, boot, &shown), restarted, "{story}");
        }
    }

    #[test]
    fn where_nothing_is_known_of_before_the_clock_is_plausible() {
        let shown = Shown { wall: second(0), uptime: Duration::from_secs(20) };
        assert!(is_plausible(None, "a", &shown, SAVED), "the first start ever");
        // A database of an older keeper: no uptime.
        let last = Heartbeat { uptime: None, ..heartbeat(0) };
        assert!(!is_plausible(Some(&last), "b", &shown, NOTHING));
        assert!(is_plausible(Some(&last), "a", &shown, NOTHING));
    }
}
