//! A planner against an upstream of its own that misbehaves, under virtual time.

mod stuck;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn metric(number: usize) -> MetricId {
    format!("{number:012}").parse().unwrap()
}

fn queue(points: usize, metrics: usize) -> Vec<QueuedPoint> {
    let point = |index: usize| QueuedPoint {
        metric: metric(index % metrics),
        slot: 1_800_000_000 + 60 * i64::try_from(index / metrics).unwrap(),
        value: f64::from(u32::try_from(index).unwrap()),
    };
    (0..points).map(point).collect()
}

/// What upstream makes of a call.
#[derive(Clone, Debug)]
enum Mood {
    Well,
    Failing(Option<u64>),
    TokenRefused,
    /// It takes the points, and the answer is lost.
    AnswerLost,
}

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![
        3 => Just(Mood::Well),
        2 => prop::option::of(0..120_u64).prop_map(Mood::Failing),
        1 => Just(Mood::TokenRefused),
        1 => Just(Mood::AnswerLost),
    ]
}

/// A queue, an upstream, and what happened between them.
struct Play {
    planner: Planner,
    now: Duration,
    queue: Vec<QueuedPoint>,
    /// Slots that upstream refuses, and metrics that it does not have.
    unwanted: BTreeSet<(i64, MetricId)>,
    missing: BTreeSet<MetricId>,
    /// Slots at which it fails.
    poison: BTreeSet<(i64, MetricId)>,
    mirrored: Duration,
    taken: BTreeMap<(MetricId, i64), f64>,
    rejected: Vec<QueuedPoint>,
    calls: Vec<Duration>,
}

impl Play {
    fn new(queue: Vec<QueuedPoint>) -> Self {
        let now = Duration::from_secs(1000);
        let (planner, unwanted, missing) = (Planner::new(now), BTreeSet::new(), BTreeSet::new());
        Self {
            planner,
            now,
            queue,
            unwanted,
            missing,
            poison: BTreeSet::new(),
            mirrored: now,
            taken: BTreeMap::new(),
            rejected: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// One step; whether there was anything to do.
    fn step(&mut self, mood: &Mood, random: f64) -> bool {
        match self.planner.next(&self.queue, self.now) {
            Next::Idle => return false,
            Next::At(then) => {
                assert!(then > self.now, "a wait is for later");
                self.now = then;
            }
            Next::Send(batch) => {
                self.in_order(&batch);
                self.planner.calls(self.now);
                self.calls.push(self.now);
                let answer = self.answer(&batch, mood);
                match self.planner.answered(&batch, answer, self.now, random) {
                    BatchOutcome::Delivered => self.queue.retain(|point| !batch.contains(point)),
                    BatchOutcome::Rejected(_) => {
                        assert_eq!(batch.len(), 1, "only what was refused alone is set aside");
                        self.queue.retain(|point| *point != batch[0]);
                        self.rejected.extend(batch);
                    }
                    BatchOutcome::Kept => (),
                }
                self.now += Duration::from_millis(200);
            }
        }
        true
    }

    fn answer(&mut self, batch: &[QueuedPoint], mood: &Mood) -> Answer {
        match mood {
            Mood::Failing(seconds) => {
                return Answer::Failed { reason: "500".into(), retry_after: seconds.map(Duration::from_secs) };
            }
            Mood::TokenRefused => return Answer::Refused("401".into()),
            Mood::Well | Mood::AnswerLost => (),
        }
        if batch.iter().any(|point| self.missing.contains(&point.metric)) {
            return Answer::Missing("404".into());
        }
        if batch.iter().any(|point| self.poison.contains(&(point.slot, point.metric.clone()))) {
            return Answer::Failed { reason: "500".into(), retry_after: None };
        }
        if batch.iter().any(|point| self.unwanted.contains(&(point.slot, point.metric.clone()))) {
            return Answer::Wrong("422".into());
        }
        self.taken.extend(batch.iter().map(|point| ((point.metric.clone(), point.slot), point.value)));
        match mood {
            Mood::AnswerLost => Answer::Failed { reason: "the connection broke".into(), retry_after: None },
            _ => Answer::Accepted,
        }
    }

    /// Nothing of a metric is sent before what is older of it.
    fn in_order(&self, batch: &[QueuedPoint]) {
        assert!(!batch.is_empty() && batch.len() <= MAX_POINTS);
        let is_stuck = |point: &QueuedPoint| self.planner.stuck.contains_key(&key(point));
        if batch.iter().any(is_stuck) {
            assert_eq!(batch.len(), 1, "what was left alone is tried alone");
            return;
        }
        for metric in batch.iter().map(|point| &point.metric).collect::<BTreeSet<_>>() {
            let of = |points: &[QueuedPoint]| -> Vec<i64> {
                let of = points.iter().filter(|point| point.metric == *metric && !is_stuck(point));
                of.map(|point| point.slot).collect()
            };
            let (sent, waiting) = (of(batch), of(&self.queue));
            assert_eq!(sent, waiting[..sent.len()], "the oldest of {metric} first");
        }
    }

    /// Steps until that time, with the page read in each minute, with success.
    fn steps_and_looks(&mut self, until: Duration) {
        while self.now < until {
            if self.mirrored + MINUTE <= self.now {
                self.mirrored = self.now;
                self.planner.record_answer(Answer::Accepted, self.now, 0.5);
            }
            let before = self.now;
            if !self.step(&Mood::Well, 0.5) {
                self.now += Duration::from_secs(10);
            }
            // A wait does not pass over the next reading of the page.
            self.now = self.now.min(before.max(self.mirrored + MINUTE)).max(before);
        }
    }

    fn never_over_budget(&self) {
        for (index, call) in self.calls.iter().enumerate() {
            let minute = self.calls[index..].iter().take_while(|later| **later < *call + MINUTE).count();
            assert!(minute <= MAX_CALLS - RESERVED_FOR_MIRROR, "{minute} calls in the minute from {call:?}");
        }
    }
}

proptest! {
    #[test]
    fn whatever_upstream_does_everything_arrives_once_it_is_well(
        points in 1..3000_usize, metrics in 1..5_usize, moods in prop::collection::vec((mood(), 0.0..1.0_f64), 0..120)
    ) {
        let whole = queue(points, metrics);
        let mut play = Play::new(whole.clone());
        for (mood, random) in &moods {
            play.step(mood, *random);
        }
        let mut steps = 0;
        while play.step(&Mood::Well, 0.5) {
            steps += 1;
            prop_assert!(steps < 200, "it ends");
        }
        play.never_over_budget();
        prop_assert!(play.queue.is_empty() && play.rejected.is_empty());
        let expected: BTreeMap<_, _> = whole.into_iter().map(|point| ((point.metric, point.slot), point.value)).collect();
        prop_assert_eq!(play.taken, expected);
    }

    #[test]
    fn only_what_upstream_refuses_is_set_aside(
        points in 1..1500_usize, metrics in 1..4_usize, unwanted in prop::collection::btree_set(0..1500_usize, 0..6),
        moods in prop::collection::vec((mood(), 0.0..1.0_f64), 0..40)
    ) {
        let whole = queue(points, metrics);
        let mut play = Play::new(whole.clone());
        play.unwanted = unwanted.iter().filter_map(|index| whole.get(*index)).map(|point| (point.slot, point.metric.clone())).collect();
        for (mood, random) in &moods {
            play.step(mood, *random);
        }
        let mut steps = 0;
        while play.step(&Mood::Well, 0.5) {
            steps += 1;
            prop_assert!(steps < 400, "it ends");
        }
        play.never_over_budget();
        let aside: BTreeSet<_> = play.rejected.iter().map(|point| (point.slot, point.metric.clone())).collect();
        prop_assert_eq!(&aside, &play.unwanted);
        prop_assert_eq!(play.taken.len() + aside.len(), points);
    }

    #[test]
    fn a_missing_metric_stops_no_other(points in 1..1500_usize, metrics in 2..5_usize, missing in 0..2_usize) {
        let whole = queue(points, metrics);
        let mut play = Play::new(whole);
        play.missing.insert(metric(missing));
        for _ in 0..400 {
            play.step(&Mood::Well, 0.5);
        }
        play.never_over_budget();
        prop_assert!(play.rejected.is_empty() && play.queue.iter().all(|point| point.metric == metric(missing)));
        // The metric is made upstream.
        play.missing.clear();
        let mut steps = 0;
        while play.step(&Mood::Well, 0.5) {
            steps += 1;
            prop_assert!(steps < 100, "it ends");
        }
        prop_assert_eq!(play.taken.len(), points);
    }
}

#[test]
fn what_is_refused_again_and_again_stops_nothing_for_long() {
    let whole = queue(1200, 1);
    let mut play = Play::new(whole.clone());
    play.unwanted = whole[..400].iter().map(|point| (point.slot, point.metric.clone())).collect();
    while play.step(&Mood::Well, 0.5) {}
    play.never_over_budget();
    assert_eq!((play.rejected.len(), play.taken.len()), (400, 800));
    // About one call for each of them, ten to find the first, ten to come back to whole batches.
    assert!(play.calls.len() < 425, "{} calls", play.calls.len());
}

#[test]
fn a_day_of_a_refused_token_sets_nothing_aside_and_asks_every_five_minutes() {
    let mut play = Play::new(queue(2880, 2));
    let start = play.now;
    while play.now < start + Duration::from_hours(24) {
        play.step(&Mood::TokenRefused, 0.5);
    }
    assert_eq!(play.calls.len(), 24 * 12);
    assert_eq!((play.queue.len(), play.rejected.len()), (2880, 0));
    // The token file changes: nothing more is waited for.
    play.planner.token_changed();
    let changed = play.now;
    while play.step(&Mood::Well, 0.5) {}
    assert!(play.queue.is_empty() && play.now < changed + Duration::from_secs(10));
}

#[test]
fn what_upstream_asks_for_is_waited_for() {
    let mut play = Play::new(queue(10, 1));
    play.step(&Mood::Failing(Some(90)), 0.0);
    let failed = play.calls[0];
    assert_eq!(play.planner.next(&play.queue, play.now), Next::At(failed + Duration::from_secs(90)));
}

#[test]
fn pauses_grow_to_a_limit_and_are_drawn_from_the_whole() {
    let mut planner = Planner::new(Duration::ZERO);
    let mut longest = Vec::new();
    for _ in 0..7 {
        let failed = Answer::Failed { reason: String::new(), retry_after: None };
        planner.record_answer(failed, Duration::from_secs(1000), 1.0);
        longest.push(planner.closed(Duration::from_secs(1000), 0).unwrap().as_secs() - 1000);
    }
    assert_eq!(longest, [2, 4, 8, 16, 30, 30, 30]);
    let failed = Answer::Failed { reason: String::new(), retry_after: None };
    planner.record_answer(failed, Duration::from_secs(2000), 0.0);
    assert_eq!(planner.closed(Duration::from_secs(2000), 0), None, "full jitter begins at nothing");
}

#[test]
fn a_keeper_that_has_just_begun_takes_most_of_the_budget_for_used() {
    let mut play = Play::new(queue(MAX_POINTS * 40, 1));
    let start = play.now;
    while play.now < start + MINUTE {
        play.step(&Mood::Well, 0.5);
    }
    assert_eq!(play.calls.len(), MAX_CALLS - RESERVED_FOR_MIRROR - BEFORE);
}
