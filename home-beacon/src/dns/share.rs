//! A run's time, shared out: a service that keeps silent must not use up the time of those that come after.

use tokio::time::Instant;

/// When one part of `of` of the time that is left until then will have passed.
pub(super) fn part(of: u32, until: Instant) -> Instant {
    let now = Instant::now();
    now + until.saturating_duration_since(now) / of
}
