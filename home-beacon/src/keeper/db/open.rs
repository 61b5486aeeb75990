//! How a database is opened: to be written by one keeper alone, or only to be read.

use std::{
    io,
    path::{Path, PathBuf},
    str::FromStr,
};

use shared::lock::{FileLock, LockError};
use sqlx::{
    Connection,
    migrate::MigrateError,
    sqlite::{
        SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqlitePoolOptions,
        SqliteSynchronous,
    },
};

use super::{
    BUSY_TIMEOUT, Db, MIGRATIONS, OpenError,
    health::WriteHealth,
    inspect::{check_integrity, check_ownership},
    place,
};

impl Db {
    /// Opens the database, makes it if it is missing, and brings its tables up to date.
    ///
    /// # Errors
    /// When it cannot be used; nothing in it was changed then.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        check_address(url)?;
        let file = SqliteConnectOptions::from_str(url).map_err(|_| OpenError::Address)?;
        place::check(file.get_filename())?;
        // A process that has it open keeps all others from reading it, and is named.
        if let Some(id) = holder(file.get_filename()) {
            return Err(OpenError::InUse(id));
        }
        check_integrity(&file).await?;
        let lock = lock(file.get_filename())?;
        let options = file
            .create_if_missing(true)
            // These two can only be chosen before the first table: small pages wear an SD card less.
            .page_size(1024)
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // No other process may have it open. That keeps the index of the log in memory: as a file that is shared it would
            // cost the disk more than all readings together.
            .vfs("unix-excl")
            .busy_timeout(BUSY_TIMEOUT);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(BUSY_TIMEOUT)
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
        Ok(Self::new(Some(lock), write, read, WriteHealth::default()))
    }

    /// Opens a database that cannot be written, to be read; every write fails.
    ///
    /// # Errors
    /// When it is none of ours, or cannot be read either.
    pub async fn open_read_only(url: &str, obstacle: String) -> Result<Self, OpenError> {
        let file = SqliteConnectOptions::from_str(url).map_err(|_| OpenError::Address)?.read_only(true);
        // The log that a power cut left is read, too: without locks, and with its index in memory, it takes no other file.
        let log = file.clone().vfs("unix-none").locking_mode(SqliteLockingMode::Exclusive);
        // After a clean end there is no log beside it, and where none can be made SQLite needs the word that no process writes.
        let options = match check_ownership(&log).await {
            Ok(()) => log,
            Err(_) => file.immutable(true),
        };
        check_ownership(&options).await?;
        let pool = || SqlitePoolOptions::new().max_connections(2).acquire_timeout(BUSY_TIMEOUT);
        let read = pool().connect_with(options.clone()).await.map_err(OpenError::from_sqlite)?;
        Ok(Self::new(None, pool().connect_lazy_with(options), read, WriteHealth::permanent(obstacle)))
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

/// Whether a file can be where the address says; nothing is opened yet.
///
/// # Errors
/// What is in the way.
pub fn check_place(url: &str) -> Result<(), OpenError> {
    place::check(SqliteConnectOptions::from_str(url).map_err(|_| OpenError::Address)?.get_filename())
}

/// Whether a keeper has the database open, and its process where that is known; nothing is made.
pub fn holder_of(url: &str) -> Option<Option<u32>> {
    holder(SqliteConnectOptions::from_str(url).ok()?.get_filename())
}

/// A file beside a database, whose name is the database's with `extension` added.
pub fn beside_database(url: &str, extension: &str) -> Option<PathBuf> {
    let options = SqliteConnectOptions::from_str(url).ok()?;
    Some(options.get_filename().with_added_extension(extension))
}

/// The folder of a database, where its address names one.
pub fn folder(url: &str) -> Option<PathBuf> {
    let options = SqliteConnectOptions::from_str(url).ok()?;
    options.get_filename().parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned)
}

/// Takes the file beside the database that says that it is open. SQLite itself would let two keepers share it, each with
/// its own idea of the page.
fn lock(database: &Path) -> Result<FileLock, OpenError> {
    let path = beside(database);
    let unusable = |error: io::Error| OpenError::Unusable(sqlx::Error::Io(error));
    match FileLock::try_acquire(&path) {
        Ok(mut lock) => {
            // Without it nothing is lost but a number in a message.
            let _ = lock.write_process_id();
            Ok(lock)
        }
        Err(LockError::Held) => Err(OpenError::InUse(process(&path))),
        Err(LockError::Io(error)) => Err(unusable(error)),
    }
}

/// Whether another keeper has it open, and which; nothing is made.
fn holder(database: &Path) -> Option<Option<u32>> {
    let path = beside(database);
    FileLock::is_held(&path).then(|| process(&path))
}

fn process(lock: &Path) -> Option<u32> {
    std::fs::read_to_string(lock).ok()?.trim().parse().ok()
}

/// Under whatever name it is opened, it is one file.
fn beside(database: &Path) -> PathBuf {
    let real = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
    let mut path = real.into_os_string();
    path.push(".lock");
    path.into()
}

#[cfg(test)]
mod tests {
    use sqlx::ConnectOptions;

    use super::*;

    #[tokio::test]
    async fn the_files_shape_is_chosen_before_the_first_table() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("k.db").display());
        let db = Db::open(&url).await.unwrap();
        for (pragma, expected) in [
            ("PRAGMA page_size", 1024),
            ("PRAGMA auto_vacuum", 2),
            ("PRAGMA synchronous", 2),
            ("PRAGMA foreign_keys", 1),
        ] {
            let value: i64 = sqlx::query_scalar(pragma).fetch_one(&db.write).await.unwrap();
            assert_eq!(value, expected, "{pragma}");
        }
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&db.write).await.unwrap();
        assert_eq!(mode, "wal");
        assert!(folder.path().join("k.db-wal").exists());
        assert!(!folder.path().join("k.db-shm").exists(), "the index of the log is in memory");
    }

    #[tokio::test]
    async fn a_newer_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("k.db").display());
        let db = Db::open(&url).await.unwrap();
        sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)")
            .execute(&db.write)
            .await
            .unwrap();
        db.close().await;
        drop(db);
        assert!(matches!(Db::open(&url).await, Err(OpenError::Newer)));
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
        assert!(matches!(Db::open(&url).await, Err(OpenError::Foreign)));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[tokio::test]
    async fn a_database_that_is_open_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("k.db").display());
        let first = Db::open(&url).await.unwrap();
        assert!(matches!(Db::open(&url).await, Err(OpenError::InUse(Some(id))) if id == std::process::id()));
        drop(first);
        assert!(Db::open(&url).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_only_in_the_log_is_read_where_nothing_can_be_made_beside_it() {
        let (folder, left) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let url = |folder: &Path| format!("sqlite:{}", folder.join("k.db").display());
        let db = Db::open(&url(folder.path())).await.unwrap();
        sqlx::query("INSERT INTO retention (as_of) VALUES (7)").execute(&db.write).await.unwrap();
        for name in ["k.db", "k.db-wal"] {
            std::fs::copy(folder.path().join(name), left.path().join(name)).unwrap();
        }
        let there = Db::open_read_only(&url(left.path()), "read-only".into()).await.unwrap();
        let stored: i64 = sqlx::query_scalar("SELECT as_of FROM retention").fetch_one(&there.read).await.unwrap();
        assert_eq!(stored, 7);
        assert_eq!(std::fs::read_dir(left.path()).unwrap().count(), 2, "no index was made");
    }

    #[tokio::test]
    async fn a_database_that_keeps_nothing_is_refused() {
        for url in ["sqlite:", "sqlite://", "sqlite::memory:", "sqlite:x.db?mode=memory"] {
            assert!(matches!(Db::open(url).await, Err(OpenError::Volatile)), "{url}");
        }
    }
}
