//! Events, as `kubectl describe` shows them: an object has turned wrong or stale, or is right again. Its status says the same, for as long
//! as it is so; events are for who watches.

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use serde_json::Value;
use tokio::time::timeout;

use crate::objects::{Key, VERSION};

/// How long one call of the API server may take.
const CALL: Duration = Duration::from_secs(15);

/// The longest note, in bytes: the API server takes a kibibyte.
const MAX_NOTE: usize = 1000;

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turned {
    is_right: bool,
    reason: String,
    message: String,
}

/// What is worth an event of a status that was written, beside the one before.
pub(super) fn turned(before: Option<&Value>, now: &Value) -> Option<Turned> {
    let is_stale = |status: &Value| condition(status, "Stale").is_some();
    if is_stale(now) && !before.is_some_and(is_stale) {
        let (_, reason, message) = condition(now, "Stale")?;
        return Some(Turned { is_right: false, reason: reason.to_owned(), message: message.to_owned() });
    }
    let before = before.and_then(|before| condition(before, "Ready"));
    let (status, reason, message) = condition(now, "Ready")?;
    let was_wrong = matches!(before, Some(("False", ..)));
    let is_news = match status {
        "False" => before != Some((status, reason, message)),
        _ => was_wrong,
    };
    is_news.then(|| Turned { is_right: status != "False", reason: reason.to_owned(), message: message.to_owned() })
}

/// Status, reason and message of a condition that a status has.
fn condition<'a>(status: &'a Value, kind: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let found = status["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)?;
    Some((found["status"].as_str()?, found["reason"].as_str()?, found["message"].as_str()?))
}

/// Who publishes them.
pub(super) fn recorder(client: Client) -> Recorder {
    let instance = pod_name();
    Recorder::new(client, Reporter { controller: "porchlight-operator".into(), instance })
}

/// The pod's name, which is that of its host.
fn pod_name() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned())
}

/// Publishes one. Where that cannot be, the status says it all the same.
pub(super) async fn publish(recorder: &Recorder, key: &Key, uid: &str, turned: &Turned) {
    let about = ObjectReference {
        api_version: Some(format!("{}/{VERSION}", key.kind.group())),
        kind: Some(key.kind.kind().to_owned()),
        namespace: Some(key.namespace.clone()),
        name: Some(key.name.clone()),
        uid: Some(uid.to_owned()),
        ..ObjectReference::default()
    };
    let event = Event {
        type_: if turned.is_right { EventType::Normal } else { EventType::Warning },
        reason: turned.reason.clone(),
        note: Some(turned.message[..turned.message.floor_char_boundary(MAX_NOTE)].to_owned()),
        action: "Resolve".into(),
        secondary: None,
    };
    match timeout(CALL, recorder.publish(&event, &about)).await {
        Ok(Ok(())) => (),
        Ok(Err(error)) => tracing::debug!(object = %key, %error, "its event cannot be published"),
        Err(_) => tracing::debug!(object = %key, "its event was not published within {} s", CALL.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(ready: &str, message: &str) -> Value {
        json!({"conditions": [
            {"type": "SecretsLifted", "status": "True", "reason": "R", "message": "x"},
            {"type": "Ready", "status": ready, "reason": "R", "message": message},
        ]})
    }

    #[test]
    fn what_is_stale_is_told_once() {
        let (fine, mut stale) = (status("True", "it runs"), status("True", "it runs"));
        stale["conditions"][0] = json!({"type": "Stale", "status": "True", "reason": "Unknown", "message": "no node"});
        let reported = Turned { is_right: false, reason: "Unknown".into(), message: "no node".into() };
        assert_eq!([turned(Some(&fine), &stale), turned(None, &stale)], [Some(reported.clone()), Some(reported)]);
        stale["conditions"][0]["message"] = "no node yet".into();
        assert_eq!([turned(Some(&stale), &stale), turned(Some(&stale), &fine)], [None, None]);
    }

    #[test]
    fn an_event_is_for_what_turns_wrong_and_for_what_is_right_again() {
        let (wrong, right) = (status("False", "it is wrong"), status("True", "it runs"));
        let of = |before: Option<&Value>, now: &Value| turned(before, now).map(|it| (it.is_right, it.message));
        assert_eq!(of(None, &right), None, "a new one that is right is no news");
        assert_eq!(of(None, &wrong), Some((false, "it is wrong".into())));
        assert_eq!(of(Some(&right), &wrong), Some((false, "it is wrong".into())));
        assert_eq!(of(Some(&wrong), &wrong), None, "nor is one that is as wrong as it was");
        assert_eq!(of(Some(&wrong), &status("False", "otherwise")), Some((false, "otherwise".into())));
        assert_eq!(of(Some(&wrong), &right), Some((true, "it runs".into())));
        assert_eq!(of(Some(&json!({})), &right), None);
    }
}
