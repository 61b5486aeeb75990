//! The database: one SQLite file, and the only place that names sqlx.
//!
//! A change is on disk (WAL, `synchronous=FULL`) when `Tx::commit` returns. There is one writing connection, so writers
//! never meet; readers see the last committed state.
//!
//! - `query`: statements and what is bound to them; `row`: what comes back; `moment`: times in both
//! - `open`: opening, by one keeper alone; `place` and `inspect`: what is checked before anything is changed
//! - `migrations`: how it gets its tables
//! - `health`: whether writes succeed; `disk`: how much room there is
//! - [`foreign`]: files of other programs, only read
//! - `errors`: why a database cannot be opened, and why a statement fails

mod disk;
mod errors;
pub mod foreign;
mod health;
mod inspect;
mod migrations;
mod moment;
#[cfg(test)]
mod older;
mod open;
mod place;
mod query;
mod row;
#[cfg(test)]
pub(super) mod write_fault;

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use shared::{chain::root_cause, lock::FileLock};
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction, pool::PoolConnection};
use tokio::time::sleep;

pub use self::{
    errors::{OpenError, StorageError},
    moment::Moment,
    open::{beside_database, check_address, check_place, folder, holder_of},
};
use self::{health::WriteHealth, migrations::MIGRATIONS};
pub(super) use self::{
    query::{Query, built, query},
    row::{FromRow, Row},
};

/// Marks a database as a keeper's, in the place that SQLite has for it; set by the first migration.
const APPLICATION_ID: i64 = 0x706f_7263;

/// How long a request waits for a connection or a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// An open database. Clones share it.
#[derive(Clone, Debug)]
pub struct Db {
    /// Held for as long as the database is open; the kernel releases it however the process ends.
    _lock: Arc<Option<FileLock>>,
    write: SqlitePool,
    read: SqlitePool,
    health: WriteHealth,
    changes: Changes,
}

/// How often anything was changed by this process.
#[derive(Clone, Debug, Default)]
struct Changes(Arc<AtomicU64>);

/// A connection, to read by. That it is in a transaction is [`Tx`]'s business.
pub(super) struct Conn {
    on: On,
    /// Of a connection that writes.
    writing: Option<Writing>,
    /// Whether any row was written.
    has_written: bool,
}

enum On {
    Connection(PoolConnection<Sqlite>),
    Transaction(Transaction<'static, Sqlite>),
}

/// What a connection that writes keeps up to date.
#[derive(Clone, Debug)]
struct Writing {
    health: WriteHealth,
    changes: Changes,
}

/// A transaction that writes. Dropped without a commit, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct Tx(Conn);

impl Db {
    fn new(lock: Option<FileLock>, write: SqlitePool, read: SqlitePool, health: WriteHealth) -> Self {
        Self { _lock: Arc::new(lock), write, read, health, changes: Changes::default() }
    }

    /// A connection to read by, each statement for itself.
    pub(super) async fn read(&self) -> Result<Conn, StorageError> {
        Ok(Conn { on: On::Connection(self.read.acquire().await?), writing: None, has_written: false })
    }

    /// A connection to read by, all of whose statements see one state of the database.
    pub(super) async fn snapshot(&self) -> Result<Conn, StorageError> {
        Ok(Conn { on: On::Transaction(self.read.begin().await?), writing: None, has_written: false })
    }

    /// Begins a transaction that writes.
    pub(super) async fn begin(&self) -> Result<Tx, StorageError> {
        let on = self.write.begin().await.inspect_err(|error| self.health.failed(error))?;
        Ok(Tx(Conn { on: On::Transaction(on), writing: Some(self.writing()), has_written: false }))
    }

    /// The writing connection outside any transaction, for a statement by itself.
    pub(super) async fn write(&self) -> Result<Conn, StorageError> {
        let on = self.write.acquire().await.inspect_err(|error| self.health.failed(error))?;
        Ok(Conn { on: On::Connection(on), writing: Some(self.writing()), has_written: false })
    }

    fn writing(&self) -> Writing {
        Writing { health: self.health.clone(), changes: self.changes.clone() }
    }

    /// A number that is another one after each change of what is stored. Taken before something is read, it says later
    /// whether that still stands.
    pub(super) fn revision(&self) -> u64 {
        self.changes.0.load(Ordering::Acquire)
    }

    /// Why the database cannot be written or read, as far as the last write and a read now show; `None` where it can.
    pub async fn failure(&self) -> Option<String> {
        // Without a page of the file it would show nothing.
        let reads = sqlx::query("PRAGMA schema_version").execute(&self.read).await.err();
        reads.map(|error| root_cause(&error).to_string()).or_else(|| self.health.reason())
    }

    /// After a write has failed, retries every so often until one succeeds: the next client may be long in coming. Never ends.
    pub(super) async fn retry_writes(&self, interval: Duration) {
        loop {
            self.health.wait_failed().await;
            while self.health.reason().is_some() {
                sleep(interval).await;
                // The number is used for nothing, and to set it is the smallest write that there is.
                if sqlx::query("PRAGMA user_version = 0").execute(&self.write).await.is_ok() {
                    self.health.recovered();
                }
            }
        }
    }

    /// Finishes what is under way and closes the files.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

impl Changes {
    fn count(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

impl Conn {
    fn sqlite(&mut self) -> &mut SqliteConnection {
        match &mut self.on {
            On::Connection(connection) => connection,
            On::Transaction(transaction) => transaction,
        }
    }

    fn failed(&self, error: &sqlx::Error) {
        if let Some(writing) = &self.writing {
            writing.health.failed(error);
        }
    }

    /// Notes that so many rows were written: what is in no transaction can be read at once.
    fn wrote(&mut self, rows: u64) {
        self.has_written |= rows > 0;
        if let (On::Connection(_), Some(writing)) = (&self.on, &self.writing) {
            writing.changes.count();
        }
    }
}

impl Tx {
    /// Makes everything durable.
    ///
    /// # Errors
    /// When it is not on disk; nothing of it is there then.
    pub(super) async fn commit(self) -> Result<(), StorageError> {
        let Conn { on, writing, has_written } = self.0;
        let On::Transaction(transaction) = on else { return Ok(()) };
        let result = transaction.commit().await;
        if let Some(Writing { health, changes }) = writing {
            match &result {
                Err(error) => health.failed(error),
                // An empty transaction proves nothing.
                Ok(()) if has_written => health.recovered(),
                Ok(()) => (),
            }
            // After one that failed, too: what is on the disk then is for the next reader to find out.
            changes.count();
        }
        Ok(result?)
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.on {
            On::Connection(_) => "connection",
            On::Transaction(_) => "transaction",
        };
        f.debug_struct("Conn").field("on", &kind).field("has_written", &self.has_written).finish_non_exhaustive()
    }
}

/// A local id: 12 lower-case letters and digits, as statuspage.io's.
pub(super) fn new_id() -> String {
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

    #[tokio::test]
    async fn a_value_that_contradicts_another_is_no_fault_of_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("k.db").display())).await.unwrap();
        for (text, is_well) in [
            ("INSERT INTO series (name) VALUES ('ping'), ('ping')", true),
            ("INSERT INTO component_statuses (component_id, since, status) VALUES ('none', 1, '')", true),
            ("INSERT INTO nowhere (name) VALUES (1)", false),
        ] {
            assert!(query(text).execute(&mut db.begin().await.unwrap()).await.is_err(), "{text}");
            assert_eq!(db.failure().await.is_none(), is_well, "{text}");
        }
    }
}
