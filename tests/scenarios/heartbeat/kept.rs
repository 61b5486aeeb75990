//! A keeper's heartbeats: what they tell, and that nothing of the keeper waits for them.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use shared::heartbeat::Reach;
use tests::{
    disk::Disk,
    heartbeats::{Function, HOME, Manner},
    keeper::Keeper,
};
use tokio::process::Command;

use crate::world::{keeps_its_secrets, set};

fn settings(function: &Function) -> impl Fn(&mut Command) + '_ {
    let folder = std::env::temp_dir();
    move |command| {
        set(command, function, &folder);
        command.env("HEARTBEAT_EVERY", "15s").env("LOG_LEVEL", "trace");
    }
}

async fn metric(keeper: &Keeper, name: &str) -> Option<f64> {
    let text = keeper.http.get(format!("{}/metrics", keeper.url)).send().await.expect("it answers");
    let text = text.text().await.expect("a text");
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

async fn health(keeper: &Keeper) -> Value {
    let answer = keeper.http.get(format!("{}/healthz", keeper.url)).send().await.expect("it answers");
    answer.json::<Value>().await.expect("JSON")["heartbeat"].clone()
}

async fn reads(keeper: &Keeper, name: &str, value: Option<f64>, target: &str) {
    let now = jiff::Timestamp::now().to_string();
    let mut reading = json!({"metric": name, "at": now, "target": target});
    match value {
        Some(value) => reading["value"] = json!(value),
        None => reading["failure"] = json!("none of 5 answers came"),
    }
    let (status, said) = keeper.own(Method::POST, "/readings", Some(json!({"readings": [reading]}))).await;
    assert_eq!(status, 201, "{said}");
}

#[tokio::test]
async fn a_keeper_sends_them_with_what_it_sees_and_goes_on_above_after_a_restart() {
    let function = Function::open().await;
    let keeper = Keeper::start_with(settings(&function)).await;
    let first = function.wait(1).await.remove(0);
    assert_eq!((first.home.as_str(), first.view.router.reach), (HOME, Reach::Unknown));
    reads(&keeper, "router", Some(1.0), "192.168.1.1").await;
    reads(&keeper, "far", None, "9.9.9.9").await;
    let second = function.wait(2).await.remove(1);
    assert_eq!((second.view.router.reach, second.view.world.reach), (Reach::Up, Reach::Down), "{second:?}");
    assert_eq!(second.view.names.reach, Reach::Unknown);
    // Nothing that identifies the home's network leaves it.
    let bodies = function.bodies().join("\n");
    assert!(!bodies.contains("192.168.1.1") && !bodies.contains("9.9.9.9"), "{bodies}");
    assert_eq!(metric(&keeper, "porchlight_heartbeats_total").await, Some(2.0));
    assert_eq!(metric(&keeper, "porchlight_heartbeat_failures_total{reason=\"refused\"}").await, Some(0.0));
    let last = metric(&keeper, "porchlight_heartbeat_last_success_timestamp_seconds").await.expect("it is there");
    let start = function.taken()[0].at;
    let range = std::ops::RangeInclusive::new(start, start + 120);
    assert!(
        range.clone().map(|second| second.to_string()).any(|second| second.parse() == Ok(last)),
        "{last} {range:?}"
    );
    assert_eq!(health(&keeper).await["condition"], "well");
    let said = keeper.process.lines().join("\n");
    keeps_its_secrets(&said, &function);
    let Keeper { process, folder, .. } = keeper;
    process.kill().await;
    let keeper = Keeper::restart_with(folder, settings(&function)).await;
    let taken = function.wait(3).await;
    assert!(taken.windows(2).all(|pair| pair[0].sequence < pair[1].sequence), "{taken:?}");
    assert_eq!(function.bodies().len(), 3, "none was refused");
    // A disk that was lost with its numbers.
    let Keeper { process, folder, .. } = keeper;
    process.kill().await;
    drop(folder);
    let keeper = Keeper::start_with(settings(&function)).await;
    let taken = function.wait(4).await;
    assert_eq!(taken[3].sequence, taken[2].sequence + 1);
    drop(keeper);
}

#[tokio::test]
async fn a_refusal_is_said_once_and_that_it_is_over() {
    let function = Function::open().await;
    function.turn(Manner::Says(401, "the signature is none of a home's\n"));
    let mut keeper = Keeper::start_with(settings(&function)).await;
    while function.bodies().len() < 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let said = keeper.process.wait_for("a second heartbeat", |lines| Some(lines.join("\n"))).await;
    assert_eq!(said.matches("the heartbeat was not taken").count(), 1, "{said}");
    let of = health(&keeper).await;
    assert_eq!((&of["condition"], &of["fault"]), (&json!("failing"), &json!("refused")));
    assert!(metric(&keeper, "porchlight_heartbeat_failures_total{reason=\"refused\"}").await >= Some(1.0));
    keeps_its_secrets(&format!("{said}{of}"), &function);
    function.turn(Manner::Takes);
    function.wait(1).await;
    keeper.process.wait_for_message("heartbeats are taken").await;
}

#[tokio::test]
async fn a_function_that_is_silent_holds_neither_the_keepers_work_nor_its_end() {
    let function = Function::open().await;
    function.turn(Manner::Silent);
    let keeper = Keeper::start_with(settings(&function)).await;
    while function.bodies().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let begun = Instant::now();
    reads(&keeper, "ping", Some(12.0), "1.1.1.1").await;
    assert_eq!(health(&keeper).await["condition"], "starting");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let begun = Instant::now();
    assert!(keeper.process.terminate().await.success());
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_home_whose_disk_cannot_be_written_is_there_all_the_same() {
    let Some(disk) = Disk::new("heartbeats on a read-only disk", 4096) else { return };
    disk.make_read_only();
    let function = Function::open().await;
    function.takes_another(900, "0");
    let keeper = Keeper::start_with(|command| {
        settings(&function)(command);
        command.env("DATABASE_URL", format!("sqlite:{}", disk.file("keeper.db").display()));
    })
    .await;
    assert_eq!(function.wait(1).await[0].sequence, 901);
    disk.make_writable();
    let taken = function.wait(3).await;
    assert!(taken.windows(2).all(|pair| pair[0].sequence < pair[1].sequence), "{taken:?}");
    drop(keeper);
}
