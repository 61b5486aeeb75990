//! Incidents as upstream sends them, with odd details.

use serde_json::json;

use super::*;

fn read(change: impl FnOnce(&mut Value)) -> Result<UpstreamIncident, &'static str> {
    let mut document = json!({
        "id": "p31zjtct2jer", "name": "The line is cut", "status": "investigating", "impact": "major",
        "created_at": "2026-11-27T10:00:00Z", "updated_at": "2026-11-27T10:05:00Z", "metadata": {"a": 1},
        "components": [{"id": "8kbf7d35c070"}],
        "incident_updates": [{"id": "u1", "status": "investigating", "body": "We check.",
            "created_at": "2026-11-27T10:00:00Z", "updated_at": "2026-11-27T10:00:00Z",
            "affected_components": [{"code": "8kbf7d35c070", "name": "Home", "old_status": "operational",
                "new_status": "major_outage"}]}],
    });
    change(&mut document);
    UpstreamIncident::read(&document, "2026-11-28T00:00:00Z".parse().unwrap())
}

#[test]
fn an_odd_detail_costs_itself_alone_and_is_named() {
    let affected = "/incident_updates/0/affected_components";
    for (place, value, odd) in [
        ("/metadata", json!([]), None),
        ("/metadata", Value::Null, None),
        ("/metadata", json!("text"), Some("metadata")),
        ("/impact", json!("grave"), None),
        ("/impact", json!(3), Some("impact")),
        ("/name", Value::Null, None),
        ("/created_at", json!("yesterday"), Some("created_at")),
        ("/updated_at", Value::Null, None),
        ("/components", json!({}), Some("components")),
        ("/components", json!(["8kbf7d35c070"]), Some("components")),
        ("/incident_updates", Value::Null, None),
        ("/incident_updates", json!("none"), Some("incident_updates")),
        ("/incident_updates/0", json!({"body": "without an id"}), Some("incident_updates")),
        ("/incident_updates/0/body", Value::Null, None),
        ("/incident_updates/0/created_at", Value::Null, None),
        (affected, json!([{"name": "Home"}]), None),
        (affected, json!(["Home"]), Some("affected_components")),
        ("/incident_updates/0/affected_components/0/old_status", Value::Null, None),
        ("/incident_updates/0/affected_components/0/code", json!("?"), None),
    ] {
        let read_back = read(|document| *document.pointer_mut(place).unwrap() = value.clone());
        let read_back = read_back.unwrap_or_else(|error| panic!("{place} {value}: {error}"));
        assert_eq!(read_back.odd.iter().copied().next(), odd, "{place} {value}");
        assert_eq!(read_back.status, "investigating");
    }
}

#[test]
fn without_an_id_or_a_status_it_is_none() {
    for (field, value) in [("id", json!(7)), ("id", Value::Null), ("status", Value::Null), ("status", json!(""))] {
        assert!(read(|document| document[field] = value.clone()).is_err(), "{field} {value}");
    }
}

#[test]
fn an_unknown_status_is_never_an_end() {
    let said = |status: &str, scheduled: bool| {
        let read_back = read(|document| {
            document["status"] = status.into();
            document["scheduled_for"] = if scheduled { json!("2026-11-29T00:00:00Z") } else { Value::Null };
        });
        let read_back = read_back.unwrap();
        (read_back.known_status().as_str(), read_back.other_word().map(ToOwned::to_owned))
    };
    assert_eq!(said("escalated", false), ("investigating", Some("escalated".into())));
    assert_eq!(said("delayed", true), ("in_progress", Some("delayed".into())));
    assert_eq!(said("postmortem", false), ("resolved", Some("postmortem".into())));
    assert_eq!(said("monitoring", false), ("monitoring", None));
}
