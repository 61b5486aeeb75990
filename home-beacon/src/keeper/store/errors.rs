//! Why a database cannot be used, and why a call on it fails.

use sqlx::migrate::MigrateError;

use super::look;

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
    #[error("it may not be written: {0}")]
    Denied(String),
    #[error("its tables cannot be brought up to date ({0}): name another file, or restore a copy of this one")]
    Migration(#[source] MigrateError),
}

impl OpenError {
    /// Whether it may be a full disk, or one that cannot be written: a trouble that ends by itself.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unusable(_) | Self::Denied(_) | Self::Migration(_))
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
