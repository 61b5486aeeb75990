//! Alertmanager's API v2: `alertmanager+https://[USER:PASSWORD@]HOST:9093[/PATH]?label.team=home`.
//!
//! Facts: <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>. An alert without an end is resolved by
//! Alertmanager itself after `resolve_timeout` (5 minutes), so one that lasts is sent with an end that is far away, and ended by us.
//! Without a start it would take the end for it.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::json;
use url::Url;

use super::{
    answer::{Answer, Failure},
    parts::{Parts, below},
    request::{Login, Request},
};
use crate::event::{Event, Stage};

/// How long an alert stands of which nothing more comes: longer than an outage, and not for ever.
const STANDS: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Clone)]
pub(super) struct Alertmanager {
    url: Url,
    login: Option<Login>,
    labels: BTreeMap<String, String>,
}

/// The start of parameters that are labels.
pub(super) const LABEL: &str = "label.";

impl Alertmanager {
    pub(super) fn read(parts: &mut Parts) -> Result<Vec<Self>, String> {
        let scheme = if parts.scheme.ends_with("+http") { "http" } else { "https" };
        let base = format!("{scheme}://{}/", parts.authority()?).parse().map_err(|_| "its host is none")?;
        let path: Vec<_> = parts.path.iter().map(String::as_str).chain(["api", "v2", "alerts"]).collect();
        let url = below(&base, &path);
        let login = Login::of(parts.user.as_ref(), parts.password.as_ref());
        let labels = parts.take_all(LABEL);
        let is_name = |name: &str| {
            name.bytes()
                .enumerate()
                .all(|(at, byte)| byte.is_ascii_alphabetic() || byte == b'_' || (at > 0 && byte.is_ascii_digit()))
        };
        if labels.keys().any(|name| name.is_empty() || !is_name(name)) {
            return Err("the name of a label is letters, digits and _, as in ?label.team=home".into());
        }
        Ok(vec![Self { url, login, labels }])
    }

    pub(super) fn request(&self, event: &Event) -> Request {
        let mut labels = json!({
            "alertname": "Porchlight",
            "key": event.key,
            "subject": event.subject.as_str(),
            "severity": if event.is_serious { "critical" } else { "warning" },
        });
        for (name, value) in &self.labels {
            labels[name] = json!(value);
        }
        let ends = match (event.stage, event.ends) {
            (Stage::Ended, _) => event.at,
            (_, Some(ends)) => ends,
            (_, None) => event.at.saturating_add(STANDS).unwrap_or(event.at),
        };
        let mut alert = json!({
            "labels": labels,
            "annotations": {"summary": event.title, "description": event.text},
            "startsAt": event.since.min(ends),
            "endsAt": ends,
        });
        if let Some(link) = &event.link {
            alert["generatorURL"] = json!(link);
        }
        Request::json(self.url.clone(), &json!([alert])).with_login(self.login.as_ref())
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        self.login.iter().flat_map(Login::secrets).collect()
    }

    pub(super) fn taken(answer: &Answer<'_>) -> Result<(), Failure> {
        match (answer.is_success(), answer.text()) {
            // It answers with nothing.
            (true, text) if text.is_empty() => Ok(()),
            (true, _) => Err(answer.strange("Alertmanager")),
            (false, text) => {
                let words = answer.json().and_then(|body| body["message"].as_str().map(ToOwned::to_owned));
                Err(answer.failure(Some(&words.unwrap_or(text))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::event;

    fn read(line: &str) -> Result<Alertmanager, String> {
        Alertmanager::read(&mut Parts::read(line).unwrap()).map(|mut all| all.remove(0))
    }

    #[test]
    fn what_lasts_and_what_ended_are_one_alert() {
        let channel = read("alertmanager+http://am:9093/prefix?label.team=home&label.Site=Attic").unwrap();
        let [began, ended] = [Stage::Began, Stage::Ended].map(|stage| channel.request(&event(stage)));
        assert_eq!(began.url.as_str(), "http://am:9093/prefix/api/v2/alerts");
        let alert =
            |request: Request| -> serde_json::Value { serde_json::from_slice(&request.body.unwrap().1).unwrap() };
        let (began, ended) = (alert(began), alert(ended));
        assert_eq!(began[0]["labels"], ended[0]["labels"]);
        assert_eq!((&began[0]["labels"]["team"], &began[0]["labels"]["Site"]), (&json!("home"), &json!("Attic")));
        let since = json!("2026-11-29T07:42:00Z");
        assert_eq!((&began[0]["startsAt"], &ended[0]["startsAt"]), (&since, &since));
        assert_eq!(
            (&began[0]["endsAt"], &ended[0]["endsAt"]),
            (&json!("2026-12-06T07:44:00Z"), &json!("2026-11-29T08:53:00Z"))
        );
    }

    #[test]
    fn a_label_has_a_name_that_prometheus_takes() {
        assert!(read("alertmanager+https://am:9093?label.my-team=x").err().unwrap().contains("the name of a label"));
        assert!(read("alertmanager+https://am:9093?label.=x").is_err());
    }

    #[test]
    fn only_an_empty_answer_is_its_own() {
        let taken = |status, body: &str| Alertmanager::taken(&Answer { status, wait: None, body: body.as_bytes() });
        assert_eq!(taken(200, ""), Ok(()));
        assert!(matches!(taken(200, "<html>"), Err(Failure::Refused(_))));
        assert!(
            matches!(taken(400, r#"{"code":601,"message":"parsing alerts body"}"#), Err(Failure::Refused(what)) if what.contains("parsing"))
        );
        assert!(
            matches!(taken(400, r#""start time must be before end time""#), Err(Failure::Refused(what)) if what.contains("start time"))
        );
    }
}
