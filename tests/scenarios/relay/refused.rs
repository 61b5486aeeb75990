//! What upstream does not want: the token, a metric, a point.

use std::time::Duration;

use home_beacon::reading::Outcome;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use tests::{
    keeper::{PAGE, TOKEN},
    process::{file, ours, run},
    statuspage::Fault,
    upstream::{LATENCY, LOSS, Relay, ping, points, store},
};

use super::world::World;

/// A keeper that has just started makes few calls in its first minute.
const RELAY_TIMEOUT: Duration = Duration::from_secs(150);

const REFUSED: Fault = Fault::Answer { status: 401, headers: "", body: r#"{"error":"Could not authenticate"}"# };

#[tokio::test]
async fn a_refused_token_pauses_everything_until_its_file_changes() {
    let relay = Relay::start([], REFUSED).await;
    store(&relay.home, &[ping(Timestamp::now(), 10.0)]).await;
    let report = relay.says(RELAY_TIMEOUT, |relay| relay["condition"] == "paused").await;
    assert_eq!((report["waiting"].as_i64(), report["rejected"].as_i64()), (Some(2), Some(0)), "{report}");
    let calls = relay.way.calls().len();
    let health: serde_json::Value = relay
        .home
        .http
        .get(format!("{}/healthz", relay.home.url))
        .send()
        .await
        .expect("it answers")
        .json()
        .await
        .expect("JSON");
    assert!(health["relay"]["reason"].as_str().is_some_and(|why| why.contains("Could not authenticate")), "{health}");
    let metrics = relay.home.http.get(format!("{}/metrics", relay.home.url)).send().await.expect("it answers");
    assert!(metrics.text().await.expect("a text").contains("porchlight_relay_paused 1\n"));
    assert!(relay.home.page().await.contains("Could not authenticate"), "the page says why");
    let mut asking = ours("keeper");
    asking.arg("relay").env("KEEPER_ADDR", relay.home.url.trim_start_matches("http://")).env("KEEPER_TOKEN", TOKEN);
    let paused = run(asking, RELAY_TIMEOUT).await;
    assert!(paused.code == Some(1) && paused.stdout.starts_with("condition: paused: "), "{}", paused.stdout);

    relay.way.play(Fault::None);
    // Another token, that happens to be taken as well.
    file(relay.home.folder.path(), "upstream-token", &format!("{TOKEN}-of-before"));
    let report = relay.says(RELAY_TIMEOUT, |relay| relay["calls"].as_u64() > Some(calls as u64)).await;
    assert_eq!(report["condition"], "paused", "a wrong one is refused by the keeper upstream itself: {report}");
    file(relay.home.folder.path(), "upstream-token", TOKEN);
    relay.drained(RELAY_TIMEOUT).await;
    assert_eq!(points(&relay.upstream, LATENCY, Timestamp::now() - SignedDuration::from_mins(5)).await.len(), 1);
}

#[tokio::test]
async fn a_refused_token_is_tried_again_every_five_minutes_and_not_before() {
    let mut world = World::new().await;
    world.way.play(REFUSED);
    world.measure("ping", Outcome::Value(10.0), Some(0.0)).await;
    world.pass(Duration::from_secs(30)).await;
    let calls = world.way.calls().len();
    assert!(calls > 0, "it is tried at once");
    world.pass(Duration::from_secs(260)).await;
    assert_eq!(world.way.calls().len(), calls);
    world.pass(Duration::from_secs(30)).await;
    assert_eq!(world.way.calls().len(), calls + 1);
}

#[tokio::test]
async fn a_metric_that_upstream_does_not_have_stops_no_other() {
    let relay = Relay::start([], Fault::None).await;
    let removed = relay.upstream.call(Method::DELETE, &format!("/pages/{PAGE}/metrics/{LOSS}"), None).await;
    assert!(removed.expect("it answers").status().is_success());
    let now = Timestamp::now();
    for minute in 0..5 {
        store(&relay.home, &[ping(now - SignedDuration::from_mins(minute), 10.0)]).await;
    }
    let report = relay.says(RELAY_TIMEOUT, |relay| relay["skipped"][0]["id"] == LOSS && relay["waiting"] == 5).await;
    assert_eq!(report["rejected"], 0, "{report}");
    assert_eq!(points(&relay.upstream, LATENCY, now - SignedDuration::from_mins(10)).await.len(), 5);
}

#[tokio::test]
async fn only_the_points_that_upstream_refuses_are_set_aside_and_can_be_put_back() {
    let relay = Relay::start([], Fault::None).await;
    relay.way.play(Fault::Refusing("\"value\":13.0}"));
    let now = Timestamp::now();
    let value = |minute: i64| if minute % 40 == 7 { 13.0 } else { 20.5 };
    let readings: Vec<_> = (0..60).map(|minute| ping(now - SignedDuration::from_mins(minute), value(minute))).collect();
    store(&relay.home, &readings).await;
    let report = relay.says(RELAY_TIMEOUT, |relay| relay["waiting"] == 0 && relay["rejected"] == 2).await;
    assert_eq!(report["condition"], "well", "{report}");
    assert_eq!(points(&relay.upstream, LATENCY, now - SignedDuration::from_mins(200)).await.len(), 58);
    assert_eq!(points(&relay.upstream, LOSS, now - SignedDuration::from_mins(200)).await.len(), 60);

    let ask = |words: &[&str]| {
        let mut command = ours("keeper");
        command.args(words).env("KEEPER_ADDR", relay.home.url.trim_start_matches("http://")).env("KEEPER_TOKEN", TOKEN);
        run(command, RELAY_TIMEOUT)
    };
    let listed = ask(&["relay"]).await;
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    assert!(listed.stdout.contains("rejected: 2 points") && listed.stdout.contains("13: POST"), "{}", listed.stdout);
    relay.way.play(Fault::None);
    let retried = ask(&["relay", "retry"]).await;
    assert_eq!(retried.stdout, "2 points queued again.\n", "{}", retried.stderr);
    relay.drained(RELAY_TIMEOUT).await;
    assert_eq!(points(&relay.upstream, LATENCY, now - SignedDuration::from_mins(200)).await.len(), 60);
}
