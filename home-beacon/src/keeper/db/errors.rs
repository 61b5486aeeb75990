//! Why a database cannot be opened, and why a statement fails.

use std::{fmt, path::PathBuf};

use shared::message::StorageFault;
use sqlx::migrate::MigrateError;

use super::inspect;

/// Why a database cannot be used; shown to a person after `DATABASE_URL`.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another scheme than `sqlite:`.
    #[error("only sqlite: addresses are known, like sqlite:porchlight.db")]
    Address,
    /// A database in memory.
    #[error("it keeps nothing: name a file, like sqlite:porchlight.db")]
    Volatile,
    /// The address is a folder's.
    #[error("{} is a folder: name a file in it, like sqlite:{}", .0.display(), .0.join("porchlight.db").display())]
    Folder(PathBuf),
    /// The address is a device's, a pipe's or a socket's.
    #[error("{} is a {kind}, and no file: name a file, like sqlite:porchlight.db", path.display())]
    #[expect(missing_docs, reason = "the message shows them")]
    NoFile { path: PathBuf, kind: &'static str },
    /// The folder that it should be in does not exist.
    #[error("{} is no folder: make it, or name another place", .0.display())]
    NoFolder(PathBuf),
    /// This user may not write the file or its folder.
    #[error(
        "user {user}, group {group}, who runs this, may not write {path} ({owner}): {advice}: `{mend} {path}` does the first",
        path = path.display(),
        advice = StorageFault::Forbidden.words(),
        mend = mend(owner, *user, *group)
    )]
    #[expect(missing_docs, reason = "the message shows them")]
    Forbidden { path: PathBuf, owner: String, user: u32, group: u32 },
    /// Another program's database.
    #[error("{}", StorageFault::Foreign.words())]
    Foreign,
    /// A keeper has it open; its process id, where the lock file says so.
    #[error("another keeper{process} has it open: {advice}", process = Process(*.0), advice = StorageFault::InUse.words())]
    InUse(Option<u32>),
    /// Another program holds a lock of SQLite's.
    #[error("another program has it locked: {}", StorageFault::Locked.words())]
    Locked,
    /// Its tables are of a later version.
    #[error("it was written by a newer version of Porchlight: {}", StorageFault::Newer.words())]
    Newer,
    /// SQLite finds it damaged, in these words.
    #[error("it is damaged ({0}) and was left as it is: {advice}", advice = StorageFault::Damaged.words())]
    Damaged(String),
    /// It cannot be opened for another reason, which may pass.
    #[error("it cannot be opened ({0}): name a file that this user may write, or leave it to be made")]
    Unusable(#[source] sqlx::Error),
    /// A migration failed, for a reason that may pass.
    #[error("its tables cannot be brought up to date ({0}): name another file, or restore a copy of this one")]
    Migration(#[source] MigrateError),
}

/// What lets that user write.
fn mend(owner: &str, user: u32, group: u32) -> String {
    if owner.starts_with(&format!("owner {user}:")) { "chmod u+rw".into() } else { format!("chown {user}:{group}") }
}

/// Which keeper has it open, where its lock file says so: its process id on its machine or in its container.
struct Process(Option<u32>);

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |id| write!(f, " (process {id})"))
    }
}

impl OpenError {
    /// What else to do about it; `None` where it is the setting alone that is wrong.
    pub const fn fault(&self) -> Option<StorageFault> {
        match self {
            Self::Forbidden { .. } => Some(StorageFault::Forbidden),
            Self::Foreign => Some(StorageFault::Foreign),
            Self::InUse(_) => Some(StorageFault::InUse),
            Self::Locked => Some(StorageFault::Locked),
            Self::Newer => Some(StorageFault::Newer),
            Self::Damaged(_) => Some(StorageFault::Damaged),
            Self::Address
            | Self::Volatile
            | Self::Folder(_)
            | Self::NoFile { .. }
            | Self::NoFolder(_)
            | Self::Unusable(_)
            | Self::Migration(_) => None,
        }
    }

    /// Whether it may be a full or read-only disk, which ends without a change of settings.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unusable(_) | Self::Migration(_))
    }
}

/// Why a statement failed: the disk, the file, or too many clients at once.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StorageError(#[from] pub(super) sqlx::Error);

impl StorageError {
    /// A stored value that is none of its type.
    pub(in crate::keeper) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(sqlx::Error::Decode(error.into()))
    }

    /// Whether no connection was free in time: try again in a moment.
    pub fn is_busy(&self) -> bool {
        matches!(self.0, sqlx::Error::PoolTimedOut)
    }

    /// Whether a value cannot stand where it was to be stored, or contradicts what is there.
    pub(in crate::keeper) fn is_of_the_values(&self) -> bool {
        matches!(self.0, sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. })
            || matches!(inspect::kind(&self.0), Some(inspect::CONSTRAINT | inspect::MISMATCH))
    }

    /// Whether the disk is full or read-only.
    pub fn is_of_the_disk(&self) -> bool {
        matches!(inspect::kind(&self.0), Some(inspect::FULL | inspect::READ_ONLY))
    }
}
