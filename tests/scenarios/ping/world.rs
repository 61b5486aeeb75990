//! A run of `ping`, and its output.

use std::time::Duration;

use serde_json::Value;
use tests::{
    namespace::Namespace,
    process::{Ended, ours, run},
};
use tokio::process::Command;

/// `ping` that prints JSON and sends its echoes quickly.
pub(crate) fn ping(target: &str) -> Command {
    let mut command = ours("ping");
    command.args(["--json", "--interval", "10ms", "--target-host", target]);
    command
}

pub(crate) fn dry(target: &str) -> Command {
    let mut command = ping(target);
    command.arg("--dry-run");
    command
}

/// What a run printed, and how it ended.
pub(crate) async fn run_job(command: Command) -> (Ended, Value) {
    let ended = run(command, Duration::from_secs(60)).await;
    let output = serde_json::from_str(&ended.stdout).unwrap_or(Value::Null);
    (ended, output)
}

/// The first reading of a run that must succeed.
pub(crate) async fn reading(command: Command) -> Value {
    let (ended, output) = run_job(command).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    output["readings"][0].clone()
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is a number"))
}

/// Lets every group in the namespace ping without a privilege.
pub(crate) async fn allow_ping_sockets(namespace: &Namespace) {
    namespace.run(&["sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647"]).await;
}
