//! Programs of others against the keeper, pinned.

use std::{env, fs, time::Duration};

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::json;
use tests::{
    binaries::root,
    keeper::{COMPONENT, Keeper, PAGE, TOKEN},
    process::{command, file, run},
    skip::{program, skip},
};
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn python_clients_of_the_manage_api_work() {
    let Some(python) = env::var_os("TESTS_PYTHON") else {
        return skip("python_clients", "TESTS_PYTHON is not set; tests/run makes one with the clients");
    };
    let keeper = Keeper::start().await;
    let metric = keeper.metric("Latency").await;
    let mut clients = command(python);
    clients.arg(root().join("tests/clients/manage.py")).args([&keeper.url, TOKEN, PAGE, COMPONENT, &metric]);
    let ended = run(clients, Duration::from_secs(60)).await;
    if ended.stderr.contains("No module named 'atlassian_statuspage'") {
        return skip("python_clients", "the clients are not installed; tests/run does it");
    }
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(keeper.status().await, "partial_outage", "the last one's word");
}

#[tokio::test]
async fn a_reader_from_npm_finds_all_documents() {
    let installed = root().join("tests/clients/node_modules/statuspage.io").is_dir();
    let Some(node) = program("node").filter(|_| installed) else {
        return skip("a_reader_from_npm", "node, or statuspage.io in tests/clients, is missing; tests/run installs it");
    };
    let keeper = Keeper::start().await;
    let mut reader = command(node);
    reader.arg(root().join("tests/clients/read.mjs")).args([&keeper.url, TOKEN, PAGE, COMPONENT]);
    let ended = run(reader, Duration::from_secs(60)).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}

/// What that exporter makes of a document is its own: to it maintenance is trouble, and a group one more component.
#[tokio::test]
async fn an_exporter_for_prometheus_reads_groups_maintenance_and_incidents() {
    let Some(python) = env::var_os("TESTS_PYTHON") else {
        return skip("exporter", "TESTS_PYTHON is not set; tests/run makes one with the exporter");
    };
    let keeper = Keeper::start().await;
    let page = |rest: &str| format!("/pages/{PAGE}/{rest}");
    let group = json!({"component_group": {"name": "At home", "components": [COMPONENT]}});
    keeper.ok(Method::POST, &page("component-groups"), Some(group)).await;
    let now = Timestamp::now();
    let plan = json!({"incident": {
        "name": "New router", "component_ids": [COMPONENT], "scheduled_auto_in_progress": true,
        "auto_transition_to_maintenance_state": true, "scheduled_for": now.to_string(),
        "scheduled_until": (now + SignedDuration::from_hours(1)).to_string(),
    }});
    let plan = keeper.ok(Method::POST, &page("incidents"), Some(plan)).await["id"].clone();
    keeper
        .ok(Method::POST, &page("incidents"), Some(json!({"incident": {"name": "Storm", "impact_override": "major"}})))
        .await;
    let begun = async {
        while keeper.status().await != "under_maintenance" {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), begun).await.expect("the maintenance begins");
    let folder = keeper.folder.path();
    let services =
        json!({"home": {"name": "Home", "url": format!("{}/api/v2/summary.json", keeper.url), "type": "status_page"}});
    let metrics = folder.join("statuspage.prom");
    let mut exporter = command(python);
    exporter.args(["-m", "statuspage_prometheus_exporter.status_monitoring"]).current_dir(folder);
    exporter.env("SERVICES_JSON_PATH", file(folder, "services.json", &services.to_string()));
    exporter.env("RUN_MODE", "once").env("METRICS_TEXTFILE_PATH", &metrics).env("PYTHONDONTWRITEBYTECODE", "1");
    let ended = run(exporter, Duration::from_secs(60)).await;
    if ended.stderr.contains("No module named") {
        return skip("exporter", "statuspage-prometheus-exporter is not installed; tests/run does it");
    }
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let metrics = fs::read_to_string(metrics).expect("it writes its metrics");
    for line in [
        "statuspage_probe_check{service_name=\"Home\"} 1.0",
        "statuspage_component_status{component_name=\"At home\",service_name=\"Home\"} 0.0",
        "statuspage_component_status{component_name=\"Home internet\",service_name=\"Home\"} 0.0",
        &format!("maintenance_id={plan},maintenance_name=\"New router\""),
        "incident_name=\"Storm\"",
        "affected_components=\"Home internet\"",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}
