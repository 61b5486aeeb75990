//! How runs end: recorded, not recorded, cut off; and what is never printed.

use std::time::{Duration, Instant};

use reqwest::Method;
use tests::{
    fast::{Fast, Fault},
    keeper::{Keeper, PAGE, TOKEN},
    process::{Process, ours, run},
};
use tokio::time::sleep;

use crate::world::{against, dry, kept, run_job};

#[tokio::test]
async fn with_a_keeper_a_failure_is_recorded_and_that_is_success() {
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[Fault::NoTargets]).await);
    let failed = run_job(kept(&fast, &keeper)).await;
    assert_eq!(failed.code, Some(0), "{failed:?}");
    assert!(failed.failure("bandwidth").contains("named no server"), "{failed:?}");
    let (_, series) = keeper.own(Method::GET, "/series?metric=bandwidth", None).await;
    let point = &series["points"][0];
    assert_eq!((point["failed"].as_i64(), point["value"].is_null()), (Some(1), true), "{series}");
}

#[tokio::test]
async fn without_a_keeper_a_failure_is_no_point() {
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[Fault::TokenIsRefused]).await);
    let id = keeper.metric("x").await;
    let mut command = against(Some(&fast), None);
    command.env("STATUSPAGE_URL", keeper.api()).env("TOKEN", TOKEN);
    command.args(["--source", "fast", "--page-id", PAGE, "--metric-id", &id]);
    let failed = run_job(command).await;
    assert_eq!((failed.code, &failed.line["ending"]), (Some(3), &"not_recorded".into()), "{failed:?}");
    let (_, series) = keeper.own(Method::GET, &format!("/series?metric=@{id}"), None).await;
    assert!(series["points"][0].is_null(), "{series}");
}

#[tokio::test]
async fn download_and_upload_have_metrics_of_their_own() {
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[]).await);
    let ids = [keeper.metric("down").await, keeper.metric("up").await];
    let mut command = against(Some(&fast), None);
    command.env("STATUSPAGE_URL", keeper.api()).env("TOKEN", TOKEN).env("UPLOAD", "1");
    command.env("PAGE_ID", PAGE).env("METRIC_ID", &ids[0]).env("METRIC_ID_UPLOAD", &ids[1]);
    let measured = run_job(command).await;
    for (id, metric) in ids.iter().zip(["bandwidth", "upload"]) {
        let (_, series) = keeper.own(Method::GET, &format!("/series?metric=@{id}"), None).await;
        assert_eq!(series["points"][0]["value"].as_f64(), Some(measured.value(metric)), "{metric}");
    }
}

#[tokio::test]
async fn a_run_ends_at_once_when_it_is_asked_to() {
    let fast = Fast::open(&[Fault::Slow(500_000)]).await;
    let run = Process::start(dry(&fast));
    while fast.web.asked("/speedtest/range/") < 12 {
        sleep(Duration::from_millis(20)).await;
    }
    let start = Instant::now();
    assert_eq!(run.terminate().await.code(), Some(1));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_run_ends_within_its_deadline_whatever_hangs() {
    let fast = Fast::open(&[Fault::PageSaysNothing]).await;
    let cloudflare = tests::cloudflare::Cloudflare::open(&[tests::cloudflare::Fault::Stalls]).await;
    let mut command = against(Some(&fast), Some(&cloudflare));
    command.args(["--dry-run", "--upload", "--max-seconds", "5", "--deadline", "25s"]);
    let start = Instant::now();
    let failed = run_job(command).await;
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
    assert_eq!(failed.code, Some(3), "{failed:?}");
    failed.failure("bandwidth");
    failed.failure("upload");
}

#[tokio::test]
async fn a_resident_run_goes_on_and_ends_when_it_is_asked_to() {
    let (keeper, fast) = (Keeper::start().await, Fast::open(&[]).await);
    let mut command = kept(&fast, &keeper);
    command.args(["--every", "1s", "--max-bytes", "5MB", "--runs-per-day", "8"]);
    let mut run = Process::start(command);
    run.wait_for("three runs", |lines| {
        (lines.iter().filter(|line| line.contains("\"ending\"")).count() >= 3).then_some(())
    })
    .await;
    assert_eq!(run.terminate().await.code(), Some(0));
    let (_, series) = keeper.own(Method::GET, "/series?metric=bandwidth&step=1h", None).await;
    assert!(series["points"][0]["measured"].as_i64() >= Some(3), "{series}");
}

/// The tokens, and what fast.com signs its addresses with.
#[tokio::test]
async fn secrets_are_never_printed() {
    let keeper = Keeper::start().await;
    for faults in [&[][..], &[Fault::TargetsStatus(404)], &[Fault::TokenIsRefused], &[Fault::TargetsBreak(1000)]] {
        let fast = Fast::open(faults).await;
        let mut command = kept(&fast, &keeper);
        command.args(["--log-level", "trace", "--max-bytes", "5MB"]);
        let ended = run(command, Duration::from_secs(60)).await;
        let text = ended.stdout + &ended.stderr;
        assert!(text.len() > 100, "{text}");
        for secret in [TOKEN, fast.token(), "&t="] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}

#[tokio::test]
async fn settings_are_validated_without_measuring() {
    let fast = Fast::open(&[]).await;
    let mut command = ours("bandwidth");
    command.args(["--check", "--dry-run", "--fast-url", &fast.url()]);
    let ended = run(command, Duration::from_secs(10)).await;
    assert_eq!((ended.code, &*ended.stdout), (Some(0), "The settings are in order: nothing is handed over.\n"));
    assert!(fast.web.requests().is_empty());
}
