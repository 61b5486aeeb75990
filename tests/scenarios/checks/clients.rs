//! Clients of healthchecks.io that others published, pinned, against the address of a check that calls us.

use std::{env, time::Duration};

use serde_json::json;
use tests::{
    binaries::root,
    checks::{known, register, status},
    keeper::Keeper,
    process::{command, run},
    skip::skip,
};

use super::passive::{SECRET, backup};

/// A client, what it is told to do or to say, and with which text; then what it makes of the answer, what the page shows, and what
/// the keeper has of the run that was reported last.
type Said = [&'static str; 6];

/// One after the other.
const SAID: [Said; 15] = [
    ["healthchecks_io", "success", "files: 12", "(True, 'OK')", "operational", "that it worked."],
    ["healthchecks_io", "fail", "no such disk", "(True, 'OK')", "major_outage", "that it failed."],
    ["healthchecks_io", "start", "begun", "(True, 'OK')", "major_outage", "that it failed."],
    ["healthchecks_io", "0", "files: 13", "(True, 'OK')", "operational", "that it worked after "],
    ["healthchecks_io", "3", "größer als gedacht", "(True, 'OK')", "major_outage", "that it failed: exit code 3."],
    ["healthchecks_io", "255", "", "(True, 'OK')", "major_outage", "that it failed: exit code 255."],
    ["healthchecks_io", "run", "one line", "done", "operational", "that it worked after "],
    ["healthchecks_io", "break", "the disk is full", "broken", "major_outage", "that it failed after "],
    ["runchecked", "echo copied", "copied", "3", "operational", "that it worked."],
    ["runchecked", "echo refused; exit 1", "refused", "4", "major_outage", "that it failed."],
    ["duplicacy_backup_runner", "start", "it begins", "True", "major_outage", "that it failed."],
    ["duplicacy_backup_runner", "log", "half of it is done", "True", "major_outage", "that it failed."],
    ["duplicacy_backup_runner", "success", "all is copied", "True", "operational", "that it worked after "],
    ["duplicacy_backup_runner", "log", "and looked at", "True", "operational", "that it worked after "],
    ["duplicacy_backup_runner", "fail", "no room", "True", "major_outage", "that it failed."],
];

#[tokio::test]
async fn published_clients_of_healthchecks_say_what_they_mean() {
    let test = "published_clients_of_healthchecks_say_what_they_mean";
    let Some(python) = env::var_os("TESTS_PYTHON") else {
        return skip(test, "TESTS_PYTHON is not set; tests/run makes one with the clients");
    };
    let keeper = Keeper::start().await;
    let component = register(&keeper, json!([backup(3600, 600)])).await.remove(0);
    let says = |secret: &str, words: [&str; 3]| {
        let mut client = command(&python);
        client.arg(root().join("tests/clients/pinging.py"));
        client.args([&format!("{}/porchlight/v1/ping/", keeper.url), secret]).args(words);
        run(client, Duration::from_secs(60))
    };
    for [client, call, text, printed, shown, sentence] in SAID {
        let whose = format!("{client}: {call}");
        let ended = says(SECRET, [client, call, text]).await;
        if ended.stderr.contains("No module named") {
            return skip(test, "the clients are not installed; tests/run does it");
        }
        assert_eq!((ended.code, ended.stdout.trim_end()), (Some(0), printed), "{whose}: {}", ended.stderr);
        assert_eq!(status(&keeper, &component).await, shown, "{whose}");
        let backup = known(&keeper, "backup").await;
        let said = backup["last_run"]["text"].as_str().expect("a sentence");
        assert!(said.contains(sentence), "{whose}: {said}");
        let kept = backup["passive"]["body"].as_str().expect("a text");
        assert!(kept.contains(text), "{whose}: {kept}");
    }
    let backup = known(&keeper, "backup").await;
    assert_eq!((&backup["successes"], &backup["failures"]), (&json!(5), &json!(6)));
    let ended = says("8f0c4a52-0000-4000-8000-000000000000", ["healthchecks_io", "success", ""]).await;
    assert_eq!(ended.stdout, "not found\n", "{}", ended.stderr);
}
