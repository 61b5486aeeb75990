//! The clocks of a host, moved by hand: a day passes in seconds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use home_beacon::clock::{Clock, Host};
use jiff::Timestamp;

/// The time on the wall, and that since boot, which goes with it.
#[derive(Clone, Debug)]
pub struct Hand {
    began: i64,
    /// Milliseconds since 1970.
    now: Arc<AtomicI64>,
}

impl Hand {
    pub fn at(time: Timestamp) -> Self {
        let began = time.as_millisecond();
        Self { began, now: Arc::new(AtomicI64::new(began)) }
    }

    /// A host that has been running as long as the clock has been moved.
    pub fn host(&self) -> Host {
        let hand = self.clone();
        Host { uptime: Clock::new(move || hand.passed()), ..self.standing_host() }
    }

    /// A host that takes no notice of how long it runs: where days are skipped, it would say that it was off.
    pub fn standing_host(&self) -> Host {
        let hand = self.clone();
        Host::at(Clock::new(move || hand.now()))
    }

    /// # Panics
    /// Never in practice: it does not leave the years of a calendar.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now.load(Relaxed)).expect("a time")
    }

    /// How long it has been moved.
    pub fn passed(&self) -> Duration {
        Duration::from_millis((self.now.load(Relaxed) - self.began).unsigned_abs())
    }

    /// Goes on to that time, or stays where it is later already.
    pub fn reach(&self, time: Timestamp) {
        self.now.fetch_max(time.as_millisecond(), Relaxed);
    }

    /// Goes on by a time, to the next millisecond: what is to happen then has its time.
    pub fn pass(&self, time: Duration) {
        let millis = time.as_nanos().div_ceil(1_000_000);
        self.now.fetch_add(i64::try_from(millis).unwrap_or(i64::MAX), Relaxed);
    }
}
