//! Settings that cannot work end the program before anything is called, with one sentence.

use std::time::Duration;

use tests::{
    heartbeats::{Function, HOME, key},
    keeper::keeper_command,
    process::{Ended, file, run},
};
use tokio::process::Command;

use crate::world::command;

const LIMIT: Duration = Duration::from_secs(30);

fn refused(ended: &Ended, sentence: &str) {
    assert_eq!(ended.code, Some(2), "{sentence}: {ended:?}");
    let last = ended.stderr.lines().last().unwrap_or_default();
    assert!(last.contains(sentence) && last.contains("MESSAGES.md"), "{sentence}: {ended:?}");
    assert!(!ended.stderr.contains("hunter2") && !ended.stderr.contains(&key().expose()), "{ended:?}");
}

/// What is wrong for the program and for the keeper alike.
const WRONG: [(&str, Option<&str>, &str); 8] = [
    (
        "HEARTBEAT_URL",
        Some("http://hunter2.lambda-url.example/"),
        "HEARTBEAT_URL: the address is a secret and would travel unencrypted",
    ),
    (
        "HEARTBEAT_URL",
        Some("hunter2.lambda-url.example"),
        "HEARTBEAT_URL: it is no address: copy that of the heartbeat function",
    ),
    ("HEARTBEAT_URL", Some("ftp://hunter2.example/"), "HEARTBEAT_URL: it is no address"),
    ("HEARTBEAT_URL", Some("https://u:hunter2@a.example/"), "HEARTBEAT_URL: it holds a user name or a password"),
    ("HEARTBEAT_URL", Some(""), "HEARTBEAT_URL is empty"),
    ("HEARTBEAT_URL_FILE", Some("/nowhere"), "HEARTBEAT_URL and HEARTBEAT_URL_FILE are both set: keep one of them"),
    ("BEACON_KEY", None, "HEARTBEAT_URL is set, but BEACON_KEY is not"),
    ("BEACON_KEY", Some("hunter2"), "BEACON_KEY: a key is 43 letters"),
];

fn change(mut command: Command, name: &str, value: Option<&str>) -> Command {
    match value {
        Some(value) => command.env(name, value),
        None => command.env_remove(name),
    };
    command
}

#[tokio::test]
async fn the_program_refuses_them() {
    let (function, folder) = (Function::open().await, tempfile::tempdir().expect("a folder"));
    let mine = [
        ("COMPONENT_ID", None, "nothing says which component of the page this home is: set COMPONENT_ID"),
        ("COMPONENT_ID", Some("Home"), "an id is 12 lower-case letters and digits"),
        ("HEARTBEAT_URL", None, "HEARTBEAT_URL is not set"),
        ("STATE_DIR", Some("/nowhere/at/all"), "STATE_DIR: /nowhere/at/all is no folder"),
    ];
    for (name, value, sentence) in WRONG.into_iter().chain(mine) {
        refused(&run(change(command(&function, folder.path()), name, value), LIMIT).await, sentence);
    }
    for every in ["14s", "11m", "60"] {
        let mut often = command(&function, folder.path());
        often.args(["--every", every]);
        let sentence = if every == "60" { "the unit is missing" } else { "heartbeats are sent every 15s to every 10m" };
        refused(&run(often, LIMIT).await, sentence);
    }
    let mut check = command(&function, folder.path());
    check.args(["--every", "60s", "--check"]);
    let ended = run(check, LIMIT).await;
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), "The settings are in order: a heartbeat is sent every 60s.\n")
    );
    assert!(function.bodies().is_empty(), "nothing was called");
}

#[tokio::test]
async fn the_keeper_refuses_them() {
    let (function, folder) = (Function::open().await, tempfile::tempdir().expect("a folder"));
    let with = || {
        let mut keeper = keeper_command(folder.path());
        keeper.arg("--check");
        crate::world::set(&mut keeper, &function, folder.path());
        keeper
    };
    let relayed = format!(
        "[page]\nid = \"gytm4qzbx9t6\"\nname = \"H\"\n[[components]]\nid = \"{HOME}\"\nname = \"H\"\nrelay = true\n"
    );
    let relayed = file(folder.path(), "relayed.toml", &relayed);
    let mine = [
        ("KEEPER_SEED", None, "which component of the page this home is: set KEEPER_SEED to a seed that has it"),
        (
            "KEEPER_SEED",
            Some(relayed.as_str()),
            "which component of the page this home is: name it in KEEPER_SEED, with beacon = true",
        ),
        ("HEARTBEAT_EVERY", Some("5s"), "heartbeats are sent every 15s to every 10m"),
    ];
    for (name, value, sentence) in WRONG.into_iter().chain(mine) {
        refused(&run(change(with(), name, value), LIMIT).await, sentence);
    }
    let ended = run(with(), LIMIT).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
