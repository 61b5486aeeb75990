//! Why a call on what the keeper knows fails.

use crate::keeper::db::StorageError;

/// Why a call failed. Nothing of it is stored then.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// There is no such thing; names it.
    #[error("{0} could not be found")]
    NotFound(String),
    /// It was changed since the client read it; names it. Read again, then retry.
    #[error("{0} has changed meanwhile: read it again")]
    Conflict(String),
    /// The values contradict what is stored; names the field. A retry fails in the same way.
    #[error("{0}")]
    Invalid(String),
    /// The disk is full, read-only, or fails; or all connections are busy. A retry may succeed.
    #[error("the keeper's storage fails")]
    Storage(#[from] StorageError),
}
