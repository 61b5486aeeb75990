//! Points that upstream has taken, which the disk does not know yet. They are removed from the queue in the next reading's
//! transaction, which spares the disk; a keeper that dies before sends them again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use shared::id::MetricId;

use super::{Outbox, QueuedPoint, reads::Written};
use crate::keeper::{
    KeeperError,
    db::{Tx, query},
};

/// How many deliveries may wait for the next reading.
const MAX_DELIVERED: usize = 2000;

/// Metric and slot to the value that was delivered. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Delivered(Arc<Mutex<Points>>);

#[derive(Debug, Default)]
struct Points {
    values: HashMap<(i64, MetricId), f64>,
    /// The host's uptime when the first of them was delivered.
    since: Option<Duration>,
}

/// What a transaction has removed from the queue, to be forgotten once it is committed, and what it has written of when upstream
/// was read.
#[derive(Debug)]
pub(in crate::keeper) struct Dequeued(Vec<((i64, MetricId), f64)>, Written);

impl Delivered {
    fn lock(&self) -> MutexGuard<'_, Points> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().values.len()
    }

    /// What is remembered now.
    pub(super) fn values(&self) -> HashMap<(i64, MetricId), f64> {
        self.lock().values.clone()
    }
}

impl Outbox {
    /// Upstream has taken these, at that uptime of the host.
    ///
    /// # Errors
    /// When so many are remembered that the disk must know them, and it cannot be written. They stay remembered: retry with
    /// [`Outbox::flush_delivered`].
    pub async fn mark_delivered(&self, points: Vec<QueuedPoint>, uptime: Duration) -> Result<(), KeeperError> {
        let count = {
            let mut delivered = self.delivered.lock();
            delivered.since.get_or_insert(uptime);
            delivered.values.extend(points.into_iter().map(|point| ((point.slot, point.metric), point.value)));
            delivered.values.len()
        };
        if count > MAX_DELIVERED { self.flush_delivered().await } else { Ok(()) }
    }

    /// The host's uptime since which upstream has taken something that the disk does not know yet.
    pub fn delivered_since(&self) -> Option<Duration> {
        self.delivered.lock().since
    }

    /// Removes what was delivered from the queue now, without a reading to share the transaction with.
    ///
    /// # Errors
    /// When the disk cannot be written; nothing is forgotten then.
    pub async fn flush_delivered(&self) -> Result<(), KeeperError> {
        if self.delivered.len() == 0 {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        let dequeued = self.dequeue_delivered(&mut tx).await?;
        tx.commit().await?;
        self.forget_delivered(&dequeued);
        Ok(())
    }

    /// Removes what was delivered from the queue, and writes when upstream was read, in a transaction of the caller's.
    pub(in crate::keeper) async fn dequeue_delivered(&self, tx: &mut Tx) -> Result<Dequeued, KeeperError> {
        let delivered: Vec<_> = self.delivered.lock().values.iter().map(|(key, value)| (key.clone(), *value)).collect();
        for ((slot, metric), value) in &delivered {
            // A newer value of that slot is still to be sent.
            let dequeue = query("DELETE FROM relay_points WHERE slot = ? AND metric_id = ? AND value = ?");
            dequeue.bind(*slot).bind(metric.as_str()).bind(*value).execute(tx).await?;
        }
        Ok(Dequeued(delivered, self.write_reads(tx).await?))
    }

    /// That transaction is on disk.
    pub(in crate::keeper) fn forget_delivered(&self, Dequeued(dequeued, reads): &Dequeued) {
        self.reads_written(reads);
        let mut delivered = self.delivered.lock();
        for (key, value) in dequeued {
            if delivered.values.get(key).is_some_and(|now| now.to_bits() == value.to_bits()) {
                delivered.values.remove(key);
            }
        }
        if delivered.values.is_empty() {
            delivered.since = None;
        }
    }
}
