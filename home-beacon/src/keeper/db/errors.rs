//! Why a database cannot be opened, and why a statement fails.

use std::{fmt, path::PathBuf};

use sqlx::migrate::MigrateError;

use super::inspect;

/// Why a database cannot be used; shown to a person after `DATABASE_URL`.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("only sqlite: addresses are known, like sqlite:porchlight.db")]
    Address,
    #[error("it keeps nothing: name a file, like sqlite:porchlight.db")]
    Volatile,
    #[error("{} is a folder: name a file in it, like sqlite:{}", .0.display(), .0.join("porchlight.db").display())]
    Folder(PathBuf),
    #[error("{} is a {kind}, and no file: name a file, like sqlite:porchlight.db", path.display())]
    NoFile { path: PathBuf, kind: &'static str },
    #[error("{} is no folder: make it, or name another place", .0.display())]
    NoFolder(PathBuf),
    #[error(
        "user {user}, group {group}, who runs this, may not write {path} ({owner}): let it belong to that user, as \
         `chown {user}:{group} {path}` does, or name another place",
        path = path.display()
    )]
    Forbidden { path: PathBuf, owner: String, user: u32, group: u32 },
    #[error("it is another program's database, and was left as it is: name another file")]
    Foreign,
    #[error("another keeper{} has it open: stop that one, or name another file", Process(*.0))]
    InUse(Option<u32>),
    #[error("another program has it locked: end that one (a shell of SQLite's, a backup), or name another file")]
    Locked,
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

/// Which keeper has it open, where its lock file says so: its process id on its machine or in its container.
struct Process(Option<u32>);

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |id| write!(f, " (process {id})"))
    }
}

impl OpenError {
    /// Whether it may be a full or read-only disk, which ends without a change of settings.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unusable(_) | Self::Migration(_))
    }
}

/// Why a statement failed: the disk, the file, or too many clients at once.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StorageError(#[from] sqlx::Error);

impl StorageError {
    /// A stored value that is none of its type.
    pub(super) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(sqlx::Error::Decode(error.into()))
    }

    /// Whether no connection was free in time: try again in a moment.
    pub fn is_busy(&self) -> bool {
        matches!(self.0, sqlx::Error::PoolTimedOut)
    }

    /// Whether the disk is full or read-only.
    pub fn is_of_the_disk(&self) -> bool {
        matches!(inspect::kind(&self.0), Some(inspect::FULL | inspect::READ_ONLY))
    }
}
