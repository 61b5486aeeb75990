//! Sends what waits, to each channel by itself: one that hangs keeps none of the others waiting.
//!
//! A notice is claimed before it is sent, so that a keeper that is killed meanwhile sends it once more, with the same id, and not
//! never. While a channel cannot be reached nothing is claimed, and nothing written: once its server takes connections again,
//! a moment is waited, in which what has become pointless goes.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use notify::{
    channel::Channel,
    event::{Event, Stage},
    send::Sender,
};
use tokio::time::{Instant, sleep};

use super::{
    Notices, Shared,
    outcome::Outcome,
    outgoing::{LOOKED_AT, Next, Sent, next},
    picture,
    queue::{self, Batch, Queue, Waiting},
    trouble::{SECOND, Trouble, reached},
    unsaid,
};
use crate::keeper::{
    KeeperClock,
    db::{Db, StorageError},
};

/// How long one notice may take.
const BUDGET: Duration = Duration::from_secs(30);

/// How often channels and queue are looked at without being woken.
pub(super) const INTERVAL: Duration = Duration::from_millis(30 * SECOND);

/// After so long a notice is not sent any more.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What is known of a channel between two notices.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) sent: Sent,
    pub(super) trouble: Option<Trouble>,
}

impl Notices {
    /// Sends what waits, for as long as it is polled.
    pub(in crate::keeper) async fn run(&self, db: &Db, clock: &KeeperClock) {
        if self.0.is_none() {
            return;
        }
        match Sender::new() {
            Ok(sender) => self.run_with(&sender, db, clock).await,
            Err(error) => tracing::error!(%error, "no notice can be sent"),
        }
    }

    pub(super) async fn run_with(&self, sender: &Sender, db: &Db, clock: &KeeperClock) {
        let Some(shared) = &self.0 else { return };
        loop {
            let channels = Arc::clone(&shared.known().channels);
            if channels.is_empty() {
                // They could not be read, and are not gone.
                self.channels_changed().await;
                continue;
            }
            let ids: Vec<_> = channels.iter().map(|channel| channel.id().to_owned()).collect();
            let tidied = async {
                queue::forget_old(db, clock.wall()).await?;
                queue::keep_only(db, &ids).await
            };
            if let Err(error) = tidied.await {
                tracing::debug!(%error, "what is for former channels stays for now");
            }
            let all = channels.iter().map(|channel| shared.serve(db, clock, sender, channel));
            tokio::select! {
                _ = join_all(all) => (),
                () = self.channels_changed() => (),
            }
        }
    }

    /// Returns once there are other channels.
    async fn channels_changed(&self) {
        loop {
            sleep(INTERVAL).await;
            if self.read_channels() {
                return;
            }
        }
    }
}

impl Shared {
    /// Sends one channel what waits for it.
    async fn serve(&self, db: &Db, clock: &KeeperClock, sender: &Sender, channel: &Channel) {
        let mut queued = self.queued.subscribe();
        let mut progress = Progress::default();
        loop {
            let wait = match self.step(db, clock, sender, channel, &mut progress).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::debug!(%error, "notices wait for the storage");
                    INTERVAL
                }
            };
            if wait > Duration::ZERO {
                tokio::select! {
                    () = sleep(wait) => (),
                    _ = queued.changed() => (),
                }
            }
        }
    }

    /// Does what is due for a channel; returns how long there is nothing to do.
    async fn step(
        &self,
        db: &Db,
        clock: &KeeperClock,
        sender: &Sender,
        channel: &Channel,
        progress: &mut Progress,
    ) -> Result<Duration, StorageError> {
        let Some(now) = clock.trusted_now() else { return Ok(INTERVAL) };
        let is_quiet = self.is_quiet(now);
        if is_quiet && !self.config.serious_anytime {
            return Ok(INTERVAL);
        }
        if let Some(event) = self.next_unsaved(channel) {
            return Ok(self.send_unsaved(sender, channel, &event, progress, now).await);
        }
        let Queue { few, count, last } = queue::waiting(db, channel.id(), is_quiet, LOOKED_AT).await?;
        let Some(first) = few.first() else {
            progress.trouble = None;
            return Ok(INTERVAL);
        };
        if let Some(wait) = reached(sender, channel, &first.event, (&mut progress.trouble, now)).await {
            self.give_up_old(db, channel, first, now).await?;
            return Ok(wait);
        }
        for waiting in &few {
            let is_muted = waiting.event.stage != Stage::Ended && self.is_muted(&waiting.event.key, now);
            if is_muted {
                tracing::debug!(title = waiting.event.title, "it is muted");
                unsaid::leave_out(db, channel.id(), waiting).await?;
                return Ok(Duration::ZERO);
            }
            if waiting.unless_seen && self.was_seen_down(db, &waiting.event).await? {
                tracing::debug!(title = waiting.event.title, "a prober writes of it");
                queue::settle(db, channel.id(), waiting.alone()).await?;
                return Ok(Duration::ZERO);
            }
        }
        // What waits for news keeps nothing else waiting.
        let all = few.len();
        let few: Vec<_> = few.into_iter().filter(|waiting| !self.waits_for_news(waiting, progress.trouble)).collect();
        let Some(first) = few.first() else { return Ok(INTERVAL) };
        let count = count - (all - few.len());
        let limit = self.config.limit;
        match next(&few, count, &mut progress.sent, limit, channel.is_for_people(), now) {
            Next::Nothing => Ok(INTERVAL),
            Next::First(event) => self.send(db, sender, (channel, &event), first.alone(), progress, now).await,
            // Of a summary nothing in between may be left out, which would be lost.
            Next::Summary(_) if few.len() < all => {
                self.send(db, sender, (channel, &first.event), first.alone(), progress, now).await
            }
            Next::Summary(event) => {
                let all = Batch { first: first.id, last, serious: is_quiet };
                self.send(db, sender, (channel, &event), all, progress, now).await
            }
            Next::Wait(wait) => {
                // What is serious does not wait behind what is not.
                let Queue { few, .. } = queue::waiting(db, channel.id(), true, 1).await?;
                match (few.first(), next(&few, few.len(), &mut progress.sent, limit, true, now)) {
                    (Some(urgent), Next::First(event)) => {
                        self.send(db, sender, (channel, &event), urgent.alone(), progress, now).await
                    }
                    _ => Ok(wait.min(INTERVAL)),
                }
            }
        }
    }

    async fn send(
        &self,
        db: &Db,
        sender: &Sender,
        (channel, event): (&Channel, &Event),
        batch: Batch,
        progress: &mut Progress,
        now: Timestamp,
    ) -> Result<Duration, StorageError> {
        if !queue::claim(db, channel.id(), batch).await? {
            return Ok(Duration::ZERO);
        }
        let is_alone = channel.takes_pictures() && batch.first == batch.last;
        let picture = if is_alone { picture::of(db, channel.id(), batch.first).await? } else { None };
        let sent = sender.send_once_with(channel, event, picture.as_deref(), Instant::now() + BUDGET).await;
        match self.outcome(channel, event, sent, progress, now) {
            Outcome::Settled => unsaid::given(db, channel.id(), batch).await?,
            Outcome::Refused(why) => queue::give_up(db, channel.id(), batch, &why).await?,
            Outcome::Later => queue::release(db, channel.id(), batch).await?,
            Outcome::Unsure(why) => {
                let why = format!("it may have been taken: {why}");
                queue::give_up_unsure(db, channel.id(), batch, &why).await?;
            }
        }
        Ok(progress.trouble.map_or(Duration::ZERO, |trouble| trouble.until.saturating_duration_since(Instant::now())))
    }

    fn next_unsaved(&self, channel: &Channel) -> Option<Event> {
        let known = self.known();
        let is_for = |channels: &[String]| channels.iter().any(|id| id == channel.id());
        known.unsaved.iter().find(|unsaved| is_for(&unsaved.channels)).map(|unsaved| unsaved.event.clone())
    }

    async fn send_unsaved(
        &self,
        sender: &Sender,
        channel: &Channel,
        event: &Event,
        progress: &mut Progress,
        now: Timestamp,
    ) -> Duration {
        if let Some(wait) = reached(sender, channel, event, (&mut progress.trouble, now)).await {
            return wait;
        }
        let sent = sender.send_once(channel, event, Instant::now() + BUDGET).await;
        if !matches!(self.outcome(channel, event, sent, progress, now), Outcome::Later) {
            let mut known = self.known();
            for unsaved in known.unsaved.iter_mut().filter(|unsaved| unsaved.event.id() == event.id()) {
                unsaved.channels.retain(|id| id != channel.id());
            }
            known.unsaved.retain(|unsaved| !unsaved.channels.is_empty());
        }
        progress.trouble.map_or(Duration::ZERO, |trouble| trouble.until.saturating_duration_since(Instant::now()))
    }

    /// Gives up the first one where it has waited for too long.
    async fn give_up_old(
        &self,
        db: &Db,
        channel: &Channel,
        first: &Waiting,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        if now.duration_since(first.event.at) < GIVE_UP_AFTER {
            return Ok(());
        }
        tracing::error!("\"{}\" could not be sent to {channel} within a day, and is given up", first.event.title);
        queue::give_up(db, channel.id(), first.alone(), "it could not be sent within a day").await
    }
}
