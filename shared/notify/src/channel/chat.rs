//! Chats that take a web hook: Discord (`discord://TOKEN@ID`) and Slack (`slack://hook:A-B-C@webhook`), and what speaks as they do.
//!
//! Facts: <https://discord.com/developers/docs/resources/webhook#execute-webhook>,
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.

use serde_json::json;
use url::Url;

use super::{
    answer::{Answer, Failure, cut},
    parts::{Parts, below},
    request::Request,
};
use crate::event::{Event, Stage};

/// The longest description of a card of Discord's is 4096 characters, its title 256; Slack takes 40 000 in all.
const MAX_TEXT: usize = 2000;
const MAX_TITLE: usize = 250;

/// Colours beside a message: red, amber, green.
const COLOURS: [u32; 3] = [0x00c6_2828, 0x00f9_a825, 0x002e_7d32];

#[derive(Clone)]
pub(super) struct Discord {
    url: Url,
}

#[derive(Clone)]
pub(super) struct Slack {
    url: Url,
}

pub(super) const DISCORD_PARAMETERS: [&str; 2] = ["thread_id", "server"];
pub(super) const SLACK_PARAMETERS: [&str; 1] = ["server"];

impl Discord {
    pub(super) fn read(parts: &mut Parts) -> Result<Vec<Self>, String> {
        let token = parts.before_host().ok_or("it is discord://TOKEN@ID, both from the address of the web hook")?;
        let id = parts.host()?.to_owned();
        if !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("the id of a web hook is a number: its address ends with /ID/TOKEN".into());
        }
        parts.no_more()?;
        let server = parts.server("https://discord.com/")?;
        let mut url = below(&server, &["api", "webhooks", &id, &token]);
        url.query_pairs_mut().append_pair("wait", "true");
        if let Some(thread) = parts.take("thread_id") {
            url.query_pairs_mut().append_pair("thread_id", &thread);
        }
        Ok(vec![Self { url }])
    }

    pub(super) fn request(&self, event: &Event) -> Request {
        let mut card = json!({
            "title": cut(&event.title, MAX_TITLE),
            "description": cut(&event.text, MAX_TEXT),
            "color": colour(event),
            "timestamp": event.at.to_string(),
        });
        if let Some(link) = &event.link {
            card["url"] = json!(link);
        }
        // No text of ours may call for everybody.
        Request::json(self.url.clone(), &json!({"embeds": [card], "allowed_mentions": {"parse": []}}))
    }

    pub(super) fn taken(answer: &Answer<'_>) -> Result<(), Failure> {
        let body = answer.json();
        if answer.is_success() {
            let is_message = body.is_some_and(|body| body["id"].is_string());
            return if is_message { Ok(()) } else { Err(answer.strange("Discord")) };
        }
        Err(answer.failure(body.unwrap_or_default()["message"].as_str()))
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        self.url.path_segments().into_iter().flatten().skip(2).map(ToOwned::to_owned).collect()
    }
}

impl Slack {
    pub(super) fn read(parts: &mut Parts) -> Result<Vec<Self>, String> {
        const FORM: &str = "it is slack://hook:A-B-C@webhook, for a web hook with the address …/services/A/B/C";
        let (Some("hook"), Some(token), "webhook") =
            (parts.user.as_deref(), parts.password.as_deref(), parts.host.as_str())
        else {
            return Err(FORM.into());
        };
        let three: Vec<_> = token.splitn(3, '-').filter(|part| !part.is_empty()).collect();
        let [a, b, c] = three.as_slice() else { return Err(FORM.into()) };
        let path = ["services", a, b, c].map(ToOwned::to_owned);
        parts.no_more()?;
        let server = parts.server("https://hooks.slack.com/")?;
        Ok(vec![Self { url: below(&server, &path.each_ref().map(String::as_str)) }])
    }

    pub(super) fn request(&self, event: &Event) -> Request {
        let (title, text) = (escaped(&cut(&event.title, MAX_TITLE)), escaped(&cut(&event.text, MAX_TEXT)));
        let mut card = json!({"color": format!("#{:06x}", colour(event)), "title": title, "text": text, "ts": event.at.as_second()});
        if let Some(link) = &event.link {
            card["title_link"] = json!(link);
        }
        Request::json(self.url.clone(), &json!({"text": title, "attachments": [card]}))
    }

    pub(super) fn taken(answer: &Answer<'_>) -> Result<(), Failure> {
        match (answer.is_success(), answer.text().as_str()) {
            (true, "ok") => Ok(()),
            (true, _) => Err(answer.strange("Slack")),
            (false, words) => Err(answer.failure(Some(words))),
        }
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        self.url.path_segments().into_iter().flatten().skip(1).map(ToOwned::to_owned).collect()
    }
}

fn colour(event: &Event) -> u32 {
    match (event.stage, event.is_serious) {
        (Stage::Ended, _) => COLOURS[2],
        (_, true) => COLOURS[0],
        (_, false) => COLOURS[1],
    }
}

/// The three letters that mean something in Slack's texts.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::event;

    fn body(request: &Request) -> serde_json::Value {
        serde_json::from_slice(&request.body.as_ref().unwrap().1).unwrap()
    }

    #[test]
    fn discord_gets_a_card_that_mentions_no_person() {
        let mut parts = Parts::read("discord://tok-EN_1@4711?thread_id=7").unwrap();
        let sent = Discord::read(&mut parts).unwrap()[0].request(&event(Stage::Began));
        assert_eq!(sent.url.as_str(), "https://discord.com/api/webhooks/4711/tok-EN_1?wait=true&thread_id=7");
        let body = body(&sent);
        assert_eq!((&body["allowed_mentions"]["parse"], &body["embeds"][0]["color"]), (&json!([]), &json!(COLOURS[0])));
        let taken = |status, body: &str| Discord::taken(&Answer { status, wait: None, body: body.as_bytes() });
        assert_eq!(taken(200, r#"{"id":"1"}"#), Ok(()));
        assert!(matches!(taken(200, "<html>"), Err(Failure::Refused(_))));
        assert!(
            matches!(taken(404, r#"{"message":"Unknown Webhook","code":10015}"#), Err(Failure::Refused(what)) if what.contains("Unknown Webhook"))
        );
    }

    #[test]
    fn slack_gets_text_in_which_nothing_is_markup() {
        let mut parts = Parts::read("slack://hook:T00-B00-xyz-1@webhook").unwrap();
        let sent = Slack::read(&mut parts).unwrap()[0].request(&event(Stage::Ended));
        assert_eq!(sent.url.as_str(), "https://hooks.slack.com/services/T00/B00/xyz-1");
        assert!(body(&sent)["attachments"][0]["text"].as_str().unwrap().contains("&lt;home.duckdns.org&gt; &amp; the"));
        let taken = |status, body: &str| Slack::taken(&Answer { status, wait: None, body: body.as_bytes() });
        assert_eq!(taken(200, "ok"), Ok(()));
        assert!(matches!(taken(200, "<html>"), Err(Failure::Refused(_))));
        assert!(
            matches!(taken(410, "channel_is_archived"), Err(Failure::Refused(what)) if what.contains("channel_is_archived"))
        );
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        for (line, expected) in
            [("discord://4711", "discord://TOKEN@ID"), ("discord://token@discord.com", "is a number")]
        {
            let error = Discord::read(&mut Parts::read(line).unwrap()).err().unwrap();
            assert!(error.contains(expected), "{line}: {error}");
        }
        for line in
            ["slack://hook:T00-B00@webhook", "slack://T00-B00-x@webhook", "slack://hook:T00-B00-x@hooks.slack.com"]
        {
            assert!(
                Slack::read(&mut Parts::read(line).unwrap()).err().unwrap().contains("slack://hook:A-B-C@webhook"),
                "{line}"
            );
        }
    }
}
