//! Notices to people: what the keeper tells the owner of the home, once each, and even if that has to wait until the line is back.
//!
//! What readings say is queued in the transaction that stores them; what no reading says is found by
//! [`watch`](crate::keeper::watch). Both end here.
//!
//! - `learning`: what readings and others say becomes notices in the queue
//! - `condition`: what can be worth a notice, in words; `series`: of readings; `track`: how far it has come (all pure)
//! - `outgoing`: what a channel is sent next, of what waits for it (pure); `sending`: sends it
//! - `store`, `queue`, `mutes`: the rows; `overview`: what a person asks of them; `settings`

pub(super) mod condition;
mod learning;
mod mutes;
mod outgoing;
mod overview;
mod queue;
mod sending;
mod series;
pub mod settings;
mod store;
#[cfg(test)]
mod tests;
mod track;
mod trouble;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{Timestamp, tz::TimeZone};
use notify::{
    channel::Channel,
    event::{Event, Subject},
    settings::{NOTIFY_URLS, channels},
};
use shared::secret::Secret;
use tokio::sync::watch;

use self::{
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
    channels: Arc<[Channel]>,
    /// What they were read of.
    text: Option<Secret>,
    mutes: Vec<Mute>,
    zone: Option<TimeZone>,
    /// What the disk has not taken.
    unsaved: Vec<Unsaved>,
    /// How many each channel has taken, by its digest.
    sent: BTreeMap<String, u64>,
    /// How the storage is, as notices go: it cannot say so itself.
    storage: Option<Track>,
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
        (down, up): (Option<f64>, Option<f64>),
        db: &Db,
        now: Timestamp,
    ) -> Result<Self, StorageError> {
        let Some(config) = config.cloned() else { return Ok(Self::default()) };
        let thresholds = Thresholds { down, up, loss: config.loss };
        let known = Mutex::new(Known { mutes: mutes::list(db, now).await?, ..Known::default() });
        let notices = Self(Some(Arc::new(Shared { config, thresholds, known, queued: watch::Sender::new(()) })));
        notices.read_channels();
        Ok(notices)
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

    /// Something may be to be sent.
    pub(super) fn wake(&self) {
        if let Some(shared) = &self.0 {
            shared.queued.send_replace(());
        }
    }

    /// Reads the channels again, where their file has changed; those from before stay where that cannot be.
    fn read_channels(&self) -> bool {
        let Some(shared) = &self.0 else { return false };
        let text = match shared.config.urls.current() {
            Ok(text) => text,
            Err(error) => {
                tracing::debug!(%error, "the channels cannot be read; those from before are used");
                return false;
            }
        };
        if shared.known().text.as_ref() == Some(&text) {
            return false;
        }
        let read = channels(&shared.config.urls.name(NOTIFY_URLS.name), &text);
        let mut known = shared.known();
        known.text = Some(text);
        match read {
            Ok(channels) => {
                known.channels = channels.into();
                true
            }
            Err(error) => {
                tracing::error!(%error, "the channels from before are used");
                false
            }
        }
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn observe(&self, tx: &mut Tx, condition: &Condition, at: Timestamp) -> Result<(), StorageError> {
        let channels = self.receivers(condition.subject);
        store::observe(tx, condition, self.when(condition, at), at, &channels).await
    }

    /// The channels that want to know of that, by their digests.
    fn receivers(&self, subject: Subject) -> Vec<String> {
        let known = self.known();
        known.channels.iter().filter(|channel| channel.wants(subject)).map(|channel| channel.id().to_owned()).collect()
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
