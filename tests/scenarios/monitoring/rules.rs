//! When each alert rings: the cases of `tests/prometheus/alerts.yaml`, by promtool.

use std::{fs, process::Command};

use tests::{
    binaries::root,
    skip::{program, skip},
};

/// The alerts, which are the chart's and everybody's.
pub(crate) const RULES: &str = "charts/home-beacon/rules/porchlight.rules.yaml";

#[test]
fn each_alert_rings_in_its_case_and_in_no_other() {
    let Some(promtool) = program("promtool") else {
        return skip("each_alert_rings_in_its_case_and_in_no_other", "promtool (Debian: prometheus) is missing");
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rules = fs::read_to_string(root().join(RULES)).expect("the rules");
    fs::write(folder.path().join("rules.yaml"), &rules).expect("a file");
    fs::copy(root().join("tests/prometheus/alerts.yaml"), folder.path().join("alerts.yaml")).expect("the cases");
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
    let cases = fs::read_to_string(root().join("tests/prometheus/alerts.yaml")).expect("the cases");
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        let rings = format!("labels: '{{alertname=\"{alert}\"");
        let rings_in_full = format!("labels: '{{__name__=\"ALERTS\", alertname=\"{alert}\"");
        assert!(cases.contains(&rings) || cases.contains(&rings_in_full), "no case lets {alert} ring");
    }
}
