//! Sequences that never come twice. They are reserved many at a time: a card that is written each minute wears out.

use shared::heartbeat::MAX_SEQUENCE;

use super::sender::Sending;

/// The sequences of one sender.
#[derive(Debug)]
pub(super) struct Sequence {
    /// The next one.
    next: u64,
    /// The first that is not reserved.
    end: u64,
    /// How many are reserved at once.
    block: u64,
    is_loaded: bool,
    /// That they cannot be remembered was said.
    is_logged: bool,
}

impl Sequence {
    /// Of a sender that sends that many before it remembers again.
    pub(super) const fn new(block: u64) -> Self {
        Self { next: 1, end: 1, block, is_loaded: false, is_logged: false }
    }

    /// The next one. Where it cannot be remembered it is used all the same: who lost them goes on above what an answer tells.
    pub(super) async fn take(&mut self, sending: &impl Sending) -> u64 {
        if !self.is_loaded {
            let loaded = sending.load().await;
            let unknown =
                |why: &String| tracing::warn!("which heartbeats were sent is not known, and is asked for: {why}");
            let next = loaded.inspect_err(unknown).ok().flatten().filter(|next| (1..=MAX_SEQUENCE).contains(next));
            self.next = self.next.max(next.unwrap_or(1));
            self.end = self.next;
            self.is_loaded = true;
        }
        if self.next >= self.end {
            let end = self.next.saturating_add(self.block).min(MAX_SEQUENCE);
            match sending.save(end).await {
                Ok(()) => (self.end, self.is_logged) = (end, false),
                Err(why) if !self.is_logged => {
                    tracing::warn!("which heartbeats are sent cannot be remembered: {why}");
                    self.is_logged = true;
                }
                Err(_) => (),
            }
        }
        let taken = self.next;
        self.next = taken.saturating_add(1).min(MAX_SEQUENCE);
        taken
    }

    /// An answer told which one is the newest there.
    pub(super) fn above(&mut self, newest: u64) {
        self.next = self.next.max(newest.saturating_add(1)).min(MAX_SEQUENCE);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use shared::heartbeat::{Outage, View};

    use super::*;

    /// What is remembered, and whether it can be.
    #[derive(Default)]
    struct Disk(Mutex<(Option<u64>, u32, bool)>);

    impl Sending for Disk {
        async fn load(&self) -> Result<Option<u64>, String> {
            let disk = self.0.lock().unwrap();
            if disk.2 { Err("full".into()) } else { Ok(disk.0) }
        }

        async fn save(&self, next: u64) -> Result<(), String> {
            let mut disk = self.0.lock().unwrap();
            if disk.2 {
                return Err("full".into());
            }
            (disk.0, disk.1) = (Some(next), disk.1 + 1);
            Ok(())
        }

        async fn seen(&mut self) -> (View, Option<Outage>) {
            (View::UNKNOWN, None)
        }
    }

    async fn taken(sequence: &mut Sequence, disk: &Disk, count: usize) -> Vec<u64> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(sequence.take(disk).await);
        }
        all
    }

    #[tokio::test]
    async fn they_grow_over_restarts_and_the_disk_is_written_seldom() {
        let disk = Disk::default();
        assert_eq!(taken(&mut Sequence::new(100), &disk, 3).await, [1, 2, 3]);
        assert_eq!(taken(&mut Sequence::new(100), &disk, 2).await, [101, 102]);
        let mut long = Sequence::new(100);
        let all = taken(&mut long, &disk, 1000).await;
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]) && all[0] == 201, "{all:?}");
        assert_eq!(disk.0.lock().unwrap().1, 12, "writes for 1005 heartbeats");
    }

    #[tokio::test]
    async fn what_an_answer_tells_is_gone_above_and_remembered() {
        let disk = Disk::default();
        let mut sequence = Sequence::new(10);
        sequence.take(&disk).await;
        sequence.above(5000);
        assert_eq!(taken(&mut sequence, &disk, 2).await, [5001, 5002]);
        sequence.above(3);
        assert_eq!(sequence.take(&disk).await, 5003, "never back");
        assert!(Sequence::new(10).take(&disk).await > 5003);
    }

    #[tokio::test]
    async fn on_a_disk_that_fails_they_grow_all_the_same_and_are_remembered_once_it_is_well() {
        let disk = Disk::default();
        disk.0.lock().unwrap().2 = true;
        let mut sequence = Sequence::new(10);
        assert_eq!(taken(&mut sequence, &disk, 3).await, [1, 2, 3]);
        disk.0.lock().unwrap().2 = false;
        assert_eq!(sequence.take(&disk).await, 4);
        assert!(disk.0.lock().unwrap().0 > Some(4));
    }

    #[tokio::test]
    async fn a_number_that_is_none_counts_as_lost() {
        let disk = Disk::default();
        disk.0.lock().unwrap().0 = Some(u64::MAX);
        assert_eq!(taken(&mut Sequence::new(10), &disk, 2).await, [1, 2]);
    }
}
