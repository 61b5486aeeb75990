//! A component's uptime, over the time in which somebody looked.

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use tests::keeper::{COMPONENT, Keeper};

use super::{path, refused};

#[tokio::test]
async fn uptime_says_what_nobody_looked_at_and_names_the_incidents() {
    let keeper = Keeper::start().await;
    let of = path(&format!("components/{COMPONENT}/uptime"));
    let never = keeper.ok(Method::GET, &of, None).await;
    assert_eq!(never["uptime_percentage"], Value::Null, "{never}");
    assert_eq!(never["warnings"], json!(["Nobody looked in this range, so nothing is known of it."]));
    let today = Timestamp::now().to_zoned(TimeZone::get("Europe/Berlin").expect("a zone")).date();
    assert_eq!((&never["range_start"], &never["range_end"]), (&json!(today - 90.days()), &json!(today)));

    keeper.looked(COMPONENT, "down", Some("refused")).await;
    let body = json!({"incident": {"name": "Line down", "component_ids": [COMPONENT]}});
    let incident = keeper.ok(Method::POST, &path("incidents"), Some(body)).await["id"].clone();
    let group = json!({"component_group": {"name": "Home", "components": [COMPONENT]}});
    let group = keeper.ok(Method::POST, &path("component-groups"), Some(group)).await["id"].clone();
    let group = path(&format!("component-groups/{}/uptime", group.as_str().expect("an id")));
    let asked = format!("?start={today}&end={}", today + 3.days());
    for (of, related) in [
        (&of, json!([{"id": incident}])),
        (&group, json!([{"component_id": COMPONENT, "incidents": [{"id": incident}]}])),
    ] {
        let down = keeper.ok(Method::GET, &format!("{of}{asked}"), None).await;
        assert_eq!((&down["related_events"], &down["range_end"]), (&related, &json!(today)));
        assert!(down["warnings"][0].as_str().expect("a text").starts_with("End date was adjusted to today."), "{down}");
        // It was seen at this second, or not a second ago yet.
        assert!(down["uptime_percentage"] == json!(0.0) || down["uptime_percentage"].is_null(), "{down}");
        assert_eq!(down["partial_outage"], 0);
        assert!(down["major_outage"].as_i64().is_some_and(|seconds| seconds < 60), "{down}");
    }
}

#[tokio::test]
async fn the_word_of_a_component_that_nobody_looks_at_counts() {
    let keeper = Keeper::start().await;
    let Keeper { process, folder, .. } = keeper;
    process.terminate().await;
    let seed = std::fs::read_to_string(folder.path().join("seed.toml")).expect("a seed");
    let other = tests::process::file(folder.path(), "other.toml", &format!("{seed}looks = false\n"));
    let keeper = Keeper::restart_with(folder, |command| {
        command.env("KEEPER_SEED", other);
    })
    .await;
    let up = keeper.ok(Method::GET, &path(&format!("components/{COMPONENT}/uptime")), None).await;
    assert_eq!((&up["uptime_percentage"], &up["major_outage"]), (&json!(100.0), &json!(0)), "{up}");
}

#[tokio::test]
async fn a_range_that_is_none_or_too_long_is_refused_in_a_sentence() {
    let keeper = Keeper::start().await;
    let of = format!("components/{COMPONENT}/uptime");
    for (query, status, words) in [
        ("start=2016-11-28", 422, "start: the range may span six calendar months"),
        ("start=2026&end=2016", 422, "must not be later than the end"),
        ("start=last+week", 422, "start: must be a day, a month or a year from 1970 on"),
        ("end=2026-02-30", 422, "end: must be a day"),
        ("start=2999", 422, "nor in the future"),
        ("start=%00", 422, "U+0000"),
    ] {
        let (seen, said) = refused(&keeper, Method::GET, &format!("{of}?{query}"), None).await;
        assert_eq!((seen, said.contains(words)), (status, true), "{query}: {said}");
    }
    for (rest, words) in [
        ("components/zzzzzzzzzzzz/uptime", "component zzzzzzzzzzzz of page"),
        ("component-groups/zzzzzzzzzzzz/uptime", "component group zzzzzzzzzzzz of page"),
    ] {
        let (seen, said) = refused(&keeper, Method::GET, rest, None).await;
        assert_eq!((seen, said.contains(words)), (404, true), "{said}");
    }
}
