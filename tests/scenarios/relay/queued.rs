//! What is in the queue, and what is taken off it.

use std::time::Duration;

use home_beacon::{
    clock::{Clock, Host},
    keeper::{db::Moment, measured::Dated, outbox::QueuedPoint},
    reading::Outcome,
};
use jiff::{SignedDuration, Timestamp};
use shared::statuspage::ComponentStatus;
use tests::{
    in_process::Home,
    statuspage::Fault,
    upstream::{LATENCY, OWN, points, seed},
};

use super::world::{Clocks, World};

async fn waiting(world: &World) -> Vec<QueuedPoint> {
    world.home.outbox.pending(world.now(), &[], 500).await.expect("it can be read")
}

#[tokio::test]
async fn a_page_that_cannot_be_read_keeps_no_point_from_being_delivered() {
    let mut world = World::new().await;
    world.way.play(Fault::ReadsFail);
    // The keeper's own component cannot be compared then, and waits.
    for _ in 0..5 {
        world.measure("ping", Outcome::Value(10.0), Some(0.0)).await;
        world.pass(Duration::from_mins(1)).await;
    }
    world.pass(Duration::from_mins(2)).await;
    assert_eq!(points(&world.upstream, LATENCY, world.start).await.len(), 5);
}

#[tokio::test]
async fn points_older_than_upstream_takes_stay_are_listed_and_are_sent_when_the_clock_was_wrong() {
    let mut world = World::new().await;
    world.measure("ping", Outcome::Value(1.0), Some(0.0)).await;
    let set = world.now();
    world.clocks.set(set + SignedDuration::from_hours(28 * 24 + 1));
    world.pass(Duration::from_mins(2)).await;
    let backlog = world.home.backlog().await;
    // Two metrics show of it: the value, and what was lost.
    assert_eq!((backlog.waiting, backlog.too_old, backlog.rejected), (0, 2, 2));
    let listed = world.home.outbox.rejected(world.now(), 5).await.expect("a list");
    assert!(listed.len() == 2 && listed.iter().all(|it| it.reason.contains("older than 28 days")), "{listed:?}");
    assert!(points(&world.upstream, LATENCY, world.start).await.is_empty(), "it was not sent");
    world.clocks.set(set + SignedDuration::from_mins(2));
    world.pass(Duration::from_mins(2)).await;
    assert_eq!(points(&world.upstream, LATENCY, world.start).await.len(), 1);
    assert_eq!(world.home.backlog().await.too_old, 0);
}

#[tokio::test]
async fn what_was_set_aside_takes_no_newer_values_place() {
    let world = World::new().await;
    world.measure("ping", Outcome::Value(1.0), None).await;
    let refused = waiting(&world).await.remove(0);
    let now = Moment::new(world.now());
    world.measure("ping", Outcome::Value(2.0), None).await;
    world.home.outbox.reject(&refused, "it came too late", now).await.expect("it can be written");
    assert!((waiting(&world).await[0].value - 2.0).abs() < 1e-9, "its slot has another value by now");
    let refused = waiting(&world).await.remove(0);
    world.home.outbox.reject(&refused, "it is wrong", now).await.expect("it can be written");
    assert_eq!(world.home.backlog().await.rejected, 1);
    world.measure("ping", Outcome::Value(3.0), None).await;
    let newest = waiting(&world).await;
    world.home.outbox.mark_delivered(newest, Duration::ZERO).await.expect("it is remembered");
    world.home.outbox.flush_delivered().await.expect("it can be written");
    assert_eq!(world.home.outbox.retry_rejected().await.expect("it can be written"), 0);
    assert!(waiting(&world).await.is_empty(), "upstream has the newest one");
}

#[tokio::test]
async fn what_the_seed_does_not_mark_any_more_is_not_delivered() {
    let world = World::new().await;
    world.measure("ping", Outcome::Value(1.0), None).await;
    world.home.set_status(&world.page, OWN, ComponentStatus::MajorOutage).await;
    let only_the_page = seed(true).split("[[").next().expect("a page").to_owned();
    for unmarked in [seed(false), only_the_page] {
        world.home.seed(&seed(true)).await;
        world.measure("ping", Outcome::Value(1.0), None).await;
        assert!(!waiting(&world).await.is_empty());
        assert!(!world.home.outbox.pending_statuses(&world.page).await.expect("statuses").is_empty());
        world.home.seed(&unmarked).await;
        world.measure("ping", Outcome::Value(2.0), None).await;
        assert!(waiting(&world).await.is_empty());
        assert!(world.home.outbox.pending_statuses(&world.page).await.expect("statuses").is_empty());
    }
}

#[tokio::test]
async fn a_clock_that_begins_before_the_last_heartbeat_is_not_believed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let died = Timestamp::now() - SignedDuration::from_hours(2);
    let clocks = Clocks::at(died);
    let reading = |value: f64| {
        let mut reading =
            home_beacon::reading::Reading::new("ping".parse().expect("a metric"), clocks.now(), Outcome::Value(value));
        reading.loss = Some(0.0);
        reading
    };
    let home = Home::open(folder.path(), clocks.host("before", Timestamp::UNIX_EPOCH), true).await;
    home.recorder.add_readings(&[reading(1.0)]).await.expect("it is stored");
    home.db.close().await;
    drop(home);
    // The machine saved its clock a while before the power went, and begins from there.
    clocks.set(died - SignedDuration::from_mins(10));
    clocks.uptime.store(20_000, std::sync::atomic::Ordering::Relaxed);
    let home = Home::open(folder.path(), clocks.host("after", Timestamp::UNIX_EPOCH), true).await;
    assert!(!home.recorder.clock().is_set());
    home.recorder.add_readings(&[reading(2.0)]).await.expect("it is stored");
    assert_eq!(home.backlog().await.undated, 1);
    clocks.pass(Duration::from_secs(30));
    clocks.set(died + SignedDuration::from_hours(1));
    assert!(home.recorder.clock().is_set());
    assert_eq!(home.recorder.date().await.expect("it can be written"), Dated { dated: 1, lost: 0 });
    let gaps = home.gaps().await;
    assert!(gaps.len() == 1 && gaps[0].host_booted, "{gaps:#?}");
    home.db.close().await;
    drop(home);
    // Where it ran ahead before, no age makes it right, but the system's word does.
    clocks.set(died - SignedDuration::from_hours(5));
    clocks.uptime.store(2 * 3_600_000, std::sync::atomic::Ordering::Relaxed);
    let host = clocks.host("another", Timestamp::UNIX_EPOCH);
    let home = Home::open(folder.path(), host.clone(), true).await;
    assert!(!home.recorder.clock().is_set());
    home.db.close().await;
    drop(home);
    let home = Home::open(folder.path(), Host { synchronised: Clock::new(|| true), ..host }, true).await;
    assert!(home.recorder.clock().is_set());
    // Who is cut off from the world's time later still has it.
    clocks.pass(Duration::from_hours(24));
    assert!(home.recorder.clock().is_set());
}
