//! The alerts of `infra/prometheus`: that Prometheus takes them, when they ring, and that a keeper has their metrics.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command, time::Duration};

use jiff::Timestamp;
use serde_json::json;
use tests::{
    skip::{program, skip},
    statuspage::Fault,
    upstream::{Relay, ping, store},
};
use tokio::time::{Instant, sleep};

const AWAY: Fault = Fault::Answer { status: 503, headers: "", body: "" };
const METRICS_TIMEOUT: Duration = Duration::from_secs(90);

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn rules() -> String {
    fs::read_to_string(repository("infra/prometheus/porchlight.rules.yaml")).expect("the rules")
}

#[test]
fn each_alert_rings_in_its_case_and_in_no_other() {
    let Some(promtool) = program("promtool") else {
        return skip("each_alert_rings_in_its_case_and_in_no_other", "promtool (Debian: prometheus) is missing");
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("rules.yaml"), rules()).expect("a file");
    fs::copy(repository("tests/prometheus/alerts.yaml"), folder.path().join("alerts.yaml")).expect("the cases");
    for [what, on] in [["check", "rules.yaml"], ["test", "alerts.yaml"]] {
        let output = Command::new(&promtool).args([what, "rules", on]).current_dir(&folder).output().expect("it runs");
        assert!(
            output.status.success(),
            "{} {}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    // A rule without a case could be wrong unnoticed.
    let cases = fs::read_to_string(repository("tests/prometheus/alerts.yaml")).expect("the cases");
    for alert in rules().lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(cases.contains(&format!("\"{alert}\"}}")), "no case lets {alert} ring");
    }
}

/// The series that there are, by name.
fn names(text: &str) -> BTreeSet<String> {
    let name = |line: &str| line.split(['{', ' ']).next().unwrap_or_default().to_owned();
    text.lines().filter(|line| !line.starts_with('#')).map(name).collect()
}

/// The keeper's metrics once all of these lines are in them.
async fn metrics(relay: &Relay, lines: &[&str]) -> String {
    let until = Instant::now() + METRICS_TIMEOUT;
    loop {
        let answer = relay.home.http.get(format!("{}/metrics", relay.home.url)).send().await.expect("it answers");
        let text = answer.text().await.expect("a text");
        if lines.iter().all(|line| text.contains(line)) {
            return text;
        }
        assert!(Instant::now() < until, "no {lines:?} in {text}");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_keeper_exposes_all_that_the_alerts_ask_for() {
    let relay = Relay::start([], AWAY).await;
    let away = ["porchlight_relay_up 0\n", "porchlight_relay_queued_points 0\n", "porchlight_keeper_undated 0\n"];
    metrics(&relay, &[&away[..], &["porchlight_relay_failed_calls_total 1\n"]].concat()).await;
    let now = Timestamp::now();
    let speed = json!({"metric": "bandwidth", "at": now.to_string(), "value": 80.0});
    store(&relay.home, &[ping(now, 10.0), speed]).await;
    let mut exposed = names(&metrics(&relay, &["porchlight_relay_oldest_timestamp_seconds "]).await);
    // One that begins while upstream is well copies it at once.
    let relay = Relay::start([], Fault::None).await;
    exposed.extend(names(&metrics(&relay, &["porchlight_relay_up 1\n", "porchlight_mirror_timestamp_seconds "]).await));
    let asked = rules();
    let asked =
        asked.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("porchlight_"));
    let missing: BTreeSet<_> = asked.filter(|name| !exposed.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?} is not among {exposed:?}");
}
