//! A disk that cannot be written when the keeper begins, as a kernel mounts a card that it mistrusts.

use std::path::Path;

use tests::{disk::Disk, keeper::Keeper};

use crate::world::{Log, get, is_served, is_well_by_metrics, recovers, restart, start, storage};

/// How the keeper before ended.
#[derive(Clone, Copy, Debug)]
enum Before {
    Clean,
    Killed,
}

#[tokio::test]
async fn after_a_clean_end_what_is_there_is_served_from_a_read_only_disk_until_it_can_be_written() {
    becomes_a_keeper(Before::Clean).await;
}

#[tokio::test]
async fn after_a_kill_what_is_there_is_served_from_a_read_only_disk_until_it_can_be_written() {
    becomes_a_keeper(Before::Killed).await;
}

async fn becomes_a_keeper(before: Before) {
    let Some(disk) = Disk::new("read-only", 4096) else { return };
    let database = disk.file("keeper.db");
    let keeper = start(&database).await;
    let mut log = Log::new();
    log.add_many(&keeper, 30).await;
    let Keeper { process, folder, .. } = keeper;
    match before {
        Before::Clean => process.terminate().await,
        Before::Killed => process.kill().await,
    };
    disk.make_read_only();

    let keeper = restart(folder, &database).await;
    is_served(&keeper).await;
    log.is_kept(&keeper).await;
    assert!(storage(&keeper).await.contains("Read-only"), "{}", storage(&keeper).await);
    assert!(!is_well_by_metrics(&keeper).await);
    assert_eq!(log.add(&keeper).await, 503);
    // Nothing was written, so that proves nothing.
    let nothing = serde_json::json!({"readings": []});
    keeper.own(reqwest::Method::POST, "/readings", Some(nothing)).await;
    assert!(storage(&keeper).await.contains("Read-only"), "{}", storage(&keeper).await);

    disk.make_writable();
    recovers(&keeper).await;
    log.add_many(&keeper, 30).await;
    log.is_kept(&keeper).await;
    ends_in_order(keeper, &database).await;
}

#[tokio::test]
async fn a_keeper_without_a_database_waits_for_a_disk_that_can_be_written() {
    let Some(disk) = Disk::new("read-only and empty", 4096) else { return };
    let database = disk.file("keeper.db");
    disk.make_read_only();
    let keeper = start(&database).await;
    assert!(storage(&keeper).await.contains("Read-only"), "{}", storage(&keeper).await);
    assert!(!is_well_by_metrics(&keeper).await);
    for path in ["/", "/api/v2/summary.json"] {
        let (status, text) = get(&keeper, path).await;
        assert_eq!(status, 503, "{path}: {text}");
    }
    let mut log = Log::new();
    assert_eq!(log.add(&keeper).await, 503);

    disk.make_writable();
    recovers(&keeper).await;
    is_served(&keeper).await;
    log.add_many(&keeper, 30).await;
    log.is_kept(&keeper).await;
    ends_in_order(keeper, &database).await;
}

#[tokio::test]
async fn a_keeper_that_waits_for_its_disk_ends_when_asked() {
    let Some(disk) = Disk::new("read-only to the end", 4096) else { return };
    disk.make_read_only();
    let keeper = start(&disk.file("keeper.db")).await;
    assert_eq!(keeper.process.terminate().await.code(), Some(0));
}

/// It became a keeper like any other, which puts its files in order at the end.
async fn ends_in_order(keeper: Keeper, database: &Path) {
    assert_eq!(keeper.process.terminate().await.code(), Some(0));
    let log = database.with_extension("db-wal");
    assert!(!log.exists(), "{} is left", log.display());
}
