//! The rate limit: so many calls in any 60 seconds, as statuspage.io counts. Bursts within it pass.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};
use tokio::time::Instant;

use super::{AppState, HttpError};

const WINDOW: Duration = Duration::from_mins(1);

/// The calls of the last minute. Calls that were refused do not count.
#[derive(Debug)]
pub(super) struct Limiter {
    calls: usize,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    accepted: VecDeque<Instant>,
    refused: u64,
}

impl Limiter {
    /// `calls` in any 60 seconds; 0 sets no limit.
    pub(super) fn new(calls: usize) -> Self {
        Self { calls, log: Mutex::default() }
    }

    /// # Errors
    /// How long until the next call would pass, and how many were refused before this one.
    pub(super) fn admit(&self, now: Instant) -> Result<(), (Duration, u64)> {
        if self.calls == 0 {
            return Ok(());
        }
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        while log.accepted.front().is_some_and(|call| now.duration_since(*call) >= WINDOW) {
            log.accepted.pop_front();
        }
        match log.accepted.front() {
            Some(oldest) if log.accepted.len() >= self.calls => {
                let wait = WINDOW.saturating_sub(now.duration_since(*oldest));
                log.refused += 1;
                Err((wait, log.refused))
            }
            _ => {
                log.accepted.push_back(now);
                Ok(())
            }
        }
    }
}

pub(super) async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Result<Response, HttpError> {
    match state.limiter.admit(Instant::now()) {
        Ok(()) => Ok(next.run(request).await),
        Err((wait, refused)) => {
            // statuspage.io has sent both; taking turns keeps clients honest about both.
            let turn = if refused % 2 == 0 { StatusCode::TOO_MANY_REQUESTS } else { enhance_your_calm() };
            Err(HttpError::rate_limited(turn, wait.as_secs() + 1))
        }
    }
}

/// 420, which no standard names.
fn enhance_your_calm() -> StatusCode {
    StatusCode::from_u16(420).unwrap_or(StatusCode::TOO_MANY_REQUESTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_calls_in_any_minute_pass() {
        let limiter = Limiter::new(3);
        let start = Instant::now();
        for second in [0, 10, 20] {
            assert!(limiter.admit(start + Duration::from_secs(second)).is_ok());
        }
        let (wait, _) = limiter.admit(start + Duration::from_secs(30)).unwrap_err();
        assert_eq!(wait.as_secs(), 30);
        assert!(limiter.admit(start + Duration::from_mins(1)).is_ok());
        assert!(limiter.admit(start + Duration::from_secs(61)).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn zero_sets_no_limit() {
        let limiter = Limiter::new(0);
        assert!((0..1000).all(|_| limiter.admit(Instant::now()).is_ok()));
    }
}
