//! Web hooks: any server (`json+https://HOST/PATH?secret=…`), an Apprise API (`apprises://HOST/KEY`, `apprise://` without TLS), and
//! checks that expect to be pinged (`healthchecks+https://hc-ping.com/UUID`).
//!
//! Facts: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>,
//! <https://github.com/caronc/apprise-api#persistent-stateful-storage-solution>, <https://healthchecks.io/docs/http_api/>.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use super::{
    answer::{Answer, Failure},
    parts::{Parts, below},
    request::{Login, Request},
};
use crate::event::{Event, Stage};

/// Before the secret of a signature, as Standard Webhooks writes it.
const SECRET_PREFIX: &str = "whsec_";

#[derive(Clone)]
pub(super) struct Webhook {
    url: Url,
    login: Option<Login>,
    key: Option<Vec<u8>>,
    secret: Option<String>,
}

#[derive(Clone)]
pub(super) struct Apprise {
    url: Url,
    login: Option<Login>,
    tag: Option<String>,
    key: String,
}

#[derive(Clone)]
pub(super) struct Healthchecks {
    url: Url,
}

pub(super) const WEBHOOK_PARAMETERS: [&str; 1] = ["secret"];
pub(super) const APPRISE_PARAMETERS: [&str; 1] = ["tag"];

fn base(parts: &Parts, is_plain: bool) -> Result<Url, String> {
    let scheme = if is_plain { "http" } else { "https" };
    format!("{scheme}://{}/", parts.authority()?).parse().map_err(|_| "its host is none".into())
}

/// With the slash that ends it: some servers know an address only with it.
fn whole_path(parts: &Parts) -> Vec<&str> {
    let last = parts.ends_with_slash.then_some("");
    parts.path.iter().map(String::as_str).chain(last).collect()
}

impl Webhook {
    pub(super) fn read(parts: &mut Parts) -> Result<Vec<Self>, String> {
        let url = below(&base(parts, parts.scheme.ends_with("+http"))?, &whole_path(parts));
        let login = Login::of(parts.user.as_ref(), parts.password.as_ref());
        let secret = parts.take("secret");
        let key = secret
            .as_ref()
            .map(|secret| {
                let key = STANDARD.decode(secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret)).ok();
                key.filter(|key| (24..=64).contains(&key.len())).ok_or(
                    "secret is 24 to 64 random bytes in base64: `openssl rand -base64 32` makes one; write + as %2B",
                )
            })
            .transpose()?;
        Ok(vec![Self { url, login, key, secret }])
    }

    pub(super) fn request(&self, event: &Event, now: Timestamp) -> Request {
        let (id, at) = (event.id(), now.as_second().to_string());
        let request = Request::json(self.url.clone(), &document(event));
        let signature = self.key.as_ref().zip(request.body.as_ref()).map(|(key, (_, body))| {
            let signed = [id.as_bytes(), b".", at.as_bytes(), b".", body].concat();
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &signed);
            format!("v1,{}", STANDARD.encode(tag))
        });
        let request = request.with("webhook-id", &id).with("webhook-timestamp", &at).with_login(self.login.as_ref());
        match signature {
            Some(signature) => request.with("webhook-signature", &signature),
            None => request,
        }
    }

    pub(super) fn taken(answer: &Answer<'_>) -> Result<(), Failure> {
        match (answer.is_success(), answer.text()) {
            (true, text) if text.starts_with('<') => Err(answer.strange("a web hook")),
            (true, _) => Ok(()),
            (false, text) => Err(answer.failure(Some(&text))),
        }
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        let path = self.url.path_segments().into_iter().flatten().map(ToOwned::to_owned);
        path.chain(self.secret.clone()).chain(self.login.iter().flat_map(Login::secrets)).collect()
    }
}

/// What a web hook is sent; `infra/NOTICES.md` describes it.
fn document(event: &Event) -> Value {
    json!({
        "type": format!("porchlight.{}", event.stage.as_str()),
        "timestamp": event.at,
        "data": {
            "id": event.id(),
            "thread": event.thread(),
            "key": event.key,
            "subject": event.subject.as_str(),
            "stage": event.stage.as_str(),
            "since": event.since,
            "at": event.at,
            "title": event.title,
            "text": event.text,
            "serious": event.is_serious,
            "link": event.link,
        },
    })
}

impl Apprise {
    pub(super) fn read(parts: &mut Parts) -> Result<Vec<Self>, String> {
        let base = base(parts, parts.scheme == "apprise")?;
        let Some((key, before)) = parts.path.split_last() else {
            return Err("it is apprises://HOST/KEY, with the key under which the server keeps its addresses".into());
        };
        if !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err("a key is letters, digits, - and _".into());
        }
        let before = before.iter().map(String::as_str);
        let url = below(&base, &before.chain(["notify", key]).collect::<Vec<_>>());
        let login = Login::of(parts.user.as_ref(), parts.password.as_ref());
        let key = key.clone();
        Ok(vec![Self { url, login, tag: parts.take("tag"), key }])
    }

    pub(super) fn request(&self, event: &Event) -> Request {
        let kind = match (event.stage, event.is_serious) {
            (Stage::Ended, _) => "success",
            (_, true) => "failure",
            (_, false) => "warning",
        };
        let link = event.link.as_ref().map(|link| format!("\n{link}")).unwrap_or_default();
        let mut body =
            json!({"title": event.title, "body": format!("{}{link}", event.text), "type": kind, "format": "text"});
        if let Some(tag) = &self.tag {
            body["tag"] = json!(tag);
        }
        Request::json(self.url.clone(), &body).with_login(self.login.as_ref()).with("accept", "application/json")
    }

    pub(super) fn taken(answer: &Answer<'_>) -> Result<(), Failure> {
        match answer.status {
            204 => Err(Failure::Refused("the Apprise server keeps nothing under this key: add addresses there".into())),
            // Those that took it would be written to again.
            424 => Err(Failure::Refused(
                "the Apprise server could not send to all of its addresses: its log says to which".into(),
            )),
            _ if !answer.is_success() => Err(answer.failure(Some(&answer.text()))),
            _ if answer.text().starts_with('<') => Err(answer.strange("an Apprise API")),
            _ => Ok(()),
        }
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        [vec![self.key.clone()], self.login.iter().flat_map(Login::secrets).collect()].concat()
    }
}

impl Healthchecks {
    pub(super) fn read(parts: &mut Parts) -> Result<Vec<Self>, String> {
        let url = below(&base(parts, parts.scheme.ends_with("+http"))?, &whole_path(parts));
        if parts.path.is_empty() {
            return Err("it is the ping address of a check: healthchecks+https://hc-ping.com/UUID".into());
        }
        Ok(vec![Self { url }])
    }

    pub(super) fn request(&self, event: &Event) -> Request {
        let url = match event.stage {
            Stage::Ended => self.url.clone(),
            // What ends by itself would leave it down for ever.
            Stage::Began if event.ends.is_none() => below(&self.url, &["fail"]),
            // It is down already.
            Stage::Began | Stage::Reminder => below(&self.url, &["log"]),
        };
        Request::text(url, event.plain())
    }

    pub(super) fn taken(answer: &Answer<'_>) -> Result<(), Failure> {
        match (answer.is_success(), answer.text()) {
            // As statuses, both are 200.
            (true, text) if text.contains("not found") => {
                Err(Failure::Refused("it knows no check of this address".into()))
            }
            (true, text) if text.contains("rate limited") => Err(Failure::passing("it takes no more for now")),
            (true, text) if text.starts_with('<') => Err(answer.strange("a check")),
            (true, _) => Ok(()),
            (false, text) => Err(answer.failure(Some(&text))),
        }
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        self.url.path_segments().into_iter().flatten().map(ToOwned::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::event;

    fn header<'a>(request: &'a Request, name: &str) -> &'a str {
        request.headers.iter().find(|(header, _)| header == name).unwrap().1.to_str().unwrap()
    }

    #[test]
    fn a_web_hook_is_signed_as_the_standard_has_it() {
        let line = "json+https://hooks.example.com/in?secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let channel = Webhook::read(&mut Parts::read(line).unwrap()).unwrap().remove(0);
        let now = "2026-11-29T07:44:05Z".parse().unwrap();
        let sent = channel.request(&event(Stage::Began), now);
        let (id, at) = (header(&sent, "webhook-id"), header(&sent, "webhook-timestamp"));
        assert_eq!((id, at), (event(Stage::Began).id().as_str(), "1795938245"));
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let (_, body) = sent.body.clone().unwrap();
        let signed = [format!("{id}.{at}.").as_bytes(), &body].concat();
        let tag = STANDARD.decode(header(&sent, "webhook-signature").strip_prefix("v1,").unwrap()).unwrap();
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), &signed, &tag).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&body["type"], &body["data"]["stage"]), (&json!("porchlight.began"), &json!("began")));
    }

    #[test]
    fn a_secret_that_is_none_is_refused_and_not_shown() {
        for secret in ["short", "c2hvcnQ=", "not base64 at all, is it"] {
            let line = format!("json+https://hooks.example.com/in?secret={secret}");
            let error = Webhook::read(&mut Parts::read(&line).unwrap()).err().unwrap();
            assert!(error.contains("openssl rand") && !error.contains(secret), "{error}");
        }
    }

    #[test]
    fn an_apprise_server_gets_text_and_says_what_it_could_not_do() {
        let channel = Apprise::read(&mut Parts::read("apprise://pi:8000/home?tag=all").unwrap()).unwrap().remove(0);
        let sent = channel.request(&event(Stage::Ended));
        assert_eq!(sent.url.as_str(), "http://pi:8000/notify/home");
        let body: Value = serde_json::from_slice(&sent.body.unwrap().1).unwrap();
        assert_eq!((&body["type"], &body["tag"], &body["format"]), (&json!("success"), &json!("all"), &json!("text")));
        assert!(Apprise::read(&mut Parts::read("apprise://pi:8000").unwrap()).is_err());
        let taken = |status, body: &str| Apprise::taken(&Answer { status, wait: None, body: body.as_bytes() });
        assert_eq!(taken(200, r#"{"error":null}"#), Ok(()));
        assert!(matches!(taken(204, ""), Err(Failure::Refused(_))));
        assert!(matches!(taken(424, ""), Err(Failure::Refused(_))), "some may have taken it");
    }

    #[test]
    fn a_check_is_pinged_at_the_address_of_its_stage() {
        let line = "healthchecks+https://hc-ping.com/5ccb1a9b-3b41-4f2a-a3a8-1b2c3d4e5f60";
        let channel = Healthchecks::read(&mut Parts::read(line).unwrap()).unwrap().remove(0);
        let at = |stage| {
            channel
                .request(&event(stage))
                .url
                .path()
                .trim_start_matches("/5ccb1a9b-3b41-4f2a-a3a8-1b2c3d4e5f60")
                .to_owned()
        };
        assert_eq!([Stage::Began, Stage::Reminder, Stage::Ended].map(at), ["/fail", "/log", ""]);
        let taken = |status, body: &str| Healthchecks::taken(&Answer { status, wait: None, body: body.as_bytes() });
        assert_eq!(taken(200, "OK"), Ok(()));
        assert!(matches!(taken(200, "OK (not found)"), Err(Failure::Refused(_))));
        assert!(matches!(taken(200, "OK (rate limited)"), Err(Failure::Passing { .. })));
    }
}
