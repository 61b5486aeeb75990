//! Runs that were left: of a process before this one, or given up when their check was edited. Each is told by its own Jobs, one for
//! each try, as of when it began; the oldest goes first.

use std::time::Duration;

use checks::check::{Check, CheckName};
use home_beacon::checks::Left;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use kube::ResourceExt;
use tokio::time::{Instant, timeout_at};

use super::{
    Runs,
    known::{Place, Taken, began, moment, place},
};
use crate::job::{STARTING, UID};

/// A run that was left.
#[derive(Clone, Debug, PartialEq)]
struct LeftRun {
    began: Timestamp,
    /// Its newest try, which says how it is.
    newest: Job,
    /// All of its tries that are there.
    tries: Vec<Place>,
    /// Whether there are newer runs.
    has_more: bool,
}

impl LeftRun {
    /// The oldest of those that these Jobs are tries of.
    fn oldest(left: Vec<Job>) -> Option<Self> {
        let first = left.iter().filter_map(began).min()?;
        let (tries, newer): (Vec<Job>, Vec<Job>) = left.into_iter().partition(|job| began(job) == Some(first));
        let places = tries.iter().map(place).collect();
        let newest = tries.into_iter().max_by_key(moment)?;
        let has_more = newer.iter().any(|job| began(job).is_some());
        Some(Self { began: first, newest, tries: places, has_more })
    }

    /// How many tries it has still to make at that time: none once it was to be over.
    fn still(&self, retries: u8, timeout: Duration, now: Timestamp) -> u32 {
        let is_over = now.duration_since(self.began).unsigned_abs() >= timeout;
        let made = u32::try_from(self.tries.len()).unwrap_or(u32::MAX);
        if is_over { 0 } else { (u32::from(retries) + 1).saturating_sub(made) }
    }
}

/// Jobs that a run waits for. Where it is given up, they are left to the next run of their check.
pub(super) struct Waited {
    runs: Runs,
    places: Vec<Place>,
}

impl Waited {
    /// From now on these are waited for.
    pub(super) fn of(runs: &Runs, places: Vec<Place>) -> Self {
        runs.known().taken.extend(places.iter().map(|place| (place.clone(), Taken::Waited)));
        Self { runs: runs.clone(), places }
    }

    /// The run that began then has ended: its outcome is on its way.
    pub(super) fn over(mut self, check: &CheckName, began: Timestamp) {
        let places = std::mem::take(&mut self.places);
        let mut known = self.runs.known();
        known.taken.extend(places.iter().map(|place| (place.clone(), Taken::Over)));
        let ended = known.ended.entry(check.clone()).or_default();
        ended.extend(places.into_iter().map(|place| (began, place)));
    }
}

impl Drop for Waited {
    fn drop(&mut self) {
        if self.places.is_empty() {
            return;
        }
        self.runs.known().taken.retain(|place, taken| *taken == Taken::Over || !self.places.contains(place));
        self.runs.has_changed();
    }
}

impl Runs {
    /// When the newest run of that check began that has a Job.
    pub(crate) fn newest(&self, check: &CheckName) -> Option<Timestamp> {
        let known = self.known();
        let uid = &known.scripts.get(check)?.uid;
        known.jobs.values().filter(|job| job.annotations().get(UID) == Some(uid)).filter_map(began).max()
    }

    /// The oldest run of that check that was left, once it has ended.
    pub(super) async fn report_left(&self, check: &Check, until: Instant) -> Option<Left> {
        let asked = Instant::now();
        let (run, waited, goes_on) = {
            let known = self.known();
            let run = LeftRun::oldest(known.left(known.scripts.get(&check.name)?))?;
            let goes_on = known.goes_on(&run.newest);
            drop(known);
            let waited = Waited::of(self, run.tries.clone());
            (run, waited, goes_on)
        };
        // What has ended takes nobody's turn.
        let turn = async { if goes_on { self.slots.jobs.acquire().await.ok() } else { None } };
        let _turn = timeout_at(until + STARTING, turn).await;
        let outcome = self.wait(&run.newest, until + asked.elapsed() + STARTING).await;
        waited.over(&check.name, run.began);
        self.end_what_goes_on(&run.newest);
        let tries = run.still(check.retries, check.timeout, (self.clock)());
        Some(Left { began: run.began, outcome, tries, has_more: run.has_more })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::job::{MOMENT, RUN};

    /// A try that was made so many seconds after noon, of a run that began then.
    fn job(name: &str, made: i64, began: Option<i64>) -> Job {
        let noon = 1_796_000_000;
        let mut annotations = json!({MOMENT: (noon + made).to_string()});
        if let Some(began) = began {
            annotations[RUN] = ((noon + began) * 1000).to_string().into();
        }
        serde_json::from_value(json!({"metadata": {"name": name, "annotations": annotations}})).unwrap()
    }

    fn summary(run: &LeftRun) -> (i64, String, usize, bool) {
        (run.began.as_second() - 1_796_000_000, run.newest.name_any(), run.tries.len(), run.has_more)
    }

    #[test]
    fn the_oldest_run_is_told_first_and_by_its_last_try() {
        let left = vec![job("c", 62, Some(60)), job("b", 4, Some(1)), job("a", 1, Some(1)), job("d", 66, Some(60))];
        let oldest = LeftRun::oldest(left.clone()).unwrap();
        assert_eq!(summary(&oldest), (1, "b".into(), 2, true));
        let next: Vec<Job> = left.into_iter().filter(|job| ["c", "d"].contains(&job.name_any().as_str())).collect();
        assert_eq!(summary(&LeftRun::oldest(next).unwrap()), (60, "d".into(), 2, false));
        // A version before this one did not say of which run a Job was.
        let before = vec![job("a", 5, None), job("b", 3, None)];
        assert_eq!(summary(&LeftRun::oldest(before).unwrap()), (3, "b".into(), 1, true));
        assert_eq!(LeftRun::oldest(vec![Job::default()]), None);
    }

    #[test]
    fn a_run_that_was_to_be_over_makes_no_more_tries() {
        let run = LeftRun::oldest(vec![job("a", 0, Some(0)), job("b", 3, Some(0))]).unwrap();
        let still = |retries, second: i64| {
            let now = Timestamp::from_second(1_796_000_000 + second).unwrap();
            run.still(retries, Duration::from_secs(10), now)
        };
        assert_eq!([still(2, 5), still(1, 5), still(0, 5), still(2, 10)], [1, 0, 0, 0]);
    }
}
