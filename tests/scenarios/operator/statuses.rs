//! What objects are told of themselves.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use check_runner::message;
use checks::{cause::Cause, outcome::Outcome};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    checks as registered,
    kubernetes::{Faults, ended_with},
};
use tokio::time::{Instant, sleep};

use super::world::{CHECKS, NAMESPACE, World, bash, check, ready, scripted};

fn ended(outcome: &Outcome) -> Vec<Value> {
    vec![ended_with(&message::write(outcome))]
}

/// A condition of a status.
fn condition(status: &Value, kind: &str) -> Value {
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    conditions.into_iter().find(|it| it["type"] == kind).unwrap_or_default()
}

#[tokio::test]
async fn a_try_that_fails_is_told_only_when_no_other_one_works() {
    let tries = AtomicUsize::new(0);
    let world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(move |_| {
            let is_first = tries.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
            ended(&if is_first { Outcome::because(Cause::Reported, "not yet") } else { Outcome::ok("fine") })
        });
        let spec = json!({"every": "5s", "timeout": "4s", "retries": 1, "script": bash()});
        kubernetes.apply(check("flaky", &spec));
    })
    .await;
    let until = Instant::now() + Duration::from_secs(20);
    let mut seen = 0;
    while Instant::now() < until {
        let object = world.kubernetes.get(CHECKS, NAMESPACE, "flaky").unwrap_or_default();
        assert_ne!(object["status"]["outcome"], "critical", "{object:#}");
        seen += usize::from(object["status"]["outcome"] == "ok");
        sleep(Duration::from_millis(50)).await;
    }
    assert!(seen > 0 && world.kubernetes.ever_made("batch/jobs").len() >= 4);
}

#[tokio::test]
async fn an_object_that_turns_wrong_keeps_what_came_of_it_and_one_that_is_made_again_does_not() {
    let world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(|_| ended(&Outcome::ok("fine")));
        kubernetes.apply(scripted("nas"));
    })
    .await;
    let before = world.status_of(CHECKS, "nas", "has run", |status| status["outcome"] == "ok").await;
    world.kubernetes.apply(check("nas", &json!({"tcp": {"prot": 22}})));
    let after = world.status_of(CHECKS, "nas", "is wrong", |status| ready(status).0 == "False").await;
    assert_eq!((&after["outcome"], &after["text"]), (&before["outcome"], &before["text"]));
    assert!(after["lastRunTime"].is_string() && after["nextRunTime"].is_null(), "{after}");
    world.kubernetes.delete(CHECKS, NAMESPACE, "nas");
    world.kubernetes.apply(check("nas", &json!({"tcp": {"prot": 22}})));
    let anew = world.status_of(CHECKS, "nas", "is wrong again", |status| ready(status).0 == "False").await;
    assert_eq!((&anew["outcome"], &anew["lastRunTime"]), (&Value::Null, &Value::Null), "{anew}");
}

#[tokio::test]
async fn what_the_keeper_refuses_is_said_by_the_object_itself() {
    let world = World::start(|kubernetes| kubernetes.run_jobs_by(|_| ended(&Outcome::ok("fine")))).await;
    registered::register(&world.keeper, json!([registered::check("nas")])).await;
    world.kubernetes.apply(scripted("nas"));
    let refused = |status: &Value| condition(status, "Registered")["status"] == "False";
    let status = world.status_of(CHECKS, "nas", "is refused", refused).await;
    let message = condition(&status, "Registered")["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("the program checks has a check of this name"), "{message}");
    let (code, _) = world.keeper.own(Method::PUT, "/checks", Some(json!({"source": "checks", "checks": []}))).await;
    assert_eq!(code, 200);
}

#[tokio::test]
async fn an_object_whose_status_cannot_be_written_holds_up_no_other() {
    let world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(|_| ended(&Outcome::ok("fine")));
        kubernetes.has(Faults { stuck: Some("stuck"), ..Faults::default() });
        kubernetes.apply(scripted("stuck"));
    })
    .await;
    world.until("stuck", "has run", |known| known["last_run"]["state"] == "ok").await;
    let began = Instant::now();
    world.kubernetes.apply(check("other", &json!({"tcp": {"prot": 22}})));
    world.status_of(CHECKS, "other", "is wrong", |status| ready(status).0 == "False").await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_mute_of_the_keeper_is_in_the_status_of_the_object_while_it_lasts() {
    let world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(|_| ended(&Outcome::ok("fine")));
        kubernetes.apply(scripted("nas"));
    })
    .await;
    world.until("nas", "has run", |known| known["last_run"]["state"] == "ok").await;
    let until = "2099-01-01T00:00:00Z";
    let mute = json!({"key": "check/nas", "until": until});
    let (code, _) = world.keeper.own(Method::PUT, "/mutes", Some(mute)).await;
    assert_eq!(code, 200);
    world.status_of(CHECKS, "nas", "is muted", |status| status["mutedUntil"] == until).await;
    world.keeper.own(Method::DELETE, "/mutes?key=check/nas", None).await;
    world.status_of(CHECKS, "nas", "is not muted any more", |status| status["mutedUntil"].is_null()).await;
}
