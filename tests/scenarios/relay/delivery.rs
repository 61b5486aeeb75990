//! What is measured arrives, whatever happens on the way.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::json;
use tests::{
    keeper::PAGE,
    statuspage::Fault,
    upstream::{BANDWIDTH, LATENCY, LOSS, Relay, ping, points, slot, store},
};

/// A keeper that has just begun makes few calls in its first minute.
const RELAY_TIMEOUT: Duration = Duration::from_secs(150);

fn minutes_ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

const ANSWERS: [Fault; 6] = [
    Fault::Answer { status: 500, headers: "", body: r#"{"error":"sorry"}"# },
    Fault::Answer { status: 420, headers: "Retry-After: 1\r\n", body: r#"{"error":"too many"}"# },
    Fault::Answer { status: 200, headers: "Content-Type: text/html\r\n", body: "<html>welcome to the hotel</html>" },
    Fault::AnswerLost,
    Fault::Dropped,
    Fault::Answer { status: 429, headers: "Retry-After: 1\r\n", body: r#"{"error":"too many"}"# },
];

#[tokio::test]
async fn every_point_arrives_at_its_own_time_in_spite_of_what_upstream_answers() {
    let relay = Relay::start(ANSWERS, Fault::None).await;
    let now = Timestamp::now();
    let minutes_ago = |minutes: i64| now - SignedDuration::from_mins(minutes);
    let readings: Vec<_> =
        (0..700).map(|index| ping(minutes_ago(1000 - i64::from(index)), 10.0 + f64::from(index))).collect();
    store(&relay.home, &readings).await;
    // Another value of a slot that may have been sent already.
    store(&relay.home, &[ping(minutes_ago(1000), 99.5)]).await;
    let report = relay.drained(RELAY_TIMEOUT).await;
    assert!(report["failed_calls"].as_u64() >= Some(5), "{report}");
    assert_eq!(report["rejected"], 0);

    let since = minutes_ago(1010);
    let there = points(&relay.upstream, LATENCY, since).await;
    let here = points(&relay.home, LATENCY, since).await;
    assert_eq!((there.len(), &there), (700, &here), "each slot with its value");
    assert!((there[&slot(minutes_ago(1000))] - 99.5).abs() < 1e-9, "the last value of a slot wins");
    assert_eq!(points(&relay.upstream, LOSS, since).await.len(), 700, "several metrics in one call");
    let bulk = relay.way.calls().iter().filter(|call| call.contains("/metrics/data")).count();
    assert!(bulk < 14, "500 points to a call: {:#?}", relay.way.calls());
}

#[tokio::test]
async fn points_that_are_sent_to_the_keeper_itself_are_relayed_too() {
    let relay = Relay::start([], Fault::None).await;
    let now = Timestamp::now();
    let body = json!({"data": {"timestamp": now.as_second(), "value": 93.5}});
    relay.home.ok(Method::POST, &format!("/pages/{PAGE}/metrics/{BANDWIDTH}/data"), Some(body)).await;
    relay.drained(RELAY_TIMEOUT).await;
    assert_eq!(points(&relay.upstream, BANDWIDTH, minutes_ago(5)).await.get(&slot(now)), Some(&93.5));
}

#[tokio::test]
async fn what_upstream_has_taken_is_off_the_disk_with_the_next_reading() {
    let relay = Relay::start([], Fault::None).await;
    store(&relay.home, &[ping(minutes_ago(3), 10.0)]).await;
    relay.drained(RELAY_TIMEOUT).await;
    store(&relay.home, &[ping(minutes_ago(2), 11.0)]).await;
    relay.drained(RELAY_TIMEOUT).await;
    // It ends at once, without another word upstream.
    let Relay { home, upstream, way } = relay;
    let calls = way.calls().len();
    home.process.kill().await;
    let place = home.folder.path().to_owned();
    let home = tests::keeper::Keeper::restart_with(home.folder, |command| {
        tests::upstream::relaying(command, &place, &way.api);
    })
    .await;
    let relay = Relay { home, upstream, way };
    relay.says(RELAY_TIMEOUT, |relay| relay["points"].as_u64() >= Some(2)).await;
    let report = relay.drained(RELAY_TIMEOUT).await;
    assert_eq!(report["points"], 2, "only the last reading's points are sent once more: {report}");
    assert!(relay.way.calls().len() > calls);
    assert_eq!(points(&relay.upstream, LATENCY, minutes_ago(10)).await.len(), 2);
}

#[tokio::test]
async fn points_of_28_days_back_are_delivered() {
    let relay = Relay::start([], Fault::None).await;
    let old = Timestamp::now() - SignedDuration::from_hours(28 * 24 - 1);
    store(&relay.home, &[ping(old, 10.0), ping(minutes_ago(1), 11.0)]).await;
    relay.drained(RELAY_TIMEOUT).await;
    assert_eq!(points(&relay.upstream, LATENCY, old).await.len(), 2, "28 days back are taken");
}
