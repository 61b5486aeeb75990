//! `infra/examples/prometheus-and-grafana`: the real Prometheus, in an image that `tests/image/others` makes. Grafana is a
//! stand-in, so the dashboards are held against what Prometheus has, and against Grafana's own description of dashboards.

use std::fs;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    binaries::{python, root},
    image::other,
    process::{command, run},
    skip::{skip, skip_allowed},
};

use super::composed::{Composed, LIMIT, Tool};

const DASHBOARDS: [&str; 2] =
    ["charts/home-beacon/dashboards/home-line.json", "charts/home-beacon/dashboards/checks.json"];

/// What the panels ask that this home has anything of: it has no checks, no Pi and no relay, and nobody looks at it. That all the
/// others have data behind them is `monitoring`'s business.
fn questions() -> Vec<String> {
    let text = fs::read_to_string(root().join(DASHBOARDS[0])).expect("a file");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    let questions = targets.map(|target| target["expr"].as_str().expect("an expression").to_owned());
    let is_here = |question: &String| {
        ["ping", "_keeper_storage", "_keeper_clock", "_keeper_disk", "_beacon_", "_job_last_run"]
            .iter()
            .any(|it| question.contains(it))
    };
    questions.filter(is_here).collect()
}

/// What Prometheus answers over the last minutes: an instant would miss a ping between two failed ones.
async fn answer(home: &Composed, question: &str) -> Value {
    let now = jiff::Timestamp::now().as_second();
    let (query, start, end) = (format!("query={question}"), format!("start={}", now - 300), format!("end={now}"));
    let mut words = vec!["-G", "http://127.0.0.1:9090/api/v1/query_range", "-d", "step=1"];
    for word in [&query, &start, &end] {
        words.extend(["--data-urlencode", word]);
    }
    serde_json::from_str(&home.curl(&words).await.stdout).unwrap_or_default()
}

#[tokio::test]
async fn prometheus_has_its_targets_its_alerts_and_all_that_the_dashboard_shows() {
    let test = "compose-prometheus";
    let (Some(prometheus), Some(grafana)) = (other(test, "prometheus"), other(test, "grafana")) else { return };
    skip_allowed(
        "Grafana beside Prometheus",
        "no package registry has it: a stand-in answers at its port, and that it draws the dashboard is not proven",
    );
    let Some(mut home) = Composed::of(test, "examples/prometheus-and-grafana", Tool::PodmanCompose).await else {
        return;
    };
    home.set("PROMETHEUS_IMAGE", prometheus);
    home.set("GRAFANA_IMAGE", grafana);
    home.follow("Start", "", "").await;
    let reading = json!({"metric": "ping", "at": jiff::Timestamp::now().to_string(), "value": 12.5, "loss": 0.0});
    let body = json!({"readings": [reading]});
    home.until(&"the keeper takes readings", async || {
        home.keeper(Method::POST, "/porchlight/v1/readings", Some(body.clone())).await.contains("stored")
    })
    .await;
    home.measures().await;
    let seen = home.sees().await;
    let rules: Value = serde_json::from_str(&seen[1]).expect("JSON");
    let file = root().join("charts/home-beacon/rules/porchlight.rules.yaml");
    let alerts = fs::read_to_string(file).expect("the rules").matches("- alert: ").count();
    let groups = rules["data"]["groups"].as_array().expect("groups").iter();
    assert_eq!(groups.map(|group| group["rules"].as_array().map_or(0, Vec::len)).sum::<usize>(), alerts);
    for job in ["keeper", "beacon"] {
        let up = format!("up{{job=\"{job}\"}} == 1");
        home.until(&up.as_str(), async || answer(&home, &up).await["data"]["result"][0].is_object()).await;
    }
    home.curl(&["-f", "http://127.0.0.1:3000/"]).await;
    home.falls_ill_and_recovers("keeper").await;
    for question in questions() {
        let what = format!("Prometheus has {question}");
        home.until(&what.as_str(), async || {
            // Somebody calls, so that there is a rate.
            home.curl(&["http://127.0.0.1:30008/"]).await;
            let answer = answer(&home, &question).await;
            assert_ne!(answer["status"], "error", "{answer}");
            answer["data"]["result"][0].is_object()
        })
        .await;
    }
    assert!(home.health("prometheus").await.0);
    home.restarts("keeper").await;
    home.updates(&["keeper", "beacon"]).await;
    // What Prometheus has recorded is kept too.
    home.until(&"Prometheus knows of before", async || {
        answer(&home, "porchlight_reading{metric=\"ping\"} == 12.5").await["data"]["result"][0].is_object()
    })
    .await;
    home.stops().await;
}

/// By Grafana's own library of what a dashboard is: what it does not know, Grafana would leave out.
#[tokio::test]
async fn the_dashboards_are_two_of_grafanas() {
    let test = "the_dashboards_are_two_of_grafanas";
    let Some(python) = python() else {
        return skip(test, "TESTS_PYTHON is missing; tests/run installs it");
    };
    for dashboard in DASHBOARDS {
        let mut check = command(&python);
        check.arg(root().join("tests/prometheus/dashboard.py")).arg(root().join(dashboard));
        let ended = run(check, LIMIT).await;
        assert_eq!(ended.code, Some(0), "{dashboard}: {}{}", ended.stdout, ended.stderr);
    }
}
