//! What is wrong with one check, or missing on this machine, or not to be had from the keeper: the other checks run.

use serde_json::{Value, json};
use tests::{
    checks::known,
    keeper::Keeper,
    process::{Process, run},
};

use super::world::{Checks, LIMIT, Target, checks_yml, command, counts, until};

fn missing_things(target: &Target) -> Vec<String> {
    vec![
        target.check("web", ""),
        format!(
            "  - {{ name: secret, every: 5s, timeout: 4s, http: {{ url: \"http://{}/\", headers: {{ X-A: {{ secret: NAS_TOKEN }} }} }} }}\n",
            target.address
        ),
        "  - { name: program, every: 5s, timeout: 4s, script: { command: [/nowhere/check_it] } }\n".into(),
        "  - { name: backup, passive: { period: 1d, secret: BACKUP_PING } }\n".into(),
    ]
}

fn text(known: &Value) -> &str {
    known["last_run"]["text"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_missing_secret_or_program_is_told_and_the_other_checks_run() {
    let (keeper, target) = (Keeper::start().await, Target::start().await);
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("nas.token");
    let mut checks = Checks::start_with(&missing_things(&target), |command| {
        command.env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", tests::keeper::TOKEN).env("NAS_TOKEN_FILE", &path);
    })
    .await;
    until(&keeper, "web", "is well", counts("ok")).await;
    for (name, cause, said) in [
        ("secret", "secret", "NAS_TOKEN_FILE: "),
        ("program", "not_started", "there is no program /nowhere/check_it: correct its path"),
    ] {
        let known = until(&keeper, name, "has run", |known| known["last_run"].is_object()).await;
        assert_eq!((&known["last_run"]["state"], &known["last_run"]["cause"]), (&json!("unknown"), &json!(cause)));
        assert!(text(&known).starts_with(said) && known["counts"].is_null(), "{known}");
    }
    let backup = until(&keeper, "backup", "is known", Value::is_object).await;
    assert!(backup["component_id"].is_string(), "{backup}");
    let own = until(&keeper, "checks-file", "tells it", counts("critical")).await;
    assert!(text(&own).contains("checks.yml:4: NAS_TOKEN_FILE: ") && text(&own).contains("(and 2 more)"), "{own}");
    assert_eq!(checks.metric("porchlight_checks_files_valid").await, 0);
    assert_eq!(checks.metric("porchlight_checks_defined").await, 3, "and the one that calls by itself");
    let line =
        |lines: &[String]| lines.iter().find(|line| line.contains("checks.yml:6: BACKUP_PING is not set")).cloned();
    checks.process.wait_for("the log line", line).await;
    std::fs::write(&path, "Bearer 1").expect("a file");
    until(&keeper, "secret", "is well", counts("ok")).await;
}

#[tokio::test]
async fn check_says_all_that_is_wrong_and_missing_by_their_lines() {
    let (target, folder) = (Target::start().await, tempfile::tempdir().expect("a folder"));
    let mut lines = missing_things(&target);
    lines.insert(2, "  - { name: fast, every: 1s, icmp: { host: a } }\n".into());
    let mut check = command(&folder, &checks_yml(&lines));
    check.arg("--check").arg(folder.path().join("checks.yml"));
    let ended = run(check, LIMIT).await;
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let at: Vec<_> =
        ["yml:4: NAS_TOKEN is not", "yml:5: every is 1s", "yml:6: command: /nowhere", "yml:7: BACKUP_PING is not"]
            .map(|said| ended.stderr.find(said).unwrap_or_else(|| panic!("{said}: {}", ended.stderr)))
            .into();
    assert!(at.is_sorted(), "{}", ended.stderr);
    // One of them can be run by hand all the same.
    let mut once = command(&folder, &checks_yml(&lines));
    once.args(["--once", "web"]);
    assert_eq!(run(once, LIMIT).await.code, Some(0));
    let mut once = command(&folder, &checks_yml(&lines));
    once.args(["--once", "fast"]);
    let ended = run(once, LIMIT).await;
    assert!(ended.code == Some(2) && ended.stderr.contains("every is 1s"), "{}", ended.stderr);
}

/// As after a power cut that follows an edit which nobody looked at.
#[tokio::test]
async fn at_a_start_a_wrong_check_is_left_out_and_what_the_keeper_knows_of_it_stays() {
    let (keeper, target) = (Keeper::start().await, Target::start().await);
    let both = [target.check("web", ""), target.check("nas", "")];
    let checks = Checks::start(&keeper, &both).await;
    let before = until(&keeper, "nas", "is well", counts("ok")).await;
    checks.process.terminate().await;
    let lines = [target.check("web", ""), target.check("nas", ", retries: 99"), target.check("new", "")];
    let checks = Checks::start(&keeper, &lines).await;
    until(&keeper, "new", "is well", counts("ok")).await;
    let own = until(&keeper, "checks-file", "tells it", counts("critical")).await;
    assert!(text(&own).contains("checks.yml:4: retries is 99"), "{own}");
    let nas = known(&keeper, "nas").await;
    assert_eq!((&nas["component_id"], &nas["counts"]), (&before["component_id"], &json!("ok")));
    checks.write(&checks_yml(&[target.check("web", "")]));
    until(&keeper, "checks-file", "is in order", counts("ok")).await;
    until(&keeper, "nas", "is gone", Value::is_null).await;
    checks.process.terminate().await;
    // Where none is right, there is nothing to run.
    let folder = tempfile::tempdir().expect("a folder");
    let mut none = command(&folder, &checks_yml(&[target.check("nas", ", retries: 99")]));
    none.env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", tests::keeper::TOKEN);
    assert_eq!(run(none, LIMIT).await.code, Some(2));
}

#[tokio::test]
async fn a_component_that_cannot_be_had_keeps_no_other_check_from_being_registered() {
    let (keeper, target) = (Keeper::start().await, Target::start().await);
    let lines = [target.check("web", ""), target.check("sky", ", component: 000000000000"), target.check("nas", "")];
    let mut checks: Checks = Checks::start(&keeper, &lines).await;
    for name in ["web", "nas", "sky"] {
        until(&keeper, name, "is well", counts("ok")).await;
    }
    assert!(known(&keeper, "sky").await["component_id"].is_null());
    let said = "sky: component 000000000000 is not on the page: name one that is, or write own for one that is made for it; \
                until then it is shown nowhere";
    let own = until(&keeper, "checks-file", "tells it", counts("critical")).await;
    assert_eq!(text(&own), format!("the keeper does not take all as it is: {said}"));
    let process: &mut Process = &mut checks.process;
    process.wait_for("the log line", |lines| lines.iter().find(|line| line.contains(said)).cloned()).await;
    assert_eq!(checks.metric("porchlight_checks_list_taken").await, 0);
    checks.write(&checks_yml(&[target.check("web", ""), target.check("sky", "")]));
    until(&keeper, "checks-file", "is in order", counts("ok")).await;
    assert!(known(&keeper, "sky").await["component_id"].is_string());
    assert_eq!(checks.metric("porchlight_checks_list_taken").await, 1);
}
