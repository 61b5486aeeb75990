//! What the keeper sends on.

use super::super::{finding::Finding, link::Link, reply::Reply};

/// What the keeper sends on.
pub fn relay(health: &Reply) -> Finding {
    let link = Link::Relay;
    if let Reply::NotAsked(why) = health {
        return Finding::unused(link, why.clone());
    }
    let Reply::Is(health) = health else { return Finding::unknown(link, health.why(), "see the link keeper") };
    let relay = &health["relay"];
    if relay.is_null() {
        return Finding::unused(link, "the keeper has no page upstream");
    }
    let waiting = relay["waiting"].as_i64().unwrap_or(0);
    // What is too old for upstream after a long outage is nobody's mistake.
    let rejected = relay["rejected"].as_i64().unwrap_or(0) - relay["too_old"].as_i64().unwrap_or(0);
    let reason = relay["reason"].as_str().unwrap_or("it does not say why");
    let skipped = relay["skipped"].as_array().and_then(|all| all.first());
    match relay["condition"].as_str() {
        Some("paused") => Finding::failed(
            link,
            format!("upstream refuses all that is sent: {reason}; {waiting} points wait"),
            "set UPSTREAM_TOKEN to a token that is taken, or join again: porchlight up --join",
        ),
        Some("trouble") => Finding::symptom(
            link,
            format!("upstream is not reached: {reason}; {waiting} points wait, and are sent by themselves"),
            "see whether UPSTREAM_URL can be reached from the keeper",
        ),
        Some("starting") | None => {
            Finding::unknown(link, "it has sent nothing yet", "wait a minute, and run this again")
        }
        _ if let Some(skipped) = skipped => Finding::failed(
            link,
            format!(
                "upstream does not take {}: {}",
                skipped["id"].as_str().unwrap_or_default(),
                skipped["reason"].as_str().unwrap_or_default()
            ),
            "correct that id in the keeper's seed",
        ),
        _ if rejected > 0 => Finding::failed(
            link,
            format!("upstream refused {rejected} points"),
            "see keeper relay: it lists them, and keeper relay --retry sends them again",
        ),
        _ => Finding::ok(link, format!("it sends, and {waiting} points wait")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::reply::fixtures::{not_asked, silent};
    use super::{super::super::finding::Outcome, *};

    #[test]
    fn a_relay_sends_is_refused_not_reached_or_there_is_none() {
        let of = |upstream: Value| relay(&Reply::Is(json!({"storage": "ok", "relay": upstream}))).outcome;
        assert_eq!(of(json!({"condition": "well", "waiting": 3, "rejected": 0, "skipped": []})), Outcome::Ok);
        assert_eq!(of(json!({"condition": "paused", "reason": "401"})), Outcome::Failed);
        assert_eq!(of(json!({"condition": "trouble", "reason": "timeout"})), Outcome::Failed);
        assert_eq!(of(json!({"condition": "well", "skipped": [{"id": "x", "reason": "404"}]})), Outcome::Failed);
        assert_eq!(of(json!({"condition": "well", "skipped": [], "rejected": 7})), Outcome::Failed);
        assert_eq!(of(json!({"condition": "well", "skipped": [], "rejected": 7, "too_old": 7})), Outcome::Ok);
        assert_eq!(of(json!({"condition": "starting"})), Outcome::NotConclusive);
        assert_eq!(of(Value::Null), Outcome::NotUsed);
        assert_eq!(relay(&silent()).outcome, Outcome::NotConclusive);
        assert_eq!(relay(&not_asked()).outcome, Outcome::NotUsed);
    }
}
