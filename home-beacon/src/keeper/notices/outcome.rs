//! What becomes of a notice that was sent, and what of that is said and remembered.

use jiff::Timestamp;
use notify::{
    channel::{Channel, answer::Failure},
    event::Event,
    send::{Delivered, NotDelivered},
};

use super::{
    Shared,
    sending::Progress,
    trouble::{LONGEST_REFUSAL, Trouble},
};

/// What became of a notice.
pub(super) enum Outcome {
    Settled,
    Refused(String),
    Later,
    Unsure(String),
}

impl Shared {
    /// What became of it.
    pub(super) fn outcome(
        &self,
        channel: &Channel,
        event: &Event,
        sent: Result<Delivered, NotDelivered>,
        progress: &mut Progress,
        now: Timestamp,
    ) -> Outcome {
        match sent {
            Ok(Delivered { advice }) => {
                if let Some(advice) = advice {
                    tracing::warn!("{channel}: {advice}");
                }
                tracing::info!("\"{}\" was sent to {channel}", event.title);
                progress.trouble = None;
                progress.sent.note(now);
                self.note_trial(channel, now, None);
                Outcome::Settled
            }
            Err(NotDelivered(refused @ Failure::Refused(_))) => {
                self.note_trial(channel, now, Some(refused.words()));
                tracing::error!("\"{}\" was not taken by {channel}: {}", event.title, refused.words());
                Outcome::Refused(refused.words())
            }
            Err(NotDelivered(failure)) => {
                self.note_trial(channel, now, Some(failure.words()));
                if progress.trouble.is_none() {
                    tracing::warn!("\"{}\" was not taken by {channel} yet: {}", event.title, failure.words());
                }
                let asked = if let Failure::Passing { after, .. } = &failure { *after } else { None };
                progress.trouble = Some(Trouble::more(progress.trouble, LONGEST_REFUSAL, asked));
                if matches!(failure, Failure::Unsure(_)) { Outcome::Unsure(failure.words()) } else { Outcome::Later }
            }
        }
    }

    /// Notes that a channel has taken a notice, or why it has not.
    fn note_trial(&self, channel: &Channel, now: Timestamp, failure: Option<String>) {
        let mut known = self.known();
        let tried = known.tried.entry(channel.id().to_owned()).or_default();
        match failure {
            None => (tried.sent, tried.sent_at) = (tried.sent + 1, Some(now)),
            Some(why) => tried.failure = Some((now, why)),
        }
    }
}
