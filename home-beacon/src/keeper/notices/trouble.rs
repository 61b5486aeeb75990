//! A channel that does not take what it is sent, and when it is tried again.

use std::time::Duration;

use jiff::Timestamp;
use notify::{
    channel::{Channel, answer::Failure},
    event::Event,
    send::Sender,
};
use tokio::time::Instant;

/// A second, in milliseconds; in tests time passes faster.
pub(super) const SECOND: u64 = if cfg!(test) { 5 } else { 1000 };

/// How long a server may take to take a connection.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);

/// The first wait after a failure, and the longest: a line that is back is to be noticed soon, and one that is down costs no more
/// than a look-up of a name.
const FIRST_WAIT: Duration = Duration::from_millis(5 * SECOND);
const LONGEST_WAIT: Duration = Duration::from_millis(60 * SECOND);

/// What a server that answers, and takes nothing, is left alone for at most.
pub(super) const LONGEST_REFUSAL: Duration = Duration::from_millis(15 * 60 * SECOND);

/// How long after a channel can be reached again what is to be sent still holds: a job runs each minute, a prober looks each minute.
const SETTLING: Duration = Duration::from_millis(90 * SECOND);

/// A channel that does not take what it is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trouble {
    since: Instant,
    /// When it is tried again.
    pub(super) until: Instant,
    wait: Duration,
    /// Since when it can be reached again.
    pub(super) reached: Option<Reached>,
}

/// A channel can be reached again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reached {
    /// Since when, on the wall.
    pub(super) at: Timestamp,
    pub(super) since: Instant,
    /// How long it could not.
    pub(super) after: Duration,
    /// When what was queued before is sent.
    settled: Instant,
}

impl Trouble {
    /// Another failure.
    pub(super) fn more(before: Option<Self>, longest: Duration, asked: Option<Duration>) -> Self {
        let now = Instant::now();
        let wait = before.map_or(FIRST_WAIT, |before| (before.wait * 2).min(longest));
        // Some spread, so that several do not come at once.
        let wait = wait.mul_f64(fastrand::f64().mul_add(0.2, 0.9)).max(asked.unwrap_or_default().min(LONGEST_REFUSAL));
        Self { since: before.map_or(now, |before| before.since), until: now + wait, wait, reached: None }
    }
}

/// Whether to try again would not help, or would write to a person twice.
pub(super) const fn is_final(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(_) | Failure::Unsure(_))
}

/// Whether a channel in trouble can be sent something; otherwise how long that is to be waited for.
pub(super) async fn reached(
    sender: &Sender,
    channel: &Channel,
    event: &Event,
    (of, wall): (&mut Option<Trouble>, Timestamp),
) -> Option<Duration> {
    let trouble = of.as_mut()?;
    let now = Instant::now();
    if let Some(Reached { settled, .. }) = trouble.reached {
        return Some(settled.saturating_duration_since(now)).filter(|wait| !wait.is_zero());
    }
    if trouble.until > now {
        return Some(trouble.until - now);
    }
    if let Err(error) = sender.reach(channel, event, now + REACH_TIMEOUT).await {
        tracing::debug!("{channel} cannot be reached: {error}");
        let more = Trouble::more(Some(*trouble), LONGEST_WAIT, None);
        *of = Some(more);
        return Some(more.until.saturating_duration_since(Instant::now()));
    }
    let since = Instant::now();
    let after = trouble.since.elapsed();
    let settled = since + after.min(SETTLING);
    trouble.reached = Some(Reached { at: wall, since, after, settled });
    Some(settled.saturating_duration_since(Instant::now())).filter(|wait| !wait.is_zero())
}
