//! Looks: signed requests that show that a prober looked, kept in memory and reported at the private listener. What does not
//! count is answered as if it did: a stranger learns nothing from trying.

mod log;

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use axum::http::HeaderMap;
use shared::{
    look::{BeaconLooks, PROBER_HEADER, SignedLook},
    proof::{Challenge, Key},
};

use self::log::{LookLog, Moment};
use super::only;
use crate::clock::Host;

/// The looks of a process.
#[derive(Debug)]
pub(super) struct Looks {
    log: Mutex<LookLog>,
    host: Host,
    counted: AtomicU64,
    rejected: AtomicU64,
}

/// What `/metrics` says of looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LookTotals {
    pub(super) counted: u64,
    pub(super) rejected: u64,
    /// The newest one's Unix time by its prober's clock, in seconds.
    pub(super) last: Option<i64>,
}

impl Looks {
    pub(super) fn new(host: Host) -> Self {
        let log = Mutex::new(LookLog::new());
        Self { log, host, counted: AtomicU64::default(), rejected: AtomicU64::default() }
    }

    /// Counts the look that a request carries, if it carries one; whether it does. `challenge` is the request's, where it has
    /// exactly one.
    pub(super) fn consider(
        &self,
        headers: &HeaderMap,
        challenge: Option<&Challenge>,
        key: impl FnOnce() -> Key,
    ) -> bool {
        if !headers.contains_key(PROBER_HEADER) {
            return false;
        }
        // Length and shape before the signature: what is none costs no more than being read.
        let look: Option<SignedLook> = only(headers, PROBER_HEADER).and_then(|text| text.parse().ok());
        let is_look = look.zip(challenge).is_some_and(|(look, challenge)| {
            look.is_made_with(&key(), challenge) && self.log().count(&look, challenge, &self.now())
        });
        let total = if is_look { &self.counted } else { &self.rejected };
        total.fetch_add(1, Ordering::Relaxed);
        is_look
    }

    /// What the keeper reads.
    pub(super) fn reported(&self) -> BeaconLooks {
        BeaconLooks { looks: self.log().looks().cloned().collect() }
    }

    pub(super) fn totals(&self) -> LookTotals {
        let now = |total: &AtomicU64| total.load(Ordering::Relaxed);
        let last = self.log().looks().next_back().map(|look| look.at);
        LookTotals { counted: now(&self.counted), rejected: now(&self.rejected), last }
    }

    fn now(&self) -> Moment {
        let Host { wall, uptime, synchronised, .. } = &self.host;
        Moment { wall: wall.now(), uptime: uptime.now(), synchronised: synchronised.now() }
    }

    fn log(&self) -> std::sync::MutexGuard<'_, LookLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
