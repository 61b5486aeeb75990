//! A disk without room.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;
use tests::{
    disk::Disk,
    keeper::{Keeper, PAGE},
};

use crate::world::{Log, get, is_served, is_well_by_metrics, recovers, restart, start, storage};

/// How many lines of the log are about the storage.
fn storage_lines(keeper: &Keeper) -> usize {
    let lines = keeper.process.lines();
    lines.iter().filter(|line| line.contains("\"ERROR\"") || line.contains("storage")).count()
}

#[tokio::test]
async fn writers_to_a_full_disk_are_asked_to_come_again_and_nothing_acknowledged_is_lost() {
    let Some(disk) = Disk::new("full", 4096) else { return };
    let keeper = start(&disk.file("keeper.db")).await;
    let metric = keeper.metric("Latency").await;
    let mut log = Log::new();
    log.add_many(&keeper, 20).await;
    let before = storage_lines(&keeper);

    for round in 0..3 {
        disk.fill();
        log.add_until_refused(&keeper).await;
        for _ in 0..20 {
            // One that fits into the last bytes is as good as any.
            log.add(&keeper).await;
        }
        let at = Timestamp::now().as_second() / 30 * 30 - 60 * (round + 1);
        let many = json!({"data": {&metric: vec![json!({"timestamp": at, "value": 7.0}); 2000]}});
        let refused = keeper.call(Method::POST, &format!("/pages/{PAGE}/metrics/data"), Some(many)).await;
        let refused = refused.expect("an answer").status();
        // They are one slot, which may fit into the last bytes: then it is there, and only then.
        let query = format!("/series?metric=@{metric}&from={at}&to={}&step=30", at + 30);
        let (_, series) = keeper.own(Method::GET, &query, None).await;
        let kept = series["points"].as_array().is_some_and(|points| points.len() == 1);
        assert_eq!(refused, if kept { 202 } else { 503 }, "{series}");
        log.add_until_refused(&keeper).await;
        assert!(storage(&keeper).await.contains("full"), "{}", storage(&keeper).await);
        assert!(!is_well_by_metrics(&keeper).await);
        is_served(&keeper).await;
        log.is_kept(&keeper).await;
        // A write that is refused for another reason, while the disk is full.
        let path = format!("/pages/{PAGE}/incidents");
        let nameless = keeper.call(Method::POST, &path, Some(json!({"incident": {"body": "?"}}))).await;
        assert_eq!(nameless.expect("an answer").status(), 422, "nothing is written for it");
        let wrong = json!({"readings": [{"metric": "ping", "at": "1999-01-01T00:00:00Z", "value": 1.0}]});
        assert_eq!(keeper.own(Method::POST, "/readings", Some(wrong)).await.0, 503, "no transaction can be begun");

        disk.free();
        if round % 2 == 0 {
            recovers(&keeper).await;
        }
        // What is acknowledged from now on is there, too.
        log.add_many(&keeper, 20).await;
        assert_eq!(storage(&keeper).await, "ok");
        log.is_kept(&keeper).await;
    }
    let lines = storage_lines(&keeper) - before;
    assert!(lines <= 30, "{lines} lines of log: {:#?}", keeper.process.lines());

    keeper.process.signal(Signal::KILL);
    let Keeper { process, folder, .. } = keeper;
    process.kill().await;
    let keeper = restart(folder, &disk.file("keeper.db")).await;
    log.is_kept(&keeper).await;
    eprintln!("{} acknowledged readings are there; {lines} lines of log", log.count());
}

#[tokio::test]
async fn a_keeper_that_is_killed_on_a_full_disk_serves_what_is_there_and_goes_on_once_there_is_room() {
    let Some(disk) = Disk::new("killed on a full disk", 4096) else { return };
    let database = disk.file("keeper.db");
    let keeper = start(&database).await;
    let mut log = Log::new();
    log.add_many(&keeper, 50).await;
    disk.fill();
    log.add_until_refused(&keeper).await;
    let Keeper { process, folder, .. } = keeper;
    process.kill().await;
    // Whatever it had not used.
    disk.fill();

    let keeper = restart(folder, &database).await;
    is_served(&keeper).await;
    log.is_kept(&keeper).await;
    log.add_until_refused(&keeper).await;
    assert_ne!(storage(&keeper).await, "ok");
    disk.free();
    recovers(&keeper).await;
    log.add_many(&keeper, 20).await;
    log.is_kept(&keeper).await;
}

#[tokio::test]
async fn a_keeper_that_begins_on_a_full_disk_waits_and_leaves_nothing_that_hinders_it_later() {
    const KIB: u64 = 1024;
    // From no room at all to nearly enough: each stops the making of the database somewhere else.
    let rooms = [0, 4, 8, 16, 32, 40, 48, 56, 64, 72, 80, 96, 112, 128, 160].map(|kib| kib * KIB);
    let one = async |room: u64| {
        let Some(disk) = Disk::new("begun on a full disk", 1024) else { return };
        disk.fill_but(room);
        let keeper = start(&disk.file("keeper.db")).await;
        if storage(&keeper).await != "ok" {
            let (status, text) = get(&keeper, "/").await;
            assert_eq!(status, 503, "{room}: {text}");
            assert!(!is_well_by_metrics(&keeper).await);
            let mut log = Log::new();
            assert_eq!(log.add(&keeper).await, 503, "{room}");
        }
        disk.free();
        recovers(&keeper).await;
        is_served(&keeper).await;
        let mut log = Log::new();
        log.add_many(&keeper, 5).await;
        log.is_kept(&keeper).await;
        let Keeper { process, .. } = keeper;
        assert_eq!(process.terminate().await.code(), Some(0), "{room}");
        // It became a keeper like any other, which puts its files in order at the end.
        assert!(!disk.file("keeper.db-wal").exists(), "{room}: a log is left");
        assert!(!disk.file(".porchlight-can-write").exists(), "{room}: something is left");
    };
    // Few at a time: all of them wait for the same processor.
    for some in rooms.chunks(5) {
        tokio::time::timeout(Duration::from_secs(120), join_all(some.iter().map(|room| one(*room))))
            .await
            .expect("an end");
    }
}
