//! Times as clients write them. The page of these tests is in Berlin.

use reqwest::Method;
use serde_json::{Value, json};
use tests::keeper::{Keeper, PAGE};

use crate::world::{FORM, error, incidents, send};

async fn opens(keeper: &Keeper, fields: Value) -> (u16, Value) {
    let (path, body) = (format!("/pages/{PAGE}/incidents"), json!({"incident": fields}));
    let response = keeper.call(Method::POST, &path, Some(body)).await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

#[tokio::test]
async fn a_time_without_a_zone_is_the_pages_in_every_field() {
    let keeper = Keeper::start().await;
    let planned = json!({"name": "x", "scheduled_for": "2026-11-29T22:00:00", "scheduled_until": "2026-11-29 23:30"});
    let (status, planned) = opens(&keeper, planned).await;
    assert_eq!(status, 201, "{planned}");
    assert_eq!(
        (planned["scheduled_for"].as_str(), planned["scheduled_until"].as_str()),
        (Some("2026-11-29T21:00:00.000Z"), Some("2026-11-29T22:30:00.000Z"))
    );
    let request = json!({"name": "x", "backfilled": true, "backfill_date": "2026-07-29T22:00:00", "body": "Storm"});
    let (_, incident) = opens(&keeper, request).await;
    assert_eq!(incident["created_at"], "2026-07-29T20:00:00.000Z");
    let (id, update) = (incident["id"].as_str().expect("an id"), &incident["incident_updates"][0]["id"]);
    let path = format!("/pages/{PAGE}/incidents/{id}/incident_updates/{}", update.as_str().expect("an id"));
    for (sent, read) in [
        (json!("2026-11-01T08:15:30.250"), "2026-11-01T07:15:30.250Z"),
        (json!("Sun, 01 Nov 2026 08:15:30 +0000"), "2026-11-01T08:15:30.000Z"),
        (json!("2026-11-01 08:15:30 UTC"), "2026-11-01T08:15:30.000Z"),
        (json!(1_793_520_930), "2026-11-01T08:15:30.000Z"),
    ] {
        let edit = json!({"incident_update": {"display_at": sent}});
        assert_eq!(keeper.ok(Method::PATCH, &path, Some(edit)).await["display_at"], read, "{sent}");
    }
}

#[tokio::test]
async fn a_time_that_cannot_be_known_is_refused() {
    let keeper = Keeper::start().await;
    for (time, words) in [
        ("2027-03-28T02:30:00", "scheduled_for: 2027-03-28T02:30:00 does not exist in Europe/Berlin"),
        ("2027-10-31T02:30:00", "comes twice in Europe/Berlin"),
        ("29.11.2026 22:00", "one without Z or an offset is read in the page's time zone, Europe/Berlin"),
        ("1795989600000", "not in milliseconds"),
    ] {
        let answer = opens(&keeper, json!({"name": "x", "scheduled_for": time})).await;
        assert_eq!(answer.0, 422, "{time}");
        assert!(error(&answer).contains(words), "{time}: {}", answer.1);
    }
    for (fields, words) in [
        (json!({"name": "x", "backfill_date": "2026-11-01"}), "send backfilled, too"),
        (json!({"name": "x", "scheduled_until": "2026-11-01"}), "scheduled_until: is of a maintenance"),
    ] {
        let answer = opens(&keeper, fields).await;
        assert_eq!(answer.0, 422);
        assert!(error(&answer).contains(words), "{}", answer.1);
    }
}

#[tokio::test]
async fn a_maintenance_ends_after_it_begins_also_when_one_of_both_is_changed() {
    let keeper = Keeper::start().await;
    let planned = |begin: &str, end: &str| json!({"name": "x", "scheduled_for": begin, "scheduled_until": end});
    for end in ["2026-12-01T07:59:59Z", "2026-12-01T08:00:00Z", "2026-12-01"] {
        let answer = opens(&keeper, planned("2026-12-01T08:00:00Z", end)).await;
        assert_eq!(
            (answer.0, answer.1["error"][0].as_str()),
            (422, Some("scheduled_until: must be later than scheduled_for"))
        );
    }
    let (_, made) = opens(&keeper, planned("2026-12-01T08:00:00Z", "2026-12-01T09:00:00Z")).await;
    let path = format!("{}/{}", incidents(), made["id"].as_str().expect("an id"));
    for (field, status) in [
        ("incident[scheduled_until]=2026-12-01T08:00:00Z", 422),
        ("incident[scheduled_for]=2026-12-01T09:30:00Z", 422),
        ("incident[scheduled_for]=2026-12-01T08:30:00Z", 200),
        ("incident[scheduled_until]=", 200),
        ("incident[scheduled_for]=2026-12-02T08:30:00Z", 200),
    ] {
        let answer = send(&keeper, Method::PATCH, &path, Some(FORM), field).await;
        assert_eq!(answer.0, status, "{field}: {}", answer.1);
    }
}
