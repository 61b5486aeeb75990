//! `/porchlight/v1/outages`: what kept the home from the world, by what was measured at home and seen from outside.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    beacon::Beacon,
    keeper::{COMPONENT, PAGE},
    noting_home::KEY,
    skip::skip,
};

use super::report::{Month, set};

const BEGAN: &str = "2036-03-10T12:00:00Z";

/// A minute: whether the world and the provider's first hop answer, and what is seen from outside.
async fn minute(month: &Month, minute: i64, is_there: bool, seen: &str) {
    let at = BEGAN.parse::<Timestamp>().expect("a time") + SignedDuration::from_mins(minute);
    set(&month.clock, at);
    let reading = |metric: &str, target: &str, answers: bool| {
        let mut reading = json!({"metric": metric, "at": at.to_string(), "target": target, "loss": 0.0, "value": 12.0});
        if !answers {
            reading["loss"] = 100.0.into();
            reading["failure"] = "none of 5 answers came".into();
            reading.as_object_mut().expect("it is one").remove("value");
        }
        reading
    };
    let readings = [
        reading("ping", "1.1.1.1", is_there),
        reading("router", "192.168.1.1", true),
        reading("first_hop", "100.64.0.1", is_there),
        reading("names", "example.com", is_there),
    ];
    let (status, answer) = month.keeper.own(Method::POST, "/readings", Some(json!({"readings": readings}))).await;
    assert_eq!(status, 201, "{answer}");
    let cause = (seen == "down").then_some("unreachable");
    let look = json!({"component_id": COMPONENT, "verdict": seen, "cause": cause, "from": "outside"});
    let body = json!({"page_id": PAGE, "at": at.as_second(), "location": "eu-central-1", "looks": [look]});
    let (status, answer) = month.keeper.own(Method::POST, "/looks", Some(body)).await;
    assert_eq!(status, 202, "{answer}");
}

/// A keeper that may ask a beacon there: by that it knows that it is at a home.
async fn opened(beacon: &str) -> Option<Month> {
    let opened = Month::open_with(BEGAN, |command| {
        command.env("BEACON_PRIVATE_URL", beacon);
    });
    opened.await
}

#[tokio::test]
async fn a_home_that_is_moved_behind_cgnat_is_told_so() {
    let beacon = Beacon::with_key("127.0.0.1:0", &KEY.expose()).await;
    let Some(month) = opened(&format!("http://{}", beacon.private)).await else {
        return skip("a home that is moved behind CGNAT", "libfaketime is missing; tests/run installs it");
    };
    for at in 0..30 {
        minute(&month, at, true, if at < 12 { "up" } else { "down" }).await;
        if at == 11 {
            let moved = BEGAN.parse::<Timestamp>().expect("a time") + SignedDuration::from_mins(at);
            let moved =
                json!({"metric": "router_outside", "at": moved.to_string(), "target": "100.64.3.4", "value": 2.5});
            let (status, answer) =
                month.keeper.own(Method::POST, "/readings", Some(json!({"readings": [moved]}))).await;
            assert_eq!(status, 201, "{answer}");
        }
    }
    let (_, found) = month.keeper.own(Method::GET, "/outages", None).await;
    let outages = found["outages"].as_array().expect("a list");
    let inbound = outages.iter().find(|it| it["kind"] == "inbound").unwrap_or_else(|| panic!("{found:#}"));
    assert_eq!(
        inbound["text"],
        "The home reached the world, and the world did not reach the home: its provider has put it behind CGNAT."
    );
    assert_eq!(inbound["evidence"][2], "the home's address became one that nobody can call (CGNAT)", "{found:#}");
    assert_eq!(inbound["ended"], Value::Null);
}

#[tokio::test]
async fn an_outage_gets_its_kind_from_both_sides_and_a_wrong_question_a_sentence() {
    let Some(month) = opened("http://127.0.0.1:9").await else {
        return skip("an outage gets its kind", "libfaketime is missing; tests/run installs it");
    };
    for at in 0..30 {
        let is_there = !(10..20).contains(&at);
        minute(&month, at, is_there, if (11..21).contains(&at) { "down" } else { "up" }).await;
    }
    let (status, found) = month.keeper.own(Method::GET, "/outages", None).await;
    assert_eq!((status, &found["component_id"]), (200, &json!(COMPONENT)), "{found}");
    let outages = found["outages"].as_array().expect("a list");
    assert_eq!(outages.len(), 1, "{found:#}");
    let line = &outages[0];
    assert_eq!((&line["kind"], &line["confidence"]), (&json!("line"), &json!("high")), "{found:#}");
    let between = |from: &str, to: &str| json!({"earliest": format!("2036-03-10T12:{from}:00.000Z"), "latest": format!("2036-03-10T12:{to}:00.000Z")});
    assert_eq!((&line["began"], &line["ended"]), (&between("09", "10"), &between("19", "20")), "{found:#}");
    assert_eq!(line["text"], "The router was there, and the line behind it was not.");
    let evidence = json!([
        "the router answered 10 of 10 times",
        "the provider's first hop answered 0 of 10 times",
        "hosts far away answered 0 of 10 times",
        "down as seen from outside"
    ]);
    assert_eq!(line["evidence"], evidence);
    for (query, said) in [
        ("from=yesterday", "from: must be a time like"),
        ("from=2036-03-11T00:00:00Z", "from: must be earlier than to, and than now"),
        ("from=2036-01-01T00:00:00Z", "from: up to 31 days can be asked for at once"),
    ] {
        let (status, answer) = month.keeper.own(Method::GET, &format!("/outages?{query}"), None).await;
        assert_eq!(status, 422, "{answer}");
        assert!(answer["error"][0].as_str().is_some_and(|error| error.starts_with(said)), "{answer}");
    }
    let (_, none) = month.keeper.own(Method::GET, "/outages?from=2036-03-10T12:25:00Z", None).await;
    assert_eq!(none["outages"], Value::Array(Vec::new()));
}
