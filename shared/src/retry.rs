//! A bounded way to try a call again: passing errors only, never beyond the deadline, `Retry-After` obeyed. A person in front
//! of it reads once, and soon, what is wrong and that it goes on.

use std::{fmt::Display, pin::pin, time::Duration};

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::{
    api::{ApiError, Passing},
    backoff::{Backoff, Jitter},
};

/// The pauses between attempts.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(5), Jitter::Equal);

/// After so long without a line a person thinks that it hangs.
const FIRST_NOTICE: Duration = Duration::from_secs(4);

/// An error of a call that knows whether the same call may succeed later.
pub trait Retryable: Display {
    /// How long to wait at least before trying again; `None` when that cannot help.
    fn retry_after(&self) -> Option<Duration>;

    /// The error of a call that had not ended at the deadline.
    fn out_of_time() -> Self;

    /// The error for a person, while the call is tried again.
    fn describe(&self) -> String {
        self.to_string()
    }
}

impl Retryable for ApiError {
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Passing(passing) => Some(passing.retry_after.unwrap_or_default()),
            Self::Pausing(_) | Self::Permanent(_) | Self::NotTheApi(_) => None,
        }
    }

    fn describe(&self) -> String {
        self.in_words()
    }

    fn out_of_time() -> Self {
        let (call, what) = ("the call".into(), "no answer before the deadline".into());
        Passing { call, what, status: None, retry_after: None, source: None }.into()
    }
}

/// Makes a call until it succeeds, fails for good, or `deadline` has come.
///
/// # Errors
/// The last error; a retryable one when the deadline cut it short.
pub async fn until<T, E: Retryable, F: Future<Output = Result<T, E>>>(
    deadline: Instant,
    call: impl FnMut() -> F,
) -> Result<T, E> {
    retry(deadline, call, Some(Instant::now() + FIRST_NOTICE)).await
}

/// As [`until`], of a call that logs by itself what is wrong.
///
/// # Errors
/// The same.
pub async fn silently<T, E: Retryable, F: Future<Output = Result<T, E>>>(
    deadline: Instant,
    call: impl FnMut() -> F,
) -> Result<T, E> {
    retry(deadline, call, None).await
}

/// `silent`: until when nothing need be logged; `None` where nothing is to be.
async fn retry<T, E: Retryable, F: Future<Output = Result<T, E>>>(
    deadline: Instant,
    mut call: impl FnMut() -> F,
    mut silent: Option<Instant>,
) -> Result<T, E> {
    let mut tries = 0;
    let mut last = None;
    loop {
        let Ok(result) = timeout_at(deadline, waiting(call(), &mut silent)).await else {
            return Err(last.unwrap_or_else(E::out_of_time));
        };
        let error = match result {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Some(wait) = error.retry_after() else { return Err(error) };
        tracing::debug!(%error, tries, "trying again");
        // Never sooner than our own pause: a service that says "0 seconds" must not be hammered.
        let next = Instant::now() + wait.max(BACKOFF.pause(tries, fastrand::f64()));
        if next >= deadline {
            return Err(error);
        }
        if silent.take().is_some() {
            let left = deadline.saturating_duration_since(Instant::now()).as_secs();
            tracing::warn!("{}; trying again for up to {left} s", error.describe());
        }
        sleep_until(next).await;
        tries += 1;
        last = Some(error);
    }
}

/// Waits for a call, and logs that where it takes long and nothing has been logged yet.
async fn waiting<F: Future>(call: F, silent: &mut Option<Instant>) -> F::Output {
    let mut call = pin!(call);
    if let Some(end) = *silent {
        tokio::select! {
            biased;
            result = &mut call => return result,
            () = sleep_until(end) => {
                *silent = None;
                tracing::warn!("there is no answer yet; waiting on");
            }
        }
    }
    call.await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::api::Permanent;

    fn limited(seconds: u64) -> ApiError {
        let retry_after = Some(Duration::from_secs(seconds));
        Passing { call: "GET /".into(), what: "limit".into(), status: Some(420), retry_after, source: None }.into()
    }

    #[tokio::test(start_paused = true)]
    async fn a_named_wait_is_obeyed_when_it_fits() {
        let start = Instant::now();
        let calls = Cell::new(0);
        let result = until(start + Duration::from_secs(10), || {
            calls.set(calls.get() + 1);
            let first = calls.get() == 1;
            async move { if first { Err(limited(7)) } else { Ok(()) } }
        });
        result.await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_says_now_is_not_hammered() {
        let start = Instant::now();
        let calls = Cell::new(0);
        let result = until(start + Duration::from_secs(40), || {
            calls.set(calls.get() + 1);
            async { Err::<(), _>(limited(0)) }
        });
        assert!(result.await.is_err());
        assert!(calls.get() < 30, "{} calls in 40 s", calls.get());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_deadline_is_not_begun() {
        let start = Instant::now();
        let result = until(start + Duration::from_secs(10), || async { Err::<(), _>(limited(60)) }).await;
        assert!(matches!(result, Err(ApiError::Passing(_))));
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_ends_at_the_deadline() {
        let start = Instant::now();
        let result = until(start + Duration::from_secs(10), std::future::pending::<Result<(), ApiError>>).await;
        assert!(matches!(result, Err(ApiError::Passing(_))));
        assert_eq!(start.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_permanent_error_is_not_repeated() {
        let calls = Cell::new(0);
        let result = until(Instant::now() + Duration::from_secs(10), || {
            calls.set(calls.get() + 1);
            async { Err::<(), ApiError>(Permanent { call: String::new(), status: 404, message: String::new() }.into()) }
        });
        assert!(result.await.is_err());
        assert_eq!(calls.get(), 1);
    }
}
