//! Notices to people: what the prober tells the owner of its homes, from where it is seen. After the page, within the run's budget,
//! and once: whichever of two runs that overlap holds the claim sends.
//!
//! - `record`: what is kept between runs; `plan`: what a run makes and sends of it (both pure)
//! - `found`: what a run found of its homes; `mutes`: what nobody wants to know of; `channels`: whom to write to
//! - `store`: reading the record, and claiming it; `texts`: a notice in words

mod channels;
mod found;
mod mutes;
#[cfg(test)]
mod overlap_tests;
pub mod plan;
#[cfg(test)]
mod plan_tests;
pub mod record;
mod store;
mod texts;

use std::{
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use notify::{
    channel::{Channel, answer::Failure},
    event::{Event, Subject},
    quiet::Quiet,
    rules::Rules,
    send::{NotDelivered, Sender},
};
use tokio::time::Instant;

use self::{
    channels::named,
    plan::{Done, Plan, Run, confirmed, is_idle, plan},
    record::{Notice, NoticeRecord},
    store::{ReadRecord, Written, read, write},
};
pub(crate) use self::{
    found::Found,
    mutes::{Answered, Muted, Mutes},
};
use crate::kept::{parameters::ParameterStore, secrets::Place, state::StatePlace};

/// When a notice is sent unless a setting says otherwise: after two minutes, without reminders.
pub const RULES: Rules = Rules { after: Duration::from_mins(2), every: None };

/// How long a record is taken for what was last read of it: another instance may have written since.
const CACHE_LIFETIME: Duration = Duration::from_mins(10);

/// With less left of a run nothing is begun: the next one does it.
const LEAST: Duration = Duration::from_millis(1500);

/// What of a run is kept for confirming what was sent.
const CONFIRMING: Duration = Duration::from_secs(4);

/// How often a confirmation is tried: each time only where another run came between.
const MAX_CONFIRMATIONS: u32 = 3;

/// The channels of a prober, and what it knows of their record.
#[derive(Debug)]
pub struct Notices {
    channels: Place,
    rules: Rules,
    quiet: Option<Quiet>,
    place: StatePlace,
    sender: OnceLock<Sender>,
    cache: Mutex<Option<(NoticeRecord, Instant)>>,
    /// What became of notices of an earlier run, where that could not be noted.
    unconfirmed: Mutex<Vec<(Notice, Done)>>,
    /// What its owner does not want to be written to about, as keepers have said.
    pub(crate) mutes: Mutes,
    /// Those of Parameter Store.
    cached_channels: Mutex<Option<(Vec<Channel>, Instant)>>,
}

/// What became of a notice at one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    /// It has it, or will never take it.
    Settled,
    /// It may have it.
    Unsure,
    /// It does not.
    Later,
}

impl Notices {
    /// Those channels, with their record beside the state.
    pub fn new(channels: Place, (rules, quiet): (Rules, Option<Quiet>), place: StatePlace) -> Self {
        let (cache, unconfirmed, cached_channels) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (sender, mutes) = (OnceLock::new(), Mutes::default());
        Self { channels, rules, quiet, place, sender, cache, unconfirmed, mutes, cached_channels }
    }

    /// Sends what is due. What goes wrong is logged, and tried again by the next run.
    pub(crate) async fn send(&self, store: &ParameterStore, found: &Found, until: Instant) {
        if self.is_idle(found) {
            return;
        }
        if until.saturating_duration_since(Instant::now()) < LEAST {
            tracing::warn!("there is no time left for notices in this run; the next one sends what is due");
            return;
        }
        if let Err(error) = self.send_due(store, found, until).await {
            tracing::warn!("notices wait for the next run: {error}");
        }
    }

    /// Whether there is nothing to do, as far as is known: costs no call.
    fn is_idle(&self, found: &Found) -> bool {
        let cached = self.cached();
        let known = cached.as_ref().filter(|(_, at)| at.elapsed() < CACHE_LIFETIME);
        known.is_some_and(|(record, _)| {
            // In quiet hours what was made before is sent, and nothing else.
            if self.is_quiet(found) {
                !record.is_on_its_way()
            } else {
                record.is_empty() && self.has_nothing_due(found)
            }
        })
    }

    fn is_quiet(&self, found: &Found) -> bool {
        self.quiet.as_ref().is_some_and(|quiet| quiet.holds(found.at))
    }

    fn has_nothing_due(&self, found: &Found) -> bool {
        is_idle(&found.seen, self.rules, found.at)
    }

    async fn send_due(&self, store: &ParameterStore, found: &Found, until: Instant) -> Result<(), String> {
        let ReadRecord { record: stored, version } = read(&self.place, store, until).await?;
        let (mine, done): (Vec<_>, Vec<_>) = self.unconfirmed().iter().cloned().unzip();
        let record = confirmed(&stored, &mine, &done);
        // A channel is not even read where there is nothing to send.
        if stored.is_empty() && self.has_nothing_due(found) {
            self.cache(stored);
            return Ok(());
        }
        let channels = self.channels(store, until).await?;
        let wanting = channels.iter().filter(|channel| channel.wants(Subject::Home));
        let ids: Vec<_> = wanting.map(|channel| channel.id().to_owned()).collect();
        let run = format!("{:016x}", fastrand::u64(..));
        let (at, rules, is_quiet) = (found.at, self.rules, self.is_quiet(found));
        let planned = plan(&record, &found.seen, Run { id: &run, at, rules, is_quiet, channels: &ids });
        let Plan { record: claimed, mine, given_up } = planned;
        for notice in &given_up {
            let title = texts::event(notice, &found.homes, found.at).title;
            tracing::error!(
                "\"{title}\" could not be sent to {} in time, and is given up",
                named(&channels, &notice.left)
            );
        }
        if claimed == stored {
            self.cache(claimed);
            return Ok(());
        }
        if write(&self.place, store, &claimed, version, until).await? == Written::Lost {
            // The other run sends.
            *self.cached() = None;
            return Ok(());
        }
        self.cache(claimed);
        self.unconfirmed().clear();
        // The rest is for confirming: what is sent and not noted is sent again.
        let left = until.saturating_duration_since(Instant::now());
        let sending_until = Instant::now() + left.saturating_sub(CONFIRMING.min(left / 3));
        let sending = mine.iter().map(|notice| self.send_one(&channels, notice, found, sending_until));
        let done = join_all(sending).await;
        self.confirm(store, &mine, &done, until).await
    }

    /// Sends a notice to all channels that have not taken it.
    async fn send_one(&self, channels: &[Channel], notice: &Notice, found: &Found, until: Instant) -> Done {
        let event = &texts::event(notice, &found.homes, found.at);
        let sending = notice.left.iter().map(async |id| {
            // One that is no longer configured needs nothing more.
            match channels.iter().find(|channel| channel.id() == id) {
                Some(channel) => self.delivered(channel, event, until).await,
                None => Delivery::Settled,
            }
        });
        let all: Vec<_> = notice.left.iter().cloned().zip(join_all(sending).await).collect();
        let of = |wanted| all.iter().filter(|(_, delivery)| *delivery == wanted).map(|(id, _)| id.clone()).collect();
        Done { settled: of(Delivery::Settled), unsure: of(Delivery::Unsure) }
    }

    async fn delivered(&self, channel: &Channel, event: &Event, until: Instant) -> Delivery {
        let sender = match self.sender() {
            Ok(sender) => sender,
            Err(error) => {
                tracing::error!("no notice can be sent: {error}");
                return Delivery::Later;
            }
        };
        match sender.send(channel, event, until).await {
            Ok(sent) => {
                if let Some(advice) = sent.advice {
                    tracing::warn!("{channel}: {advice}");
                }
                tracing::info!("\"{}\" was sent to {channel}", event.title);
                Delivery::Settled
            }
            // To try again would not help.
            Err(NotDelivered(refused @ Failure::Refused(_))) => {
                tracing::error!("\"{}\" was not taken by {channel}: {}", event.title, refused.words());
                Delivery::Settled
            }
            Err(error) => {
                tracing::warn!("\"{}\" was not taken by {channel} yet: {error}", event.title);
                if matches!(error.0, Failure::Unsure(_)) { Delivery::Unsure } else { Delivery::Later }
            }
        }
    }

    async fn confirm(
        &self,
        store: &ParameterStore,
        mine: &[Notice],
        done: &[Done],
        until: Instant,
    ) -> Result<(), String> {
        let mut failure = "other runs came between".to_owned();
        for _ in 0..MAX_CONFIRMATIONS {
            let written = async {
                let ReadRecord { record, version } = read(&self.place, store, until).await?;
                let after = confirmed(&record, mine, done);
                let held = after == record || write(&self.place, store, &after, version, until).await? == Written::Held;
                Ok(held.then_some(after))
            };
            match written.await {
                Ok(Some(after)) => {
                    self.cache(after);
                    return Ok(());
                }
                Ok(None) => (),
                Err(error) => failure = error,
            }
        }
        *self.cached() = None;
        *self.unconfirmed() = mine.iter().cloned().zip(done.iter().cloned()).collect();
        Err(format!("what was sent could not be noted: {failure}"))
    }

    fn sender(&self) -> Result<&Sender, String> {
        if let Some(sender) = self.sender.get() {
            return Ok(sender);
        }
        let sender = Sender::new().map_err(|error| error.to_string())?;
        Ok(self.sender.get_or_init(|| sender))
    }

    fn cache(&self, record: NoticeRecord) {
        *self.cached() = Some((record, Instant::now()));
    }

    fn unconfirmed(&self) -> MutexGuard<'_, Vec<(Notice, Done)>> {
        self.unconfirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cached(&self) -> MutexGuard<'_, Option<(NoticeRecord, Instant)>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
