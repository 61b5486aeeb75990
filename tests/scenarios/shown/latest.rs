//! What is planned, and what was measured last: on the page, and for machines.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::json;
use tests::{
    keeper::{Keeper, PAGE},
    upstream::store,
};

#[tokio::test]
async fn planned_maintenance_is_on_the_page_and_pushes_nothing_off() {
    let keeper = Keeper::start().await;
    let incidents = format!("/pages/{PAGE}/incidents");
    let body = json!({"incident": {"name": "What was over first", "status": "resolved"}});
    keeper.ok(Method::POST, &incidents, Some(body)).await;
    for day in 1..=25 {
        let from = Timestamp::now() + SignedDuration::from_hours(24 * day);
        let until = from + SignedDuration::from_hours(1);
        let body = json!({"incident": {"name": format!("Planned {day}."), "scheduled_for": from.to_string(),
            "scheduled_until": until.to_string()}});
        keeper.ok(Method::POST, &incidents, Some(body)).await;
    }
    let hidden = json!({"component": {"name": "Spare line", "status": "operational", "only_show_if_degraded": true}});
    let hidden = keeper.ok(Method::POST, &format!("/pages/{PAGE}/components"), Some(hidden)).await;
    let hidden = hidden["id"].as_str().expect("an id");
    assert!(keeper.page().await.contains("Spare line"), "nobody knows whether it is well");
    keeper.looked(hidden, "up", None).await;
    let page = keeper.page().await;
    assert!(
        page.contains("Planned maintenance") && page.contains("Planned 1.") && page.contains("And 15 more."),
        "{page}"
    );
    assert!(!page.contains("Planned 25."), "the soonest are listed");
    assert!(page.contains("What was over first"), "{page}");
    assert!(!page.contains("Spare line"), "{page}");
    let path = format!("/pages/{PAGE}/components/{hidden}");
    keeper.ok(Method::PATCH, &path, Some(json!({"component": {"status": "partial_outage"}}))).await;
    assert!(keeper.page().await.contains("Spare line"));
}

#[tokio::test]
async fn the_latest_measurement_is_the_latest_that_was_one() {
    let keeper = Keeper::start().await;
    let at = |ago: i64| Timestamp::from_second(Timestamp::now().as_second() - ago).expect("a time");
    let (measured, skipped, spoilt) = (at(600), at(300), at(60));
    store(
        &keeper,
        &[
            json!({"metric": "bandwidth", "at": measured.to_string(), "value": 93.5}),
            json!({"metric": "bandwidth", "at": skipped.to_string(), "skipped": "the budget is used up"}),
            json!({"metric": "ping", "at": measured.to_string(), "value": 12.5, "loss": 25.0}),
            json!({"metric": "ping", "at": spoilt.to_string(), "value": 480.0, "loss": 20.0, "mark": "bandwidth_test"}),
        ],
    )
    .await;
    let metrics = keeper.http.get(format!("{}/metrics", keeper.url)).send().await.expect("it answers");
    let metrics = metrics.text().await.expect("a text");
    for line in [
        "porchlight_reading{metric=\"bandwidth\"} 93.5".to_owned(),
        format!("porchlight_reading_timestamp_seconds{{metric=\"bandwidth\"}} {}", measured.as_second()),
        format!("porchlight_reading_skipped_timestamp_seconds{{metric=\"bandwidth\"}} {}", skipped.as_second()),
        "porchlight_reading{metric=\"ping\"} 12.5".to_owned(),
        "porchlight_reading_loss_ratio{metric=\"ping\"} 0.25".to_owned(),
        format!("porchlight_reading_timestamp_seconds{{metric=\"ping\"}} {}", measured.as_second()),
        format!("porchlight_reading_spoilt_timestamp_seconds{{metric=\"ping\"}} {}", spoilt.as_second()),
    ] {
        assert!(metrics.lines().any(|shown| shown == line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn a_line_that_answers_nothing_is_not_shown_with_its_last_value_and_no_time_lies_ahead() {
    let keeper = Keeper::start_with(|command| {
        command.env_remove("KEEPER_SEED");
    })
    .await;
    let at = |ago: i64| Timestamp::from_second(Timestamp::now().as_second() - ago).expect("a time");
    store(&keeper, &[json!({"metric": "ping", "at": at(1).to_string(), "value": 0.03, "loss": 0.0})]).await;
    let page = keeper.page().await;
    assert!(page.contains("<span>under 0.1 ms</span>"), "{page}");
    for time in page.split("datetime=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        let time: Timestamp = time.parse().expect("a time");
        assert!(time <= Timestamp::now(), "{time} lies ahead: {page}");
    }
    let keeper = Keeper::start_with(|command| {
        command.env_remove("KEEPER_SEED");
    })
    .await;
    let mut readings = vec![json!({"metric": "ping", "at": at(600).to_string(), "value": 12.0, "loss": 0.0})];
    let began = at(540);
    for minute in 0..9 {
        let at = began + SignedDuration::from_secs(60 * minute);
        readings.push(json!({"metric": "ping", "at": at.to_string(), "failure": "no answer", "loss": 100.0}));
    }
    store(&keeper, &readings).await;
    let page = keeper.page().await;
    let since = began.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert!(
        page.contains("No answer</span>") && page.contains(&format!("Since <time datetime=\"{since}\">")),
        "{page}"
    );
    assert!(page.contains("Before that 12.0 ms") && !page.contains("<span>12.0 ms</span>"), "{page}");
}
