//! Where a run finds what past runs used: at the keeper, in a folder, or nowhere; and nothing is measured where it is not
//! known.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    fast::Fast,
    home::{Home, Manner},
    keeper::{Keeper, TOKEN},
    process::file,
};
use tokio::process::Command;

use crate::world::{against, kept, month, remember, run_job, used};

#[tokio::test]
async fn a_record_that_cannot_be_understood_is_no_new_budget() {
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[]).await);
    remember(&keeper, json!({"month": 5})).await;
    let at_a_keeper = kept(&fast, &keeper);
    let folder = tempfile::tempdir().expect("a temporary folder");
    file(folder.path(), "bandwidth.json", "{\"month\": \"2026");
    let mut in_a_folder = against(Some(&fast), None);
    in_a_folder.args(["--dry-run"]).env("STATE_DIR", folder.path());
    for (command, sentence) in [
        (at_a_keeper, "what the keeper has of bandwidth is not understood"),
        (in_a_folder, "bandwidth.json is not understood"),
    ] {
        let unknown = run_job(command).await;
        assert_eq!(unknown.code, Some(1), "{unknown:?}");
        assert!(unknown.said().contains(sentence), "{unknown:?}");
    }
    assert!(fast.web.requests().is_empty(), "no server was asked");
}

#[tokio::test]
async fn nothing_is_measured_where_past_runs_are_not_known() {
    let fast = Fast::open(&[]).await;
    let closed = Home::open(Manner::Refuses).await;
    let with = |name: &str, value: &str, more: &[&str]| {
        let mut command = against(Some(&fast), None);
        command.args(["--deadline", "32s"]).env(name, value).env("KEEPER_TOKEN", TOKEN).args(more);
        command
    };
    for (command, sentence) in [
        (with("KEEPER_URL", &closed.url(), &[]), "check KEEPER_URL, and whether it is up"),
        (with("KEEPER_URL", &closed.url(), &["--dry-run"]), "check KEEPER_URL, and whether it is up"),
    ] {
        let unknown = run_job(command).await;
        assert_eq!(unknown.code, Some(1), "{unknown:?}");
        assert!(unknown.said().contains("nothing was measured, because what past runs used is not known"));
        assert!(unknown.said().contains(sentence), "{unknown:?}");
        assert_eq!(unknown.line["readings"], json!([]));
    }
    assert!(fast.web.requests().is_empty(), "no server was asked");
}

#[tokio::test]
async fn without_any_memory_a_run_uses_little_and_says_so() {
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[]).await);
    let id = keeper.metric("x").await;
    let mut command: Command = against(Some(&fast), None);
    command.env("STATUSPAGE_URL", keeper.api()).env("TOKEN", TOKEN);
    command.args(["--page-id", tests::keeper::PAGE, "--metric-id", &id]);
    let straight = run_job(command).await;
    assert_eq!((straight.code, straight.number("/details/bytes_allowed")), (Some(0), 100_000_000), "{straight:?}");
    assert!(straight.stderr.contains("at most 100.0 MB are used instead of 500.0 MB"), "{}", straight.stderr);
    let (_, series) = keeper.own(Method::GET, &format!("/series?metric=@{id}"), None).await;
    assert_eq!(series["points"][0]["value"].as_f64(), Some(straight.value("bandwidth")));
}

#[tokio::test]
async fn a_folder_remembers_as_a_keeper_does() {
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[]).await);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let id = keeper.metric("x").await;
    let run = || {
        let mut command = against(Some(&fast), None);
        command.env("STATUSPAGE_URL", keeper.api()).env("TOKEN", TOKEN).env("STATE_DIR", folder.path());
        command.args(["--page-id", tests::keeper::PAGE, "--metric-id", &id]);
        command
    };
    let first = run_job(run()).await;
    let path = folder.path().join("bandwidth.json");
    let state: Value = serde_json::from_slice(&std::fs::read(&path).expect("it is there")).expect("JSON");
    assert_eq!(state["used"].as_u64(), Some(first.number("/details/bytes_used")));
    file(folder.path(), "bandwidth.json", &used(&month(0), 60_000_000_000).to_string());
    let skipped = run_job(run()).await;
    assert_eq!(skipped.code, Some(0), "there was nothing to do: {skipped:?}");
    assert!(skipped.reading("bandwidth")["skipped"].is_string());
}
