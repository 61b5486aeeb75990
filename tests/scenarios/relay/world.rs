//! A keeper's inside on clocks of the test's making, so that five minutes pass when the test says so.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use home_beacon::{
    clock::{BootClock, Clock, Host},
    keeper::relay::{RelayWorker, Step, Upstream},
    reading::{Outcome, Reading},
};
use jiff::Timestamp;
use shared::{
    id::PageId,
    secret::{Secret, SecretSource},
};
use tempfile::TempDir;
use tests::{
    in_process::Home,
    keeper::{Keeper, TOKEN},
    statuspage::{Fault, Statuspage},
    upstream::{seed, statuspage_io},
};

/// The clocks of a machine.
#[derive(Clone, Debug)]
pub(crate) struct Clocks {
    /// Milliseconds since 1970, and since the machine was started.
    pub(crate) wall: Arc<AtomicI64>,
    pub(crate) uptime: Arc<AtomicI64>,
}

impl Clocks {
    pub(crate) fn at(wall: Timestamp) -> Self {
        Self { wall: Arc::new(AtomicI64::new(wall.as_millisecond())), uptime: Arc::new(AtomicI64::new(1_000_000)) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.wall.load(Ordering::Relaxed)).expect("a time")
    }

    pub(crate) fn set(&self, wall: Timestamp) {
        self.wall.store(wall.as_millisecond(), Ordering::Relaxed);
    }

    /// The machine was started a moment ago.
    pub(crate) fn boots(&self) {
        self.uptime.store(10_000, Ordering::Relaxed);
    }

    pub(crate) fn pass(&self, time: Duration) {
        for clock in [&self.wall, &self.uptime] {
            clock.fetch_add(i64::try_from(time.as_millis()).expect("a time"), Ordering::Relaxed);
        }
    }

    /// The host with these clocks, in that boot; `built` is the time before which no clock is set.
    pub(crate) fn host(&self, boot: &str, built: Timestamp) -> Host {
        let (wall, uptime) = (self.clone(), Arc::clone(&self.uptime));
        let uptime = move || Duration::from_millis(uptime.load(Ordering::Relaxed).unsigned_abs());
        Host {
            uptime: BootClock::new(uptime),
            boot: boot.to_owned(),
            built,
            ..Host::at(Clock::new(move || wall.now()))
        }
    }
}

/// A home, its relay and an upstream. It began hours ago, so that what is sent lies in upstream's past.
pub(crate) struct World {
    pub(crate) clocks: Clocks,
    pub(crate) start: Timestamp,
    pub(crate) home: Home,
    pub(crate) page: PageId,
    worker: RelayWorker,
    pub(crate) upstream: Keeper,
    pub(crate) way: Statuspage,
    _folder: TempDir,
}

const HOLD: Duration = Duration::from_hours(3);
const BEFORE: Duration = Duration::from_hours(8);

impl World {
    pub(crate) async fn new() -> Self {
        Self::built(Timestamp::UNIX_EPOCH).await
    }

    /// Whose program was built then.
    pub(crate) async fn built(built: Timestamp) -> Self {
        // Its minutes pass faster than upstream's.
        let upstream = statuspage_io(0).await;
        let way = Statuspage::open(&upstream, [], Fault::None).await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let start = Timestamp::now() - BEFORE;
        let clocks = Clocks::at(start);
        let host = clocks.host("this boot", built);
        let home = Home::open(folder.path(), host, true).await;
        let page = home.seed(&seed(true)).await;
        let token = SecretSource::Value(Secret::new(TOKEN));
        let to =
            Upstream { url: way.api.parse().expect("an address"), token, fingerprint: None, hold: HOLD, causes: true };
        let worker = home.worker(page.clone(), &to);
        Self { clocks, start, home, page, worker, upstream, way, _folder: folder }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clocks.now()
    }

    pub(crate) async fn measure(&self, metric: &str, outcome: Outcome, loss: Option<f64>) {
        let mut reading = Reading::new(metric.parse().expect("a metric"), self.now(), outcome);
        reading.loss = loss;
        self.home.recorder.add_readings(&[reading]).await.expect("it is stored");
    }

    /// Lets that much time pass.
    pub(crate) async fn pass(&mut self, mut time: Duration) {
        while !time.is_zero() {
            let pause = match self.worker.step().await {
                Step::Again => Duration::ZERO,
                Step::After(pause) => pause.max(Duration::from_millis(100)).min(time),
            };
            self.clocks.pass(pause);
            time -= pause;
        }
    }
}
