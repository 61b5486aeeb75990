//! From `kubectl apply` to the page, and back.

use std::time::Duration;

use check_runner::message;
use checks::{
    cause::Cause,
    outcome::{Outcome, State},
};
use serde_json::{Value, json};
use tests::kubernetes::{Faults, ended_with, terminated};
use tokio::time::{Instant, sleep};

use super::world::{CHECKS, NAMESPACE, World, bash, check, ready, scripted};

fn fine(_: &Value) -> Vec<Value> {
    let said = Outcome { state: State::Warning, ..Outcome::because(Cause::Reported, "DISK low|free=12") };
    vec![json!({"phase": "Pending"}), json!({"phase": "Running"}), ended_with(&message::write(&said))]
}

#[tokio::test]
async fn what_is_applied_runs_in_a_job_of_its_own_and_its_outcome_is_on_the_page_and_in_its_status() {
    let world = World::start(|kubernetes| kubernetes.run_jobs_by(fine)).await;
    let began = Instant::now();
    world.kubernetes.apply(scripted("disk"));
    let known = world.until("disk", "has run", |known| known["last_run"]["state"] == "warning").await;
    assert_eq!((known["source"].as_str(), known["kind"].as_str()), (Some("operator"), Some("script")));
    println!("from apply to the keeper: {:?}", began.elapsed());
    let status = world.status_of(CHECKS, "disk", "is told", |status| status["outcome"] == "warning").await;
    assert_eq!((status["text"].as_str(), status["observedGeneration"].as_i64()), (Some("DISK low|free=12"), Some(1)));
    assert_eq!(ready(&status).0, "True");
    // Each Job is removed once its outcome is kept, and none was made twice.
    sleep(Duration::from_secs(6)).await;
    let made = world.kubernetes.ever_made("batch/jobs");
    assert!(made.len() >= 2, "{} Jobs", made.len());
    let left = world.kubernetes.all("batch/jobs");
    // What has turned nothing is handed over within half a minute, and its Job goes then.
    assert!(left.len() <= 8, "{left:#?}");
    // What goes takes its component with it, and its Jobs.
    world.kubernetes.delete(CHECKS, NAMESPACE, "disk");
    world.until("disk", "is gone", Value::is_null).await;
    let until = Instant::now() + Duration::from_secs(20);
    while !world.kubernetes.all("batch/jobs").is_empty() {
        assert!(Instant::now() < until, "its Jobs stay");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Each try says the name of its Job, so that one that is told again is seen.
#[tokio::test]
async fn each_run_is_told_once_whatever_tries_it_took_and_however_long_the_keeper_takes() {
    let world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(|job| {
            let name = job["metadata"]["name"].as_str().unwrap_or_default();
            vec![ended_with(&message::write(&Outcome::because(Cause::Reported, name)))]
        });
        kubernetes.apply(check(
            "down",
            &json!({
                "every": "5s", "timeout": "4s", "retries": 1, "script": {"language": "Bash", "content": "exit 2"},
            }),
        ));
    })
    .await;
    let until = Instant::now() + Duration::from_secs(50);
    let mut status_of: Vec<String> = Vec::new();
    while Instant::now() < until {
        let known = world.until("down", "is there", Value::is_object).await;
        let text = known["last_run"]["text"].as_str().map(str::to_owned);
        if let Some(text) = text.filter(|text| status_of.last() != Some(text)) {
            assert!(!status_of.contains(&text), "{text} is told again: {status_of:#?}");
            status_of.push(text);
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert!(status_of.len() >= 2, "{status_of:?}");
    // Two tries each, and none is left for long.
    let left = world.kubernetes.all("batch/jobs").len();
    assert!(left <= 16, "{left} Jobs are left");
}

#[tokio::test]
async fn what_kubernetes_cannot_run_is_unknown_and_says_why() {
    let world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(|_| vec![terminated(&json!({"reason": "OOMKilled", "exitCode": 137}))]);
        kubernetes.apply(scripted("greedy"));
    })
    .await;
    let known = world.until("greedy", "has run", |known| known["last_run"]["state"] == "unknown").await;
    assert!(known["last_run"]["text"].as_str().is_some_and(|text| text.contains("OOMKilled")), "{known}");
}

#[tokio::test]
async fn a_wrong_object_says_so_itself_and_stops_none_of_the_others() {
    let world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(fine);
        kubernetes.apply(check("broken", &json!({"tcp": {"host": "nas.lan", "prot": 22}})));
        kubernetes.apply(scripted("disk"));
    })
    .await;
    let status = world.status_of(CHECKS, "broken", "is told", |status| ready(status).0 == "False").await;
    assert!(ready(&status).1.contains("was port meant?"), "{status}");
    world.until("disk", "has run", |known| known["last_run"]["state"] == "warning").await;
    // Mended, it runs at once.
    world.kubernetes.apply(check(
        "broken",
        &json!({"tcp": {"host": "127.0.0.1", "port": 1}, "every": "5s", "timeout": "2s", "retries": 0}),
    ));
    let known = world.until("broken", "has run", |known| known["last_run"]["state"] == "critical").await;
    assert_eq!(known["last_run"]["cause"], "refused");
    let status = world.status_of(CHECKS, "broken", "is told", |status| status["outcome"] == "critical").await;
    assert_eq!((ready(&status).0.as_str(), status["observedGeneration"].as_i64()), ("True", Some(2)));
}

#[tokio::test]
async fn an_operator_that_is_killed_forgets_no_run_and_repeats_none() {
    let mut world = World::start(|kubernetes| {
        // The script takes longer than the operator lives.
        kubernetes.run_jobs_by(|job| [vec![json!({"phase": "Running"}); 40], fine(job)].concat());
        kubernetes.apply(check("slow", &json!({"every": "1h", "timeout": "30s", "retries": 0, "script": bash()})));
    })
    .await;
    world.first_job().await;
    for _ in 0..3 {
        world.replace_operator().await;
        sleep(Duration::from_millis(200)).await;
    }
    world.until("slow", "has run", |known| known["last_run"]["state"] == "warning").await;
    // It ran a moment ago, and the keeper knows: an operator that begins anew does not run it again.
    world.replace_operator().await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(world.kubernetes.ever_made("batch/jobs").len(), 1);
}

/// Pods are listed before Jobs are: what ended has no Job that is known yet when it is seen.
#[tokio::test]
async fn what_ended_while_no_operator_was_there_is_told_by_the_next_one() {
    let mut world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(|job| [vec![json!({"phase": "Running"}); 20], fine(job)].concat());
        kubernetes.apply(check("slow", &json!({"every": "1h", "timeout": "30s", "retries": 0, "script": bash()})));
    })
    .await;
    world.first_job().await;
    world.kill_operator().await;
    let until = Instant::now() + Duration::from_secs(20);
    let has_ended = |pod: &Value| pod["status"]["phase"] == "Succeeded";
    while !world.kubernetes.all("/pods").iter().any(has_ended) {
        assert!(Instant::now() < until, "the pod does not end");
        sleep(Duration::from_millis(20)).await;
    }
    world.kubernetes.has(Faults { slow: Some(("batch/jobs", Duration::from_millis(700))), ..Faults::default() });
    world.start_operator().await;
    let known = world.until("slow", "has run", |known| known["last_run"].is_object()).await;
    assert_eq!(
        (&known["last_run"]["state"], &known["last_run"]["text"]),
        (&json!("warning"), &json!("DISK low|free=12"))
    );
    assert_eq!(world.kubernetes.ever_made("batch/jobs").len(), 1);
}

#[tokio::test]
async fn an_api_server_that_is_late_closes_watches_forgets_and_loses_answers_costs_no_run() {
    let world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(fine);
        kubernetes.has(Faults { late: Duration::from_millis(300), lost_answers: 1, busy: 5, ..Faults::default() });
        kubernetes.apply(scripted("disk"));
    })
    .await;
    world.until("disk", "has run", |known| known["last_run"]["state"] == "warning").await;
    world.kubernetes.has(Faults::default());
    world.kubernetes.close_watches();
    world.kubernetes.apply(scripted("late"));
    world.until("late", "has run", |known| known["last_run"]["state"] == "warning").await;
    world.kubernetes.forget();
    world.kubernetes.delete(CHECKS, NAMESPACE, "disk");
    world.until("disk", "is gone", Value::is_null).await;
    world.kubernetes.apply(scripted("later"));
    world.until("later", "has run", |known| known["last_run"]["state"] == "warning").await;
}

#[tokio::test]
async fn jobs_that_only_wait_are_bounded_and_take_the_turn_of_no_other_check() {
    let bounds = [("CHECKS_CONCURRENCY", "1"), ("JOBS_CONCURRENCY", "2")];
    let world = World::start_with(&bounds, |kubernetes| {
        kubernetes.run_jobs_by(|_| vec![json!({"phase": "Running"})]);
        for name in ["a", "b", "c", "d"] {
            kubernetes.apply(scripted(name));
        }
    })
    .await;
    let until = Instant::now() + Duration::from_secs(20);
    while world.kubernetes.all("batch/jobs").len() < 2 {
        assert!(Instant::now() < until, "no Jobs were made");
        sleep(Duration::from_millis(20)).await;
    }
    for name in ["x", "y"] {
        let tcp = json!({"every": "5s", "timeout": "2s", "retries": 0, "tcp": {"host": "127.0.0.1", "port": 1}});
        world.kubernetes.apply(check(name, &tcp));
    }
    for name in ["x", "y"] {
        world.until(name, "has run", |known| known["last_run"]["state"] == "critical").await;
    }
    assert_eq!(world.kubernetes.ever_made("batch/jobs").len(), 2);
}
