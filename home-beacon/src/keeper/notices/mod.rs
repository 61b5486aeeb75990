//! Notices to people: what the keeper tells the owner of the home, once each, and even if that has to wait until the line is back.
//!
//! What readings say is queued in the transaction that stores them; what no reading says is found by `watch`. Both end here.
//!
//! - `learning`: what readings and others say becomes notices in the queue
//! - `condition`: what can be worth a notice, in words; `series`: of readings; `track`: how far it has come (all pure)
//! - `outgoing`: what a channel is sent next, of what waits for it (pure); `holds`: whether that still holds; `sending`: sends it;
//!   `outcome`: what came of it
//! - `unsaid`: what was muted before anybody was told of it; `picture`: what comes with a notice
//! - `alone`: of a keeper without a database
//! - `channels`: who is written to; `store`, `queue`, `mutes`: the rows; `overview`: what a person asks of them; `settings`

mod alone;
mod channels;
pub(super) mod condition;
mod holds;
mod learning;
pub(super) mod mutes;
mod outcome;
mod outgoing;
mod overview;
pub(super) mod picture;
mod queue;
mod sending;
mod series;
pub mod settings;
mod store;
#[cfg(test)]
mod tests;
mod track;
mod trouble;
mod unsaid;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use notify::{channel::Channel, event::Event, rules::Now};
use shared::id::ComponentId;
use tokio::sync::watch;

use self::{
    channels::List,
    condition::Condition,
    series::Thresholds,
    track::{Track, When},
};
pub use self::{
    mutes::Mute,
    overview::{ChannelState, Overview},
    settings::{NoticeConfig, NoticeSettings},
};
use super::db::{Db, StorageError, Tx};

/// What has not been looked at for so long is over: a job or a target was taken away.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);

/// How many notices are kept in memory while the disk takes none.
const MAX_UNSAVED: usize = 20;

/// What a mute can be of: everything, or what notices are about.
pub(super) const SUBJECTS: [&str; 6] = ["all", "home", "job", "check", "line", "keeper"];

/// The notices of a keeper, which may have nobody to write to. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Notices(Option<Arc<Shared>>);

struct Shared {
    config: NoticeConfig,
    thresholds: Thresholds,
    known: Mutex<Known>,
    /// Something may be to be sent.
    queued: watch::Sender<()>,
}

/// What is known without the disk.
#[derive(Debug, Default)]
struct Known {
    /// All of them.
    channels: Arc<[Channel]>,
    /// Those of people, and those of the operator.
    lists: [List; 2],
    mutes: Vec<Mute>,
    zone: Option<TimeZone>,
    /// What the disk has not taken.
    unsaved: Vec<Unsaved>,
    /// What each channel did with what it was sent since the keeper began, by its digest.
    tried: BTreeMap<String, Tried>,
    /// How the storage is, as notices go: it cannot say so itself.
    storage: Option<Track>,
    /// Whether a transaction has queued one, and nobody was woken yet.
    is_queued: bool,
    /// Of when the newest is by which something is known to last, by its key.
    seen_at: BTreeMap<String, Timestamp>,
    /// Since when nothing looks at what goes on.
    not_looked_at: BTreeMap<String, Timestamp>,
    /// The component that is this home, where that is known.
    home: Option<ComponentId>,
}

/// What a channel did with what it was sent.
#[derive(Clone, Debug, Default)]
struct Tried {
    /// How many it has taken.
    sent: u64,
    /// When it last took one.
    sent_at: Option<Timestamp>,
    /// When it last did not, and why.
    failure: Option<(Timestamp, String)>,
}

/// A notice that is in no table.
#[derive(Clone, Debug)]
struct Unsaved {
    event: Event,
    channels: Vec<String>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Notices {
    /// Those of that configuration, or of nobody: `promised` is what the contract promises towards the home, and from it, in Mbit/s.
    ///
    /// # Errors
    /// When the storage fails.
    pub(super) async fn new(
        config: Option<&NoticeConfig>,
        promised: (Option<f64>, Option<f64>),
        db: &Db,
        now: Timestamp,
    ) -> Result<Self, StorageError> {
        let mutes = if config.is_some() { mutes::list(db, now).await? } else { Vec::new() };
        let notices = Self::of(config.cloned(), promised, mutes);
        notices.read_channels();
        Ok(notices)
    }

    fn of(config: Option<NoticeConfig>, (down, up): (Option<f64>, Option<f64>), mutes: Vec<Mute>) -> Self {
        let Some(config) = config else { return Self::default() };
        let thresholds = Thresholds { down, up, loss: config.loss };
        let known = Mutex::new(Known { mutes, ..Known::default() });
        Self(Some(Arc::new(Shared { config, thresholds, known, queued: watch::Sender::new(()) })))
    }

    /// Whether anybody is written to.
    pub(super) const fn has_channels(&self) -> bool {
        self.0.is_some()
    }

    /// In whose time zone quiet hours are.
    pub(super) fn set_zone(&self, zone: &str) {
        if let (Some(shared), Ok(zone)) = (&self.0, TimeZone::get(zone)) {
            shared.known().zone = Some(zone);
        }
    }

    /// Which component is this home: an outage of it that a prober has seen is the prober's to write of.
    pub(super) fn set_home(&self, home: Option<ComponentId>) {
        if let Some(shared) = &self.0 {
            shared.known().home = home;
        }
    }

    /// Something may be to be sent, if anything was queued since this was called last: readings come often, and notices do not.
    pub(super) fn wake_if_queued(&self) {
        if self.0.as_ref().is_some_and(|shared| std::mem::take(&mut shared.known().is_queued)) {
            self.wake();
        }
    }

    /// Something may be to be sent.
    pub(super) fn wake(&self) {
        if let Some(shared) = &self.0 {
            shared.queued.send_replace(());
        }
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn observe(&self, tx: &mut Tx, condition: &Condition, at: Timestamp) -> Result<(), StorageError> {
        let channels = self.receivers(condition.subject, &condition.key);
        self.note(condition);
        let is_queued = store::observe(tx, condition, self.when(condition, at), at, &channels).await?;
        self.known().is_queued |= is_queued;
        Ok(())
    }

    /// Notes by what of when it is known that something lasts.
    fn note(&self, condition: &Condition) {
        let mut known = self.known();
        match condition.now {
            Now::Lasting(_) => drop(known.seen_at.insert(condition.key.clone(), condition.seen_at)),
            Now::Well => drop(known.seen_at.remove(&condition.key)),
        }
    }

    /// The keys of those that nothing has looked at for a day.
    fn forgotten(&self, tracked: &[String], is_looked_at: impl Fn(&String) -> bool, at: Timestamp) -> Vec<String> {
        let mut known = self.known();
        known.not_looked_at.retain(|key, _| tracked.contains(key) && !is_looked_at(key));
        let mut forgotten = Vec::new();
        for key in tracked.iter().filter(|key| !is_looked_at(key)) {
            let since = *known.not_looked_at.entry(key.clone()).or_insert(at);
            if at.duration_since(since) > FORGOTTEN {
                forgotten.push(key.clone());
            }
        }
        forgotten
    }

    fn when(&self, condition: &Condition, at: Timestamp) -> When {
        let is_quiet = self.is_quiet(at) && !(condition.is_serious && self.config.serious_anytime);
        When { every: self.config.every, is_held_back: is_quiet || self.is_muted(&condition.key, at) }
    }

    fn is_quiet(&self, at: Timestamp) -> bool {
        let zone = self.known().zone.clone().unwrap_or(TimeZone::UTC);
        self.config.quiet.as_ref().is_some_and(|quiet| quiet.clone().in_zone(&zone).holds(at))
    }

    fn is_muted(&self, key: &str, at: Timestamp) -> bool {
        self.known().mutes.iter().any(|mute| mute.holds(key, at))
    }
}
