//! Objects that are wrong, and those beside them.

use check_runner::message;
use checks::outcome::Outcome;
use serde_json::{Value, json};
use tests::kubernetes::{Faults, Kubernetes, ended_with};

use super::world::{CHECKS, NAMESPACE, World, check, ready, scripted};

fn all_are_fine(kubernetes: &Kubernetes) {
    kubernetes.run_jobs_by(|_| vec![ended_with(&message::write(&Outcome::ok("fine")))]);
}

#[tokio::test]
async fn what_is_deleted_goes_although_another_one_is_wrong_which_stays() {
    let world = World::start(|kubernetes| {
        all_are_fine(kubernetes);
        for name in ["broken", "deleted", "right"] {
            kubernetes.apply(scripted(name));
        }
    })
    .await;
    for name in ["broken", "deleted", "right"] {
        world.until(name, "has run", |known| known["last_run"]["state"] == "ok").await;
    }
    world.kubernetes.apply(check("broken", &json!({"every": "5s", "tcp": {"host": "nas.lan", "prot": 22}})));
    world.status_of(CHECKS, "broken", "is told", |status| ready(status).0 == "False").await;
    world.kubernetes.delete(CHECKS, NAMESPACE, "deleted");
    world.until("deleted", "is gone", Value::is_null).await;
    for name in ["broken", "right"] {
        let known = world.until(name, "stays", Value::is_object).await;
        assert_eq!(known["last_run"]["state"], "ok", "{known}");
    }
}

#[tokio::test]
async fn a_namespace_that_cannot_be_listed_holds_up_none_of_the_others_and_runs_once_it_can() {
    let elsewhere = |name: &str, spec: &Value| {
        let mut check = check(name, spec);
        check["metadata"]["namespace"] = "closed".into();
        check
    };
    let every = json!({"every": "5s", "timeout": "2s", "tcp": {"host": "127.0.0.1", "port": 1}});
    let mut depending = every.clone();
    depending["depends_on"] = json!(["router"]);
    let world = World::start_with(&[("OPERATOR_NAMESPACES", "checks,closed")], |kubernetes| {
        all_are_fine(kubernetes);
        kubernetes.has(Faults { forbidden: Some("closed"), ..Faults::default() });
        kubernetes.apply(elsewhere("router", &every));
        kubernetes.apply(scripted("disk"));
        kubernetes.apply(check("nas", &depending));
    })
    .await;
    world.until("disk", "has run", |known| known["last_run"]["state"] == "ok").await;
    // Whether what it depends on is there cannot be known.
    let status = world.status_of(CHECKS, "nas", "is told", |status| !ready(status).0.is_empty()).await;
    assert_eq!(ready(&status).0, "True", "{status}");
    let lines = world.lines();
    let about = lines.iter().filter(|line| line.contains("cannot be listed") && line.contains("closed"));
    assert_eq!(about.count(), 1, "{lines:#?}");
    let (code, said) = world.says("/readyz").await;
    assert!(code == 200 && said.contains("closed"), "{code} {said}");
    let (_, metrics) = world.says("/metrics").await;
    for line in [
        "porchlight_operator_namespace_unlisted{namespace=\"closed\"} 1",
        "porchlight_operator_objects{state=\"right\"} 2",
        "porchlight_operator_leads 1",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    assert_eq!(world.says("/healthz").await.0, 200);
    world.kubernetes.has(Faults::default());
    world.until("router", "has run", |known| known["last_run"]["state"] == "critical").await;
    assert_eq!(world.says("/readyz").await, (200, "ok\n".to_owned()));
}
