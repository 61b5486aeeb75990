//! Who is connected: the seats that are taken, who has not asked anything yet, and whom to send away for a newcomer.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::task::AbortHandle;

/// What a listener has seen, for its metrics.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Complete requests.
    pub asked: AtomicU64,
    /// Connections without a complete request that made room for a newer one.
    pub evicted: AtomicU64,
    /// Connections turned away because everybody else was being answered.
    pub refused: AtomicU64,
    /// Connections open now.
    pub open: AtomicU64,
}

/// All connections of one listener.
#[derive(Debug)]
pub(super) struct Guests {
    seats: usize,
    table: Mutex<Table>,
    traffic: Arc<Traffic>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    /// Who may be sent away, by the order of their coming: without a complete request, or answered and only lingering.
    idle: BTreeMap<u64, Task>,
    /// Who is being answered.
    answering: BTreeMap<u64, Task>,
}

/// The task that attends a guest; `None` until it is known.
type Task = Option<AbortHandle>;

impl Guests {
    pub(super) fn new(seats: usize, traffic: Arc<Traffic>) -> Self {
        Self { seats, table: Mutex::default(), traffic }
    }

    /// Gives a newcomer a seat, if need be that of the oldest connection without a complete request.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Guest> {
        self.traffic.accepted.fetch_add(1, Ordering::Relaxed);
        let full = {
            let table = self.table();
            table.idle.len() + table.answering.len() >= self.seats
        };
        if full && !self.make_room() {
            self.traffic.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let mut table = self.table();
        let number = table.next;
        table.next += 1;
        table.idle.insert(number, None);
        self.count(&table);
        Some(Guest(Arc::new(Seat { number, guests: Arc::clone(self) })))
    }

    /// Sends the oldest idle connection away; `false` when there is none.
    pub(super) fn make_room(&self) -> bool {
        let mut table = self.table();
        let Some((_, task)) = table.idle.pop_first() else { return false };
        self.count(&table);
        drop(table);
        if let Some(task) = task {
            task.abort();
        }
        self.traffic.evicted.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // No code panics while it holds the table, and a miscount would be no reason to stop answering.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, table: &Table) {
        self.traffic.open.store((table.idle.len() + table.answering.len()) as u64, Ordering::Relaxed);
    }
}

/// A seat; given back when the last clone is dropped.
#[derive(Clone, Debug)]
pub(super) struct Guest(Arc<Seat>);

#[derive(Debug)]
struct Seat {
    number: u64,
    guests: Arc<Guests>,
}

impl Guest {
    /// Tells which task attends this guest, so that it can be ended.
    pub(super) fn seated(&self, task: AbortHandle) {
        if let Some(known) = self.0.guests.table().idle.get_mut(&self.0.number) {
            *known = Some(task);
        }
    }

    /// The request is complete: from now on nobody takes this seat.
    pub(super) fn asked(&self) {
        let guests = &self.0.guests;
        guests.traffic.asked.fetch_add(1, Ordering::Relaxed);
        let table = &mut *guests.table();
        if let Some(task) = table.idle.remove(&self.0.number) {
            table.answering.insert(self.0.number, task);
        }
    }

    /// The answer is out: whatever this guest still sends, its seat is wanted by others.
    pub(super) fn answered(&self) {
        let table = &mut *self.0.guests.table();
        if let Some(task) = table.answering.remove(&self.0.number) {
            table.idle.insert(self.0.number, task);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = self.guests.table();
        if table.idle.remove(&self.number).is_none() {
            table.answering.remove(&self.number);
        }
        self.guests.count(&table);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guests(seats: usize) -> (Arc<Guests>, Arc<Traffic>) {
        let traffic = Arc::new(Traffic::default());
        (Arc::new(Guests::new(seats, Arc::clone(&traffic))), traffic)
    }

    #[tokio::test]
    async fn the_oldest_without_a_request_makes_room() {
        let (guests, traffic) = guests(2);
        let first = guests.enter().unwrap();
        let second = guests.enter().unwrap();
        let tasks: Vec<_> = [&first, &second]
            .map(|guest| {
                let task = tokio::spawn(std::future::pending::<()>());
                guest.seated(task.abort_handle());
                task
            })
            .into();
        first.asked();
        let _third = guests.enter().unwrap();
        assert_eq!(traffic.evicted.load(Ordering::Relaxed), 1);
        tokio::task::yield_now().await;
        assert!(!tasks[0].is_finished(), "the first has asked and is being answered");
        assert!(tasks[1].is_finished(), "the second had to go");
    }

    #[test]
    fn nobody_who_has_asked_is_sent_away() {
        let (guests, traffic) = guests(1);
        let first = guests.enter().unwrap();
        first.asked();
        assert!(guests.enter().is_none());
        assert_eq!(traffic.refused.load(Ordering::Relaxed), 1);
        drop(first);
        assert!(guests.enter().is_some());
    }

    #[test]
    fn who_has_been_answered_and_lingers_makes_room() {
        let (guests, traffic) = guests(1);
        let first = guests.enter().unwrap();
        first.asked();
        first.answered();
        assert!(guests.enter().is_some());
        assert_eq!(traffic.evicted.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn seats_are_given_back() {
        let (guests, traffic) = guests(2);
        drop((guests.enter(), guests.enter()));
        assert_eq!(traffic.open.load(Ordering::Relaxed), 0);
    }
}
