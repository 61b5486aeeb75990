//! The error for a wrong setting: within five seconds, in a sentence that names what it is.

mod halves;
mod listening;
mod online;
mod slips;
mod strangers;

use std::time::Duration;

use tests::process::{Ended, ours, run};

/// Runs a program to its end with these variables, in an empty folder of its own.
async fn ends(program: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = ours(program);
    command.envs(variables.iter().copied()).args(arguments).current_dir(folder.path());
    run(command, Duration::from_mins(1)).await
}

const TARGET: [(&str, &str); 5] = [
    ("CANARY_URL", "http://home.example:30008"),
    ("PAGE_ID", "gytm4qzbx9t6"),
    ("COMPONENT_ID", "8kbf7d35c070"),
    ("STATUSPAGE_URL", "http://127.0.0.1:8030/v1"),
    ("TOKEN", "hunter2"),
];

const PAGE: [(&str, &str); 4] = [
    ("PAGE_ID", "gytm4qzbx9t6"),
    ("METRIC_ID", "9kbf7d35c070"),
    ("STATUSPAGE_URL", "http://127.0.0.1:8030/v1"),
    ("TOKEN", "hunter2"),
];

const KEEPER: [(&str, &str); 2] = [("KEEPER_URL", "http://127.0.0.1:8030"), ("KEEPER_TOKEN", "hunter2")];

const DNS: [(&str, &str); 2] = [("DOMAIN", "home"), ("TOKEN", "a7c4d0ad-114e-40ef-ba1d-d217904a50f2")];

const CHECKS: [(&str, &str); 3] =
    [("PING_TARGET_URLS", "http://127.0.0.1:9/"), ("KEEPER_URL", "http://127.0.0.1:8030"), ("KEEPER_TOKEN", "hunter2")];

/// The value of a slip, which may be a secret.
const VALUE: &str = "do-not-repeat-me";
