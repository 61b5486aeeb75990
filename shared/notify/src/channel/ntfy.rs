//! ntfy: `ntfy://[USER:PASSWORD@|:TOKEN@]HOST/TOPIC`, and `ntfy+http://` for a server without TLS.
//!
//! Facts: <https://docs.ntfy.sh/publish/#publish-as-json>, and for its limits `#limitations`.

use serde_json::json;
use url::Url;

use super::{
    answer::{Answer, Failure, cut},
    parts::Parts,
    request::{Login, Request},
};
use crate::event::{Event, Stage};

/// What is longer becomes an attachment, in bytes.
const MAX_TEXT: usize = 4096;
const MAX_TITLE: usize = 250;

#[derive(Clone)]
pub(super) struct Ntfy {
    server: Url,
    topic: String,
    login: Option<Login>,
    priority: Option<u8>,
    tags: Vec<String>,
    click: Option<String>,
}

pub(super) const PARAMETERS: [&str; 3] = ["priority", "tags", "click"];

impl Ntfy {
    pub(super) fn read(parts: &mut Parts) -> Result<Vec<Self>, String> {
        let scheme = if parts.scheme == "ntfy+http" { "http" } else { "https" };
        let server = format!("{scheme}://{}/", parts.authority()?).parse().map_err(|_| "its host is none")?;
        let [topic] = parts.path.as_slice() else {
            return Err("it is ntfy://HOST/TOPIC, with one topic: ntfy://ntfy.sh/TOPIC for the public server".into());
        };
        let is_topic =
            topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) && topic.len() <= 64;
        if !is_topic {
            return Err("a topic is up to 64 letters, digits, - and _".into());
        }
        let topic = topic.clone();
        let priority = match parts.take("priority").as_deref() {
            None => None,
            Some(text) => Some(priority(text).ok_or("priority is 1 to 5, or min, low, default, high or max")?),
        };
        let click = parts.take("click");
        if click.as_ref().is_some_and(|click| Url::parse(click).is_err()) {
            return Err("click is a whole address: https://…".into());
        }
        // Apprise writes a token in the place of the user.
        let login = match (&parts.user, &parts.password) {
            (Some(token), None) if token.starts_with("tk_") => Some(Login::Token(token.clone())),
            (user, password) => Login::of(user.as_ref(), password.as_ref()),
        };
        Ok(vec![Self { server, topic, login, priority, tags: parts.list("tags"), click }])
    }

    pub(super) fn request(&self, event: &Event) -> Request {
        let usual = match (event.stage, event.is_serious) {
            (Stage::Began, true) => 4,
            (Stage::Reminder, false) => 2,
            _ => 3,
        };
        let usual_tag = if event.stage == Stage::Ended { "white_check_mark" } else { "warning" };
        let tags = if self.tags.is_empty() { vec![usual_tag.to_owned()] } else { self.tags.clone() };
        let mut body = json!({
            "topic": self.topic,
            "title": cut(&event.title, MAX_TITLE),
            "message": cut(&event.text, MAX_TEXT),
            "priority": self.priority.unwrap_or(usual),
            "tags": tags,
        });
        if let Some(click) = self.click.clone().or_else(|| event.link.as_ref().map(Url::to_string)) {
            body["click"] = json!(click);
        }
        Request::json(self.server.clone(), &body).with_login(self.login.as_ref())
    }

    pub(super) fn taken(answer: &Answer<'_>) -> Result<(), Failure> {
        let body = answer.json();
        if answer.is_success() {
            let is_message = body.is_some_and(|body| body["event"] == "message");
            return if is_message { Ok(()) } else { Err(answer.strange("ntfy")) };
        }
        let body = body.unwrap_or_default();
        Err(match body["code"].as_u64() {
            // The day's quota is used up: the next minute brings nothing.
            Some(42908) => {
                let after = answer.wait.max(Some(std::time::Duration::from_hours(1)));
                Failure::Passing { what: "the day's messages of this server are used up".into(), after }
            }
            _ => answer.failure(body["error"].as_str()),
        })
    }

    /// Who knows a topic without a login may read it.
    pub(super) fn secrets(&self) -> Vec<String> {
        [vec![self.topic.clone()], self.login.iter().flat_map(Login::secrets).collect()].concat()
    }
}

fn priority(text: &str) -> Option<u8> {
    match text.to_ascii_lowercase().as_str() {
        "min" => Some(1),
        "low" => Some(2),
        "default" => Some(3),
        "high" => Some(4),
        "max" | "urgent" => Some(5),
        number => number.parse().ok().filter(|number| (1..=5).contains(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::event;

    fn read(line: &str) -> Result<Ntfy, String> {
        Ntfy::read(&mut Parts::read(line).unwrap()).map(|mut all| all.remove(0))
    }

    #[test]
    fn a_notice_is_published_as_json() {
        let sent = read("ntfy://:tk_abc@ntfy.sh/home-1?tags=house").unwrap().request(&event(Stage::Began));
        assert_eq!((sent.url.as_str(), sent.headers[0].1.to_str().unwrap()), ("https://ntfy.sh/", "Bearer tk_abc"));
        let body: serde_json::Value = serde_json::from_slice(&sent.body.unwrap().1).unwrap();
        assert_eq!(body["topic"], "home-1");
        assert_eq!(
            (&body["priority"], &body["tags"], &body["click"]),
            (&json!(4), &json!(["house"]), &json!("https://status.example.com/"))
        );
        let plain = read("ntfy+http://user:pass@pi:8080/home?priority=max").unwrap().request(&event(Stage::Ended));
        assert_eq!(
            (plain.url.as_str(), plain.headers[0].1.to_str().unwrap()),
            ("http://pi:8080/", "Basic dXNlcjpwYXNz")
        );
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        for (line, expected) in [
            ("ntfy://my-topic", "ntfy://HOST/TOPIC"),
            ("ntfy://ntfy.sh/a/b", "with one topic"),
            ("ntfy://ntfy.sh/a%20b", "a topic is"),
            ("ntfy://ntfy.sh/a?priority=6", "priority is 1 to 5"),
            ("ntfy://ntfy.sh/a?click=there", "click is a whole address"),
        ] {
            let error = read(line).err().unwrap_or_else(|| panic!("{line} is taken"));
            assert!(error.contains(expected), "{line}: {error}");
        }
    }

    #[test]
    fn a_login_page_is_no_ntfy_and_a_used_up_day_is_waited_for() {
        let taken = |status, body: &str| Ntfy::taken(&Answer { status, wait: None, body: body.as_bytes() });
        assert_eq!(taken(200, r#"{"id":"x","event":"message","topic":"home"}"#), Ok(()));
        assert!(matches!(taken(200, "<!doctype html>"), Err(Failure::Refused(what)) if what.contains("a web page")));
        let quota = taken(429, r#"{"code":42908,"http":429,"error":"limit reached: daily message quota reached"}"#);
        assert!(matches!(quota, Err(Failure::Passing { after: Some(after), .. }) if after.as_secs() == 3600));
        let forbidden = taken(403, r#"{"code":40301,"http":403,"error":"forbidden","link":"https://ntfy.sh/docs"}"#);
        assert!(matches!(forbidden, Err(Failure::Refused(what)) if what.contains("forbidden")));
    }
}
