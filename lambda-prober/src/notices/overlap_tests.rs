//! Runs that overlap over a store without conditions, in every order of their steps; and runs that are killed.

use std::{cell::RefCell, rc::Rc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use notify::{event::Stage, rules::Rules};
use tokio::task::{LocalSet, yield_now};

use super::{
    plan::{Done, HomeNow, Run, Seen, confirmed, plan},
    store::{Versions, Written, read_versions, write_version},
};

const RULES: Rules = Rules { after: Duration::from_secs(120), every: None };
const ROUNDS: u64 = 200;

/// A parameter, whose calls take their time.
#[derive(Clone, Default)]
struct Parameter {
    versions: Rc<RefCell<Vec<String>>>,
}

async fn a_while() {
    for _ in 0..fastrand::u32(0..6) {
        yield_now().await;
    }
}

impl Versions for Parameter {
    async fn get(&self, version: Option<i64>) -> Result<Option<(String, i64)>, String> {
        a_while().await;
        let read = self.read(version);
        a_while().await;
        Ok(read)
    }

    async fn put(&self, text: String) -> Result<i64, String> {
        a_while().await;
        self.versions.borrow_mut().push(text);
        let number = self.newest();
        a_while().await;
        Ok(number)
    }
}

impl Parameter {
    fn newest(&self) -> i64 {
        i64::try_from(self.versions.borrow().len()).unwrap()
    }

    fn read(&self, version: Option<i64>) -> Option<(String, i64)> {
        let number = version.unwrap_or_else(|| self.newest());
        let text = usize::try_from(number - 1).ok().and_then(|index| self.versions.borrow().get(index).cloned());
        text.map(|text| (text, number))
    }
}

/// Where a run is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    Never,
    /// After the claim, and before anything is sent.
    Claimed,
    /// Between the channel's acceptance and the confirmation.
    Sent,
}

type Phone = Rc<RefCell<Vec<Stage>>>;

/// What a run does, as `Notices` has it.
async fn run(of: Parameter, phone: Phone, at: Timestamp, now: HomeNow, killed: Killed) {
    let component = "8kbf7d35c070".parse().unwrap();
    let seen = [Seen { component, now, up_since: None, is_maintained: false, cause: "refused".into() }];
    let read = read_versions(&of, "the record").await.unwrap();
    let (id, channels) = (fastrand::u64(..).to_string(), ["one".to_owned()]);
    let planned = plan(&read.record, &seen, Run { id: &id, at, rules: RULES, is_quiet: false, channels: &channels });
    if planned.record == read.record
        || write_version(&of, &planned.record, read.version).await.unwrap() == Written::Lost
        || killed == Killed::Claimed
    {
        return;
    }
    for notice in &planned.mine {
        a_while().await;
        phone.borrow_mut().push(notice.stage);
    }
    if killed == Killed::Sent && !planned.mine.is_empty() {
        return;
    }
    let settled = Done { settled: vec!["one".to_owned()], unsure: Vec::new() };
    let done = vec![settled; planned.mine.len()];
    loop {
        let read = read_versions(&of, "the record").await.unwrap();
        let after = confirmed(&read.record, &planned.mine, &done);
        if after == read.record || write_version(&of, &after, read.version).await.unwrap() == Written::Held {
            return;
        }
    }
}

/// So many runs at once, each minute, the first of them killed in the first minute; then the home is up.
async fn sent(seed: u64, overlapping: usize, killed: Killed) -> Vec<Stage> {
    fastrand::seed(seed);
    let (parameter, phone) = (Parameter::default(), Phone::default());
    let start: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
    let local = LocalSet::new();
    local
        .run_until(async {
            for minute in 2..9 {
                let at = start + SignedDuration::from_mins(minute);
                let now = if minute < 6 { HomeNow::Down(start) } else { HomeNow::Well };
                let runs: Vec<_> = (0..overlapping)
                    .map(|number| {
                        let killed = if minute == 2 && number == 0 { killed } else { Killed::Never };
                        tokio::task::spawn_local(run(parameter.clone(), phone.clone(), at, now, killed))
                    })
                    .collect();
                for run in runs {
                    run.await.unwrap();
                }
            }
        })
        .await;
    phone.take()
}

#[tokio::test]
async fn of_runs_that_overlap_exactly_one_sends() {
    for seed in 0..ROUNDS {
        let overlapping = usize::try_from(seed % 4).unwrap() + 1;
        assert_eq!(sent(seed, overlapping, Killed::Never).await, [Stage::Began, Stage::Ended], "round {seed}");
    }
}

#[tokio::test]
async fn a_run_that_is_killed_before_it_sends_is_succeeded() {
    for seed in 0..ROUNDS {
        assert_eq!(sent(seed, 1, Killed::Claimed).await, [Stage::Began, Stage::Ended], "round {seed}");
        let of_three = sent(seed, 3, Killed::Claimed).await;
        assert_eq!(of_three, [Stage::Began, Stage::Ended], "round {seed}");
    }
}

#[tokio::test]
async fn only_between_acceptance_and_confirmation_a_second_one_is_possible() {
    let mut doubled = 0;
    for seed in 0..ROUNDS {
        let sent = sent(seed, 1, Killed::Sent).await;
        assert_eq!(sent, [Stage::Began, Stage::Began, Stage::Ended], "round {seed}: killed there on purpose");
        doubled += 1;
    }
    eprintln!("{doubled} of {ROUNDS} were sent twice, each with the same id");
}
