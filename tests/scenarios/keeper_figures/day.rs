//! What a day of the default schedule writes to the disk of the home, an SD card perhaps. It is counted where the kernel
//! counts what a process makes it write, so the file system's own journal is left out.

use std::{fs, path::Path};

use fastrand::Rng;
use home_beacon::keeper::{db::Moment, job_states, notices::Notices, relay::RelayWorker};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tests::{
    clock::Hand,
    history::{Old, bandwidth, live, open, ping, reading},
    in_process::Home,
    keeper::{COMPONENT, Keeper, PAGE},
};

use super::world::{WRITES, on_disk, size, step, upstream, worker};

/// What a day may write.
const MAX_MEGABYTES: f64 = 30.0;

/// What is spared at least by writing down what upstream took with the next reading: a block of 4 KiB for most minutes.
const SPARED: f64 = 5.0;

/// How much more it may be where somebody looks each minute. A page of its own for each look made it a tenth more.
const LOOKS: f64 = 1.03;

/// How many days there were before, so that something is rolled up each hour.
const BEFORE: u16 = 32;

/// When it is written down what upstream has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    /// With the next reading.
    Together,
    /// At once, in a transaction of its own.
    Apart,
}

#[tokio::test]
async fn a_day_writes_less_than_30_mb_and_looks_and_what_upstream_took_cost_it_little() {
    let _alone = WRITES.lock().await;
    let upstream = upstream().await;
    let folder = on_disk();
    // The days that are counted are over: upstream takes nothing that is yet to come.
    let began = Timestamp::now() - SignedDuration::from_hours(24 * i64::from(BEFORE) + 2 * 24 + 1);
    let clock = Hand::at(began);
    let home = open(folder.path(), clock.standing_host(), false).await;
    live(&home, &clock, BEFORE, Old::EachMinute).await;
    home.db.close().await;
    drop(home);
    let mut day = Day::new(folder.path(), &clock, &upstream).await;
    // Not on a copy of the file: a file that was written at one go lies in memory in long pieces, and the kernel counts
    // the whole of each that is touched.
    day.is_looked_at = true;
    let looked = day.replay(Settled::Together).await;
    day.is_looked_at = false;
    let [together, apart] = [day.replay(Settled::Together).await, day.replay(Settled::Apart).await];
    day.home.db.close().await;
    eprintln!(
        "a day of the default schedule writes {together:.1} MB, and {apart:.1} MB where what upstream took is written down \
         apart (the file system's own journal left out; database {:.1} MiB)",
        size(folder.path())
    );
    eprintln!("the same day with a look each minute writes {looked:.1} MB");
    assert!(together > 1.0, "this counts only on a real disk: {together:.2} MB");
    assert!(together < MAX_MEGABYTES, "{together:.1} MB");
    assert!(looked < together * LOOKS, "looks cost {looked:.1} MB instead of {together:.1}");
    assert!(together + SPARED < apart, "{together:.1} MB with the next reading, {apart:.1} MB without");
}

/// A home that lives through days.
struct Day<'a> {
    folder: &'a Path,
    clock: Hand,
    home: Home,
    worker: RelayWorker,
    rng: Rng,
    /// Whether a prober puts its looks here, once a minute.
    is_looked_at: bool,
}

impl<'a> Day<'a> {
    async fn new(folder: &'a Path, clock: &Hand, upstream: &Keeper) -> Self {
        let clock = Hand::at(clock.now());
        let home = open(folder, clock.host(), true).await;
        let worker = worker(&home, upstream);
        Self { folder, clock, home, worker, rng: Rng::with_seed(1), is_looked_at: false }
    }

    /// Lives through one; how many MB were written.
    async fn replay(&mut self, settled: Settled) -> f64 {
        let begins = self.clock.now();
        let (before, delivered) = (written(), self.worker.reports().latest().points);
        for minute in 0..24 * 60 {
            let at = begins + SignedDuration::from_mins(minute);
            self.clock.reach(at);
            if minute % 60 == 0 {
                self.home.roll_up().await;
            }
            if self.is_looked_at {
                self.look(at).await;
            }
            self.jobs(minute, at).await;
            let until = at + SignedDuration::from_mins(1);
            while step(&mut self.worker, &self.clock, until).await {
                if settled == Settled::Apart {
                    self.home.outbox.flush_delivered().await.expect("it is written");
                }
            }
            self.as_time_passes();
        }
        self.home.outbox.flush_delivered().await.expect("it is written");
        let backlog = self.home.backlog().await;
        assert_eq!(backlog.waiting, 0, "everything was delivered upstream");
        let delivered = self.worker.reports().latest().points - delivered;
        assert!(delivered >= 2 * 24 * 60 + 8, "{delivered} points");
        written() - before
    }

    /// What the jobs of the chart hand over in that minute.
    async fn jobs(&mut self, minute: i64, at: Timestamp) {
        self.home.recorder.add_readings(&ping(&mut self.rng, at)).await.expect("they are stored");
        // A run of `dns` each five minutes writes only where something has changed: a new address a day is usual.
        if minute == 4 * 60 {
            self.remember("dns", &json!({"names": ["home"], "ipv4": {"address": "81.2.69.142", "at": at}})).await;
            self.home.recorder.add_readings(&[reading("dns", at, 4.2)]).await.expect("it is stored");
        }
        if minute % 180 == 0 {
            let record = |used: i64| json!({"month": "2026-11", "used": used, "test": {"from": at, "until": at}});
            self.remember("bandwidth", &record(minute + 250_000_000)).await;
            self.home.recorder.add_readings(&bandwidth(&mut self.rng, at)).await.expect("they are stored");
            self.remember("bandwidth", &record(minute + 180_000_000)).await;
        }
    }

    async fn look(&self, at: Timestamp) {
        let look = json!({"component_id": COMPONENT, "verdict": "up", "from": "outside", "connect_ms": 21.5});
        let looks = json!({"page_id": PAGE, "at": at.as_second(), "location": "eu-central-1", "looks": [look]});
        let posted = serde_json::from_value(looks).expect("looks");
        assert_eq!(self.home.recorder.add_looks(&posted).await.expect("they are taken"), Some(1));
    }

    async fn remember(&self, job: &str, document: &serde_json::Value) {
        let now = Moment::new(self.home.now());
        job_states::set((&self.home.db, &Notices::default()), now, job, document, |_| true)
            .await
            .expect("it is remembered");
    }

    /// What the kernel does of itself within half a minute, and a day in seconds would not see: it writes what was changed
    /// in the memory that is shared with a file, as SQLite's index of its log is.
    fn as_time_passes(&self) {
        if let Ok(index) = fs::File::open(self.folder.join("keeper.db-shm")) {
            index.sync_all().expect("it is written");
        }
    }
}

/// What this process has made the kernel write to disks, in MB.
fn written() -> f64 {
    let io = fs::read_to_string("/proc/self/io").expect("the kernel counts");
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).expect("the line is there");
    line.parse::<f64>().expect("a number") / 1e6
}
