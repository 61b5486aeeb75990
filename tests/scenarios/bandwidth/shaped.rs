//! Speeds beside the truth: a cable that is shaped to a rate by the kernel's token bucket.

use tests::{
    link::{CABLE, FAR, Link},
    namespace::Namespace,
    process::{Process, command},
    skip::{program, skip},
};

use crate::world::{against, run_job};

/// What is left for payload of a rate that `tbf` is set to, in Mbit/s. It counts whole Ethernet frames without preamble
/// and checksum: 1514 bytes, of which 14 are Ethernet's, 20 IP's, and 32 TCP's with its timestamps. The heads of HTTP do
/// not matter.
fn goodput(rate: f64) -> f64 {
    rate * 1448.0 / 1514.0
}

/// Lets no more than the rate leave a namespace. A bucket holds what may leave at once: 10 ms.
async fn shape(namespace: &Namespace, mbit_s: u32) {
    let (rate, burst) = (format!("{mbit_s}mbit"), (mbit_s * 1_000_000 / 8 / 100).max(3_000).to_string());
    let words = ["dev", CABLE, "root", "tbf", "rate", &rate, "burst", &burst, "latency", "50ms"];
    namespace.run(&[&["tc", "qdisc", "add"], &words[..]].concat()).await;
}

async fn measured(mbit_s: u32) {
    let name = format!("shaped{mbit_s}");
    let Some(link) = Link::new(&name).await else { return skip(&name, "it takes root, ip and nft") };
    let Some(_) = program("tc") else { return skip(&name, "tc (iproute2) is missing") };
    let server = command(tests::binaries::binary("speed-server"));
    let mut server = link.far.inside(&server);
    server.arg(format!("{FAR}:8080"));
    let mut server = Process::start(server);
    server.wait_for("listening", |lines| (!lines.is_empty()).then_some(())).await;
    // Down from there, up from here.
    shape(&link.far, mbit_s).await;
    shape(&link.near, mbit_s).await;
    let mut run = against(None, None);
    run.args([
        "--dry-run",
        "--upload",
        "--source",
        "fast",
        "--log-level",
        "debug",
        "--fast-url",
        &format!("http://{FAR}:8080/"),
    ]);
    let job = run_job(link.near.inside(&run)).await;
    let truth = goodput(mbit_s.into());
    let (down, up) = (job.value("bandwidth"), job.value("upload"));
    eprintln!(
        "{mbit_s} Mbit/s, goodput {truth:.2}: down {down:.2} ({:+.2} %), up {up:.2} ({:+.2} %), latency {:.1} ms idle, {:.1} \
         under load; {}",
        (down / truth - 1.0) * 100.0,
        (up / truth - 1.0) * 100.0,
        job.value("latency_idle"),
        job.value("latency_loaded"),
        job.line["details"],
    );
    assert!((down / truth - 1.0).abs() < 0.03, "down {down}, goodput {truth}: {job:?}");
    // What is sent is known to within what waits in this machine, and a short upload is mostly that.
    let near = if job.line["details"]["up"]["stable"] == true { 0.05 } else { 0.1 };
    assert!((up / truth - 1.0).abs() < near, "up {up}, goodput {truth}: {job:?}");
    assert!(job.value("latency_loaded") > job.value("latency_idle"), "a full queue takes its time: {job:?}");
}

#[tokio::test]
async fn one_megabit_is_measured_within_three_percent() {
    measured(1).await;
}

#[tokio::test]
async fn ten_megabits_are_measured_within_three_percent() {
    measured(10).await;
}

#[tokio::test]
async fn fifty_megabits_are_measured_within_three_percent() {
    measured(50).await;
}

#[tokio::test]
async fn two_hundred_megabits_are_measured_within_three_percent() {
    measured(200).await;
}
