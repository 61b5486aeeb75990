//! Files that change while checks run.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{checks::known, keeper::Keeper};
use tokio::time::sleep;

use super::world::{Checks, Target, checks_yml, counts, until};

#[tokio::test]
async fn an_edit_a_removal_and_a_rename_are_taken_up_and_history_goes_on() {
    let (keeper, target) = (Keeper::start().await, Target::start().await);
    let checks = Checks::start(&keeper, &[target.check("web", ""), target.check("gone", "")]).await;
    let before = until(&keeper, "web", "is well", counts("ok")).await;
    until(&keeper, "gone", "is well", counts("ok")).await;
    checks.write(&checks_yml(&[target.check("site", ", was: web"), target.check("new", "")]));
    let renamed = until(&keeper, "site", "is there", counts("ok")).await;
    assert_eq!((&renamed["component_id"], &renamed["since"]), (&before["component_id"], &before["since"]));
    until(&keeper, "new", "is well", counts("ok")).await;
    for gone in ["web", "gone"] {
        assert_eq!(known(&keeper, gone).await, Value::Null);
    }
    assert_eq!(checks.metric("porchlight_checks_defined").await, 2);
}

#[tokio::test]
async fn a_wrong_file_leaves_what_runs_alone_and_is_reported() {
    let (keeper, target) = (Keeper::start().await, Target::start().await);
    let mut checks = Checks::start(&keeper, &[target.check("web", "")]).await;
    until(&keeper, "web", "is well", counts("ok")).await;
    checks.write(&checks_yml(&[target.check("web", ", http: 7, colour: red")]));
    let said = |lines: &[String]| lines.iter().find(|line| line.contains("checks.yml:3")).cloned();
    let line = checks.process.wait_for("the log line", said).await;
    assert!(line.contains("what runs goes on as it is"), "{line}");
    assert_eq!(checks.metric("porchlight_checks_files_valid").await, 0);
    let runs = target.asked();
    while target.asked() < runs + 2 {
        sleep(Duration::from_millis(100)).await;
    }
    let wrong = until(&keeper, "checks-file", "is wrong", counts("critical")).await;
    assert!(wrong["last_run"]["text"].as_str().is_some_and(|text| text.contains("checks.yml:3")), "{wrong}");
    checks.write(&checks_yml(&[target.check("web", "")]));
    until(&keeper, "checks-file", "is in order", counts("ok")).await;
    assert_eq!(checks.metric("porchlight_checks_files_valid").await, 1);
    assert_eq!(known(&keeper, "web").await["counts"], json!("ok"));
}

#[tokio::test]
async fn a_file_that_was_cut_off_leaves_what_runs_alone_and_an_empty_list_ends_it() {
    let (keeper, target) = (Keeper::start().await, Target::start().await);
    let checks = Checks::start(&keeper, &[target.check("web", "")]).await;
    until(&keeper, "web", "is well", counts("ok")).await;
    // A list somewhere else in what is left of it is none of checks.
    checks.write("defaults: {retries: 2} # not []\n");
    let wrong = until(&keeper, "checks-file", "is wrong", counts("critical")).await;
    let text = wrong["last_run"]["text"].as_str().unwrap_or_default();
    assert!(text.contains("it defines no checks any more"), "{wrong}");
    assert_eq!(known(&keeper, "web").await["counts"], json!("ok"));
    assert_eq!(checks.metric("porchlight_checks_files_valid").await, 0);
    checks.write("checks: []\n");
    until(&keeper, "checks-file", "is in order", counts("ok")).await;
    assert_eq!(known(&keeper, "web").await, Value::Null);
    assert_eq!(checks.metric("porchlight_checks_defined").await, 0);
}
