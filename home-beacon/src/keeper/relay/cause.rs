//! The one update that a keeper writes at an incident of the page upstream: why it was down, as seen from home. Pure.

use serde_json::{Map, Value, json};

/// What programs of ours note at an incident.
const OURS: &str = "porchlight";

/// What a prober notes there of an outage: it makes the incident ours.
const OUTAGE: &str = "outage_key";

/// The mark of this update: where it is, it is not written again.
const MARK: &str = "inside_view";

/// Whether a prober of ours opened an incident with these metadata, and it has no such update yet.
pub(in crate::keeper) fn is_wanted(metadata: &Value) -> bool {
    let note = &metadata[OURS];
    note[OUTAGE].as_str().is_some_and(|key| !key.is_empty()) && note.get(MARK).is_none()
}

/// The change that makes it, of an incident as upstream has it now; `None` where it has it, is not ours, or is not over. It leaves
/// status and components alone, and notifies nobody.
pub(super) fn change(document: &Value, text: &str) -> Option<Value> {
    let metadata = &document["metadata"];
    if document["status"] != "resolved" || !is_wanted(metadata) {
        return None;
    }
    let mut metadata: Map<String, Value> = metadata.as_object()?.clone();
    metadata.get_mut(OURS)?.as_object_mut()?.insert(MARK.into(), json!(true));
    Some(json!({ "incident": {
        "body": text,
        "metadata": metadata,
        "deliver_notifications": false,
        // Without it, statuspage.io may remind of it again and again.
        "reminder_intervals": "[]",
    } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_over_and_not_marked_gets_one_update_and_nothing_else_of_it_changes() {
        let ours = json!({"id": "p31zjtct2jer", "status": "resolved",
            "metadata": {"porchlight": {"outage_key": "k", "cause": "unreachable"}, "other": {"note": 1}}});
        let change = |document: &Value| super::change(document, "As seen from home: …");
        assert_eq!(
            change(&ours).unwrap(),
            json!({"incident": {"body": "As seen from home: …", "deliver_notifications": false, "reminder_intervals": "[]",
                "metadata": {"porchlight": {"outage_key": "k", "cause": "unreachable", "inside_view": true}, "other": {"note": 1}}}})
        );
        for (field, value) in [
            ("/status", json!("monitoring")),
            ("/status", json!("postmortem")),
            ("/metadata", json!({"other": {"outage_key": "k"}})),
            ("/metadata", json!(null)),
            ("/metadata/porchlight", json!({"cause": "unreachable"})),
            ("/metadata/porchlight", json!({"outage_key": "k", "inside_view": true})),
        ] {
            let mut other = ours.clone();
            *other.pointer_mut(field).unwrap() = value;
            assert_eq!(change(&other), None, "{other}");
        }
    }
}
