//! What goes wrong around runs: none is lost without being told, and none is doubled.

use std::{collections::BTreeSet, time::Duration};

use check_runner::message;
use checks::{cause::Cause, outcome::Outcome, performance::Figure};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use tests::{
    kubernetes::{Faults, ended_with},
    skip::long,
};
use tokio::time::{Instant, sleep};

use super::world::{CHECKS, NAMESPACE, World, bash, check};

/// When a Job's run began, in seconds since 1970.
fn moment(job: &Value) -> i64 {
    let moment = job["metadata"]["annotations"]["porchlight.dev/moment"].as_str();
    moment.and_then(|moment| moment.parse().ok()).expect("each Job has one")
}

/// A run of so many steps of 30 ms that says when it began.
fn succeeding(steps: usize) -> impl Fn(&Value) -> Vec<Value> {
    move |job| {
        let began = Figure {
            label: "began".into(),
            value: Some(f64::from(i32::try_from(moment(job) % 1_000_000).expect("it is small"))),
            unit: String::new(),
            warning: None,
            critical: None,
            min: None,
            max: None,
        };
        let said = Outcome { figures: vec![began], ..Outcome::ok("fine") };
        let mut statuses = vec![json!({"phase": "Running"}); steps];
        statuses.push(ended_with(&message::write(&said)));
        statuses
    }
}

/// Which runs the keeper was told of, by when they began, each as often as it was.
async fn status_of(world: &World, name: &str) -> Vec<i64> {
    let from = Timestamp::now() - SignedDuration::from_mins(10);
    let path = format!("/series?metric=check:{name}:began&from={}&step=1", from.as_second());
    let (code, series) = world.keeper.own(Method::GET, &path, None).await;
    if code != 200 {
        return Vec::new();
    }
    let points = series["points"].as_array().cloned().unwrap_or_default();
    points
        .iter()
        .filter_map(|point| point["value"].as_f64())
        .map(|value| format!("{value:.0}").parse().expect("a number"))
        .collect()
}

/// Waits until the keeper was told of each Job that was made, but for the newest, and of none twice.
async fn all_are_reported(world: &World, name: &str) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let made = world.kubernetes.ever_made("batch/jobs");
        let mut made: Vec<i64> = made.iter().map(|job| moment(job) % 1_000_000).collect();
        made.pop();
        let status_of = status_of(world, name).await;
        let unique: BTreeSet<i64> = status_of.iter().copied().collect();
        assert_eq!(unique.len(), status_of.len(), "a run was told twice: {status_of:?}");
        if made.iter().all(|made| unique.contains(made)) {
            assert!(!made.is_empty());
            println!("{} runs, each told once", made.len());
            return;
        }
        assert!(Instant::now() < until, "runs were lost: {made:?} were made, and {status_of:?} were told");
        sleep(Duration::from_millis(500)).await;
    }
}

fn every_ten(name: &str) -> Value {
    check(name, &json!({"every": "10s", "timeout": "8s", "retries": 0, "script": bash()}))
}

#[tokio::test]
async fn an_operator_that_is_killed_again_and_again_loses_no_run_and_doubles_none() {
    let mut world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(succeeding(40));
        kubernetes.apply(every_ten("disk"));
    })
    .await;
    world.first_job().await;
    // With LONG=1 fifty times, at any moment.
    let pauses: Vec<u64> =
        if long() { (0..50).map(|_| fastrand::u64(100..4000)).collect() } else { vec![400, 1700, 7000, 900, 4000] };
    for pause in pauses {
        sleep(Duration::from_millis(pause)).await;
        world.replace_operator().await;
    }
    sleep(Duration::from_secs(25)).await;
    all_are_reported(&world, "disk").await;
    let made: Vec<i64> = world.kubernetes.ever_made("batch/jobs").iter().map(moment).collect();
    let gaps: Vec<i64> = made.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| *gap >= 5), "two runs in an interval: {gaps:?}");
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_job() {
    let world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(succeeding(2));
        kubernetes.has(Faults { lost_answers: 3, ..Faults::default() });
        kubernetes.apply(every_ten("disk"));
    })
    .await;
    sleep(Duration::from_secs(45)).await;
    all_are_reported(&world, "disk").await;
    let made: Vec<i64> = world.kubernetes.ever_made("batch/jobs").iter().map(moment).collect();
    assert!((3..=6).contains(&made.len()), "{made:?}");
    assert!(made.windows(2).all(|pair| pair[1] - pair[0] >= 5), "{made:?}");
}

#[tokio::test]
async fn an_operator_that_is_asked_to_end_ends_and_the_next_one_tells_what_it_began() {
    let mut world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(succeeding(60));
        kubernetes.apply(check("slow", &json!({"every": "1h", "timeout": "30s", "retries": 0, "script": bash()})));
    })
    .await;
    world.first_job().await;
    let began = Instant::now();
    let ended = world.take_operator().terminate().await;
    assert!(ended.success() && began.elapsed() < Duration::from_secs(12), "{ended:?} after {:?}", began.elapsed());
    world.start_operator().await;
    world.until("slow", "has run", |known| known["last_run"]["state"] == "ok").await;
    assert_eq!(world.kubernetes.ever_made("batch/jobs").len(), 1);
}

#[tokio::test]
async fn what_runs_while_the_keeper_does_not_answer_is_told_when_it_does() {
    let world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(succeeding(2));
        kubernetes.apply(every_ten("disk"));
    })
    .await;
    world.until("disk", "has run", |known| known["last_run"]["state"] == "ok").await;
    world.keeper.process.signal(Signal::STOP);
    let before = world.kubernetes.ever_made("batch/jobs").len();
    sleep(Duration::from_secs(25)).await;
    assert!(world.kubernetes.ever_made("batch/jobs").len() >= before + 2, "runs go on");
    let status = world.kubernetes.get(CHECKS, NAMESPACE, "disk").unwrap_or_default()["status"].clone();
    assert_eq!(status["outcome"], "ok", "and objects are told");
    world.keeper.process.signal(Signal::CONT);
    all_are_reported(&world, "disk").await;
}

#[tokio::test]
async fn runs_that_ended_while_neither_operator_nor_keeper_was_there_are_told_one_by_one_as_of_when_they_began() {
    let mut world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(succeeding(2));
        kubernetes.apply(check("disk", &json!({"every": "5s", "timeout": "4s", "retries": 0, "script": bash()})));
    })
    .await;
    world.first_job().await;
    world.keeper.process.signal(Signal::STOP);
    let until = Instant::now() + Duration::from_secs(60);
    let before = world.kubernetes.ever_made("batch/jobs").len();
    while world.kubernetes.ever_made("batch/jobs").len() < before + 3 {
        assert!(Instant::now() < until, "no more Jobs are made");
        sleep(Duration::from_millis(50)).await;
    }
    world.kill_operator().await;
    world.keeper.process.signal(Signal::CONT);
    world.start_operator().await;
    all_are_reported(&world, "disk").await;
}

/// The most pods that are not over at once, until that many Jobs were made.
async fn most_pods_at_once(world: &World, jobs: usize) -> usize {
    let until = Instant::now() + Duration::from_secs(60);
    let runs = |pod: &&Value| pod["status"]["phase"] == "Running" || pod["status"]["phase"] == "Pending";
    let mut most = 0;
    while world.kubernetes.ever_made("batch/jobs").len() < jobs {
        assert!(Instant::now() < until, "{:#?}", world.lines());
        most = most.max(world.kubernetes.all("/pods").iter().filter(runs).count());
        sleep(Duration::from_millis(20)).await;
    }
    most
}

#[tokio::test]
async fn an_edit_while_a_run_is_under_way_begins_no_second_pod_beside_it_and_loses_no_run() {
    let spec = |every: &str, content: &str| json!({"every": every, "timeout": "5s", "retries": 0, "script": {"language": "Bash", "content": content}});
    let world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(succeeding(100));
        kubernetes.apply(check("disk", &spec("1h", "echo fine")));
    })
    .await;
    world.first_job().await;
    // Its interval: the run that goes on is the one that the check as it is now waits for.
    for every in ["50m", "5s"] {
        sleep(Duration::from_millis(300)).await;
        world.kubernetes.apply(check("disk", &spec(every, "echo fine")));
    }
    world.until("disk", "has run", |known| known["last_run"]["state"] == "ok").await;
    assert_eq!(most_pods_at_once(&world, 3).await, 1);
    all_are_reported(&world, "disk").await;
    // Its script: what runs is ended, and gone before the next one begins.
    let made = world.kubernetes.ever_made("batch/jobs").len();
    world.kubernetes.apply(check("disk", &spec("5s", "echo otherwise")));
    assert_eq!(most_pods_at_once(&world, made + 2).await, 1);
}

#[tokio::test]
async fn a_cluster_that_is_restored_from_a_backup_is_listed_anew() {
    let world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(succeeding(1));
        // Many changes of few objects: a version that is far from that of a backup.
        for number in 0..200 {
            kubernetes.apply(check("broken", &json!({"tcp": {"prot": number}})));
        }
    })
    .await;
    world.status_of(CHECKS, "broken", "is wrong", |status| !status["conditions"].is_null()).await;
    world.kubernetes.restore();
    world.kubernetes.apply(every_ten("disk"));
    world.until("disk", "has run", |known| known["last_run"]["state"] == "ok").await;
}

#[tokio::test]
async fn of_an_object_that_is_edited_while_it_runs_only_the_new_script_counts() {
    let world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(|job| {
            let script =
                job["spec"]["template"]["spec"]["initContainers"][0]["env"][0]["value"].as_str().unwrap_or_default();
            let is_new = script == "echo $$ $(id) $HOME";
            let mut statuses = vec![json!({"phase": "Running"}); if is_new { 1 } else { 70 }];
            let outcome = if is_new { Outcome::ok("new") } else { Outcome::because(Cause::Reported, script) };
            statuses.push(ended_with(&message::write(&outcome)));
            statuses
        });
        kubernetes.apply(every_ten("disk"));
    })
    .await;
    world.first_job().await;
    let edited = json!({"language": "Bash", "content": "echo $$ $(id) $HOME"});
    world.kubernetes.apply(check("disk", &json!({"every": "10s", "timeout": "8s", "retries": 0, "script": edited})));
    let known = world.until("disk", "has run", |known| known["last_run"].is_object()).await;
    assert_eq!(known["last_run"]["text"], "new", "{known}");
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        let known = world.until("disk", "is there", Value::is_object).await;
        assert_eq!(known["last_run"]["text"], "new", "{known}");
        sleep(Duration::from_millis(200)).await;
    }
}
