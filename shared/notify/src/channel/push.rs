//! Messages pushed to telephones: Gotify (`gotify://HOST/TOKEN`, `gotify+http://` without TLS) and Pushover
//! (`pushover://shoutrrr:TOKEN@USER`).
//!
//! Facts: <https://gotify.net/api-docs#/message/createMessage>, <https://pushover.net/api>.

use std::time::Duration;

use serde_json::json;
use url::Url;

use super::{
    answer::{Answer, Failure, cut},
    parts::{Parts, below},
    request::Request,
};
use crate::event::{Event, Stage};

/// Pushover's limits, in characters: fewer bytes are never more.
const PUSHOVER_TEXT: usize = 1024;
const PUSHOVER_TITLE: usize = 250;

#[derive(Clone)]
pub(super) struct Gotify {
    url: Url,
    token: String,
    priority: Option<u8>,
}

#[derive(Clone)]
pub(super) struct Pushover {
    url: Url,
    token: String,
    user: String,
    devices: String,
    priority: Option<i8>,
}

pub(super) const GOTIFY_PARAMETERS: [&str; 1] = ["priority"];
pub(super) const PUSHOVER_PARAMETERS: [&str; 3] = ["devices", "priority", "server"];

impl Gotify {
    pub(super) fn read(parts: &mut Parts) -> Result<Vec<Self>, String> {
        let scheme = if parts.scheme == "gotify+http" { "http" } else { "https" };
        let base = format!("{scheme}://{}/", parts.authority()?).parse().map_err(|_| "its host is none")?;
        let Some((token, path)) = parts.path.split_last() else {
            return Err("it is gotify://HOST/TOKEN, with the token of an application".into());
        };
        let is_token = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !is_token {
            return Err("the token of an application is letters, digits, -, _ and .".into());
        }
        let path: Vec<_> = path.iter().map(String::as_str).chain(["message"]).collect();
        let (url, token) = (below(&base, &path), token.clone());
        Ok(vec![Self { url, token, priority: parts.number("priority", 0..=10)? }])
    }

    pub(super) fn request(&self, event: &Event) -> Request {
        let usual = if event.is_serious && event.stage == Stage::Began { 8 } else { 4 };
        let mut body = json!({"title": event.title, "message": event.text, "priority": self.priority.unwrap_or(usual)});
        if let Some(link) = &event.link {
            body["extras"] = json!({"client::notification": {"click": {"url": link}}});
        }
        Request::json(self.url.clone(), &body).with("x-gotify-key", &self.token)
    }

    pub(super) fn taken(answer: &Answer<'_>) -> Result<(), Failure> {
        let body = answer.json();
        if answer.is_success() {
            let is_message = body.is_some_and(|body| body["id"].is_number() && body["appid"].is_number());
            return if is_message { Ok(()) } else { Err(answer.strange("Gotify")) };
        }
        Err(answer.failure(body.unwrap_or_default()["errorDescription"].as_str()))
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        vec![self.token.clone()]
    }
}

impl Pushover {
    pub(super) fn read(parts: &mut Parts) -> Result<Vec<Self>, String> {
        const FORM: &str =
            "it is pushover://shoutrrr:TOKEN@USER, with the token of an application and the key of a user";
        let (Some(token), user) = (parts.password.clone(), parts.host()?.to_owned()) else { return Err(FORM.into()) };
        let is_key = |key: &str| key.len() == 30 && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_key(&token) || !is_key(&user) {
            return Err(format!("{FORM}, each of 30 letters and digits"));
        }
        parts.no_more()?;
        let devices = parts.list("devices").join(",");
        let priority = parts.number("priority", -2..=1)?;
        Ok(vec![Self {
            url: below(&parts.server("https://api.pushover.net/")?, &["1", "messages.json"]),
            token,
            user,
            devices,
            priority,
        }])
    }

    pub(super) fn request(&self, event: &Event) -> Request {
        let usual = i8::from(event.is_serious && event.stage == Stage::Began);
        let mut body = json!({
            "token": self.token,
            "user": self.user,
            "title": cut(&event.title, PUSHOVER_TITLE),
            "message": cut(&event.text, PUSHOVER_TEXT),
            "priority": self.priority.unwrap_or(usual),
            "timestamp": event.at.as_second(),
        });
        if !self.devices.is_empty() {
            body["device"] = json!(self.devices);
        }
        if let Some(link) = &event.link {
            body["url"] = json!(link);
        }
        Request::json(self.url.clone(), &body)
    }

    pub(super) fn taken(answer: &Answer<'_>) -> Result<(), Failure> {
        let body = answer.json();
        if answer.is_success() {
            let is_taken = body.is_some_and(|body| body["status"] == 1);
            return if is_taken { Ok(()) } else { Err(answer.strange("Pushover")) };
        }
        // It asks for five seconds between two tries.
        let answer =
            Answer { wait: answer.wait.or((answer.status >= 500).then_some(Duration::from_secs(5))), ..*answer };
        let body = body.unwrap_or_default();
        let errors: Vec<_> =
            body["errors"].as_array().into_iter().flatten().filter_map(|error| error.as_str()).collect();
        Err(answer.failure(Some(&errors.join(", "))))
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        vec![self.token.clone(), self.user.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::event;

    const USER: &str = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG";
    const TOKEN: &str = "azGDORePK8gMaC0QOYAMyEEuzJnyUi";

    #[test]
    fn gotify_gets_the_token_in_a_header() {
        let mut parts = Parts::read("gotify://push.example.com/path/AbC-1.x?priority=10").unwrap();
        let sent = Gotify::read(&mut parts).unwrap()[0].request(&event(Stage::Began));
        assert_eq!(sent.url.as_str(), "https://push.example.com/path/message");
        assert_eq!(sent.headers[0].1.to_str().unwrap(), "AbC-1.x");
        let error = Gotify::read(&mut Parts::read("gotify://push.example.com").unwrap()).err().unwrap();
        assert!(error.contains("gotify://HOST/TOKEN"), "{error}");
        let taken = |status, body: &str| Gotify::taken(&Answer { status, wait: None, body: body.as_bytes() });
        assert_eq!(taken(200, r#"{"id":25,"appid":5,"message":"x"}"#), Ok(()));
        assert!(
            matches!(taken(401, r#"{"error":"Unauthorized","errorCode":401,"errorDescription":"you need to provide a valid access token"}"#),
            Err(Failure::Refused(what)) if what.contains("valid access token"))
        );
    }

    #[test]
    fn pushover_gets_keys_in_the_body() {
        let line = format!("pushover://shoutrrr:{TOKEN}@{USER}?devices=phone,tablet");
        let sent = Pushover::read(&mut Parts::read(&line).unwrap()).unwrap()[0].request(&event(Stage::Began));
        let body: serde_json::Value = serde_json::from_slice(&sent.body.unwrap().1).unwrap();
        assert_eq!(
            (&body["user"], &body["device"], &body["priority"]),
            (&json!(USER), &json!("phone,tablet"), &json!(1))
        );
        let error = Pushover::read(&mut Parts::read("pushover://shoutrrr:x@y").unwrap()).err().unwrap();
        assert!(error.contains("30 letters"), "{error}");
        let taken = |status, body: &str| Pushover::taken(&Answer { status, wait: None, body: body.as_bytes() });
        assert_eq!(taken(200, r#"{"status":1,"request":"x"}"#), Ok(()));
        let wrong = taken(400, r#"{"token":"invalid","errors":["application token is invalid"],"status":0}"#);
        assert!(matches!(wrong, Err(Failure::Refused(what)) if what.contains("application token is invalid")));
    }
}
