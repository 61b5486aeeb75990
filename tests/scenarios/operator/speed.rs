//! How much it takes to watch many objects. What is measured is printed; what is asserted is far from it, but for what must not grow
//! with the number of objects.

use std::time::Duration;

use check_runner::message;
use checks::outcome::Outcome;
use serde_json::{Value, json};
use tests::kubernetes::{Kubernetes, ended_with};
use tokio::time::{Instant, sleep};

use super::world::{World, bash, check, scripted};

/// How long something may take.
const LIMIT: Duration = Duration::from_secs(60);

fn all_are_fine(kubernetes: &Kubernetes) {
    kubernetes.run_jobs_by(|_| vec![ended_with(&message::write(&Outcome::ok("fine")))]);
}

#[tokio::test]
async fn what_is_applied_has_its_first_job_at_once() {
    let world = World::start(all_are_fine).await;
    let first = world.first_status("there").await;
    println!("from apply to the first Job: {first:?}");
    // A check that runs seldom runs at once all the same.
    world.kubernetes.apply(check("seldom", &json!({"every": "1h", "timeout": "4s", "script": bash()})));
    let began = Instant::now();
    let is_made = |job: &Value| job["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("check-seldom"));
    while !world.kubernetes.ever_made("batch/jobs").iter().any(is_made) {
        assert!(began.elapsed() < Duration::from_secs(20), "it waits for its interval");
        sleep(Duration::from_millis(10)).await;
    }
    println!("of one that runs once an hour: {:?}", began.elapsed());
}

#[tokio::test]
async fn five_hundred_objects_take_a_few_calls_for_each_run_and_little_memory() {
    const OBJECTS: u64 = 500;
    let world = World::start(|kubernetes| {
        all_are_fine(kubernetes);
        for number in 0..OBJECTS {
            let spec = json!({"every": "60s", "timeout": "10s", "retries": 0, "script": bash()});
            kubernetes.apply(check(&format!("c{number}"), &spec));
        }
    })
    .await;
    let jobs = || u64::try_from(world.kubernetes.ever_made("batch/jobs").len()).expect("few");
    // Each runs once a minute, and each of its first statuses is written once.
    let began = Instant::now();
    while jobs() < OBJECTS {
        assert!(began.elapsed() < LIMIT * 2, "{} of {OBJECTS} have run", jobs());
        sleep(Duration::from_millis(100)).await;
    }
    let before = (world.kubernetes.counts(), jobs(), Instant::now());
    sleep(Duration::from_secs(20)).await;
    let (after, runs, took) = (world.kubernetes.counts(), jobs() - before.1, before.2.elapsed());
    let mut calls = 0;
    for (kind @ (verb, resource), count) in &after {
        let more = count - before.0.get(kind).copied().unwrap_or_default();
        println!("{verb} {resource}: {more} in {took:?}");
        if verb == "list" {
            assert!(more < 10, "it lists what it could watch");
        }
        calls += more;
    }
    let memory = world.most_memory();
    println!(
        "{OBJECTS} objects: {runs} runs and {calls} calls in {took:?}, {} a minute; {memory} MiB",
        calls * 60 / took.as_secs()
    );
    // A Job is made and removed, and its object is told.
    assert!(calls <= runs * 4 + 100, "{calls} calls for {runs} runs");
    assert!(memory < 128, "{memory} MiB");
}

#[tokio::test]
async fn five_thousand_objects_are_loaded_soon() {
    const OBJECTS: usize = 5000;
    let world = World::start(|kubernetes| {
        all_are_fine(kubernetes);
        for number in 0..OBJECTS {
            let spec = json!({"every": "1h", "timeout": "10s", "tcp": {"host": "127.0.0.1", "port": 1}});
            kubernetes.apply(check(&format!("c{number}"), &spec));
        }
    })
    .await;
    let began = Instant::now();
    let all = format!("porchlight_operator_objects{{state=\"right\"}} {OBJECTS}");
    loop {
        let (_, metrics) = world.says("/metrics").await;
        if metrics.lines().any(|line| line == all) {
            break;
        }
        assert!(began.elapsed() < LIMIT, "{metrics}");
        sleep(Duration::from_millis(20)).await;
    }
    println!("{OBJECTS} objects are loaded in {:?}; {} MiB", began.elapsed(), world.most_memory());
}

impl World {
    /// How long it takes from the first `kubectl apply` to a Job.
    async fn first_status(&self, name: &str) -> Duration {
        let began = Instant::now();
        self.kubernetes.apply(scripted(name));
        while self.kubernetes.ever_made("batch/jobs").is_empty() {
            assert!(began.elapsed() < Duration::from_secs(20), "there is no Job");
            sleep(Duration::from_millis(5)).await;
        }
        began.elapsed()
    }
}
