//! What `bandwidth` costs beside curl in the same run: a small machine must measure its line, not its processor. Its figures
//! as it is shipped are the benchmark's (`tests/speed`).

use tests::{
    cost::{Cost, SHIPPED, cost},
    fast::Fast,
    keeper::Keeper,
    process::{command, file},
    skip::{program, skip},
};
use tokio::process::Command;

use crate::world::{kept, trust};

/// How often curl gets the whole object of 26 MB: 500 MB.
const OBJECTS: usize = 19;

/// What a program costs, and its processor time for a GB that passed, in seconds.
async fn for_a_gb(command: Command, fast: &Fast) -> (Cost, f64) {
    let before = fast.web.traffic.sent();
    let cost = cost(command).await;
    let bytes = fast.web.traffic.sent() - before;
    assert!(bytes >= 400_000_000 && cost.code == Some(0), "{bytes} bytes: {cost:?}");
    #[expect(clippy::cast_precision_loss, reason = "it is rounded anyway")]
    let gb = bytes as f64 / 1e9;
    let cpu = cost.cpu.as_secs_f64() / gb;
    (cost, cpu)
}

#[tokio::test]
async fn a_gb_costs_little_more_than_curl_takes_for_it_and_little_memory() {
    let Some(curl) = program("curl") else { return skip("what bandwidth costs", "curl is missing") };
    for tls in [false, true] {
        let fast = if tls { Fast::with_tls(&[]).await } else { Fast::open(&[]).await };
        let (keeper, folder) = (Keeper::start().await, tempfile::tempdir().expect("a folder"));
        let mut ours = kept(&fast, &keeper);
        ours.args(["--max-bytes", "500MB", "--data-budget", "100TB", "--runs-per-day", "1"]);
        let mut theirs = command(&curl);
        let list = format!("url = \"{}\"\noutput = \"/dev/null\"\n", fast.object()).repeat(OBJECTS);
        theirs.args(["-s", "-K", &file(folder.path(), "list", &list)]);
        let _trusted = fast.web.certificate.as_ref().map(|certificate| {
            theirs.args(["--cacert", &file(folder.path(), "ca.pem", certificate)]);
            trust(&mut ours, Some(certificate))
        });
        let ((ours, cpu), (_, their_cpu)) = (for_a_gb(ours, &fast).await, for_a_gb(theirs, &fast).await);
        let (scheme, ratio, peak) = (if tls { "HTTPS" } else { "HTTP" }, cpu / their_cpu, ours.memory);
        eprintln!(
            "bandwidth over {scheme}: {cpu:.2} s of processor time for a GB, curl {their_cpu:.2}, ratio {ratio:.2}; {peak}"
        );
        assert!(ratio < if SHIPPED { 3.0 } else { 6.0 }, "{cpu:.2} against {their_cpu:.2}");
        assert!(peak.own < 6.0, "{peak}");
        assert!(!SHIPPED || peak.whole < 16.0, "{peak}");
    }
}
