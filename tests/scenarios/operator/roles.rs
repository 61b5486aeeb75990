//! The chart's roles against the calls that the operator makes: each call is allowed, and nothing else is. And its `helm test`, whose
//! object and command are those of the golden rendering.

use std::{
    collections::BTreeSet,
    fs,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use check_runner::{message, run::SCRIPT};
use checks::{cause::Cause, outcome::Outcome, performance};
use serde_json::{Value, json};
use tests::{
    binaries::root,
    keeper::TOKEN,
    kubernetes::{ended_with, terminated},
    process::{ours, run},
};
use tokio::time::{Duration, Instant, sleep};

use super::world::{NAMESPACE, World, scripted};

/// A verb, and a group with a resource in it: `("list", "batch/jobs")`.
type Call = (String, String);

/// What is granted and made by no scenario here, each with its reason.
const UNSEEN: [(&str, &str, &str); 1] =
    [("patch", "events.k8s.io/events", "one that is told again counts how often, in the same one")];

/// The objects of a kind in the chart's golden rendering.
fn rendered(kind: &str) -> Vec<Value> {
    let golden = fs::read_to_string(root().join("tests/chart/golden/everything.yaml")).expect("the rendering");
    let is_it = |document: &&str| document.contains(&format!("\nkind: {kind}\n"));
    let documents = golden.split("\n---\n").filter(is_it);
    documents.map(|document| serde_saphyr::from_str(document).expect("YAML")).collect()
}

/// The roles of the chart in a namespace.
fn roles(namespace: &str) -> Vec<Value> {
    let is_its = |role: &Value| role["metadata"]["namespace"] == namespace;
    let of_it: Vec<Value> = rendered("Role").into_iter().filter(is_its).collect();
    assert!(!of_it.is_empty(), "the chart has no role in {namespace}");
    of_it
}

/// What these grant, with the names of the objects that it is limited to.
fn granted(roles: &[Value]) -> BTreeSet<(Call, Vec<String>)> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(|it| it.as_str().expect("a text").to_owned()).collect()
    };
    let mut granted = BTreeSet::new();
    for rule in roles.iter().filter_map(|role| role["rules"].as_array()).flatten() {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for verb in texts(&rule["verbs"]) {
                    granted.insert(((verb, format!("{group}/{resource}")), texts(&rule["resourceNames"])));
                }
            }
        }
    }
    granted
}

fn calls_of(granted: &BTreeSet<(Call, Vec<String>)>) -> BTreeSet<Call> {
    granted.iter().map(|(call, _)| call.clone()).collect()
}

/// A life with everything in it that makes the operator call the API server.
async fn calls_of_a_life() -> BTreeSet<Call> {
    let settings =
        [("CHANNELS_SECRET", "porchlight-operator-channels"), ("OPERATOR_LEASE", "porchlight/porchlight-operator")];
    let world = World::start_with(&settings, |kubernetes| {
        kubernetes.apply(json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "porchlight-operator-channels", "namespace": "porchlight"},
        }));
        kubernetes.run_jobs_by(|_| vec![ended_with(&message::write(&Outcome::because(Cause::Reported, "fine")))]);
        for name in ["bot", "nas"] {
            kubernetes.apply(json!({
                "apiVersion": "v1", "kind": "Secret", "data": {"botToken": "MTIzOmFiYw=="},
                "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"porchlight.dev/for-checks": "true"}},
            }));
        }
        let pinglow = root().join("tests/corpus/objects/good/pinglow.yaml");
        kubernetes.apply_file(&fs::read_to_string(pinglow).expect("it is there"));
        kubernetes.apply(scripted("disk"));
        kubernetes.apply(json!({
            "apiVersion": "porchlight.dev/v1alpha1", "kind": "Check", "metadata": {"name": "wrong", "namespace": NAMESPACE},
            "spec": {"http": {"url": "nas.lan"}},
        }));
    })
    .await;
    world.until("disk", "has run", |known| known["last_run"].is_object()).await;
    for (collection, name) in [
        ("porchlight.dev/checks", "disk"),
        ("porchlight.dev/checks", "wrong"),
        ("pinglow.io/checks", "web"),
        ("pinglow.io/scripts", "web-script"),
        ("pinglow.io/telegramchannels", "chat"),
    ] {
        world.status_of(collection, name, "is told", |status| status["conditions"].is_array()).await;
    }
    let until = Instant::now() + Duration::from_secs(60);
    // What comes last: a Job that is removed, the channels, an event, and a Lease that is kept.
    let last = [
        ("delete", "batch/jobs"),
        ("patch", "/secrets"),
        ("create", "events.k8s.io/events"),
        ("update", "coordination.k8s.io/leases"),
    ];
    let is_made =
        |(verb, of): &(&str, &str)| world.kubernetes.calls().contains(&((*verb).to_owned(), (*of).to_owned()));
    while !last.iter().all(is_made) {
        assert!(Instant::now() < until, "of these some are not made: {last:?}");
        sleep(Duration::from_millis(50)).await;
    }
    world.kubernetes.calls().into_iter().collect()
}

#[tokio::test]
async fn the_charts_roles_allow_each_call_that_the_operator_makes_and_nothing_that_it_does_not() {
    let (watched, own) = (granted(&roles(NAMESPACE)), granted(&roles("porchlight")));
    let both: BTreeSet<Call> = calls_of(&watched).union(&calls_of(&own)).cloned().collect();
    let made = calls_of_a_life().await;
    assert!(made.len() >= 15, "so few are no life: {made:?}");
    let refused: Vec<&Call> = made.difference(&both).collect();
    assert!(refused.is_empty(), "the chart's roles do not allow {refused:?}: add them to templates/operator.yaml");
    let unseen =
        |(verb, of): &Call| UNSEEN.iter().any(|(known, resource, _)| (known, resource) == (&&verb[..], &&of[..]));
    let unused: Vec<&Call> = both.difference(&made).filter(|call| !unseen(call)).collect();
    assert!(unused.is_empty(), "nobody makes use of {unused:?}: take them from templates/operator.yaml");
    let gone: Vec<_> =
        UNSEEN.iter().filter(|(verb, of, _)| !both.contains(&(String::from(*verb), String::from(*of)))).collect();
    assert!(gone.is_empty(), "these are not granted any more: {gone:?}");
}

/// In the operator's own namespace are the tokens of keeper and beacon: what it may do there has a name, but for what has none yet.
#[test]
fn in_its_own_namespace_the_operator_may_touch_what_is_named_and_nothing_else() {
    let own = granted(&roles("porchlight"));
    for ((verb, of), names) in &own {
        match of.as_str() {
            "coordination.k8s.io/leases" if verb == "create" => {
                assert!(names.is_empty(), "no rule could match: {names:?}");
            }
            "coordination.k8s.io/leases" => assert_eq!(names, &["porchlight-operator"], "{verb}"),
            "/secrets" => {
                assert_eq!(verb, "patch");
                assert_eq!(names, &["porchlight-operator-channels"]);
            }
            other => panic!("it may {verb} {other} in its own namespace"),
        }
    }
    let watched = granted(&roles(NAMESPACE));
    for verb in ["get", "create", "update", "patch", "delete", "deletecollection"] {
        assert!(
            !watched.iter().any(|((may, of), _)| may == verb && of == "/secrets"),
            "it may {verb} Secrets of checks"
        );
    }
    for of in ["/pods", "/pods/exec", "/pods/log", "apps/deployments", "rbac.authorization.k8s.io/roles"] {
        let changes = |verb: &str| !["list", "watch"].contains(&verb);
        assert!(!watched.iter().any(|((verb, it), _)| it == of && changes(verb)), "it may change {of}");
    }
}

/// What `check-runner` would say of the script that a Job brings, which runs on this machine here.
fn ran(job: &Value) -> String {
    let first = &job["spec"]["template"]["spec"]["initContainers"][0]["env"][0];
    assert_eq!(first["name"], SCRIPT);
    let script = first["value"].as_str().expect("a script");
    let printed = Command::new("bash").args(["-c", script]).output().expect("bash runs").stdout;
    let printed = String::from_utf8(printed).expect("text");
    let (text, figures) = printed.trim_end().split_once('|').expect("a figure");
    message::write(&Outcome { figures: performance::parse(figures).figures, ..Outcome::ok(text) })
}

#[tokio::test]
async fn the_charts_test_passes_once_its_script_has_run_and_not_before() {
    let can_run = Arc::new(AtomicBool::new(false));
    let can = Arc::clone(&can_run);
    let world = World::start(move |kubernetes| {
        kubernetes.run_jobs_by(move |job| {
            if can.load(Ordering::Relaxed) {
                return vec![ended_with(&ran(job))];
            }
            vec![terminated(&json!({"reason": "StartError", "exitCode": 128, "message": "no such image"}))]
        });
    })
    .await;
    let is_ours = |pod: &Value| pod["metadata"]["name"] == "porchlight-test-operator";
    let pod = rendered("Pod").into_iter().find(is_ours).expect("the pod of the test");
    let words = pod["spec"]["containers"][0]["args"].as_array().expect("a command").iter();
    let words: Vec<String> = words.map(|word| word.as_str().expect("a word").to_owned()).collect();
    let asked = async |wait: &str| {
        let mut readings = ours("porchlight");
        readings.args(&words[..words.len() - 1]).arg(wait);
        readings.env("KEEPER_URL", &world.keeper.url).env("KEEPER_TOKEN", TOKEN);
        run(readings, Duration::from_secs(60)).await
    };
    world.kubernetes.apply(rendered("Check").remove(0));
    world.until("porchlight-test", "has no pod", |known| known["last_run"]["state"] == "unknown").await;
    let before = asked("2s").await;
    assert_eq!(before.code, Some(1), "{before:#?}");
    can_run.store(true, Ordering::Relaxed);
    let after = asked("40s").await;
    assert_eq!(after.code, Some(0), "{after:#?}");
    assert!(after.stdout.contains('1'), "{after:#?}");
}
