//! Checks, as a keeper takes them: real keepers, and calls as their clients make them.
//!
//! - `registered`: what programs register, and what comes of it; `passive`: checks that call us; `summary`: `UpTimePulse`'s interface

mod passive;
mod registered;
mod summary;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tests::keeper::Keeper;

/// A check over HTTP, with a component of its own.
fn check(name: &str) -> Value {
    json!({"name": name, "title": name.to_uppercase(), "kind": "http", "target": format!("http://{name}.lan/"),
        "every_seconds": 60, "component": "own"})
}

fn with(mut check: Value, field: &str, value: Value) -> Value {
    check[field] = value;
    check
}

/// Registers these; their components.
async fn register(keeper: &Keeper, checks: Value) -> Vec<Value> {
    let body = json!({"source": "checks", "checks": checks});
    let (status, answer) = keeper.own(Method::PUT, "/checks", Some(body)).await;
    assert_eq!(status, 200, "{answer}");
    let placed = answer["checks"].as_array().expect("checks");
    placed.iter().map(|check| check["component_id"].clone()).collect()
}

/// A run whose state counts, so many seconds ago.
async fn ran(keeper: &Keeper, name: &str, ago: i64, state: &str) {
    let at = Timestamp::now() - jiff::SignedDuration::from_secs(ago);
    let counts = if state == "unknown" { Value::Null } else { json!(state) };
    let check = json!({"state": state, "counts": counts, "text": "As said."});
    let mut reading =
        json!({"metric": format!("check:{name}"), "at": at.to_string(), "method": "http", "check": check});
    match state {
        "critical" => reading["failure"] = json!("connection refused"),
        "unknown" => reading["skipped"] = json!("not known"),
        _ => reading["value"] = json!(12.5),
    }
    let (status, answer) = keeper.own(Method::POST, "/readings", Some(json!({"readings": [reading]}))).await;
    assert_eq!(status, 201, "{answer}");
}

/// What is known of a check.
async fn known(keeper: &Keeper, name: &str) -> Value {
    let (status, answer) = keeper.own(Method::GET, "/checks", None).await;
    assert_eq!(status, 200, "{answer}");
    let found = answer["checks"].as_array().expect("checks").iter().find(|check| check["name"] == name);
    found.cloned().unwrap_or(Value::Null)
}

/// The status of a component.
async fn status(keeper: &Keeper, component: &Value) -> Value {
    let id = component.as_str().expect("an id");
    keeper.ok(Method::GET, &format!("/pages/{}/components/{id}", tests::keeper::PAGE), None).await["status"].clone()
}
