//! The data budget: reserved before a test, counted after it, shared by the runs of a month.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::Value;
use tests::{
    fast::{Fast, Fault},
    keeper::{Keeper, TOKEN},
    process::{Process, ours, run},
};
use tokio::time::sleep;

use crate::world::{against, kept, month, remember, remembered, run_job, used};

/// Five connections of 1 MB/s each are 40 Mbit/s.
const FORTY: Fault = Fault::Slow(1_000_000);

fn time(value: &Value) -> Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is a time"))
}

/// How often that has been posted to the keeper.
async fn recorded(keeper: &Keeper, what: &str) -> i64 {
    let (_, series) = keeper.own(Method::GET, "/series?metric=bandwidth&step=87600h", None).await;
    series["points"][0][what].as_i64().unwrap_or(0)
}

/// Waits until a test is under way, and returns what is remembered meanwhile.
async fn under_way(keeper: &Keeper, fast: &Fast) -> Value {
    for _ in 0..200 {
        let state = remembered(keeper).await;
        if !state.is_null() && fast.web.asked("/speedtest/range/") > 20 {
            return state;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("no test began");
}

#[tokio::test]
async fn what_a_run_used_is_counted_and_its_reading_is_recorded() {
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[]).await);
    let first = run_job(kept(&fast, &keeper)).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    first.value("bandwidth");
    let state = remembered(&keeper).await;
    assert_eq!(state["used"].as_u64(), Some(first.number("/details/bytes_used")), "{state}");
    assert_eq!(state["month"], month(0));
    let (from, until) = (time(&state["test"]["from"]), time(&state["test"]["until"]));
    assert!(from < until && until <= Timestamp::now(), "the test is over: {state}");

    let second = run_job(kept(&fast, &keeper)).await;
    let sum = first.number("/details/bytes_used") + second.number("/details/bytes_used");
    assert_eq!(remembered(&keeper).await["used"].as_u64(), Some(sum));
    assert_eq!(recorded(&keeper, "measured").await, 2);
}

#[tokio::test]
async fn a_run_that_is_killed_keeps_its_share_and_its_time() {
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[FORTY]).await);
    remember(&keeper, used(&month(0), 1_000)).await;
    let mut command = kept(&fast, &keeper);
    command.args(["--max-bytes", "50MB"]);
    let run = Process::start(command);
    let state = under_way(&keeper, &fast).await;
    run.kill().await;
    assert_eq!(remembered(&keeper).await, state, "it has not changed since");
    assert_eq!(state["used"], 50_001_000, "all that it may use is counted: {state}");
    let until = time(&state["test"]["until"]);
    let now = Timestamp::now();
    assert!(now < until && until < now + SignedDuration::from_secs(50), "{state}");

    // Until then the line is not free: who knows whether that run still goes on.
    let asked = fast.web.requests().len();
    let next = run_job(kept(&fast, &keeper)).await;
    assert!(next.reading("bandwidth")["skipped"].as_str().expect("why").contains("another test has the line"));
    assert_eq!((next.code, fast.web.requests().len()), (Some(0), asked));
    // And when it is free, that share is gone.
    let over = state["used"].as_u64().expect("bytes");
    remember(&keeper, used(&month(0), over)).await;
    let fast = Fast::open(&[]).await;
    let next = run_job(kept(&fast, &keeper)).await;
    assert_eq!(remembered(&keeper).await["used"].as_u64(), Some(over + next.number("/details/bytes_used")));
}

#[tokio::test]
async fn a_run_that_is_asked_to_end_counts_what_it_really_used() {
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[FORTY]).await);
    let run = Process::start(kept(&fast, &keeper));
    let state = under_way(&keeper, &fast).await;
    let ended = run.terminate().await;
    assert_eq!(ended.code(), Some(1), "it has handed nothing over");
    let settled = remembered(&keeper).await;
    let (reserved, real) = (state["used"].as_u64().expect("bytes"), settled["used"].as_u64().expect("bytes"));
    assert!(real > 0 && real < reserved / 2, "{real} of {reserved}");
    assert!(time(&settled["test"]["until"]) <= Timestamp::now(), "the line is free again: {settled}");
    assert_eq!(recorded(&keeper, "measured").await, 0);
}

#[tokio::test]
async fn of_two_runs_at_once_one_measures_and_all_is_counted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[FORTY]).await);
    let id = keeper.metric("x").await;
    let in_a_folder = || {
        let mut command = against(Some(&fast), None);
        command.env("STATUSPAGE_URL", keeper.api()).env("TOKEN", TOKEN).env("STATE_DIR", folder.path());
        command.args(["--page-id", tests::keeper::PAGE, "--metric-id", &id, "--source", "fast"]);
        command
    };
    let at_a_keeper = || kept(&fast, &keeper);
    let state = || std::fs::read(folder.path().join("bandwidth.json")).expect("it is there");
    for round in 0..6 {
        let run = || if round % 2 == 0 { at_a_keeper() } else { in_a_folder() };
        let before = remembered(&keeper).await["used"].as_u64().unwrap_or(0);
        let runs = futures_util::future::join_all((0..3).map(|_| run_job(run()))).await;
        let measured: Vec<_> = runs.iter().filter(|run| run.reading("bandwidth")["value"].is_number()).collect();
        assert_eq!(measured.len(), 1, "{runs:#?}");
        let left_out = |run: &&crate::world::JobRun| {
            run.reading("bandwidth")["skipped"].as_str().is_some_and(|why| why.contains("another test has"))
        };
        assert_eq!(runs.iter().filter(left_out).count(), 2, "{runs:#?}");
        let used = measured[0].number("/details/bytes_used");
        if round % 2 == 0 {
            assert_eq!(remembered(&keeper).await["used"].as_u64(), Some(before + used));
        } else {
            let state: Value = serde_json::from_slice(&state()).expect("JSON");
            assert_eq!(state["used"].as_u64(), Some(used));
            std::fs::remove_file(folder.path().join("bandwidth.json")).expect("it is there");
        }
    }
}

#[tokio::test]
async fn a_budget_too_small_for_its_runs_is_reported_by_a_check() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let checked = |arguments: &'static [&str]| {
        let mut command = ours("bandwidth");
        command.env("STATE_DIR", folder.path()).args(["--check", "--dry-run", "--data-budget", "1GB"]).args(arguments);
        run(command, Duration::from_secs(10))
    };
    let small = checked(&[]).await;
    assert_eq!(small.code, Some(0), "{small:?}");
    assert!(small.stderr.contains("1.0 GB are 4.0 MB for each of 8 runs a day, and a run needs 5.0 MB"), "{small:?}");
    let more = checked(&["--every", "4h"]).await;
    assert!(!more.stderr.contains("a run needs"), "six runs a day have enough: {more:?}");
}

#[tokio::test]
async fn a_budget_that_is_used_up_leaves_runs_out_and_says_so() {
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[]).await);
    let state = used(&month(0), 60_000_000_000);
    remember(&keeper, state.clone()).await;
    let mut command = kept(&fast, &keeper);
    command.arg("--upload");
    let skipped = run_job(command).await;
    assert_eq!(skipped.code, Some(0), "there was nothing to do: {skipped:?}");
    for metric in ["bandwidth", "upload"] {
        let why = skipped.reading(metric)["skipped"].as_str().expect("why");
        assert!(why.starts_with("left out: 60.0 GB of the 60.0 GB for"), "{why}");
    }
    assert_eq!((recorded(&keeper, "skipped").await, recorded(&keeper, "measured").await), (1, 0));
    assert!(fast.web.requests().is_empty(), "no server was asked");
    assert_eq!(remembered(&keeper).await, state);
}

#[tokio::test]
async fn a_new_month_has_a_new_budget() {
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[]).await);
    remember(&keeper, used(&month(32), 60_000_000_000)).await;
    let next = run_job(kept(&fast, &keeper)).await;
    next.value("bandwidth");
    let state = remembered(&keeper).await;
    assert_eq!((&state["month"], state["used"].as_u64()), (&month(0).into(), Some(next.number("/details/bytes_used"))));
}

#[tokio::test]
async fn a_small_budget_makes_small_runs() {
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[]).await);
    let mut command = kept(&fast, &keeper);
    // At least 6 MB for each day that may be left of the month.
    command.env("DATA_BUDGET", "186MB").env("RUNS_PER_DAY", "1");
    let small = run_job(command).await;
    small.value("bandwidth");
    let allowed = small.number("/details/bytes_allowed");
    assert!((6_000_000..=186_000_000).contains(&allowed), "{allowed}");
    let passed = fast.web.traffic.sent() + fast.web.traffic.received();
    assert!(passed <= allowed + allowed / 100, "{passed} of {allowed}");
}

#[tokio::test]
async fn a_dry_run_keeps_to_the_budget_and_leaves_no_trace() {
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[]).await);
    let mut command = kept(&fast, &keeper);
    command.arg("--dry-run");
    let dry = run_job(command).await;
    assert_eq!((dry.code, dry.number("/details/bytes_allowed")), (Some(0), 100_000_000), "{dry:?}");
    assert_eq!((remembered(&keeper).await, recorded(&keeper, "measured").await), (Value::Null, 0));

    let state = used(&month(0), 60_000_000_000);
    remember(&keeper, state.clone()).await;
    let mut command = kept(&fast, &keeper);
    command.arg("--dry-run");
    assert!(run_job(command).await.reading("bandwidth")["skipped"].is_string());
    assert_eq!(remembered(&keeper).await, state);
}
