//! What waits to be sent upstream: points of metrics, and statuses of components. What is queued is queued in the
//! transaction that stores it; the relay sends it.
//!
//! - [`points`]: the queue of points, and those that upstream refused
//! - [`statuses`]: the statuses that upstream does not have yet
//! - `causes`: what upstream is to be told of outages that are over
//! - `delivered`: what upstream has taken and the disk does not know yet; `reads`: when upstream could be read

mod causes;
mod delivered;
pub mod points;
mod reads;
pub mod statuses;

use std::sync::Arc;

use tokio::sync::Notify;

pub(super) use self::causes::Cause;
pub use self::points::{Backlog, QueuedPoint, RejectedPoint};
use self::{causes::Causes, delivered::Delivered, reads::Reads};
use super::db::Db;

/// The queue toward upstream. Clones share it.
#[derive(Clone, Debug)]
pub struct Outbox {
    db: Db,
    /// Whether there is a page upstream.
    relays: bool,
    delivered: Delivered,
    reads: Reads,
    causes: Causes,
    queued: Arc<Notify>,
}

impl Outbox {
    /// The queue of a database; without a page upstream nothing is ever queued.
    pub fn new(db: Db, relays: bool) -> Self {
        let (delivered, reads, causes) = (Delivered::default(), Reads::default(), Causes::default());
        Self { db, relays, delivered, reads, causes, queued: Arc::default() }
    }

    /// Whether there is a page upstream.
    pub(super) fn relays(&self) -> bool {
        self.relays
    }

    /// Something may have been queued: [`Outbox::wait_queued`] returns.
    pub(super) fn wake(&self) {
        self.queued.notify_one();
    }

    /// Returns once something may have been queued since the last time.
    pub(super) async fn wait_queued(&self) {
        self.queued.notified().await;
    }
}
