//! Objects that are wrong, and those beside them.

use check_runner::message;
use checks::outcome::Outcome;
use serde_json::{Value, json};
use tests::kubernetes::{Kubernetes, ended_with};

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
    world.told(CHECKS, "broken", "is told", |status| ready(status).0 == "False").await;
    world.kubernetes.delete(CHECKS, NAMESPACE, "deleted");
    world.until("deleted", "is gone", Value::is_null).await;
    for name in ["broken", "right"] {
        let known = world.until(name, "stays", Value::is_object).await;
        assert_eq!(known["last_run"]["state"], "ok", "{known}");
    }
}
