//! The real kubectl, against what it needs of an API server.

use std::{fs, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use tests::{
    binaries::{python, root},
    duckdns,
    process::{Ended, Process, command, run},
    skip::{program, skip},
};
use tokio::process::Command;

use super::world::{World, steps};

const WORDS: [&str; 7] = ["setup", "--yes", "--without-aws", "--home", "home", "--apply", "true"];

#[tokio::test]
async fn the_real_kubectl_brings_the_secrets_finds_them_again_and_removes_them() {
    let (Some(python), Some(kubectl)) = (python(), program("kubectl")) else {
        return skip("setup by the real kubectl", "kubectl or TESTS_PYTHON is missing; tests/run installs them");
    };
    let world = World::at_home().await;
    let server = tempfile::tempdir().expect("a folder");
    let mut api = command(python);
    api.arg(root().join("tests/cloud/secrets_api.py")).arg(server.path());
    let mut api = Process::start(api);
    api.wait_for("ready", |lines| lines.iter().any(|line| line == "ready").then_some(())).await;
    fs::remove_file(world.place.path().join("bin/kubectl")).expect("the scripted one");
    let config = server.path().join("kubeconfig");
    // What it keeps of discovery is this test's own.
    let at = |command: &mut Command| {
        command.env("KUBECONFIG", &config).env("HOME", server.path());
    };
    let setup = async |words: &[&str]| -> Ended {
        let mut command = world.command(words);
        at(&mut command);
        run(command, Duration::from_mins(1)).await
    };
    let secret = async |name: &str| -> Value {
        let mut get = command(&kubectl);
        get.args(["--namespace", "porchlight", "get", "secret", name, "--output", "json", "--ignore-not-found"]);
        at(&mut get);
        serde_json::from_str(&run(get, Duration::from_mins(1)).await.stdout).unwrap_or_default()
    };
    let first = setup(&WORDS).await;
    assert!(
        first.stdout.contains("brought beacon-key, duckdns, statuspage into the cluster pi"),
        "{}{}",
        first.stdout,
        first.stderr
    );
    let there = secret("duckdns").await;
    let token = BASE64_STANDARD.encode(duckdns::TOKEN);
    assert_eq!((&there["data"]["TOKEN"], &there["metadata"]["annotations"]), (&token.into(), &Value::Null), "{there}");
    let again = setup(&WORDS).await;
    assert!(steps(&again.stdout, "already").contains(&"the cluster"), "{}{}", again.stdout, again.stderr);
    // Another key is another Secret; which of them is retired, nobody but its owner knows.
    fs::write(world.folder().join("beacon.key"), "E".repeat(43)).expect("ours");
    let another = setup(&WORDS).await;
    let said = "the Secret beacon-key has another key than porchlight-setup/beacon.key";
    assert!(another.stdout.contains(said), "{}{}", another.stdout, another.stderr);
    let mut delete = command(&kubectl);
    delete.args(["-n", "porchlight", "delete", "secret", "beacon-key"]);
    at(&mut delete);
    assert_eq!(run(delete, Duration::from_mins(1)).await.code, Some(0));
    let another = setup(&WORDS).await;
    assert!(another.stdout.contains("brought beacon-key into the cluster pi"), "{}{}", another.stdout, another.stderr);
    assert_eq!(secret("beacon-key").await["data"]["KEY"], BASE64_STANDARD.encode("E".repeat(43)));
    let elsewhere = setup(&[&WORDS[..], &["--folder", "another"]].concat()).await;
    let said = "the Secret beacon-key is there with another value, and this setup did not make it";
    assert!(elsewhere.stdout.contains(said), "{}{}", elsewhere.stdout, elsewhere.stderr);
    let ended = setup(&["teardown"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(secret("beacon-key").await, Value::Null);
    let calls = fs::read_to_string(server.path().join("calls")).expect("calls");
    assert!(
        calls.contains("POST /api/v1/namespaces\n")
            && calls.contains("DELETE /api/v1/namespaces/porchlight/secrets/beacon-key"),
        "{calls}"
    );
}
