//! One run of a check: a try, and where it fails as many more as the check has, before one deadline.

use std::time::Duration;

use checks::{
    check::Check,
    outcome::{Outcome, State},
};
use tokio::time::{Instant, sleep};

/// From a try that failed to the next one, where there is time.
const PAUSE: Duration = Duration::from_secs(1);

/// Makes one try of a check.
pub trait Try: Clone + Send + Sync + 'static {
    /// What it comes to, at the latest shortly after `until`.
    fn once(&self, check: &Check, until: Instant) -> impl Future<Output = Outcome> + Send;
}

/// Runs it, until something other than a failure comes of it, or tries and time are spent.
pub(super) async fn run(check: &Check, probe: &impl Try) -> Outcome {
    let until = Instant::now() + check.timeout;
    let mut tries = u32::from(check.retries) + 1;
    loop {
        // Each try may take all that is left: what answers within the check's time is up, and one that hangs was tried for long enough.
        let began = Instant::now();
        let mut outcome = probe.once(check, until).await;
        outcome.took = began.elapsed();
        tries -= 1;
        if outcome.state != State::Critical || tries == 0 || Instant::now() + PAUSE >= until {
            return outcome;
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use checks::cause::Cause;

    use super::{super::fixtures::check, *};

    /// Answers what is next in the list, after that long.
    #[derive(Clone)]
    struct Scripted(Arc<Mutex<Vec<(Duration, Outcome)>>>);

    impl Try for Scripted {
        async fn once(&self, _: &Check, until: Instant) -> Outcome {
            let (takes, outcome) = self.0.lock().unwrap().remove(0);
            let done = tokio::time::timeout_at(until, sleep(takes)).await;
            if done.is_ok() { outcome } else { Outcome::because(Cause::TimedOut, "too late") }
        }
    }

    async fn outcome_of(tries: Vec<(u64, Outcome)>) -> (Outcome, Duration, usize) {
        let tries = tries.into_iter().map(|(seconds, outcome)| (Duration::from_secs(seconds), outcome)).collect();
        let (scripted, start) = (Scripted(Arc::new(Mutex::new(tries))), Instant::now());
        let outcome = run(&Check { retries: 2, timeout: Duration::from_secs(12), ..check("a") }, &scripted).await;
        let left = scripted.0.lock().unwrap().len();
        (outcome, start.elapsed(), left)
    }

    fn refused() -> Outcome {
        Outcome::because(Cause::Refused, "closed")
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_tried_again_and_the_first_success_counts() {
        let (outcome, took, left) = outcome_of(vec![(0, refused()), (1, Outcome::ok("fine")), (0, refused())]).await;
        assert_eq!((outcome.state, took.as_secs(), left), (State::Ok, 2, 1));
        assert_eq!(outcome.took, Duration::from_secs(1), "its own time alone");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_failure_counts_and_a_slow_answer_has_all_the_time() {
        let (outcome, took, left) = outcome_of(vec![(0, refused()), (0, refused()), (60, refused())]).await;
        assert_eq!((outcome.cause, took.as_secs(), left), (Some(Cause::TimedOut), 12, 0));
        let (outcome, took, left) = outcome_of(vec![(11, Outcome::ok("slow")), (0, refused())]).await;
        assert_eq!((outcome.state, took.as_secs(), left), (State::Ok, 11, 1));
        let (outcome, took, left) = outcome_of(vec![(60, refused()), (0, refused())]).await;
        assert_eq!((outcome.cause, took.as_secs(), left), (Some(Cause::TimedOut), 12, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_unknown_is_not_tried_again() {
        let unknown = Outcome::because(Cause::NameService, "no server answers");
        assert_eq!(outcome_of(vec![(0, unknown.clone()), (0, refused())]).await, (unknown, Duration::ZERO, 1));
    }
}
