//! Notices to people: what the prober tells the owner of its homes, from where it is seen. After the page, within the run's budget,
//! and once: whichever of two runs that overlap holds the claim sends.
//!
//! - `record`: what is kept between runs; `plan`: what a run makes and sends of it (both pure)
//! - `store`: reading the record, and claiming it; `texts`: a notice in words

#[cfg(test)]
mod overlap_tests;
mod plan;
#[cfg(test)]
mod plan_tests;
mod record;
mod store;
mod texts;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use jiff::Timestamp;
use notify::{
    channel::{Channel, answer::Failure},
    event::{Event, Subject},
    rules::Rules,
    send::{NotDelivered, Sender},
    settings::{NOTIFY_URLS, channels},
};
use shared::{
    id::{ComponentId, PageId},
    statuspage::ComponentStatus,
};
use tokio::time::Instant;

use self::{
    plan::{HomeNow, Plan, Run, Seen, confirmed, is_quiet, plan},
    record::{Notice, NoticeRecord},
    store::{ReadRecord, Written, read, write},
    texts::Home,
};
use crate::{
    judge::verdict::Verdict,
    kept::{
        parameters::ParameterStore,
        secrets::Place,
        state::{PreparedRecords, StatePlace},
    },
    plan::OutageKind,
    publish::apply::{Applied, Published},
    run::TargetState,
};

/// When a notice is sent unless a setting says otherwise: after two minutes, without reminders.
pub const RULES: Rules = Rules { after: Duration::from_mins(2), every: None };

/// How long a record is taken for what was last read of it: another instance may have written since.
const CACHE_LIFETIME: Duration = Duration::from_mins(10);

/// How long channels from Parameter Store are used until they are read again: each time is a call of KMS.
const CHANNELS_LIFETIME: Duration = Duration::from_mins(15);

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
    place: StatePlace,
    sender: OnceLock<Sender>,
    cache: Mutex<Option<(NoticeRecord, Instant)>>,
    /// Those of Parameter Store.
    cached_channels: Mutex<Option<(Vec<Channel>, Instant)>>,
}

/// What a run found, as far as notices go.
#[derive(Debug)]
pub(crate) struct Found {
    at: Timestamp,
    seen: Vec<Seen>,
    homes: Vec<Home>,
}

impl Found {
    /// Of the targets, with the records as this run leaves them.
    pub(crate) fn new(states: &[TargetState<'_>], prepared: &PreparedRecords, at: Timestamp) -> Self {
        let (mut seen, mut homes) = (Vec::new(), Vec::new());
        for state in states {
            let component: ComponentId = state.target.component.clone();
            let record = prepared.record(&component);
            let now = match (state.verdict, record.down_since) {
                (Verdict::Down(_), Some(since)) => HomeNow::Down(since),
                // What is down without an outage is in a maintenance that is not over.
                (Verdict::Unknown(_), _) | (Verdict::Down(_), None) => HomeNow::Unknown,
                (_, Some(_)) => HomeNow::Recovering,
                (_, None) => HomeNow::Well,
            };
            let shown = state.component.as_ref().ok().and_then(|component| component.status);
            let cause = state.verdict.cause().unwrap_or_default().to_owned();
            let is_maintained = shown == Some(ComponentStatus::UnderMaintenance);
            seen.push(Seen { component: component.clone(), now, is_maintained, cause });
            let kind = |since| OutageKind::of(record.start_times()?, state.start_times(at)?, at, since);
            let kind = record.up_since.and_then(kind).map(OutageKind::sentence);
            // As the page calls it, where that was read.
            let named = state.component.as_ref().ok().map(|component| &component.name);
            let name = named.filter(|name| !name.is_empty()).unwrap_or(&state.target.home.name).clone();
            homes.push(Home { component, name, kind });
        }
        Self { at, seen, homes }
    }
}

impl Found {
    /// Takes up which components were left alone because a maintenance in progress names them.
    pub(crate) fn note_maintenance(&mut self, published: &BTreeMap<PageId, Published>) {
        for seen in &mut self.seen {
            let mut all = published.values().filter_map(|published| published.components.get(&seen.component));
            seen.is_maintained |= all.any(|applied| matches!(applied, Applied::Maintained));
        }
    }
}

impl Notices {
    /// Those channels, with their record beside the state.
    pub fn new(channels: Place, rules: Rules, place: StatePlace) -> Self {
        let (cache, cached_channels) = (Mutex::default(), Mutex::default());
        Self { channels, rules, place, sender: OnceLock::new(), cache, cached_channels }
    }

    /// The channels as they are now.
    ///
    /// # Errors
    /// When they cannot be read, or one is wrong; shows nothing secret of it.
    pub(crate) async fn channels(&self, store: &ParameterStore, until: Instant) -> Result<Vec<Channel>, String> {
        let name = match &self.channels {
            Place::Local(source) => {
                let text = source.current().map_err(|error| error.to_string())?;
                return channels(&source.name(NOTIFY_URLS.name), &text).map_err(|error| error.to_string());
            }
            Place::Parameter(name) => name,
        };
        let cached = self.cached_channels.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((channels, at)) = &cached
            && at.elapsed() < CHANNELS_LIFETIME
        {
            return Ok(channels.clone());
        }
        let read = match store.get(&[name], until).await.remove(name) {
            Some(Ok(Some(text))) => {
                channels(&format!("the parameter {name}"), &text).map_err(|error| error.to_string())
            }
            Some(Err(error)) => Err(error.to_string()),
            Some(Ok(None)) | None => Err(format!("the parameter {name} does not exist: make it, or name another")),
        };
        match (read, cached) {
            (Ok(channels), _) => {
                let now = Some((channels.clone(), Instant::now()));
                *self.cached_channels.lock().unwrap_or_else(PoisonError::into_inner) = now;
                Ok(channels)
            }
            // Those from before are better than none.
            (Err(error), Some((channels, _))) => {
                tracing::warn!("{error}; the channels from before are used");
                Ok(channels)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Sends what is due. What goes wrong is logged, and tried again by the next run.
    pub(crate) async fn send(&self, store: &ParameterStore, found: &Found, until: Instant) {
        if self.is_quiet(found) || until.saturating_duration_since(Instant::now()) < LEAST {
            return;
        }
        if let Err(error) = self.send_due(store, found, until).await {
            tracing::warn!("notices wait for the next run: {error}");
        }
    }

    /// Whether there is nothing to do, as far as is known: costs no call.
    fn is_quiet(&self, found: &Found) -> bool {
        let cached = self.cached();
        let known = cached.as_ref().filter(|(_, at)| at.elapsed() < CACHE_LIFETIME);
        known.is_some_and(|(record, _)| record.is_empty()) && is_quiet(&found.seen, self.rules, found.at)
    }

    async fn send_due(&self, store: &ParameterStore, found: &Found, until: Instant) -> Result<(), String> {
        let (channels, read) = tokio::join!(self.channels(store, until), read(&self.place, store, until));
        let (channels, ReadRecord { record, version }) = (channels?, read?);
        let wanting = channels.iter().filter(|channel| channel.wants(Subject::Home));
        let ids: Vec<_> = wanting.map(|channel| channel.id().to_owned()).collect();
        let run = format!("{:016x}", fastrand::u64(..));
        let planned = plan(&record, &found.seen, Run { id: &run, at: found.at, rules: self.rules, channels: &ids });
        let Plan { record: claimed, mine, given_up } = planned;
        for notice in &given_up {
            let title = texts::event(notice, &found.homes).title;
            tracing::error!(
                "\"{title}\" could not be sent to {} in time, and is given up",
                named(&channels, &notice.left)
            );
        }
        if claimed == record {
            self.cache(claimed);
            return Ok(());
        }
        if write(&self.place, store, &claimed, version, until).await? == Written::Lost {
            // The other run sends.
            *self.cached() = None;
            return Ok(());
        }
        self.cache(claimed);
        let sending_until = until.checked_sub(CONFIRMING).unwrap_or(until).max(Instant::now() + LEAST).min(until);
        let sending = mine.iter().map(|notice| self.send_one(&channels, notice, &found.homes, sending_until));
        let done = join_all(sending).await;
        self.confirm(store, &mine, &done, until).await
    }

    /// Sends a notice to all channels that have not taken it; returns those that need nothing more of it.
    async fn send_one(&self, channels: &[Channel], notice: &Notice, homes: &[Home], until: Instant) -> Vec<String> {
        let event = &texts::event(notice, homes);
        let sending = notice.left.iter().map(async |id| {
            // One that is no longer configured.
            let Some(channel) = channels.iter().find(|channel| channel.id() == id) else { return Some(id.clone()) };
            self.delivered(channel, event, until).await.then(|| id.clone())
        });
        join_all(sending).await.into_iter().flatten().collect()
    }

    async fn delivered(&self, channel: &Channel, event: &Event, until: Instant) -> bool {
        let sender = match self.sender() {
            Ok(sender) => sender,
            Err(error) => {
                tracing::error!("no notice can be sent: {error}");
                return false;
            }
        };
        match sender.send(channel, event, until).await {
            Ok(sent) => {
                if let Some(advice) = sent.advice {
                    tracing::warn!("{channel}: {advice}");
                }
                tracing::info!("\"{}\" was sent to {channel}", event.title);
                true
            }
            // To try again would not help.
            Err(NotDelivered(refused @ Failure::Refused(_))) => {
                tracing::error!("\"{}\" was not taken by {channel}: {}", event.title, refused.words());
                true
            }
            Err(error) => {
                tracing::warn!("\"{}\" was not taken by {channel} yet: {error}", event.title);
                false
            }
        }
    }

    async fn confirm(
        &self,
        store: &ParameterStore,
        mine: &[Notice],
        done: &[Vec<String>],
        until: Instant,
    ) -> Result<(), String> {
        for _ in 0..MAX_CONFIRMATIONS {
            let ReadRecord { record, version } = read(&self.place, store, until).await?;
            let after = confirmed(&record, mine, done);
            if after == record || write(&self.place, store, &after, version, until).await? == Written::Held {
                self.cache(after);
                return Ok(());
            }
        }
        *self.cached() = None;
        Err("what was sent could not be noted".into())
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

    fn cached(&self) -> MutexGuard<'_, Option<(NoticeRecord, Instant)>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn named(channels: &[Channel], ids: &[String]) -> String {
    let named = channels.iter().filter(|channel| ids.iter().any(|id| id == channel.id()));
    named.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
