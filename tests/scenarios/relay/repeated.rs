//! What is measured rarely is sent again, for as long as it may still be so.

use std::time::Duration;

use home_beacon::{
    keeper::{
        db::Moment,
        measured::series::{Span, buckets},
    },
    reading::Outcome,
};
use jiff::Timestamp;
use tests::{
    statuspage::Fault,
    upstream::{BANDWIDTH, points},
};

use super::world::World;

async fn upstream_points(world: &World) -> usize {
    points(&world.upstream, BANDWIDTH, world.start).await.len()
}

#[tokio::test]
async fn a_bandwidth_is_sent_every_five_minutes_until_the_hold_is_over() {
    let mut world = World::new().await;
    world.measure("bandwidth", Outcome::Value(93.5), None).await;
    world.pass(Duration::from_hours(4)).await;
    let sent = points(&world.upstream, BANDWIDTH, world.start).await;
    // One measured, and one in each of 36 stretches; the last may lie on either side of the end.
    assert!((36..=37).contains(&sent.len()), "{}", sent.len());
    assert!(sent.values().all(|value| (value - 93.5).abs() < 1e-9));
    let stretches: Vec<_> = sent.keys().map(|slot| slot.div_euclid(300)).collect();
    assert!(stretches.windows(2).all(|pair| pair[1] - pair[0] <= 1), "no gap in a day's view: {sent:?}");
    let since = world.start - Duration::from_secs(60);
    let from = shared_series(&world, since).await;
    assert_eq!(from, 1, "at home there is the one that was measured");
}

/// How many points of the bandwidth the home itself has.
async fn shared_series(world: &World, since: Timestamp) -> usize {
    let span =
        Span { from: Moment::new(since), to: Moment::new(world.now()), step: jiff::SignedDuration::from_secs(30) };
    buckets(&world.home.db, &format!("@{BANDWIDTH}"), span).await.expect("a series").len()
}

#[tokio::test]
async fn a_failed_test_or_a_dead_line_ends_it() {
    for (metric, outcome, loss) in [
        ("bandwidth", Outcome::Failure("no answer".into()), None),
        ("ping", Outcome::Failure("no answer".into()), Some(100.0)),
    ] {
        let mut world = World::new().await;
        world.measure("bandwidth", Outcome::Value(93.5), None).await;
        world.pass(Duration::from_mins(31)).await;
        let before = upstream_points(&world).await;
        assert!((6..=8).contains(&before), "{before}");
        world.measure(metric, outcome, loss).await;
        world.pass(Duration::from_mins(1)).await;
        world.measure("ping", Outcome::Value(20.0), Some(0.0)).await;
        world.pass(Duration::from_mins(30)).await;
        assert_eq!(upstream_points(&world).await, before, "{metric}");
        world.measure("bandwidth", Outcome::Value(80.0), None).await;
        world.pass(Duration::from_mins(11)).await;
        assert!(upstream_points(&world).await >= before + 2, "a new measurement is held again");
    }
}

#[tokio::test]
async fn nothing_is_made_up_for_while_upstream_could_not_be_reached() {
    let mut world = World::new().await;
    world.measure("bandwidth", Outcome::Value(93.5), None).await;
    world.pass(Duration::from_mins(11)).await;
    let before = upstream_points(&world).await;
    world.way.play(Fault::Dropped);
    world.pass(Duration::from_mins(40)).await;
    world.way.play(Fault::None);
    world.pass(Duration::from_mins(11)).await;
    let after = upstream_points(&world).await;
    // In eleven minutes three stretches may begin, and it comes back in the middle of another. The outage had eight.
    assert!((before + 2..=before + 4).contains(&after), "{before}, then {after}: those of the outage are missing");
}
