//! A clock that has not been set yet, and one that steps.

use std::time::Duration;

use home_beacon::{
    keeper::{
        db::Moment,
        measured::{
            Dated,
            series::{Span, buckets},
        },
    },
    reading::{Outcome, Reading},
};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tests::{
    in_process::Home,
    upstream::{LATENCY, points, slot},
};

use super::world::{Clocks, World};

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn ping(at: Timestamp, value: f64) -> Reading {
    let mut reading = Reading::new("ping".parse().expect("a metric"), at, Outcome::Value(value));
    reading.loss = Some(0.0);
    reading
}

/// The values of the pings by second.
async fn pings(home: &Home, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, f64)> {
    let span = Span { from: Moment::new(from), to: Moment::new(to), step: SignedDuration::from_secs(1) };
    let found = buckets(&home.db, "ping", span).await.unwrap_or_default();
    found.into_iter().filter_map(|bucket| Some((bucket.at.timestamp(), bucket.value?))).collect()
}

#[tokio::test]
async fn what_comes_before_the_clock_is_set_is_dated_afterwards_and_sent_then() {
    let built = Timestamp::now() - SignedDuration::from_hours(24);
    let mut world = World::built(built).await;
    // After a power cut it is 1970, and the jobs think so too.
    world.clocks.set(time("1970-01-01T00:00:20Z"));
    for minute in 0..5 {
        world.home.recorder.add_readings(&[ping(world.now(), f64::from(minute))]).await.expect("it is stored");
        world.pass(Duration::from_mins(1)).await;
    }
    assert!(world.way.calls().is_empty(), "nothing is sent before: {:?}", world.way.calls());
    assert_eq!(world.home.backlog().await.waiting, 0);
    assert_eq!(world.home.recorder.date().await.expect("it can be read"), Dated::default(), "it is not set yet");

    let now = Timestamp::now();
    world.clocks.set(now);
    assert_eq!(world.home.recorder.date().await.expect("it can be written"), Dated { dated: 5, lost: 0 });
    assert_eq!(world.home.recorder.date().await.expect("it can be written"), Dated::default(), "once");
    let from = now - SignedDuration::from_mins(5);
    let second = |at: Timestamp| Timestamp::from_second(at.as_second()).expect("a time");
    let expected: Vec<_> =
        (0..5).map(|minute| (second(from + SignedDuration::from_mins(i64::from(minute))), f64::from(minute))).collect();
    assert_eq!(pings(&world.home, from - SignedDuration::from_mins(1), now).await, expected);
    world.pass(Duration::from_mins(2)).await;
    let there = points(&world.upstream, LATENCY, from - SignedDuration::from_mins(1)).await;
    let expected: Vec<_> = expected.iter().map(|(at, value)| (slot(*at), *value)).collect();
    assert_eq!(there.into_iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn what_came_before_another_boot_cannot_be_dated_and_a_right_clock_elsewhere_is_believed() {
    let folder = TempDir::new().expect("a temporary folder");
    let now = Timestamp::now();
    let clocks = Clocks::at(time("1970-01-01T00:00:20Z"));
    let home = Home::open(folder.path(), clocks.host("first boot", now - SignedDuration::from_hours(24)), true).await;
    home.recorder.add_readings(&[ping(clocks.now(), 1.0)]).await.expect("it is stored");
    // Another machine of the house, whose clock is right.
    home.recorder.add_readings(&[ping(now, 2.0)]).await.expect("it is stored");
    home.db.close().await;
    drop(home);
    clocks.boots();
    let home = Home::open(folder.path(), clocks.host("second boot", now - SignedDuration::from_hours(24)), true).await;
    home.recorder.add_readings(&[ping(clocks.now(), 3.0)]).await.expect("it is stored");
    clocks.set(now + SignedDuration::from_secs(60));
    assert_eq!(home.recorder.date().await.expect("it can be written"), Dated { dated: 2, lost: 1 });
    let kept = pings(&home, now - SignedDuration::from_hours(1), now + SignedDuration::from_hours(1)).await;
    assert_eq!(kept.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [2.0, 3.0]);
}

#[tokio::test]
async fn a_clock_that_steps_neither_doubles_nor_loses_points() {
    let mut world = World::new().await;
    let mut sent = 0_u32;
    // An hour ahead, back by 20 minutes, ahead by a day and back: what was stored keeps its time.
    for step in [0, 3600, -1200, 24 * 3600, -24 * 3600] {
        world.clocks.set(world.now() + SignedDuration::from_secs(step));
        for _ in 0..3 {
            world.home.recorder.add_readings(&[ping(world.now(), f64::from(sent))]).await.expect("it is stored");
            sent += 1;
            world.pass(Duration::from_mins(1)).await;
        }
    }
    world.clocks.set(Timestamp::now());
    world.pass(Duration::from_mins(3)).await;
    let backlog = world.home.backlog().await;
    let there = points(&world.upstream, LATENCY, world.start - SignedDuration::from_hours(1)).await;
    let mut values: Vec<_> = there.values().map(|value| value.round()).collect();
    values.sort_by(f64::total_cmp);
    // What was measured on the day ahead lies in upstream's future, which a strict one refuses.
    let ahead = [9.0, 10.0, 11.0];
    let expected: Vec<_> = (0..sent).map(f64::from).filter(|value| !ahead.contains(value)).collect();
    assert_eq!((values, backlog.waiting, backlog.rejected), (expected, 0, 6));
}

#[tokio::test]
async fn a_silence_is_a_gap_and_says_whether_the_host_booted() {
    let folder = TempDir::new().expect("a temporary folder");
    let start = Timestamp::now() - SignedDuration::from_hours(12);
    let clocks = Clocks::at(start);
    let mut ended = start;
    for (boot, silence) in [("a", 0), ("a", 60), ("a", 600), ("b", 900), ("b", 100)] {
        clocks.pass(Duration::from_secs(silence));
        if (boot, silence) == ("b", 900) {
            clocks.boots();
        }
        let began = clocks.now();
        let home = Home::open(folder.path(), clocks.host(boot, Timestamp::UNIX_EPOCH), true).await;
        // The first reading comes half a minute after the start; the keeper was there before.
        clocks.pass(Duration::from_secs(30));
        for _ in 0..3 {
            home.recorder.add_readings(&[ping(clocks.now(), 1.0)]).await.expect("it is stored");
            ended = clocks.now();
            clocks.pass(Duration::from_secs(60));
        }
        let gaps = home.gaps().await;
        let reported: Vec<_> = gaps.iter().map(|gap| (gap.host_booted, gap.ended.timestamp())).collect();
        match (boot, silence) {
            ("a", 600) => assert_eq!(reported, [(false, began)], "ended when the keeper began"),
            ("b", 900) => assert_eq!(reported[0], (true, began)),
            _ => (),
        }
        home.db.close().await;
    }
    let home = Home::open(folder.path(), clocks.host("b", Timestamp::UNIX_EPOCH), true).await;
    let gaps = home.gaps().await;
    // A minute between the last reading and the end of a life is silent, too.
    assert_eq!(gaps.len(), 3, "{gaps:#?}");
    assert!(ended < clocks.now());

    // A clock that steps while the keeper lives is no gap.
    home.recorder.add_readings(&[ping(clocks.now(), 1.0)]).await.expect("it is stored");
    let before = home.gaps().await.len();
    clocks.pass(Duration::from_secs(60));
    clocks.set(clocks.now() + SignedDuration::from_hours(2));
    home.recorder.add_readings(&[ping(clocks.now(), 1.0)]).await.expect("it is stored");
    assert_eq!(home.gaps().await.len(), before);
    // Without readings it says itself that it is alive.
    for _ in 0..10 {
        clocks.pass(home.recorder.record_heartbeat().await.expect("it can be written"));
    }
    assert_eq!(home.gaps().await.len(), before);
}
