//! What the home tells the cloud of itself, where nobody can reach it.

use serde_json::Value;
use shared::message::HeartbeatFault;

use super::super::{finding::Finding, link::Link, reply::Reply, words::ago};

/// Heartbeats come each ten minutes at the least often.
const LATE: i64 = 15 * 60;

/// How the keeper's heartbeats go, by its health. `is_set`: whether an address for them is set here.
pub fn heartbeat(health: &Reply, is_set: bool, now: i64) -> Finding {
    let link = Link::Heartbeat;
    let by_hand = "send one where HEARTBEAT_URL is set, and see what it says: porchlight heartbeat";
    let heartbeats = match health {
        Reply::NotAsked(_) if is_set => {
            return Finding::unknown(link, "HEARTBEAT_URL is set, and no keeper is asked how they go", by_hand);
        }
        Reply::NotAsked(why) => return Finding::unused(link, why.clone()),
        Reply::Is(health) => &health["heartbeat"],
        other => return Finding::unknown(link, other.why(), "see the link keeper"),
    };
    let reason = heartbeats["reason"].as_str().unwrap_or("it does not say why");
    let fault = HeartbeatFault::ALL.iter().find(|fault| heartbeats["fault"].as_str() == Some(fault.label()));
    let age = heartbeats["last"].as_i64().map(|last| now - last);
    match (heartbeats["condition"].as_str(), fault) {
        (None, _) if is_set => Finding::unknown(link, "HEARTBEAT_URL is set here, and the keeper sends none", by_hand),
        (None, _) => Finding::unused(link, "the keeper sends none"),
        (Some("failing"), Some(fault)) if fault.is_for_a_person() => {
            let next = fault.entry().steps.first().map_or(by_hand, |step| step.trim_end_matches('.'));
            Finding::failed(link, reason, next.replace('`', ""))
        }
        (Some("failing"), _) => {
            Finding::symptom(link, reason, "see whether this line works; heartbeats go on by themselves")
        }
        (Some("well"), _) if heartbeats["several_hosts"] == Value::Bool(true) => Finding::failed(
            link,
            "another host sends heartbeats with this home's key, too: while one of them runs, the home counts as up",
            "stop the other one, or give it a key, a component and a target of its own",
        ),
        (Some("well"), _) if age.is_some_and(|age| age <= LATE) => {
            Finding::ok(link, format!("the cloud took one {} ago", ago(age.unwrap_or_default().max(0))))
        }
        _ => Finding::unknown(link, "none has been taken lately", "wait a minute, and run this again"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::reply::fixtures::{not_asked, silent};
    use super::{super::super::finding::Outcome, *};

    #[test]
    fn heartbeats_are_taken_refused_shared_or_not_sent() {
        let of = |heartbeats: Value, is_set| heartbeat(&Reply::Is(json!({ "heartbeat": heartbeats })), is_set, 1000);
        let well = |more: Value| {
            let mut heartbeats = json!({"condition": "well", "last": 970, "several_hosts": false});
            heartbeats.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            of(heartbeats, false)
        };
        assert_eq!(
            (well(json!({})).outcome, well(json!({})).saw.as_str()),
            (Outcome::Ok, "the cloud took one 30 s ago")
        );
        assert_eq!(well(json!({"several_hosts": true})).outcome, Outcome::Failed);
        assert_eq!(well(json!({"last": 1})).outcome, Outcome::NotConclusive);
        let failing = |fault: &str| of(json!({"condition": "failing", "fault": fault, "reason": "why"}), false);
        let refused = failing("refused");
        assert_eq!((refused.outcome, refused.saw.as_str()), (Outcome::Failed, "why"));
        assert!(refused.next.unwrap().starts_with("Compare the component's id with component_id"));
        assert_eq!(failing("unreachable").outcome, Outcome::Failed);
        assert_eq!(of(json!({"condition": "starting"}), false).outcome, Outcome::NotConclusive);
        assert_eq!(of(Value::Null, false).outcome, Outcome::NotUsed);
        assert_eq!(of(Value::Null, true).outcome, Outcome::NotConclusive);
        assert_eq!(heartbeat(&silent(), true, 0).outcome, Outcome::NotConclusive);
        assert_eq!(heartbeat(&not_asked(), false, 0).outcome, Outcome::NotUsed);
        assert_eq!(heartbeat(&not_asked(), true, 0).outcome, Outcome::NotConclusive);
    }
}
