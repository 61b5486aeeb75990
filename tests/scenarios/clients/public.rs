//! `/api/v2` as readers of status pages ask it, and the links in it.

use reqwest::Client;
use reqwest::Method;
use serde_json::{Value, json};
use tests::keeper::{COMPONENT, Keeper, PAGE};

async fn document(keeper: &Keeper, name: &str) -> Value {
    let answer = Client::new().get(format!("{}/api/v2/{name}.json", keeper.url)).send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{name}");
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    answer.json().await.expect("JSON")
}

async fn open(keeper: &Keeper, fields: Value) -> Value {
    keeper.ok(Method::POST, &format!("/pages/{PAGE}/incidents"), Some(json!({"incident": fields}))).await
}

#[tokio::test]
async fn the_eight_documents_list_incidents_and_maintenance_where_they_belong() {
    let keeper = Keeper::start().await;
    open(&keeper, json!({"name": "Open", "body": "Looking", "component_ids": [COMPONENT]})).await;
    open(&keeper, json!({"name": "Over", "status": "resolved", "metadata": {"secret": {"a": 1}}})).await;
    let time = |hour| format!("2026-12-01T{hour:02}:00:00Z");
    let plan =
        |name, status| json!({"name": name, "status": status, "scheduled_for": time(8), "scheduled_until": time(9)});
    for (name, status) in
        [("Planned", "scheduled"), ("Begun", "in_progress"), ("Inspected", "verifying"), ("Done", "completed")]
    {
        open(&keeper, plan(name, status)).await;
    }
    let names = |list: &Value| {
        let mut names: Vec<_> =
            list.as_array().expect("a list").iter().map(|it| it["name"].as_str().expect("a name").to_owned()).collect();
        names.sort();
        names.join(", ")
    };
    for (name, list, expected) in [
        ("incidents", "incidents", "Open, Over"),
        ("incidents/unresolved", "incidents", "Open"),
        ("scheduled-maintenances", "scheduled_maintenances", "Begun, Done, Inspected, Planned"),
        ("scheduled-maintenances/upcoming", "scheduled_maintenances", "Planned"),
        ("scheduled-maintenances/active", "scheduled_maintenances", "Begun, Inspected"),
        ("summary", "incidents", "Open"),
        ("summary", "scheduled_maintenances", "Begun, Inspected, Planned"),
    ] {
        let listed = document(&keeper, name).await;
        assert_eq!(names(&listed[list]), expected, "{name}");
        for incident in listed[list].as_array().into_iter().flatten() {
            let mut fields: Vec<_> = incident.as_object().expect("an object").keys().map(String::as_str).collect();
            fields.retain(|field| !field.starts_with("scheduled_"));
            assert_eq!(
                fields,
                [
                    "components",
                    "created_at",
                    "id",
                    "impact",
                    "incident_updates",
                    "monitoring_at",
                    "name",
                    "page_id",
                    "reminder_intervals",
                    "resolved_at",
                    "shortlink",
                    "started_at",
                    "status",
                    "updated_at"
                ],
                "{name}"
            );
            assert_eq!(incident["scheduled_until"].is_string(), list == "scheduled_maintenances");
        }
    }
    for name in ["summary", "status", "components", "incidents"] {
        let page = document(&keeper, name).await["page"].clone();
        assert_eq!((page["id"].as_str(), page["url"].as_str()), (Some(PAGE), Some(keeper.url.as_str())), "{name}");
    }
}

#[tokio::test]
async fn each_incident_has_an_address_that_shows_it() {
    let keeper = Keeper::start().await;
    let made = open(&keeper, json!({"name": "Line <down>", "body": "Poles fell", "component_ids": [COMPONENT]})).await;
    let link = made["shortlink"].as_str().expect("a link").to_owned();
    assert_eq!(link, format!("{}/incidents/{}", keeper.url, made["id"].as_str().expect("an id")));
    assert_eq!(document(&keeper, "incidents").await["incidents"][0]["shortlink"], *link);
    let answer = Client::new().get(&link).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let html = answer.text().await.expect("a body");
    for words in ["Line &#60;down&#62;", "Poles fell", "My home", "Home internet"] {
        assert!(html.contains(words), "{words}: {html}");
    }
    for unknown in ["zzzzzzzzzzzz", "nonsense"] {
        let answer = Client::new().get(format!("{}/incidents/{unknown}", keeper.url)).send().await.expect("an answer");
        assert_eq!(answer.status(), 404, "{unknown}");
    }
    let patch = json!({"page": {"domain": "status.example.org"}});
    keeper.ok(Method::PATCH, &format!("/pages/{PAGE}"), Some(patch)).await;
    let listed = document(&keeper, "incidents").await;
    assert_eq!(listed["page"]["url"], "https://status.example.org");
    let link = listed["incidents"][0]["shortlink"].as_str().expect("a link");
    assert!(link.starts_with("https://status.example.org/incidents/"), "{link}");
}
