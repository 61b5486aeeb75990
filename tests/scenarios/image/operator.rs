//! The operator's image, as the chart runs it.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use check_runner::message;
use checks::outcome::State;
use serde_json::{Value, json};
use tests::{
    image::{Image, Place},
    keeper::{Keeper, TOKEN},
    kubernetes::{Kubernetes, ended_with},
    process::{command, file, ours, run},
};
use tokio::time::{Instant, sleep};

use super::{Pod, SECRETS, folder, readable};

/// The image that the chart would name.
const RUNNER: &str = "localhost/porchlight-operator:tests";

async fn pod(test: &str) -> Option<Pod> {
    Pod::of(test, Image::operator(test)).await
}

#[tokio::test]
async fn it_finds_its_api_server_and_has_its_own_image_bring_the_program_to_each_script() {
    let Some(pod) = pod("image-operator").await else { return };
    let (keeper, kubernetes) = (Keeper::start().await, Kubernetes::start().await);
    kubernetes.run_jobs_by(|_| vec![ended_with("{}")]);
    let folder = folder();
    let mut operator = ours("operator");
    kubernetes.lead(&mut operator, folder.path());
    file(folder.path(), "TOKEN", TOKEN);
    operator.env("KUBECONFIG", format!("{SECRETS}/kubeconfig")).env("KEEPER_TOKEN_FILE", format!("{SECRETS}/TOKEN"));
    operator.env("KEEPER_URL", &keeper.url).env("OPERATOR_NAMESPACES", "checks").env("RUNNER_IMAGE", RUNNER);
    let (mut process, container) = pod.start(&operator, &Place::default().reads(readable(&folder), SECRETS));
    process.wait_for_message("running").await;
    let word = container.kernels_word().await;
    assert!(word.lines().any(|line| line.starts_with("CapEff:") && line.ends_with("0000000000000000")), "{word}");
    let spec = json!({"every": "5s", "timeout": "4s", "script": {"language": "Bash", "content": "echo fine"}});
    let meta = json!({"name": "disk", "namespace": "checks"});
    kubernetes.apply(json!({"apiVersion": "porchlight.dev/v1alpha1", "kind": "Check", "metadata": meta, "spec": spec}));
    let until = Instant::now() + Duration::from_secs(60);
    let job = loop {
        if let Some(job) = kubernetes.ever_made("batch/jobs").into_iter().next() {
            break job;
        }
        assert!(Instant::now() < until, "no Job was made: {:#?}", process.lines());
        sleep(Duration::from_millis(50)).await;
    };
    let first: &Value = &job["spec"]["template"]["spec"]["initContainers"][0];
    assert_eq!((&first["image"], &first["command"][0]), (&json!(RUNNER), &json!("/usr/local/bin/check-runner")));
    process.signal(rustix::process::Signal::TERM);
    assert_eq!(process.ended().await.code(), Some(0), "PID 1 ends when it is asked to: {:#?}", process.lines());
    drop(container);
}

/// The user's image may have no library at all: what is copied there runs on this machine, too.
#[tokio::test]
async fn check_runner_copies_itself_and_runs_without_any_library() {
    let Some(pod) = pod("image-check-runner").await else { return };
    let shared = folder();
    let mut install = ours("check-runner");
    install.args(["install", "/porchlight"]).env("PORCHLIGHT_SCRIPT", "echo fine");
    let installed = pod.run(&install, &Place::default().owns(shared.path(), "/porchlight")).await;
    assert_eq!(installed.code, Some(0), "{installed:#?}");
    assert_eq!(fs::read_to_string(shared.path().join("script")).expect("the script"), "echo fine");
    let copy = shared.path().join("check-runner");
    assert_eq!(fs::metadata(&copy).expect("the program").permissions().mode() & 0o777, 0o555);
    let usage = run(command(&copy), Duration::from_secs(10)).await;
    assert!(usage.stderr.contains("check-runner install FOLDER"), "{usage:#?}");

    // The only other program of this image stands for a script.
    let said = shared.path().join("message");
    fs::write(&said, "").expect("the folder is ours");
    let mut script = ours("check-runner");
    script.args(["run", "10", "/usr/local/bin/operator", "--version"]);
    let ended = pod.run(&script, &Place::default().owns(&said, "/dev/termination-log")).await;
    let outcome = message::read(&fs::read_to_string(&said).expect("the message")).expect("an outcome");
    let expected = format!("operator {}", env!("CARGO_PKG_VERSION"));
    assert_eq!((outcome.state, outcome.text.trim()), (State::Ok, expected.as_str()), "{ended:#?}");
}

#[tokio::test]
async fn the_definitions_come_with_it() {
    let Some(pod) = pod("image-definitions").await else { return };
    let mut operator = ours("operator");
    operator.arg("--crds");
    let ended = pod.run(&operator, &Place::default()).await;
    let carried =
        fs::read_to_string(tests::binaries::root().join("charts/home-beacon/files/crds.yaml")).expect("the chart's");
    let (_, carried) = carried.split_once('\n').expect("a first line that says where it is from");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), carried));
}

#[tokio::test]
async fn on_arm64_both_programs_run() {
    let Some(pod) = Pod::of("image-operator-arm64", Image::operator_for_arm64("image-operator-arm64")).await else {
        return;
    };
    let mut operator = ours("operator");
    operator.arg("--version");
    let ended = pod.run(&operator, &Place::default()).await;
    let expected = format!("operator {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((ended.code, ended.stdout), (Some(0), expected), "{}", ended.stderr);
    let usage = pod.run(&ours("check-runner"), &Place::default()).await;
    assert!(usage.stderr.contains("check-runner install FOLDER"), "{usage:#?}");
}
