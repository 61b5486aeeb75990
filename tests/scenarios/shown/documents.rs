//! `/api/v2`: the fields of each document, as statuspage.io's have them, and what is ours beside them.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use tests::keeper::{COMPONENT, Keeper, PAGE};

const PAGE_FIELDS: &str = "id name time_zone updated_at url";
const COMPONENT_FIELDS: &str = "created_at description group group_id id name only_show_if_degraded page_id position \
                                showcase start_date status updated_at";
const INCIDENT_FIELDS: &str = "components created_at id impact incident_updates monitoring_at name page_id \
                               reminder_intervals resolved_at shortlink started_at status updated_at";
const PLANNED_FIELDS: &str = "scheduled_for scheduled_until";
const UPDATE_FIELDS: &str = "affected_components body created_at custom_tweet deliver_notifications display_at id \
                             incident_id status tweet_id updated_at";

async fn document(keeper: &Keeper, name: &str) -> Value {
    let answer = keeper.http.get(format!("{}/api/v2/{name}.json", keeper.url)).send().await.expect("it answers");
    assert_eq!(answer.status(), 200, "{name}");
    answer.json().await.expect("JSON")
}

/// That it has these fields; it may have more.
fn has(value: &Value, fields: &str) {
    let there: BTreeSet<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    let missing: Vec<&str> = fields.split_whitespace().filter(|field| !there.contains(field)).collect();
    assert!(missing.is_empty(), "{missing:?} missing in {value:#}");
}

/// That each of its times is one, in UTC.
fn times(value: &Value, fields: &[&str]) {
    for field in fields {
        let text = value[*field].as_str().unwrap_or_else(|| panic!("{field} in {value:#}"));
        assert!(text.parse::<Timestamp>().is_ok() && text.ends_with('Z'), "{field}: {text}");
    }
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|it| it["name"].as_str().expect("a name")).collect()
}

fn check_incident(incident: &Value, is_planned: bool) {
    has(incident, INCIDENT_FIELDS);
    times(incident, &["created_at", "updated_at", "started_at"]);
    if is_planned {
        has(incident, PLANNED_FIELDS);
    }
    assert_eq!(incident.get("scheduled_for").is_some(), is_planned, "{incident:#}");
    for update in incident["incident_updates"].as_array().expect("updates") {
        has(update, UPDATE_FIELDS);
        times(update, &["created_at", "updated_at", "display_at"]);
        assert_eq!((&update["incident_id"], &update["tweet_id"]), (&incident["id"], &Value::Null));
    }
    for component in incident["components"].as_array().expect("components") {
        has(component, COMPONENT_FIELDS);
    }
}

#[tokio::test]
async fn each_document_has_the_fields_that_statuspage_has() {
    let keeper = Keeper::start().await;
    let incidents = format!("/pages/{PAGE}/incidents");
    let (tomorrow, later) = {
        let now = Timestamp::now().to_zoned(TimeZone::UTC);
        ((&now + 1.day()).timestamp().to_string(), (&now + 2.days()).timestamp().to_string())
    };
    for (name, status) in [("Open", "investigating"), ("Over", "resolved")] {
        let components = json!({COMPONENT: "major_outage"});
        let body = json!({"incident": {"name": name, "status": status, "body": "A text.", "components": components}});
        keeper.ok(Method::POST, &incidents, Some(body)).await;
    }
    for (name, status) in [("Planned", "scheduled"), ("Active", "in_progress"), ("Done", "completed")] {
        let body = json!({"incident": {"name": name, "status": status, "body": "A text.", "scheduled_for": tomorrow,
            "scheduled_until": later, "components": {COMPONENT: "under_maintenance"}}});
        keeper.ok(Method::POST, &incidents, Some(body)).await;
    }
    for (name, list, expected) in [
        ("incidents", "incidents", &["Over", "Open"][..]),
        ("incidents/unresolved", "incidents", &["Open"]),
        ("scheduled-maintenances", "scheduled_maintenances", &["Done", "Active", "Planned"]),
        ("scheduled-maintenances/upcoming", "scheduled_maintenances", &["Planned"]),
        ("scheduled-maintenances/active", "scheduled_maintenances", &["Active"]),
    ] {
        let document = document(&keeper, name).await;
        has(&document["page"], PAGE_FIELDS);
        times(&document["page"], &["updated_at"]);
        let (mut found, mut expected) = (names(&document[list]), expected.to_vec());
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{name}");
        for incident in document[list].as_array().expect("a list") {
            check_incident(incident, list == "scheduled_maintenances");
        }
    }
    let summary = document(&keeper, "summary").await;
    has(&summary, "page status components incidents scheduled_maintenances");
    has(&summary["status"], "indicator description");
    assert_eq!(
        (names(&summary["incidents"]), summary["scheduled_maintenances"].as_array().map(Vec::len)),
        (vec!["Open"], Some(2))
    );
    let components = document(&keeper, "components").await;
    for component in components["components"].as_array().expect("components") {
        has(component, COMPONENT_FIELDS);
        has(&component["porchlight"], "looked_at looked_at_age_seconds");
    }
    assert_eq!(document(&keeper, "status").await["status"], summary["status"]);
}
