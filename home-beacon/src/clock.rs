//! Where the times come from: handed in, so that a test can choose them.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// Tells the time of some kind; of no kind named, that on the wall.
#[derive(Clone)]
pub struct Clock<T = Timestamp>(Arc<dyn Fn() -> T + Send + Sync>);

/// Tells how long this host has been running, sleep included. A Pi has no battery for its clock on the wall: after a
/// power cut that one is wrong until the network sets it, and then jumps. This one does neither.
pub type BootClock = Clock<Duration>;

impl Clock {
    pub fn system() -> Self {
        Self::new(Timestamp::now)
    }
}

impl BootClock {
    pub fn since_boot() -> Self {
        #[cfg(target_os = "linux")]
        const SINCE_BOOT: ClockId = ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        const SINCE_BOOT: ClockId = ClockId::Monotonic;
        Self::new(|| Duration::try_from(clock_gettime(SINCE_BOOT)).unwrap_or_default())
    }
}

impl<T> Clock<T> {
    pub fn new(now: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub fn now(&self) -> T {
        (self.0)()
    }
}

impl<T> fmt::Debug for Clock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
