//! What is in the queue, and what is taken off it.

use std::time::Duration;

use home_beacon::{
    clock::{Clock, Host},
    keeper::{
        seed::Seed,
        store::{ComponentPatch, Dated, QueuedPoint},
    },
    reading::Outcome,
};
use jiff::{SignedDuration, Timestamp};
use tests::{
    statuspage::Fault,
    upstream::{LATENCY, OWN, points, seed},
};

use super::world::{Clocks, World, open};

async fn waiting(world: &World) -> Vec<QueuedPoint> {
    world.store.waiting(world.now(), &[], 500).await.expect("it can be read")
}

#[tokio::test]
async fn a_page_that_cannot_be_read_keeps_no_point_from_being_told() {
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
    let backlog = world.store.backlog().await.expect("a backlog");
    // Two metrics show of it: the value, and what was lost.
    assert_eq!((backlog.waiting, backlog.too_old, backlog.set_aside), (0, 2, 2));
    let listed = world.store.points_set_aside(5).await.expect("a list");
    assert!(listed.len() == 2 && listed.iter().all(|it| it.reason.contains("older than 28 days")), "{listed:?}");
    assert!(points(&world.upstream, LATENCY, world.start).await.is_empty(), "it was not sent");
    world.clocks.set(set + SignedDuration::from_mins(2));
    world.pass(Duration::from_mins(2)).await;
    assert_eq!(points(&world.upstream, LATENCY, world.start).await.len(), 1);
    assert_eq!(world.store.backlog().await.expect("a backlog").too_old, 0);
}

#[tokio::test]
async fn what_was_set_aside_takes_no_newer_values_place() {
    let world = World::new().await;
    world.measure("ping", Outcome::Value(1.0), None).await;
    let refused = waiting(&world).await.remove(0);
    world.measure("ping", Outcome::Value(2.0), None).await;
    world.store.set_aside(&refused, "it came too late").await.expect("it can be written");
    assert!((waiting(&world).await[0].value - 2.0).abs() < 1e-9, "its slot has another value by now");
    let refused = waiting(&world).await.remove(0);
    world.store.set_aside(&refused, "it is wrong").await.expect("it can be written");
    assert_eq!(world.store.backlog().await.expect("a backlog").set_aside, 1);
    world.measure("ping", Outcome::Value(3.0), None).await;
    let newest = waiting(&world).await;
    world.store.delivered(newest).await.expect("it is remembered");
    world.store.settle().await.expect("it can be written");
    assert_eq!(world.store.retry_set_aside().await.expect("it can be written"), 0);
    assert!(waiting(&world).await.is_empty(), "upstream has the newest one");
}

#[tokio::test]
async fn what_the_seed_does_not_mark_any_more_is_not_told() {
    let world = World::new().await;
    world.measure("ping", Outcome::Value(1.0), None).await;
    let patch = ComponentPatch { status: Some("major_outage".into()), ..ComponentPatch::default() };
    world.store.update_component(&world.page, &OWN.parse().expect("an id"), patch).await.expect("it is written");
    let only_the_page = seed(true).split("[[").next().expect("a page").to_owned();
    for unmarked in [seed(false), only_the_page] {
        world.store.seed(&Seed::parse(&seed(true)).expect("a seed")).await.expect("it can be written");
        world.measure("ping", Outcome::Value(1.0), None).await;
        assert!(!waiting(&world).await.is_empty());
        assert!(!world.store.statuses_to_tell(&world.page).await.expect("statuses").is_empty());
        world.store.seed(&Seed::parse(&unmarked).expect("a seed")).await.expect("it can be written");
        world.measure("ping", Outcome::Value(2.0), None).await;
        assert!(waiting(&world).await.is_empty());
        assert!(world.store.statuses_to_tell(&world.page).await.expect("statuses").is_empty());
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
    let store = open(folder.path(), clocks.host("before", Timestamp::UNIX_EPOCH)).await;
    store.add_readings(&[reading(1.0)]).await.expect("it is stored");
    store.close().await;
    drop(store);
    // The machine saved its clock a while before the power went, and begins from there.
    clocks.set(died - SignedDuration::from_mins(10));
    clocks.uptime.store(20_000, std::sync::atomic::Ordering::Relaxed);
    let store = open(folder.path(), clocks.host("after", Timestamp::UNIX_EPOCH)).await;
    assert!(!store.clock_is_set());
    store.add_readings(&[reading(2.0)]).await.expect("it is stored");
    assert_eq!(store.backlog().await.expect("a backlog").undated, 1);
    clocks.pass(Duration::from_secs(30));
    clocks.set(died + SignedDuration::from_hours(1));
    assert!(store.clock_is_set());
    assert_eq!(store.date().await.expect("it can be written"), Dated { dated: 1, lost: 0 });
    let gaps = store.gaps(None, 5).await.expect("gaps");
    assert!(gaps.len() == 1 && gaps[0].host_booted, "{gaps:#?}");
    store.close().await;
    drop(store);
    // Where it ran ahead before, no age makes it right, but the system's word does.
    clocks.set(died - SignedDuration::from_hours(5));
    clocks.uptime.store(2 * 3_600_000, std::sync::atomic::Ordering::Relaxed);
    let host = clocks.host("another", Timestamp::UNIX_EPOCH);
    let store = open(folder.path(), host.clone()).await;
    assert!(!store.clock_is_set());
    store.close().await;
    drop(store);
    let store = open(folder.path(), Host { synchronised: Clock::new(|| true), ..host }).await;
    assert!(store.clock_is_set());
    // Who is cut off from the world's time later still has it.
    clocks.pass(Duration::from_hours(24));
    assert!(store.clock_is_set());
}
