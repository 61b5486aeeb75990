//! Where the times come from: handed in, so that a test can choose them.

mod evidence;

use std::{fmt, fs, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};

/// A source of the time; by default of the wall clock's.
#[derive(Clone)]
pub struct Clock<T = Timestamp>(Arc<dyn Fn() -> T + Send + Sync>);

/// How long this host has been running, sleep included. A Pi has no battery for its clock on the wall: after a
/// power cut that one is wrong until the network sets it, and then jumps. This one does neither.
pub type BootClock = Clock<Duration>;

/// The clocks of a host, and what shows whether they can be trusted.
#[derive(Clone, Debug)]
pub struct Host {
    /// The wall clock.
    pub wall: Clock,
    /// The boot clock.
    pub uptime: BootClock,
    /// Another one after each boot; empty where the system has no such thing.
    pub boot: String,
    /// When this program was built: no clock that is set shows an earlier time.
    pub built: Timestamp,
    /// Whether the system says that a time service keeps its clock synchronised.
    pub synchronised: Clock<bool>,
    /// Whether, after a power cut, the clock may go on from a time that was saved before it: nothing here keeps the time
    /// without power.
    pub saves_its_clock: bool,
}

/// What a host's clocks show at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The wall clock.
    pub wall: Timestamp,
    /// The boot clock.
    pub uptime: Duration,
}

impl Shown {
    /// When the host booted by its clock on the wall: the same until that one is stepped. (Both run as fast as the
    /// time service has the kernel run them.)
    pub fn booted(&self) -> Timestamp {
        let uptime = SignedDuration::try_from(self.uptime).unwrap_or(SignedDuration::MAX);
        self.wall.saturating_sub(uptime).unwrap_or(Timestamp::MIN)
    }

    /// The uptime in milliseconds.
    pub fn uptime_millis(&self) -> i64 {
        i64::try_from(self.uptime.as_millis()).unwrap_or(i64::MAX)
    }
}

/// Both clocks read so close to each other count as read at once.
const AT_ONCE: Duration = Duration::from_millis(50);

impl Host {
    /// This machine's clocks.
    pub fn system() -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let built = env!("BUILT_AT").parse().ok().and_then(|second| Timestamp::from_second(second).ok());
        Self {
            wall: Clock::system(),
            uptime: BootClock::since_boot(),
            boot: boot.trim().to_owned(),
            built: built.unwrap_or_default(),
            synchronised: Clock::new(evidence::is_synchronised),
            saves_its_clock: evidence::saves_its_clock(Timestamp::now()),
        }
    }

    /// A host with that wall clock, for a test.
    pub fn at(wall: Clock) -> Self {
        let synchronised = Clock::new(|| false);
        Self { wall, built: Timestamp::UNIX_EPOCH, synchronised, saves_its_clock: false, ..Self::system() }
    }

    /// What the clocks show now.
    pub fn shown(&self) -> Shown {
        let mut tries = 0;
        loop {
            let (before, wall, uptime) = (self.uptime.now(), self.wall.now(), self.uptime.now());
            tries += 1;
            // A process that is suspended between two readings would think that a clock has been stepped.
            if uptime.saturating_sub(before) < AT_ONCE || tries > 5 {
                return Shown { wall, uptime };
            }
        }
    }

    /// The time on the wall; `None` while the clock has not been set since a power cut.
    pub fn now(&self) -> Option<Timestamp> {
        Some(self.wall.now()).filter(|now| *now >= self.built)
    }
}

impl Clock {
    /// This machine's wall clock.
    pub fn system() -> Self {
        Self::new(Timestamp::now)
    }
}

impl BootClock {
    /// This machine's time since it booted.
    pub fn since_boot() -> Self {
        #[cfg(target_os = "linux")]
        const SINCE_BOOT: ClockId = ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        const SINCE_BOOT: ClockId = ClockId::Monotonic;
        Self::new(|| Duration::try_from(clock_gettime(SINCE_BOOT)).unwrap_or_default())
    }
}

impl<T> Clock<T> {
    /// A clock that shows what `now` returns.
    pub fn new(now: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// What it shows now.
    pub fn now(&self) -> T {
        (self.0)()
    }
}

impl<T> fmt::Debug for Clock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
