//! One run of a check: a try, and where it fails as many more as the check has, before one deadline. Where tries outlive the program
//! that makes them, a run may have begun before it did.

use std::{future::ready, time::Duration};

use checks::{
    check::Check,
    outcome::{Outcome, State},
};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::clock::Clock;

/// From a try that failed to the next one, where there is time.
const PAUSE: Duration = Duration::from_secs(1);

/// The run that a try belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// When the run began, in whole milliseconds: it is known by that, here and where it is kept.
    pub at: Timestamp,
    /// When it is to be over.
    pub until: Instant,
}

/// A run that was begun before, and of which nobody has told yet.
#[derive(Clone, Debug)]
pub struct Left {
    /// When it began.
    pub began: Timestamp,
    /// What its last try came to.
    pub outcome: Outcome,
    /// How many tries it has still to make, where that one failed.
    pub tries: u32,
    /// Whether there are newer ones.
    pub has_more: bool,
}

/// Makes one try of a check.
pub trait Try: Clone + Send + Sync + 'static {
    /// What it comes to, at the latest shortly after `turn.until`.
    fn once(&self, check: &Check, turn: Turn) -> impl Future<Output = Outcome> + Send;

    /// The oldest run of it that was left, once it has ended: at the latest shortly after `until`. Where nothing outlives the program
    /// there is none.
    fn left(&self, _check: &Check, _until: Instant) -> impl Future<Output = Option<Left>> + Send {
        ready(None)
    }
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ran {
    pub(super) at: Timestamp,
    pub(super) outcome: Outcome,
    /// Whether newer ones were left, of which nobody has told yet.
    pub(super) has_more: bool,
}

/// Runs it, until something other than a failure comes of it, or tries and time are spent. One that was left goes before a new one.
pub(super) async fn run(check: &Check, probe: &impl Try, clock: Clock) -> Ran {
    let now = clock();
    let at = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    let mut turn = Turn { at, until: Instant::now() + check.timeout };
    let (mut tries, mut has_more) = (u32::from(check.retries) + 1, false);
    if let Some(left) = probe.left(check, turn.until).await {
        if left.outcome.state != State::Critical || left.tries == 0 {
            return Ran { at: left.began, outcome: left.outcome, has_more: left.has_more };
        }
        (turn.at, tries, has_more) = (left.began, left.tries, left.has_more);
        sleep(PAUSE).await;
    }
    loop {
        // Each try may take all that is left: what answers within the check's time is up, and one that hangs was tried for long enough.
        let began = Instant::now();
        let mut outcome = probe.once(check, turn).await;
        outcome.took = began.elapsed();
        tries -= 1;
        if outcome.state != State::Critical || tries == 0 || Instant::now() + PAUSE >= turn.until {
            return Ran { at: turn.at, outcome, has_more };
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use checks::cause::Cause;

    use super::{super::fixtures::check, *};

    /// Answers what is next in the list, after that long; and what was left before that.
    #[derive(Clone)]
    struct Scripted(Arc<Mutex<Vec<(Duration, Outcome)>>>, Option<Left>);

    impl Try for Scripted {
        async fn left(&self, _: &Check, _: Instant) -> Option<Left> {
            self.1.clone()
        }

        async fn once(&self, _: &Check, turn: Turn) -> Outcome {
            let (takes, outcome) = self.0.lock().unwrap().remove(0);
            let done = tokio::time::timeout_at(turn.until, sleep(takes)).await;
            if done.is_ok() { outcome } else { Outcome::because(Cause::TimedOut, "too late") }
        }
    }

    async fn ran(tries: Vec<(u64, Outcome)>, left: Option<Left>) -> (Ran, Duration, usize) {
        let tries = tries.into_iter().map(|(seconds, outcome)| (Duration::from_secs(seconds), outcome)).collect();
        let (scripted, start) = (Scripted(Arc::new(Mutex::new(tries)), left), Instant::now());
        let check = Check { retries: 2, timeout: Duration::from_secs(12), ..check("a") };
        let ran = run(&check, &scripted, Timestamp::now).await;
        let unused = scripted.0.lock().unwrap().len();
        (ran, start.elapsed(), unused)
    }

    async fn outcome_of(tries: Vec<(u64, Outcome)>) -> (Outcome, Duration, usize) {
        let (ran, took, left) = ran(tries, None).await;
        (ran.outcome, took, left)
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

    #[tokio::test(start_paused = true)]
    async fn a_run_that_was_left_is_told_as_of_when_it_began_and_goes_on_where_it_has_tries() {
        let began = Timestamp::UNIX_EPOCH;
        let left = |outcome, tries| Some(Left { began, outcome, tries, has_more: true });
        for (outcome, tries) in [(Outcome::ok("fine"), 2), (refused(), 0)] {
            let (ran, _, unused) = ran(vec![(0, refused())], left(outcome.clone(), tries)).await;
            assert_eq!((ran, unused), (Ran { at: began, outcome, has_more: true }, 1), "nothing more is tried");
        }
        let tries = vec![(0, refused()), (0, Outcome::ok("at last"))];
        let (ran, _, unused) = ran(tries, left(refused(), 1)).await;
        assert_eq!((ran, unused), (Ran { at: began, outcome: refused(), has_more: true }, 1), "one more alone");
    }
}
