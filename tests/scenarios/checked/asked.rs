//! `--once`, `--check` and `--schema`.

use std::time::Duration;

use serde_json::Value;
use tests::process::{Ended, run};

use super::world::{LIMIT, Target, checks_yml, command};

async fn asked(lines: &[String], arguments: &[&str]) -> Ended {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = command(&folder, &checks_yml(lines));
    command.args(arguments);
    run(command, LIMIT).await
}

#[tokio::test]
async fn one_run_is_printed_and_the_exit_code_says_how_it_is() {
    let target = Target::start().await;
    let lines = [
        target.check("web", ""),
        "  - { name: bad, script: { command: [/bin/sh, -c, \"echo 'it broke | a=1.5s;2;3'; exit 2\"] } }\n".into(),
        "  - { name: odd, script: { command: [/bin/sh, -c, \"exit 3\"] } }\n".into(),
    ];
    let ended = asked(&lines, &["--once", "web"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.starts_with("web: ok: ") && ended.stdout.contains("connect "), "{}", ended.stdout);
    let ended = asked(&lines, &["--once", "bad"]).await;
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("it broke") && ended.stdout.contains("a = 1.5s"), "{}", ended.stdout);
    assert_eq!(asked(&lines, &["--once", "odd"]).await.code, Some(3));
    let ended = asked(&lines, &["--once", "wbe"]).await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("there is no check wbe: was web meant?"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_file_is_checked_alone_or_with_the_settings() {
    let target = Target::start().await;
    let lines = [target.check("web", "")];
    let folder = tempfile::tempdir().expect("a folder");
    let mut alone = command(&folder, &checks_yml(&lines));
    alone.arg("--check").arg(folder.path().join("checks.yml"));
    let ended = run(alone, LIMIT).await;
    assert_eq!((ended.code, ended.stdout.trim()), (Some(0), "The settings are in order: 1 check."), "{}", ended.stderr);
    let ended = asked(&lines, &["--check"]).await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("there is nowhere for results to go"), "{}", ended.stderr);
    let twice = [target.check("web", ""), target.check("web", "")];
    let ended = asked(&twice, &["--check"]).await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("checks.yml:4") && ended.stderr.contains("web"), "{}", ended.stderr);
    let mut none = tests::process::ours("checks");
    none.current_dir(folder.path().join("..")).env("CHECKS_FILE", "/nowhere/checks.yml");
    let ended = run(none, Duration::from_secs(20)).await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("/nowhere/checks.yml"), "{}", ended.stderr);
}

#[tokio::test]
async fn the_schema_is_printed() {
    let ended = asked(&[], &["--schema"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let schema: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert!(schema["properties"]["checks"].is_object(), "{schema}");
}
