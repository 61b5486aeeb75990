//! When a home's host and beacon started, by what its proofs say.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::proof::Running;

/// How far one boot time may seem to move from run to run: uptimes are whole seconds, and answers take time to arrive.
pub(crate) const BOOT_TOLERANCE: Duration = Duration::from_secs(10);

/// How far the time between boot and start may seem to move. Both are read from one clock, at once, in whole seconds.
pub(crate) const START_TOLERANCE: SignedDuration = SignedDuration::from_secs(3);

/// When host and beacon started, to the second, by the prober's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartTimes {
    /// When the host booted.
    pub booted: Timestamp,
    /// When the beacon started.
    pub started: Timestamp,
}

impl StartTimes {
    /// From the uptimes that a beacon sent at that time; `None` where they lie beyond what a timestamp holds.
    pub fn of(running: Running, at: Timestamp) -> Option<Self> {
        let at = Timestamp::from_second(at.as_second()).ok()?;
        let ago = |seconds: u64| at.checked_sub(Duration::from_secs(seconds)).ok();
        Some(Self { booted: ago(running.up)?, started: ago(running.age)? })
    }

    /// How long after its host's boot the beacon started. No clock that is set changes it.
    pub(crate) fn start_after_boot(self) -> SignedDuration {
        self.started.duration_since(self.booted)
    }

    /// Whether these replace `before` on record. Of several beacons that answer in turn the newest is kept: an earlier
    /// start is only taken where it is the same beacon by another clock.
    pub(crate) fn supersedes(self, before: Self) -> bool {
        let later = self.booted.duration_since(before.booted);
        let moved = self.start_after_boot() - before.start_after_boot();
        let same_boot = later.unsigned_abs() <= BOOT_TOLERANCE;
        let same_start = moved.unsigned_abs() <= START_TOLERANCE.unsigned_abs();
        match (same_boot, same_start) {
            (true, true) => false,
            (true, false) => moved.is_positive(),
            (false, true) => true,
            (false, false) => later.is_positive(),
        }
    }
}
