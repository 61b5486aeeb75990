//! What a run may use is a hard limit, for every source and every way in which it answers.

use std::time::Duration;

use tests::{
    cloudflare::Cloudflare,
    fast::{Fast, Fault},
    link::{CABLE, FAR, Link},
    process::{Process, command},
    skip::skip,
    web::{Body, Reply, Traffic, Web},
};
use tokio::process::Command;

use crate::world::{JobRun, against, run_job, trust};

const MAX: u64 = 20_000_000;

/// All that passed an emulator's sockets.
fn passed(traffic: &Traffic) -> u64 {
    traffic.sent() + traffic.received()
}

/// A run that is limited by nothing but its bytes uses them, and not more than a hundredth above.
fn used_up(job: &JobRun, passed: u64) {
    job.value("bandwidth");
    assert!(passed <= MAX + MAX / 100, "{passed} bytes: {job:?}");
    assert!(passed >= MAX / 2, "{passed} bytes: {job:?}");
    assert_eq!(job.number("/details/bytes_allowed"), MAX);
    // What it says that it used is what was seen, or a little more: what it did not wait for may have come, or not.
    let said = job.number("/details/bytes_used");
    assert!(said <= MAX + MAX / 50 && passed <= said + MAX / 50, "{said} and {passed} bytes: {job:?}");
}

fn limited(mut command: Command, source: &str, more: &[&str]) -> Command {
    command.args(["--dry-run", "--max-bytes", "20MB", "--source", source]).args(more);
    command
}

#[tokio::test]
async fn a_download_from_fast_com_never_uses_more() {
    for streams in ["1", "5", "8"] {
        // Slow enough for all streams to join.
        let fast = Fast::open(&[Fault::Slow(3_000_000)]).await;
        let job = run_job(limited(against(Some(&fast), None), "fast", &["--streams", streams])).await;
        assert_eq!(job.number("/details/down/streams").to_string(), streams);
        used_up(&job, passed(&fast.web.traffic));
    }
}

#[tokio::test]
async fn tls_is_counted_too() {
    let fast = Fast::with_tls(&[Fault::Slow(3_000_000)]).await;
    let mut command = limited(against(Some(&fast), None), "fast", &["--streams", "8", "--upload"]);
    let _trusted = trust(&mut command, fast.web.certificate.as_ref());
    let job = run_job(command).await;
    job.value("upload");
    used_up(&job, passed(&fast.web.traffic));
}

#[tokio::test]
async fn an_upload_shares_what_the_run_may_use() {
    let fast = Fast::open(&[]).await;
    let job = run_job(limited(against(Some(&fast), None), "fast", &["--upload"])).await;
    job.value("upload");
    assert!(fast.uploaded() > 0 && fast.web.traffic.received() > MAX / 10, "{job:?}");
    used_up(&job, passed(&fast.web.traffic));
}

#[tokio::test]
async fn cloudflare_is_asked_as_it_wishes_and_never_for_more() {
    let cloudflare = Cloudflare::open(&[]).await;
    let job = run_job(limited(against(None, Some(&cloudflare)), "cloudflare", &["--upload", "--streams", "1"])).await;
    job.value("upload");
    used_up(&job, passed(&cloudflare.web.traffic));
    for request in cloudflare.web.requests() {
        let size = request.query("bytes").and_then(|bytes| bytes.parse().ok()).unwrap_or_else(|| request.length());
        assert!(size <= 9_000_000, "{request:?}");
        assert_eq!(request.field("referer"), Some("https://speed.cloudflare.com/"), "{request:?}");
    }
    assert_eq!(job.line["details"]["location"], "Hamburg, DE");
}

#[tokio::test]
async fn what_a_failing_source_has_used_is_counted_against_the_next() {
    // Each try gets half a megabyte.
    let fast = Fast::open(&[Fault::TargetsBreak(500_000)]).await;
    let cloudflare = Cloudflare::open(&[]).await;
    let job = run_job(limited(against(Some(&fast), Some(&cloudflare)), "auto", &[])).await;
    assert_eq!(job.reading("bandwidth")["method"], "cloudflare");
    assert!(passed(&fast.web.traffic) > 2_000_000);
    used_up(&job, passed(&fast.web.traffic) + passed(&cloudflare.web.traffic));
}

#[tokio::test]
async fn whatever_else_is_large_counts_too() {
    for (fault, metric, why) in [
        (Fault::LatencyIsLarge, "latency_idle", "it sent too much where a byte was asked for"),
        (Fault::ScriptIsLong(30_000_000), "bandwidth", "its script is longer than"),
    ] {
        let fast = Fast::open(&[fault, Fault::Slow(3_000_000)]).await;
        let job = run_job(limited(against(Some(&fast), None), "fast", &[])).await;
        let said = job.number("/details/bytes_used");
        assert!(said <= MAX + MAX / 50, "{said}: {job:?}");
        assert!(job.failure(metric).contains(why), "{job:?}");
    }
}

/// A script that breaks off is asked for again, and each time costs what came of it.
#[tokio::test]
async fn texts_that_are_asked_for_again_use_no_more_either() {
    let fast = Fast::open(&[Fault::ScriptBreaks(900_000)]).await;
    let mut command = against(Some(&fast), None);
    command.args(["--dry-run", "--max-bytes", "1MB", "--source", "fast"]);
    let job = run_job(command).await;
    assert!(job.failure("bandwidth").contains("nothing is left of what this run may use"), "{job:?}");
    // What was on its way when the connection was cut counts, and cannot be known better than by a buffer.
    let said = job.number("/details/bytes_used");
    assert!(said <= 2_000_000, "{said}: {job:?}");
}

#[tokio::test]
async fn a_file_is_got_in_ranges() {
    let web = Web::open(false, |_, request| {
        let range = request.field("range").and_then(|range| range.strip_prefix("bytes=0-")?.parse::<u64>().ok());
        let length = range.map_or(50_000_000, |last| last + 1);
        Reply::new(206, Body::Payload(length)).field("Content-Range", &format!("bytes 0-{}/50000000", length - 1))
    });
    let web = web.await;
    let job = run_job(limited(against(None, None), &format!("{}/file", web.url()), &[])).await;
    used_up(&job, passed(&web.traffic));
}

/// What waits on our side of the socket has come all the same.
#[tokio::test]
async fn a_server_that_sends_no_length_gets_no_byte_more_through() {
    for (tls, streams) in [(false, "1"), (false, "8"), (true, "5")] {
        let web =
            Web::open(tls, |_, _| Reply::new(200, Body::Endless).field("Content-Type", "application/octet-stream"));
        let web = web.await;
        let mut command = against(None, None);
        command.args(["--dry-run", "--max-bytes", "60MB", "--streams", streams]);
        command.args(["--source", &format!("{}/file", web.url())]);
        let _trusted = tls.then(|| trust(&mut command, web.certificate.as_ref()));
        let job = run_job(command).await;
        job.value("bandwidth");
        let used = job.number("/details/bytes_used");
        assert!((1_000_000..=60_000_000).contains(&used), "{used}: {job:?}");
    }
}

/// Seen at the cable, because who sends without being asked has more in its hands than ever arrives.
#[tokio::test]
async fn who_sends_more_than_was_asked_for_is_cut_off_in_time() {
    let Some(link) = Link::new("endless").await else { return skip("who_sends_more", "it takes root, ip and nft") };
    let server = command(tests::binaries::binary("speed-server"));
    let mut server = link.far.inside(&server);
    let mut server = Process::start({
        server.args([&format!("{FAR}:8080"), "endless"]);
        server
    });
    server.wait_for("listening", |lines| (!lines.is_empty()).then_some(())).await;
    let run = limited(against(None, None), &format!("http://{FAR}:8080/file"), &[]);
    let job = run_job(link.near.inside(&run)).await;
    job.value("bandwidth");
    // Each packet of 1514 bytes carries 1448 of the stream's.
    let arrived = arrived(&link).await * 1448 / 1514;
    assert!(arrived <= MAX && job.number("/details/bytes_used") <= MAX, "{arrived} bytes: {job:?}");
    // How much has room on the way, and may come although it is not read, is the kernel's choice.
    assert!(arrived >= MAX / 20, "{arrived} bytes: {job:?}");
}

/// All bytes that came over the cable.
async fn arrived(link: &Link) -> u64 {
    let mut cat = command("cat");
    cat.arg(format!("/sys/class/net/{CABLE}/statistics/rx_bytes"));
    // `ip netns exec` shows the namespace's own /sys.
    let ended = tests::process::run(link.near.inside(&cat), Duration::from_secs(10)).await;
    ended.stdout.trim().parse().unwrap_or_else(|_| panic!("a number: {ended:?}"))
}
