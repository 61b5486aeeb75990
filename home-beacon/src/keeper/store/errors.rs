//! Why a database cannot be used, and why a call on it fails.

use std::{fmt, path::PathBuf};

use sqlx::migrate::MigrateError;

use super::look;

/// Why a database cannot be used; told to a person as `DATABASE_URL`'s fault.
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

/// Which keeper has it open, as far as it told: by its number among the processes of its machine or container.
struct Process(Option<u32>);

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |id| write!(f, " (process {id})"))
    }
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
