//! Incidents and maintenance at the keeper: their lives, their times and their lists.

use reqwest::Method;
use serde_json::{Value, json};
use tests::keeper::{COMPONENT, Keeper, PAGE};

#[tokio::test]
async fn an_incident_lives_through_its_statuses() {
    let keeper = Keeper::start().await;
    let opened = json!({"incident": {"name": "Line down", "body": "Looking into it", "components": {COMPONENT: "major_outage"},
        "metadata": {"porchlight": {"outage_key": "2026-11-21"}}, "deliver_notifications": false, "reminder_intervals": "[]"}});
    let answer = keeper.call(Method::POST, &format!("/pages/{PAGE}/incidents"), Some(opened)).await.expect("an answer");
    assert_eq!(answer.status(), 201);
    let opened: Value = answer.json().await.expect("JSON");
    assert_eq!((opened["status"].as_str(), opened["impact"].as_str()), (Some("investigating"), Some("critical")));
    assert_eq!(opened["components"][0]["id"], COMPONENT);
    assert_eq!(opened["metadata"]["porchlight"]["outage_key"], "2026-11-21");
    let update = &opened["incident_updates"][0];
    assert_eq!(
        (update["body"].as_str(), update["deliver_notifications"].as_bool()),
        (Some("Looking into it"), Some(false))
    );
    assert_eq!(update["affected_components"][0]["new_status"], "major_outage");
    assert_eq!(keeper.status().await, "major_outage", "the component changed in the same call");

    let path = format!("/pages/{PAGE}/incidents/{}", opened["id"].as_str().expect("an id"));
    let change = async |fields: Value| keeper.ok(Method::PATCH, &path, Some(json!({"incident": fields}))).await;
    let unresolved = async || {
        let list = keeper.ok(Method::GET, &format!("/pages/{PAGE}/incidents/unresolved"), None).await;
        list.as_array().map(Vec::len)
    };
    assert!(change(json!({"status": "monitoring"})).await["monitoring_at"].is_string());
    assert_eq!(unresolved().await, Some(1));
    let resolved =
        change(json!({"status": "resolved", "body": "Back", "components": {COMPONENT: "operational"}})).await;
    assert!(resolved["resolved_at"].is_string());
    assert_eq!(resolved["incident_updates"].as_array().map(Vec::len), Some(3));
    assert_eq!(resolved["incident_updates"][0]["body"], "Back", "the newest first");
    assert_eq!((keeper.status().await.as_str(), unresolved().await), ("operational", Some(0)));
    assert!(change(json!({"status": "investigating"})).await["resolved_at"].is_null(), "it fell again");

    let update = resolved["incident_updates"][2]["id"].as_str().expect("an id");
    let edit = json!({"incident_update": {"display_at": "2026-11-20T00:00:00Z", "body": "Corrected"}});
    let edited = keeper.ok(Method::PATCH, &format!("{path}/incident_updates/{update}"), Some(edit)).await;
    assert_eq!(
        (edited["body"].as_str(), edited["display_at"].as_str()),
        (Some("Corrected"), Some("2026-11-20T00:00:00.000Z"))
    );

    let found = keeper.ok(Method::GET, &format!("/pages/{PAGE}/incidents?q=Corrected"), None).await;
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    let found = keeper.ok(Method::GET, &format!("/pages/{PAGE}/incidents?q=nowhere"), None).await;
    assert_eq!(found.as_array().map(Vec::len), Some(0));
    let deleted = keeper.call(Method::DELETE, &path, None).await.expect("an answer");
    assert_eq!(deleted.status(), 200);
    assert_eq!(deleted.json::<Value>().await.expect("JSON")["id"], opened["id"]);
    assert_eq!(keeper.call(Method::GET, &path, None).await.expect("an answer").status(), 404);
}

#[tokio::test]
async fn an_incident_recorded_afterwards_is_over() {
    let keeper = Keeper::start().await;
    let body =
        json!({"incident": {"name": "Storm", "backfilled": true, "backfill_date": "2026-11-01", "body": "Poles fell"}});
    let created = keeper.ok(Method::POST, &format!("/pages/{PAGE}/incidents"), Some(body)).await;
    assert_eq!(
        (created["status"].as_str(), created["resolved_at"].as_str()),
        (Some("resolved"), Some("2026-10-31T23:00:00.000Z"))
    );
    assert!(!keeper.page().await.contains("Storm"), "it is no open incident");
}

#[tokio::test]
async fn a_postscript_does_not_move_the_end_of_an_incident() {
    let keeper = Keeper::start().await;
    let path = format!("/pages/{PAGE}/incidents");
    let opened = keeper.ok(Method::POST, &path, Some(json!({"incident": {"name": "x", "status": "resolved"}}))).await;
    let one = format!("{path}/{}", opened["id"].as_str().expect("an id"));
    let postscript = json!({"incident": {"status": "resolved", "body": "It was the cat"}});
    let changed = keeper.ok(Method::PATCH, &one, Some(postscript)).await;
    assert_eq!(changed["resolved_at"], opened["resolved_at"]);
    let wrong = keeper.call(Method::PATCH, &one, Some(json!({"incident": {"scheduled_for": "2026-12-01"}}))).await;
    assert_eq!(wrong.expect("an answer").status(), 422);
}

#[tokio::test]
async fn maintenance_is_listed_where_it_belongs() {
    let keeper = Keeper::start().await;
    let planned = json!({"incident": {"name": "New router", "scheduled_for": "2026-12-01T08:00:00+01:00",
        "scheduled_until": "2026-12-01T09:00:00+01:00", "component_ids": [COMPONENT]}});
    let planned = keeper.ok(Method::POST, &format!("/pages/{PAGE}/incidents"), Some(planned)).await;
    assert_eq!((planned["status"].as_str(), planned["impact"].as_str()), (Some("scheduled"), Some("maintenance")));
    assert_eq!(planned["scheduled_for"], "2026-12-01T07:00:00.000Z");
    let lists = async || {
        let mut lengths = Vec::new();
        for list in ["unresolved", "scheduled", "upcoming", "active_maintenance"] {
            let list = keeper.ok(Method::GET, &format!("/pages/{PAGE}/incidents/{list}"), None).await;
            lengths.push(list.as_array().map_or(0, Vec::len));
        }
        lengths
    };
    assert_eq!(lists().await, [0, 1, 1, 0]);
    let path = format!("/pages/{PAGE}/incidents/{}", planned["id"].as_str().expect("an id"));
    keeper.ok(Method::PATCH, &path, Some(json!({"incident": {"status": "in_progress"}}))).await;
    assert_eq!(lists().await, [0, 1, 0, 1]);
    let wrong = keeper.call(Method::PATCH, &path, Some(json!({"incident": {"status": "resolved"}}))).await;
    assert_eq!(wrong.expect("an answer").status(), 422);
    keeper.ok(Method::PATCH, &path, Some(json!({"incident": {"status": "completed"}}))).await;
    assert_eq!(lists().await, [0, 0, 0, 0]);
}
