//! Whether the disk can be written, as the last write found it: told in the log when that changes, and at `/healthz` and
//! `/metrics` for as long as it lasts.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use shared::chain::deepest;
use sqlx::{Sqlite, SqliteConnection, Transaction};
use tokio::sync::Notify;

use super::StoreError;

/// Why the disk cannot be written, if it cannot.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble(Arc<State>);

#[derive(Debug, Default)]
struct State {
    reason: Mutex<Option<String>>,
    began: Notify,
}

impl Trouble {
    /// Of a disk that is known to be in trouble for as long as the database is open.
    pub(super) fn lasting(reason: String) -> Self {
        let trouble = Self::default();
        *trouble.lock() = Some(reason);
        trouble
    }

    pub(super) fn reason(&self) -> Option<String> {
        self.lock().clone()
    }

    /// Ends when a write has failed after others went well.
    pub(super) async fn began(&self) {
        self.0.began.notified().await;
    }

    /// Something was written.
    pub(super) fn is_over(&self) {
        if self.lock().take().is_some() {
            tracing::info!("the storage can be written again");
        }
    }

    /// A write failed.
    pub(super) fn met(&self, error: &sqlx::Error) {
        // That one is about many writers at once.
        if matches!(error, sqlx::Error::PoolTimedOut) {
            return;
        }
        let reason = deepest(error).to_string();
        let mut now = self.lock();
        if now.is_none() {
            // Once: writers come again and again, and the log may be on the same disk.
            tracing::error!(reason, "the storage cannot be written: writers are asked to come again");
            *now = Some(reason);
            self.0.began.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transaction that tells when it cannot be written down.
#[derive(Debug)]
pub(super) struct Change {
    transaction: Transaction<'static, Sqlite>,
    trouble: Trouble,
}

impl Change {
    pub(super) fn new(transaction: Transaction<'static, Sqlite>, trouble: Trouble) -> Self {
        Self { transaction, trouble }
    }

    /// # Errors
    /// When it is not on disk; nothing of it is there then.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        let Self { transaction, trouble } = self;
        Ok(transaction.commit().await.inspect_err(|error| trouble.met(error))?)
    }
}

impl Deref for Change {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.transaction
    }
}

impl DerefMut for Change {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
}
