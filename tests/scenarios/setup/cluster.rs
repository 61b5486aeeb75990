//! The real kubectl, against what it needs of an API server.

use std::{fs, path::PathBuf, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use tempfile::TempDir;
use tests::{
    binaries::{python, root},
    duckdns,
    process::{Ended, Process, command, run},
    skip::{program, skip},
};
use tokio::process::Command;

use super::world::{World, steps};

const WORDS: [&str; 7] = ["setup", "--yes", "--without-aws", "--home", "home", "--apply", "true"];

const PATIENCE: Duration = Duration::from_mins(2);

/// An API server that keeps namespaces and Secrets, and the kubectl that gets to it.
pub(crate) struct Cluster {
    kubectl: PathBuf,
    server: TempDir,
    _api: Process,
}

impl Cluster {
    /// In the place of the scripted one of that world. `None`, and a skip, where something is missing.
    pub(crate) async fn of(world: &World, test: &str) -> Option<Self> {
        let (Some(python), Some(kubectl)) = (python(), program("kubectl")) else {
            skip(test, "kubectl or TESTS_PYTHON is missing; tests/run installs them");
            return None;
        };
        let server = tempfile::tempdir().expect("a folder");
        let mut api = command(python);
        api.arg(root().join("tests/cloud/secrets_api.py")).arg(server.path());
        let mut api = Process::start(api);
        api.wait_for("ready", |lines| lines.iter().any(|line| line == "ready").then_some(())).await;
        fs::remove_file(world.place.path().join("bin/kubectl")).expect("the scripted one");
        Some(Self { kubectl, server, _api: api })
    }

    /// Has a command get there. What kubectl keeps of discovery is this test's own.
    pub(crate) fn leads(&self, command: &mut Command) {
        command.env("KUBECONFIG", self.server.path().join("kubeconfig")).env("HOME", self.server.path());
    }

    async fn kubectl(&self, words: &[&str]) -> Ended {
        let mut kubectl = command(&self.kubectl);
        kubectl.args(["--namespace", "porchlight"]).args(words);
        self.leads(&mut kubectl);
        run(kubectl, PATIENCE).await
    }

    /// A Secret; null where there is none of that name.
    pub(crate) async fn secret(&self, name: &str) -> Value {
        let ended = self.kubectl(&["get", "secret", name, "--output", "json", "--ignore-not-found"]).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap_or_default()
    }

    /// Keeps the server from making that Secret.
    pub(crate) fn holds(&self, name: &str) {
        fs::write(self.server.path().join("hold"), name).expect("ours");
    }

    /// Whether that was asked of it meanwhile.
    pub(crate) fn has_held(&self) -> bool {
        self.server.path().join("held").exists()
    }

    pub(crate) fn goes_on(&self) {
        fs::remove_file(self.server.path().join("hold")).expect("it holds");
    }

    /// What it was called with so far, a line each.
    pub(crate) fn calls(&self) -> String {
        fs::read_to_string(self.server.path().join("calls")).expect("calls")
    }
}

#[tokio::test]
async fn the_real_kubectl_brings_the_secrets_finds_them_again_and_removes_them() {
    let world = World::at_home().await;
    let Some(cluster) = Cluster::of(&world, "setup by the real kubectl").await else { return };
    let setup = async |words: &[&str]| -> Ended {
        let mut command = world.command(words);
        cluster.leads(&mut command);
        run(command, PATIENCE).await
    };
    let first = setup(&WORDS).await;
    assert!(
        first.stdout.contains("brought beacon-key, duckdns, statuspage into the cluster pi"),
        "{}{}",
        first.stdout,
        first.stderr
    );
    let there = cluster.secret("duckdns").await;
    let token = BASE64_STANDARD.encode(duckdns::TOKEN);
    assert_eq!((&there["data"]["TOKEN"], &there["metadata"]["annotations"]), (&token.into(), &Value::Null), "{there}");
    let again = setup(&WORDS).await;
    assert!(steps(&again.stdout, "already").contains(&"the cluster"), "{}{}", again.stdout, again.stderr);
    // Another key is another Secret; which of them is retired, nobody but its owner knows.
    fs::write(world.folder().join("beacon.key"), "E".repeat(43)).expect("ours");
    let another = setup(&WORDS).await;
    let said = "the Secret beacon-key has another key than porchlight-setup/beacon.key";
    assert!(another.stdout.contains(said), "{}{}", another.stdout, another.stderr);
    assert_eq!(cluster.kubectl(&["delete", "secret", "beacon-key"]).await.code, Some(0));
    let another = setup(&WORDS).await;
    assert!(another.stdout.contains("brought beacon-key into the cluster pi"), "{}{}", another.stdout, another.stderr);
    assert_eq!(cluster.secret("beacon-key").await["data"]["KEY"], BASE64_STANDARD.encode("E".repeat(43)));
    let elsewhere = setup(&[&WORDS[..], &["--folder", "another"]].concat()).await;
    let said = "the Secret beacon-key is there with another value, and this setup did not make it";
    assert!(elsewhere.stdout.contains(said), "{}{}", elsewhere.stdout, elsewhere.stderr);
    let ended = setup(&["teardown"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(cluster.secret("beacon-key").await, Value::Null);
    let calls = cluster.calls();
    assert!(
        calls.contains("POST /api/v1/namespaces\n")
            && calls.contains("DELETE /api/v1/namespaces/porchlight/secrets/beacon-key"),
        "{calls}"
    );
}
