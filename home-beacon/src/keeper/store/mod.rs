//! Everything that the keeper knows, in one SQLite database; all SQL is in this module and its children.
//!
//! A change is on disk (WAL, `synchronous=FULL`) when its method returns. There is one writing connection, so
//! writers never meet; readers see the last committed state.

mod ages;
mod belief;
mod components;
mod deleted;
mod errors;
#[cfg(test)]
mod faults;
mod heartbeats;
mod hold;
mod incident_changes;
mod incident_rows;
mod incidents;
mod job_states;
mod latest;
mod look;
mod metrics;
mod open;
mod outside;
mod outside_incident;
mod pages;
mod place;
mod planned;
mod queue;
mod readings;
mod records;
mod retention;
mod seeded;
mod seeding;
mod series;
mod series_rows;
mod slots;
mod trouble;
mod undated;

use std::{
    fs::File,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use shared::chain::deepest;
use sqlx::{SqlitePool, migrate::Migrator};
use tokio::{sync::Notify, time::sleep};

use self::{
    belief::{Evidence, Heartbeat},
    queue::Delivered,
    trouble::{Change, Trouble},
};
pub use self::{
    components::{ComponentPatch, NewComponent},
    errors::{OpenError, StoreError},
    heartbeats::Gap,
    hold::LastPoint,
    incident_changes::IncidentPatch,
    incidents::{IncidentFilter, NewIncident, UpdatePatch},
    latest::{Latest, LatestOf, LatestReading},
    metrics::{Metric, MetricPatch, MetricsProvider, NewMetric},
    open::{check_address, check_place, folder, holder_of},
    outside::{OpenCopy, StatusToTell},
    outside_incident::OutsideIncident,
    pages::PagePatch,
    queue::{Backlog, QueuedPoint, SetAside},
    records::{AffectedComponent, Component, Incident, IncidentUpdate, Moment, Page, StatusChange},
    series::{Bucket, Span},
    slots::SentPoint,
    undated::Dated,
};
use crate::clock::{Host, Shown};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Marks a database as a keeper's, in the place that SQLite has for it; set by the first migration.
const APPLICATION_ID: i64 = 0x706f_7263;

/// How long a request waits for a connection or a lock.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct Store {
    /// Held for as long as the database is open; the kernel lets go of it however the process ends.
    _lock: Arc<Option<File>>,
    write: SqlitePool,
    read: SqlitePool,
    host: Host,
    /// The last heartbeat before this was opened.
    before: Option<Heartbeat>,
    /// What the host's clocks showed when this was opened.
    began: Shown,
    /// Whether the clock on the wall could be believed then, or was stepped since a reading came that waits for its time.
    began_believed: bool,
    stepped_before: bool,
    /// Whether it is believed by now. Who is cut off from the world's time later still has it.
    believed: Arc<AtomicBool>,
    /// The host's uptime at the last heartbeat of this process that is on disk.
    beaten: Arc<Mutex<Option<Duration>>>,
    /// Whether there is somebody upstream to be told.
    relays: bool,
    delivered: Delivered,
    /// Something was queued for upstream, perhaps.
    queued: Arc<Notify>,
    trouble: Trouble,
}

impl Store {
    fn new(lock: Option<File>, write: SqlitePool, read: SqlitePool, host: Host) -> Self {
        Self {
            _lock: Arc::new(lock),
            write,
            read,
            before: None,
            began: host.shown(),
            began_believed: true,
            stepped_before: false,
            believed: Arc::default(),
            host,
            beaten: Arc::default(),
            relays: false,
            delivered: Delivered::default(),
            queued: Arc::default(),
            trouble: Trouble::default(),
        }
    }

    /// With somebody upstream who is told what is marked to be relayed.
    #[must_use]
    pub fn relaying(mut self) -> Self {
        self.relays = true;
        self
    }

    /// Ends when something may have been queued for upstream since the last time.
    pub async fn queued(&self) {
        self.queued.notified().await;
    }

    /// What is wrong with the storage, in words, as far as the last write or a look tells.
    pub async fn trouble(&self) -> Option<String> {
        // Without a page of the file it would tell nothing.
        let reads = sqlx::query("PRAGMA schema_version").execute(&self.read).await.err();
        reads.map(|error| deepest(&error).to_string()).or_else(|| self.trouble.reason())
    }

    /// Tries a disk that could not be written every so often, until it can: nobody else may come to write for a while.
    pub async fn recover(&self, every: Duration) {
        loop {
            self.trouble.began().await;
            while self.trouble.reason().is_some() {
                sleep(every).await;
                // Nobody uses that number, and to set it is the smallest write that there is.
                if sqlx::query("PRAGMA user_version = 0").execute(&self.write).await.is_ok() {
                    self.trouble.is_over();
                }
            }
        }
    }

    /// The time; `None` while the clock cannot be believed: after a power cut a machine may begin with a time that it saved
    /// before it.
    pub fn time(&self) -> Option<Timestamp> {
        let now = self.host.now()?;
        if !self.believed.load(Ordering::Relaxed) {
            let (shown, last) = (self.host.shown(), self.before.as_ref());
            let evidence = self.evidence(&shown);
            if !belief::is_believed(last, &self.host.boot, &shown, evidence) {
                return None;
            }
            if !self.believed.swap(true, Ordering::Relaxed) && last.is_some() && !self.began_believed {
                tracing::info!(
                    synchronised = evidence.synchronised,
                    stepped = evidence.stepped,
                    "the clock can be believed now"
                );
            }
        }
        Some(now)
    }

    fn evidence(&self, shown: &Shown) -> Evidence {
        let stepped = self.stepped_before || belief::was_stepped(self.began.booted(), shown.booted());
        Evidence { synchronised: self.host.synchronised.now(), stepped, saved: self.host.saves_its_clock }
    }

    /// With what is known from before about the host's clocks.
    async fn recalling(mut self) -> sqlx::Result<Self> {
        self.before = self.last_heartbeat(&mut *self.read.acquire().await?).await?;
        self.stepped_before = self.stepped_since_undated().await?;
        self.began_believed = self.clock_is_set();
        if !self.began_believed {
            let last = self.before.as_ref().map(|last| last.at.to_string());
            tracing::warn!(
                shows = %self.began.wall,
                last_heartbeat = last,
                "the clock cannot be believed: it is earlier than this program, or goes on from a time that was saved before \
                 the host was off; until it is set, readings wait for their time"
            );
        }
        Ok(self)
    }

    /// Whether the host's clock shows the time.
    pub fn clock_is_set(&self) -> bool {
        self.time().is_some()
    }

    /// Finishes what is under way and closes the files.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }

    /// The time on the wall.
    pub fn wall(&self) -> Timestamp {
        self.host.wall.now()
    }

    fn now(&self) -> Moment {
        Moment::new(self.host.wall.now())
    }

    fn last_beat(&self) -> MutexGuard<'_, Option<Duration>> {
        self.beaten.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that a write failed, whichever of its steps it was.
    fn noted<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Storage(error)) = &result {
            self.trouble.met(error);
        }
        result
    }

    async fn begin_write(&self) -> Result<Change, StoreError> {
        Ok(Change::new(self.write.begin().await?, self.trouble.clone()))
    }

    /// Ends a transaction that brought readings, which carries what else there is to write: one write of the disk for all.
    async fn commit_readings(&self, mut change: Change) -> Result<(), StoreError> {
        let taken = self.take_off(&mut change).await?;
        let beats = self.beat(&mut change).await?;
        change.commit().await?;
        self.forget_delivered(&taken);
        if beats {
            self.has_beaten();
        }
        self.queued.notify_one();
        Ok(())
    }
}

/// A local id: 12 lower-case letters and digits, as statuspage.io's.
fn new_id() -> String {
    let digit = |_| char::from_digit(fastrand::u32(0..36), 36).unwrap_or('0');
    (0..shared::id::LENGTH).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_ids_have_the_shape_of_ids() {
        assert!(new_id().parse::<shared::id::ComponentId>().is_ok());
    }
}
