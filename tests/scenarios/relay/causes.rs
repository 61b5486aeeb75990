//! An incident that the prober has resolved upstream is told once why it was down, as seen from home.

use std::{path::Path, time::Duration};

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    keeper::{COMPONENT, Keeper, PAGE},
    process::run,
    skip::{libfaketime, program, skip},
    statuspage::{Fault, Statuspage},
    upstream::{public, relaying},
};
use tokio::process::Command;

/// The page is read once a minute, and what it says concluded some seconds later.
const PATIENCE: Duration = Duration::from_secs(150);

/// What a home recorded by that minute: the line was down from the fifth to the fifteenth.
async fn minute(home: &Keeper, began: Timestamp, minute: i64) {
    let at = began + SignedDuration::from_mins(minute);
    let is_there = !(5..15).contains(&minute);
    let reading = |metric: &str, target: &str, answers: bool| {
        let mut reading = json!({"metric": metric, "at": at.to_string(), "target": target, "loss": 0.0});
        let (field, value) =
            if answers { ("value", json!(12.0)) } else { ("failure", json!("none of 5 answers came")) };
        reading[field] = value;
        reading
    };
    let readings = [
        reading("ping", "1.1.1.1", is_there),
        reading("router", "192.168.1.1", true),
        reading("first_hop", "100.64.0.1", is_there),
    ];
    let (status, answer) = home.own(Method::POST, "/readings", Some(json!({"readings": readings}))).await;
    assert_eq!(status, 201, "{answer}");
}

/// The keeper's clock, so many minutes after it began.
fn set(clock: &Path, minutes: i64) {
    let new = clock.with_extension("new");
    std::fs::write(&new, format!("+{}\n", minutes * 60)).expect("it can be written");
    std::fs::rename(new, clock).expect("it can be written");
}

fn by_that_clock(command: &mut Command, libfaketime: &str, clock: &Path) {
    command.env("LD_PRELOAD", libfaketime).env("FAKETIME_TIMESTAMP_FILE", clock);
    command.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1");
}

fn writes(way: &Statuspage) -> Vec<String> {
    way.calls().into_iter().filter(|call| call.starts_with("PATCH") && call.contains("/incidents/")).collect()
}

/// Waits until so many calls to that incident have been made that begin so.
async fn called(way: &Statuspage, begin: &str, id: &str, times: usize) {
    let start = tokio::time::Instant::now();
    let count = || way.calls().iter().filter(|call| call.starts_with(begin) && call.contains(id)).count();
    while count() < times {
        assert!(start.elapsed() < PATIENCE, "{begin} {id} {times}: {:#?}", way.calls());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_resolved_incident_of_the_probers_is_told_once_why_it_was_down() {
    let test = "a resolved incident is told why";
    let Some(libfaketime) = libfaketime() else { return skip(test, "libfaketime is missing; tests/run installs it") };
    let Some(sqlite) = program("sqlite3") else { return skip(test, "sqlite3 is missing") };
    let files = tempfile::tempdir().expect("a folder");
    let clock = files.path().join("clock");
    set(&clock, 0);
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_owned();
    let upstream = Keeper::restart_with(folder, |command| {
        public(command, &place, 0);
        by_that_clock(command, &libfaketime, &clock);
    })
    .await;
    let began = Timestamp::now();
    let incidents = format!("/pages/{PAGE}/incidents");
    let open = async |metadata: Value| {
        let body = json!({"incident": {"name": "Home internet is not reachable", "status": "identified",
            "metadata": metadata, "component_ids": [COMPONENT]}});
        let made = upstream.ok(Method::POST, &incidents, Some(body)).await;
        made["id"].as_str().expect("an id").to_owned()
    };
    let down_since = (began + SignedDuration::from_mins(5)).to_string();
    let ours = open(json!({"porchlight": {"outage_key": "k", "down_since": down_since}, "other": {"note": 1}})).await;
    let humans = open(json!({"other": {"note": 2}})).await;
    let way = Statuspage::open(&upstream, [], Fault::None).await;
    let home = async |folder: tempfile::TempDir| {
        let place = folder.path().to_owned();
        Keeper::restart_with(folder, |command| {
            relaying(command, &place, &way.api);
            by_that_clock(command, &libfaketime, &clock);
            // By a beacon that it may ask, a keeper knows that it is at a home.
            command.env("BEACON_PRIVATE_URL", "http://127.0.0.1:9");
        })
        .await
    };
    let keeper = home(tempfile::tempdir().expect("a folder")).await;
    for at in 0..22 {
        set(&clock, at);
        minute(&keeper, began, at).await;
    }
    for id in [&ours, &humans] {
        let body = json!({"incident": {"status": "resolved", "body": "Reachable again."}});
        upstream.ok(Method::PATCH, &format!("{incidents}/{id}"), Some(body)).await;
    }
    let before = upstream.ok(Method::GET, &format!("{incidents}/{ours}"), None).await;
    set(&clock, 30);
    called(&way, "PATCH", &ours, 1).await;
    let updated = upstream.ok(Method::GET, &format!("{incidents}/{ours}"), None).await;
    let update = &updated["incident_updates"][0];
    assert_eq!(
        update["body"], "As seen from home: The router was there, and the line behind it was not.",
        "{updated:#}"
    );
    assert_eq!((&update["deliver_notifications"], &update["status"]), (&json!(false), &json!("resolved")));
    for field in ["status", "resolved_at", "name", "impact"] {
        assert_eq!(updated[field], before[field], "{field}");
    }
    let metadata =
        json!({"porchlight": {"outage_key": "k", "down_since": down_since, "inside_view": true}, "other": {"note": 1}});
    assert_eq!(updated["metadata"], metadata, "what others noted stays");

    // It dies after it wrote, and before it knew: what upstream says decides.
    let Keeper { process, folder, .. } = keeper;
    process.kill().await;
    let mut forget = tests::process::command(sqlite);
    forget.arg(folder.path().join("keeper.db"));
    forget.arg("UPDATE incidents SET metadata = json_remove(metadata, '$.porchlight.inside_view')");
    let ended = run(forget, Duration::from_secs(10)).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let reads = way.calls().iter().filter(|call| call.starts_with("GET") && call.contains(&ours)).count();
    let _again = home(folder).await;
    called(&way, "GET", &ours, reads + 1).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(writes(&way).len(), 1, "nothing but that update: {:#?}", writes(&way));
}
