//! What is open at a router.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

/// One port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub external: u16,
    pub client: IpAddr,
    pub internal: u16,
    pub description: String,
    /// When it ends by itself.
    pub ends: Option<Instant>,
    /// Of PCP.
    pub nonce: Option<[u8; 12]>,
    /// By which protocol it was asked for.
    pub by: &'static str,
}

impl Entry {
    /// One that stays.
    pub fn new(external: u16, client: IpAddr, internal: u16, description: &str) -> Self {
        Self { external, client, internal, description: description.into(), ends: None, nonce: None, by: "hand" }
    }

    pub fn left(&self) -> u32 {
        let left = self.ends.map(|end| end.saturating_duration_since(Instant::now()).as_secs());
        left.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(0)
    }
}

#[derive(Debug)]
pub(super) struct Table {
    began: Instant,
    entries: Vec<Entry>,
}

impl Table {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), entries: Vec::new() }
    }

    /// For how many seconds it has been known.
    pub(super) fn epoch(&self) -> u32 {
        u32::try_from(self.began.elapsed().as_secs()).unwrap_or(u32::MAX)
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        let is_open = |entry: &&Entry| entry.ends.is_none_or(|end| end > Instant::now());
        self.entries.iter().filter(is_open).cloned().collect()
    }

    pub(super) fn at(&self, external: u16) -> Option<Entry> {
        self.entries().into_iter().find(|entry| entry.external == external)
    }

    /// What a protocol has opened for that place.
    pub(super) fn of(&self, by: &str, client: IpAddr, internal: u16) -> Option<Entry> {
        let is_it = |entry: &Entry| entry.by == by && entry.client == client && entry.internal == internal;
        self.entries().into_iter().find(is_it)
    }

    pub(super) fn put(&mut self, entry: Entry) {
        self.remove(entry.external);
        self.entries.push(entry);
    }

    pub(super) fn remove(&mut self, external: u16) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.external != external);
        self.entries.len() < before
    }

    /// The port that was asked for, or else another one that is free.
    pub(super) fn free(&self, wanted: u16) -> u16 {
        let wanted = if wanted == 0 { 40_000 } else { wanted };
        (wanted..=u16::MAX).find(|port| self.at(*port).is_none()).unwrap_or(0)
    }
}

pub(super) fn ends(lease: u32) -> Instant {
    Instant::now() + Duration::from_secs(lease.into())
}
