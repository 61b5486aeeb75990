//! Two operators, of which one runs the checks.

use std::time::Duration;

use check_runner::message;
use checks::outcome::Outcome;
use serde_json::{Value, json};
use tests::kubernetes::ended_with;
use tokio::time::{Instant, sleep};

use super::world::{World, bash, check};

const LEASE: &str = "porchlight/operator";

/// A script that takes about two seconds.
fn slow(_: &Value) -> Vec<Value> {
    let mut statuses = vec![json!({"phase": "Running"}); 60];
    statuses.push(ended_with(&message::write(&Outcome::ok("fine"))));
    statuses
}

fn holder(world: &World) -> String {
    let lease = world.kubernetes.get("coordination.k8s.io/leases", "porchlight", "operator").unwrap_or_default();
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn one_of_two_operators_runs_the_checks_and_when_it_is_killed_the_other_goes_on_with_what_it_began() {
    let mut world = World::start_with(&[("OPERATOR_LEASE", LEASE)], |kubernetes| {
        kubernetes.run_jobs_by(slow);
        kubernetes.apply(check("slow", &json!({"every": "1h", "timeout": "30s", "retries": 0, "script": bash()})));
    })
    .await;
    let first = holder(&world);
    let mut second = world.waiting_operator().await;
    world.first_job().await;
    world.kill_operator().await;
    let killed = Instant::now();
    second
        .wait_for_within("running", Duration::from_secs(40), |lines| {
            lines.iter().any(|line| line.contains("\"running\"")).then_some(())
        })
        .await;
    let took = killed.elapsed();
    println!("from the kill to the next leader: {took:?}");
    assert!(took > Duration::from_secs(8) && took < Duration::from_secs(25), "{took:?}");
    assert!(!first.is_empty() && holder(&world) != first);
    world.until("slow", "has run", |known| known["last_run"]["state"] == "ok").await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(world.kubernetes.ever_made("batch/jobs").len(), 1, "no run is lost, and none is doubled");
    // Asked to end, it leaves the Lease to the next one at once.
    let mut third = world.waiting_operator().await;
    let ended = second.terminate().await;
    assert!(ended.success(), "{ended:?}");
    third
        .wait_for_within("running", Duration::from_secs(8), |lines| {
            lines.iter().any(|line| line.contains("\"running\"")).then_some(())
        })
        .await;
}

#[tokio::test]
async fn one_that_cannot_renew_its_lease_ends_before_another_one_may_take_it() {
    let mut world = World::start_with(&[("OPERATOR_LEASE", LEASE)], |_| ()).await;
    // Somebody else has it, whatever the operator thinks.
    world.kubernetes.apply(json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "operator", "namespace": "porchlight"},
        "spec": {"holderIdentity": "another", "leaseDurationSeconds": 15, "renewTime": "2026-11-30T12:00:00.000000Z"},
    }));
    let mut operator = world.take_operator();
    let ended = operator.ended().await;
    assert_eq!(ended.code(), Some(1));
    assert!(operator.lines().iter().any(|line| line.contains("the Lease is lost")), "{:#?}", operator.lines());
}
