//! The one notice of a keeper whose database cannot be written at its start: there is nothing that it could queue it in.

use std::{convert::Infallible, future::pending, time::Duration};

use futures_util::future::join_all;
use jiff::Timestamp;
use notify::{
    channel::Channel,
    event::{Event, Stage},
    rules::Now,
    send::{NotDelivered, Sender},
};
use tokio::time::{Instant, sleep};

use super::{
    NoticeConfig, Notices, Shared,
    condition::Condition,
    track::{Track, When},
    trouble::{SECOND, is_final},
};

/// How long a disk is waited for: one that is only being checked is no reason to write to anybody.
const PATIENCE: Duration = Duration::from_millis(60 * SECOND);

/// How often a channel that does not take it is tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(60 * SECOND);

/// How long one try may take.
const BUDGET: Duration = Duration::from_secs(30);

impl Notices {
    /// Of a keeper without a database.
    pub(in crate::keeper) fn without_database(config: Option<&NoticeConfig>) -> Self {
        let notices = Self::of(config.cloned(), (None, None), Vec::new());
        notices.read_channels();
        notices
    }

    /// Sends, after a minute, that something goes on which is not written down, and then waits for ever.
    pub(in crate::keeper) async fn send_alone(
        &self,
        now: impl Fn() -> Timestamp,
        condition: impl Fn(Timestamp) -> Condition,
    ) -> Infallible {
        let Some(shared) = &self.0 else { return pending().await };
        sleep(PATIENCE).await;
        let Ok(sender) = Sender::new() else { return pending().await };
        let when = When { every: None, is_held_back: false };
        let at = now();
        let condition = condition(at);
        let (track, _) = Track::step(None, Now::Lasting(at), when, at);
        let event = track.as_ref().map(|track| condition.event(track, Stage::Began, at));
        shared.known().storage = track;
        if let Some(event) = event {
            let channels = shared.known().channels.clone();
            let wanting = channels.iter().filter(|channel| channel.wants_key(event.subject, &event.key));
            join_all(wanting.map(|channel| shared.send_until_taken(&sender, channel, &event, &now))).await;
        }
        pending().await
    }

    /// Takes over what the keeper knew before its database was open: what it has said to go on is to be said to be over.
    pub(in crate::keeper) fn take_over(&self, before: &Self) {
        if let (Some(shared), Some(before)) = (&self.0, &before.0) {
            shared.known().storage = before.known().storage.take();
        }
    }
}

impl Shared {
    async fn send_until_taken(&self, sender: &Sender, channel: &Channel, event: &Event, now: impl Fn() -> Timestamp) {
        loop {
            if !self.is_quiet(now()) || self.config.serious_anytime {
                match sender.send_once(channel, event, Instant::now() + BUDGET).await {
                    Ok(_) => return tracing::info!("\"{}\" was sent to {channel}", event.title),
                    Err(NotDelivered(failure)) if is_final(&failure) => {
                        return tracing::error!("\"{}\" was not taken by {channel}: {}", event.title, failure.words());
                    }
                    Err(error) => tracing::debug!("{channel}: {error}"),
                }
            }
            sleep(RETRY_INTERVAL).await;
        }
    }
}
