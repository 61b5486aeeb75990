//! When a check ran last, as the next run is counted from: by its Jobs and by the `status` of its object, which are there whatever has
//! become of the keeper; where the keeper says it, too, that is better still. Pure.
//!
//! A `status` is written at each run of a check that runs seldom, and otherwise once in five minutes. Of one that runs more often it
//! says the place within the interval: its runs lie whole intervals before and behind `nextRunTime`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{objects::Object, statuses::SELDOM};

/// What there is of earlier runs of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traces {
    /// When the newest run began that has a Job.
    pub(crate) job: Option<Timestamp>,
    /// When it ran last and runs next, by its object.
    pub(crate) last: Option<Timestamp>,
    pub(crate) next: Option<Timestamp>,
    /// When it ran last, by the keeper.
    pub(crate) kept: Option<Timestamp>,
}

impl Traces {
    /// What an object says of its check.
    pub(crate) fn of(object: &Object) -> Self {
        Self { last: moment(&object.status, "lastRunTime"), next: next_run(object), ..Self::default() }
    }

    /// When to take it that a check which runs so often ran last; `None` where it has not run, or nobody knows.
    pub(crate) fn ran_at(self, every: Duration, now: Timestamp) -> Option<Timestamp> {
        let Self { job, last, next, kept } = self;
        let seen = [job, last, kept].into_iter().flatten().max();
        if kept.is_some() || every >= SELDOM {
            return seen;
        }
        let place = next.and_then(|next| place_before(next, every, now));
        [seen, place].into_iter().flatten().max()
    }
}

/// When the object says that its check as it is runs next; after an edit it says nothing of that.
pub(crate) fn next_run(object: &Object) -> Option<Timestamp> {
    let is_of_this_spec = object.status["observedGeneration"] == object.generation;
    moment(&object.status, "nextRunTime").filter(|_| is_of_this_spec)
}

fn moment(status: &Value, key: &str) -> Option<Timestamp> {
    status.get(key)?.as_str()?.parse().ok()
}

/// The newest moment up to now that lies whole intervals before or behind that one.
fn place_before(place: Timestamp, every: Duration, now: Timestamp) -> Option<Timestamp> {
    let every = i64::try_from(every.as_millis()).ok().filter(|every| *every > 0)?;
    let since = now.as_millisecond().checked_sub(place.as_millisecond())?.rem_euclid(every);
    now.checked_sub(SignedDuration::from_millis(since)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::objects::{Key, ObjectKind};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_796_000_000 + second).unwrap()
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_newest_trace_counts_and_of_what_runs_often_its_place_does() {
        let none = Traces::default();
        for (traces, every, expected) in [
            (none, MINUTE, None),
            (Traces { job: Some(at(-20)), last: Some(at(-70)), ..none }, MINUTE, Some(at(-20))),
            (Traces { last: Some(at(-200)), ..none }, MINUTE, Some(at(-200))),
            // It was to run 140, 80 and 20 s ago, and is to in 40 s.
            (Traces { last: Some(at(-200)), next: Some(at(-140)), ..none }, MINUTE, Some(at(-20))),
            (Traces { last: Some(at(-20)), next: Some(at(40)), ..none }, MINUTE, Some(at(-20))),
            // The keeper knows each run, and a status each run of what runs seldom.
            (Traces { kept: Some(at(-80)), next: Some(at(-140)), ..none }, MINUTE, Some(at(-80))),
            (Traces { last: Some(at(-9000)), next: Some(at(-5400)), ..none }, MINUTE * 60, Some(at(-9000))),
        ] {
            assert_eq!(traces.ran_at(every, at(0)), expected, "{traces:?}");
        }
    }

    #[test]
    fn an_object_says_when_it_runs_next_unless_it_was_edited_since() {
        let key = Key { kind: ObjectKind::Check, namespace: "checks".into(), name: "nas".into() };
        let status = json!({"lastRunTime": "2026-12-01T00:00:00Z", "nextRunTime": "2026-12-01T00:01:00Z", "observedGeneration": 2});
        let object = |generation| Object {
            key: key.clone(),
            uid: "one".into(),
            generation,
            created: None,
            spec: Value::Null,
            status: status.clone(),
        };
        let (last, next) = ("2026-12-01T00:00:00Z".parse().ok(), "2026-12-01T00:01:00Z".parse().ok());
        assert_eq!(Traces::of(&object(2)), Traces { last, next, ..Traces::default() });
        assert_eq!(Traces::of(&object(3)), Traces { last, ..Traces::default() });
    }

    /// Whenever the one before ended, and whenever the next begins: there is one run in each interval, and it comes within one.
    #[test]
    fn who_begins_anew_without_a_keeper_runs_a_check_once_in_its_interval() {
        let mut random = fastrand::Rng::with_seed(21);
        for _ in 0..2000 {
            let every = random.i64(5..=900);
            let (first, killed) = (random.i64(0..every), random.i64(0..5000));
            // What the status said at last: it is written at the first run, and again once five minutes are over.
            let runs: Vec<i64> =
                (0..=killed / every).map(|index| first + index * every).filter(|run| *run <= killed).collect();
            let written = runs.iter().fold(None, |written: Option<i64>, run| match written {
                Some(at) if run - at < 300 => written,
                _ => Some(*run),
            });
            let again = killed + random.i64(0..3000);
            let status =
                Traces { last: written.map(at), next: written.map(|run| at(run + every)), ..Traces::default() };
            let ran_at = status.ran_at(Duration::from_secs(every.unsigned_abs()), at(again));
            let next = ran_at.map_or(again, |ran_at| (ran_at.as_second() - 1_796_000_000 + every).max(again));
            if let Some(last) = runs.last() {
                assert!(next - last >= every, "every {every}: ran at {last}, and again at {next} after {again}");
            }
            assert!(next - again <= every, "every {every}: {again}, and not before {next}");
        }
    }
}
