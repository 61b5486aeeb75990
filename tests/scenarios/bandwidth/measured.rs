//! What is measured: settled speeds, time limits, uploads, latencies; and what is reported of them.

use std::time::{Duration, Instant};

use tests::{
    cloudflare::{Cloudflare, Fault as CloudflareFault},
    fast::{Fast, Fault},
    process::{command, run},
    skip::{program, skip},
};

use crate::world::{against, dry, run_job, trust};

/// Five connections of 1 MB/s each are 40 Mbit/s.
const FORTY: Fault = Fault::Slow(1_000_000);

#[tokio::test]
async fn a_run_ends_when_the_speed_has_settled() {
    let fast = Fast::open(&[FORTY]).await;
    let job = run_job(dry(&fast)).await;
    let value = job.value("bandwidth");
    assert!((39.0..41.0).contains(&value), "{value}: {job:?}");
    let down = &job.line["details"]["down"];
    assert_eq!((&down["stable"], &down["streams"]), (&true.into(), &5.into()), "{down}");
    let (seconds, measured) = (down["seconds"].as_f64().expect("s"), down["measured_seconds"].as_f64().expect("s"));
    assert!(seconds < 10.0 && measured <= seconds - 1.0, "the ramp-up is left out: {down}");
    let reading = job.reading("bandwidth");
    assert_eq!((&reading["method"], &reading["target"]), (&"fast.com".into(), &"127.0.0.1".into()));
    assert_eq!(job.line["details"]["isp"], "Example Net");
    assert_eq!(job.line["details"]["location"], "Berlin, DE");
}

#[tokio::test]
async fn a_run_ends_at_max_seconds() {
    let fast = Fast::open(&[FORTY]).await;
    let mut command = dry(&fast);
    command.env("MAX_SECONDS", "2");
    let start = Instant::now();
    let job = run_job(command).await;
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    let down = &job.line["details"]["down"];
    let seconds = down["seconds"].as_f64().expect("s");
    assert!((1.5..2.2).contains(&seconds) && down["stable"] == false, "{down}");
    assert!((37.0..43.0).contains(&job.value("bandwidth")), "{job:?}");
}

#[tokio::test]
async fn as_many_streams_as_are_set_are_used() {
    let fast = Fast::open(&[FORTY]).await;
    let mut command = dry(&fast);
    command.env("STREAMS", "2").env("MAX_SECONDS", "3s");
    let job = run_job(command).await;
    assert!((15.0..17.0).contains(&job.value("bandwidth")), "{job:?}");
}

#[tokio::test]
async fn latencies_are_taken_idle_and_under_load() {
    let fast = Fast::open(&[FORTY]).await;
    let job = run_job(dry(&fast)).await;
    assert!(job.value("latency_idle") < 50.0, "{job:?}");
    assert!(job.value("latency_loaded") < 200.0, "{job:?}");
}

#[tokio::test]
async fn the_time_that_cloudflare_takes_for_itself_is_no_latency() {
    for fault in [CloudflareFault::Thinks(150), CloudflareFault::ThinksInParts(150)] {
        let cloudflare = Cloudflare::open(&[fault]).await;
        let mut command = against(None, Some(&cloudflare));
        command.args(["--dry-run", "--source", "cloudflare", "--max-bytes", "5MB"]);
        let job = run_job(command).await;
        assert!(job.value("latency_idle") < 75.0, "{job:?}");
    }
}

#[tokio::test]
async fn a_download_that_was_over_at_once_says_why_there_is_no_latency_under_load() {
    let fast = Fast::open(&[]).await;
    let job = run_job(dry(&fast)).await;
    assert_eq!(job.failure("latency_loaded"), "the download was over before it could be taken");
    assert_eq!(job.code, Some(0), "the speed is known");
}

#[tokio::test]
async fn uploads_are_measured_and_refused_ones_are_no_speed() {
    let fast = Fast::open(&[]).await;
    let mut command = dry(&fast);
    command.env("UPLOAD", "true");
    let good = run_job(command).await;
    good.value("upload");
    assert!(fast.uploaded() > 1_000_000, "{good:?}");

    for fault in [Fault::RefusesUploads, Fault::RefusesUploadsLate] {
        let fast = Fast::open(&[fault]).await;
        let mut command = dry(&fast);
        command.arg("--upload");
        let refused = run_job(command).await;
        assert!(
            refused.failure("upload").contains("127.0.0.1 refuses to answer with the confirmation of an upload (403)")
        );
        refused.value("bandwidth");
        assert_eq!(refused.code, Some(3));
    }
}

#[tokio::test]
async fn https_is_measured_like_http() {
    let fast = Fast::with_tls(&[FORTY]).await;
    let mut command = dry(&fast);
    let _trusted = trust(&mut command, fast.web.certificate.as_ref());
    let job = run_job(command).await;
    assert!((39.0..41.0).contains(&job.value("bandwidth")), "{job:?}");
}

#[tokio::test]
async fn on_a_terminal_a_bar_shows_the_live_speed_and_a_machine_sees_none() {
    let Some(script) = program("script") else { return skip("on_a_terminal", "script (bsdutils) is missing") };
    let fast = Fast::open(&[FORTY]).await;
    let bar = async |more: &str| {
        let words = format!(
            "{} --dry-run --source fast --max-seconds 2 --fast-url {} {more}",
            tests::binaries::binary("bandwidth").display(),
            fast.url()
        );
        let mut on_a_terminal = command(&script);
        on_a_terminal.args(["-qec", &words, "/dev/null"]);
        run(on_a_terminal, Duration::from_secs(30)).await.stdout
    };
    let shown = bar("").await;
    let lines: Vec<&str> = shown.split('\r').filter(|line| line.starts_with("down [")).collect();
    assert!(lines.len() > 10, "{shown:?}");
    assert!(lines.iter().any(|line| line.contains("=====") && line.contains("Mbit/s")), "{shown:?}");
    assert!(shown.contains("download: "), "{shown:?}");
    assert!(!bar("--json").await.contains("down ["));
}
