//! Everything that the keeper knows, in one SQLite database; all SQL is in this module and its children.
//!
//! A change is on disk (WAL, `synchronous=FULL`) when its method returns. There is one writing connection, so
//! writers never meet; readers see the last committed state.

mod components;
#[cfg(test)]
mod faults;
mod heartbeats;
mod hold;
mod incident_changes;
mod incident_rows;
mod incidents;
mod job_states;
mod look;
mod metrics;
mod outside;
mod pages;
mod queue;
mod readings;
mod records;
mod retention;
mod seeding;
mod series;
mod trouble;
mod undated;

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use shared::chain::deepest;
use sqlx::{
    Connection, SqlitePool,
    migrate::{MigrateError, Migrator},
    sqlite::{
        SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqlitePoolOptions,
        SqliteSynchronous,
    },
};
use tokio::{sync::Notify, time::sleep};

pub use self::{
    components::{ComponentPatch, NewComponent},
    heartbeats::Gap,
    hold::LastPoint,
    incident_changes::IncidentPatch,
    incidents::{IncidentFilter, NewIncident, UpdatePatch},
    metrics::{Metric, MetricPatch, MetricsProvider, NewMetric},
    outside::{OutsideIncident, StatusToTell},
    pages::PagePatch,
    queue::{Backlog, SetAside},
    readings::{Latest, LatestReading, SentPoint},
    records::{AffectedComponent, Component, Incident, IncidentUpdate, Moment, Page, StatusChange},
    series::{Bucket, Span},
    undated::Dated,
};
use self::{
    look::{examine, look_at},
    queue::Delivered,
    trouble::{Change, Trouble},
};
use crate::clock::Host;

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
    /// The host's uptime when this was opened.
    began: Duration,
    /// The host's uptime at the last heartbeat of this process that is on disk.
    beaten: Arc<Mutex<Option<Duration>>>,
    /// Whether there is somebody upstream to be told.
    relays: bool,
    delivered: Delivered,
    /// Something was queued for upstream, perhaps.
    queued: Arc<Notify>,
    trouble: Trouble,
}

/// Why a database cannot be used; told to a person as `DATABASE_URL`'s fault.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("only sqlite: addresses are known, like sqlite:porchlight.db")]
    Address,
    #[error("it keeps nothing: name a file, like sqlite:porchlight.db")]
    Volatile,
    #[error("it is another program's database, and was left as it is: name another file")]
    Foreign,
    #[error("another keeper has it open: stop that one, or name another file")]
    InUse,
    #[error("it was written by a newer version of Porchlight: update this one, or name another file")]
    Newer,
    #[error(
        "it is damaged ({0}) and was left as it is: keep a copy of it, then save what can be read into a new one with \
         `sqlite3 old.db .dump | sed 's/^ROLLBACK.*/COMMIT;/' | sqlite3 new.db`, or move it away, and a new one is begun; if it \
         never was a keeper's, name another file"
    )]
    // Not `.recover`: Debian's sqlite3 (3.40) is built without what that takes.
    Damaged(String),
    #[error("it cannot be opened ({0}): name a file that this user may write, or leave it to be made")]
    Unusable(#[source] sqlx::Error),
    #[error("its tables cannot be brought up to date ({0}): name another file, or restore a copy of this one")]
    Migration(#[source] MigrateError),
}

impl OpenError {
    /// Whether it may be a full disk, or one that cannot be written: a trouble that ends by itself.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unusable(_) | Self::Migration(_))
    }
}

/// Why a call on the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such thing; names it.
    #[error("{0} could not be found")]
    NotFound(String),
    /// It is not any more what the client thinks that it is; names it.
    #[error("{0} has changed meanwhile: read it again")]
    Moved(String),
    /// The values contradict what is stored; names the field.
    #[error("{0}")]
    Contradiction(String),
    /// The storage is in trouble (disk full, read-only …).
    #[error("the keeper's storage is in trouble")]
    Storage(#[from] sqlx::Error),
}

impl StoreError {
    /// Whether the disk is full or read-only, whoever wrote what.
    pub fn is_of_the_disk(&self) -> bool {
        matches!(self, Self::Storage(error) if matches!(look::kind(error), Some(look::FULL | look::READ_ONLY)))
    }
}

impl Store {
    /// Opens the database, makes it if it is missing, and brings its tables up to date.
    ///
    /// # Errors
    /// When it cannot be used; nothing in it was changed then.
    pub async fn open(url: &str, host: Host) -> Result<Self, OpenError> {
        check_address(url)?;
        let file = SqliteConnectOptions::from_str(url).map_err(|_| OpenError::Address)?;
        examine(&file).await?;
        let lock = lock(file.get_filename())?;
        let options = file
            .create_if_missing(true)
            // These two can only be chosen before the first table: small pages wear an SD card less.
            .page_size(1024)
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // Nobody else may have it open. That keeps the index of the log in memory: as a file that is shared it would
            // cost the disk more than all readings together.
            .vfs("unix-excl")
            .busy_timeout(PATIENCE);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(PATIENCE)
                .idle_timeout(None)
                // Where a commit fails for want of room, SQLite takes everything back at once (sqlite.org/lang_transaction.html),
                // but sqlx counts on: its next transactions would be parts of one that never ends, acknowledged and
                // never on disk. Such a connection is replaced.
                .before_acquire(|connection, _| {
                    let alone = !connection.is_in_transaction();
                    Box::pin(async move { Ok(alone) })
                })
        };
        let write = pool(1).connect_with(options.clone()).await.map_err(OpenError::from_sqlite)?;
        match MIGRATIONS.run(&write).await {
            Ok(()) => (),
            Err(MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_)) => return Err(OpenError::Newer),
            Err(MigrateError::Execute(error)) => return Err(OpenError::from_sqlite(error)),
            Err(error) => return Err(OpenError::Migration(error)),
        }
        let read = pool(2).connect_with(options).await.map_err(OpenError::from_sqlite)?;
        Ok(Self::new(Some(lock), write, read, host))
    }

    /// Opens a database that cannot be written, to be read; every write fails.
    ///
    /// # Errors
    /// When it is none of ours, or cannot be read either.
    pub async fn open_to_read(url: &str, host: Host, obstacle: String) -> Result<Self, OpenError> {
        let file = SqliteConnectOptions::from_str(url).map_err(|_| OpenError::Address)?.read_only(true);
        // The log that a power cut left is read, too: without locks, and with its index in memory, it takes no other file.
        let log = file.clone().vfs("unix-none").locking_mode(SqliteLockingMode::Exclusive);
        // After a clean end there is no log beside it, and where none can be made SQLite wants to hear that nobody writes.
        let options = match look_at(&log).await {
            Ok(()) => log,
            Err(_) => file.immutable(true),
        };
        look_at(&options).await?;
        let pool = || SqlitePoolOptions::new().max_connections(2).acquire_timeout(PATIENCE);
        let read = pool().connect_with(options.clone()).await.map_err(OpenError::from_sqlite)?;
        let store = Self::new(None, pool().connect_lazy_with(options), read, host);
        Ok(Self { trouble: Trouble::lasting(obstacle), ..store })
    }

    fn new(lock: Option<File>, write: SqlitePool, read: SqlitePool, host: Host) -> Self {
        Self {
            _lock: Arc::new(lock),
            write,
            read,
            began: host.uptime.now(),
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

    /// Whether the host's clock shows the time.
    pub fn clock_is_set(&self) -> bool {
        self.host.now().is_some()
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

/// Whether the address names a file of a kind that a keeper can open; nothing is opened yet.
///
/// # Errors
/// When it does not.
pub fn check_address(url: &str) -> Result<(), OpenError> {
    let Some(rest) = url.strip_prefix("sqlite:") else { return Err(OpenError::Address) };
    let options = SqliteConnectOptions::from_str(url).map_err(|_| OpenError::Address)?;
    let volatile = rest.contains(":memory:") || rest.contains("mode=memory");
    if volatile || options.get_filename().as_os_str().is_empty() { Err(OpenError::Volatile) } else { Ok(()) }
}

/// The folder of a database, where its address names one.
pub fn folder(url: &str) -> Option<PathBuf> {
    let options = SqliteConnectOptions::from_str(url).ok()?;
    options.get_filename().parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned)
}

/// Takes the file beside the database that says that it is open. SQLite itself would let two keepers share it, each with
/// its own idea of the page.
fn lock(database: &Path) -> Result<File, OpenError> {
    // Under whatever name it is opened, it is one file.
    let real = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
    let mut path = real.into_os_string();
    path.push(".lock");
    let unusable = |error: std::io::Error| OpenError::Unusable(sqlx::Error::Io(error));
    let file = File::options().create(true).append(true).open(path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// A local id: 12 lower-case letters and digits, as statuspage.io's.
fn new_id() -> String {
    let digit = |_| char::from_digit(fastrand::u32(0..36), 36).unwrap_or('0');
    (0..shared::id::LENGTH).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use sqlx::ConnectOptions;

    use super::*;

    #[tokio::test]
    async fn the_files_shape_is_chosen_before_the_first_table() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("k.db").display());
        let store = Store::open(&url, Host::system()).await.unwrap();
        for (pragma, expected) in [
            ("PRAGMA page_size", 1024),
            ("PRAGMA auto_vacuum", 2),
            ("PRAGMA synchronous", 2),
            ("PRAGMA foreign_keys", 1),
        ] {
            let value: i64 = sqlx::query_scalar(pragma).fetch_one(&store.write).await.unwrap();
            assert_eq!(value, expected, "{pragma}");
        }
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&store.write).await.unwrap();
        assert_eq!(mode, "wal");
        assert!(folder.path().join("k.db-wal").exists());
        assert!(!folder.path().join("k.db-shm").exists(), "the index of the log is in memory");
    }

    #[tokio::test]
    async fn a_newer_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("k.db").display());
        let store = Store::open(&url, Host::system()).await.unwrap();
        sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)")
            .execute(&store.write)
            .await
            .unwrap();
        store.close().await;
        assert!(matches!(Store::open(&url, Host::system()).await, Err(OpenError::Newer)));
    }

    #[tokio::test]
    async fn another_programs_database_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        let url = format!("sqlite:{}", path.display());
        let other = SqliteConnectOptions::from_str(&url).unwrap().create_if_missing(true);
        let mut other = other.connect().await.unwrap();
        sqlx::query("CREATE TABLE notes (text TEXT)").execute(&mut other).await.unwrap();
        other.close().await.unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(Store::open(&url, Host::system()).await, Err(OpenError::Foreign)));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[tokio::test]
    async fn a_database_that_is_open_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("k.db").display());
        let first = Store::open(&url, Host::system()).await.unwrap();
        assert!(matches!(Store::open(&url, Host::system()).await, Err(OpenError::InUse)));
        drop(first);
        assert!(Store::open(&url, Host::system()).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_only_in_the_log_is_read_where_nothing_can_be_made_beside_it() {
        let (folder, left) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let url = |folder: &Path| format!("sqlite:{}", folder.join("k.db").display());
        let store = Store::open(&url(folder.path()), Host::system()).await.unwrap();
        let page = store.first_page().await.unwrap();
        for name in ["k.db", "k.db-wal"] {
            std::fs::copy(folder.path().join(name), left.path().join(name)).unwrap();
        }
        let there = Store::open_to_read(&url(left.path()), Host::system(), "read-only".into()).await.unwrap();
        assert_eq!(there.page(&page).await.unwrap().id, page);
        assert_eq!(std::fs::read_dir(left.path()).unwrap().count(), 2, "no index was made");
    }

    #[tokio::test]
    async fn a_database_that_keeps_nothing_is_refused() {
        for url in ["sqlite:", "sqlite://", "sqlite::memory:", "sqlite:x.db?mode=memory"] {
            assert!(matches!(Store::open(url, Host::system()).await, Err(OpenError::Volatile)), "{url}");
        }
    }

    #[test]
    fn local_ids_have_the_shape_of_ids() {
        assert!(new_id().parse::<shared::id::ComponentId>().is_ok());
    }
}
