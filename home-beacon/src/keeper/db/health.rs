//! Whether writes succeed, as the last one showed: logged when that changes, and reported at `/healthz` and `/metrics`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::{chain::root_cause, message::StorageFault};
use tokio::sync::Notify;

/// Why writes fail, if they do. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct WriteHealth(Arc<State>);

#[derive(Debug, Default)]
struct State {
    reason: Mutex<Option<String>>,
    failed: Notify,
}

impl WriteHealth {
    /// Of a disk that cannot be written for as long as the database is open.
    pub(super) fn permanent(reason: String) -> Self {
        let health = Self::default();
        *health.lock() = Some(reason);
        health
    }

    pub(super) fn reason(&self) -> Option<String> {
        self.lock().clone()
    }

    /// Returns once a write has failed after others succeeded.
    pub(super) async fn wait_failed(&self) {
        self.0.failed.notified().await;
    }

    /// A write has succeeded.
    pub(super) fn recovered(&self) {
        if self.lock().take().is_some() {
            tracing::info!("the storage can be written again");
        }
    }

    /// A write has failed.
    pub(super) fn failed(&self, error: &sqlx::Error) {
        // Many clients at once, or values that contradict each other, are not the disk's fault.
        let is_contradiction = error.as_database_error().is_some_and(|error| {
            error.is_unique_violation() || error.is_foreign_key_violation() || error.is_check_violation()
        });
        if is_contradiction || matches!(error, sqlx::Error::PoolTimedOut) {
            return;
        }
        let reason = root_cause(error).to_string();
        let mut now = self.lock();
        if now.is_none() {
            // Once: clients retry again and again, and the log may be on the same disk.
            let more = StorageFault::CannotBeWritten.entry().link();
            tracing::error!(reason, more, "the storage cannot be written: clients are asked to retry");
            *now = Some(reason);
            self.0.failed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
