//! Checks as another program hands them to a keeper, and what the keeper knows of them then.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::keeper::{Keeper, PAGE};

/// A check over HTTP, with a component of its own.
#[must_use]
pub fn check(name: &str) -> Value {
    json!({"name": name, "title": name.to_uppercase(), "kind": "http", "target": format!("http://{name}.lan/"),
        "every_seconds": 60, "component": "own"})
}

/// With another field.
#[must_use]
pub fn with(mut check: Value, field: &str, value: Value) -> Value {
    check[field] = value;
    check
}

/// Registers these; their components.
///
/// # Panics
/// When it refuses them.
pub async fn register(keeper: &Keeper, checks: Value) -> Vec<Value> {
    let body = json!({"source": "checks", "checks": checks});
    let (status, answer) = keeper.own(Method::PUT, "/checks", Some(body)).await;
    assert_eq!(status, 200, "{answer}");
    let placed = answer["checks"].as_array().expect("checks");
    placed.iter().map(|check| check["component_id"].clone()).collect()
}

/// A run whose state counts, so many seconds ago.
///
/// # Panics
/// When it refuses it.
pub async fn ran(keeper: &Keeper, name: &str, ago: i64, state: &str) {
    ran_with(keeper, name, ago, state, json!({})).await;
}

/// The same, with further fields of the run.
///
/// # Panics
/// When the keeper refuses it.
pub async fn ran_with(keeper: &Keeper, name: &str, ago: i64, state: &str, more: Value) {
    let at = Timestamp::now() - SignedDuration::from_secs(ago);
    let counts = if state == "unknown" { Value::Null } else { json!(state) };
    let mut check = json!({"state": state, "counts": counts, "text": "As said."});
    for (field, value) in more.as_object().into_iter().flatten() {
        check[field] = value.clone();
    }
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
///
/// # Panics
/// When it lists none.
pub async fn known(keeper: &Keeper, name: &str) -> Value {
    let (status, answer) = keeper.own(Method::GET, "/checks", None).await;
    assert_eq!(status, 200, "{answer}");
    let found = answer["checks"].as_array().expect("checks").iter().find(|check| check["name"] == name);
    found.cloned().unwrap_or(Value::Null)
}

/// The status of a component.
///
/// # Panics
/// When there is none.
pub async fn status(keeper: &Keeper, component: &Value) -> Value {
    let id = component.as_str().expect("an id");
    keeper.ok(Method::GET, &format!("/pages/{PAGE}/components/{id}"), None).await["status"].clone()
}
