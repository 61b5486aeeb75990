//! Telegram: `telegram://TOKEN@telegram?chats=ID,@NAME,ID:TOPIC`. A chat is a channel of its own.
//!
//! Facts: <https://core.telegram.org/bots/api#sendmessage> and, for its errors, `#responseparameters`.

use std::time::Duration;

use serde_json::json;
use url::Url;

use super::{
    answer::{Answer, Failure, quoted},
    parts::{Parts, below},
    request::Request,
};
use crate::event::Event;

/// The longest text, in UTF-16 units.
const MAX_TEXT: usize = 4096;

/// The longest text below a picture (`#sendphoto`).
const MAX_CAPTION: usize = 1024;

/// What stands between the parts of a form, and its type.
const BOUNDARY: &str = "porchlight-9f3a6c1e5b7d4820a1c3e5f7092b4d68";
const FORM: &str = "multipart/form-data; boundary=porchlight-9f3a6c1e5b7d4820a1c3e5f7092b4d68";

#[derive(Clone)]
pub(super) struct Telegram {
    server: Url,
    token: String,
    chat: String,
    topic: Option<i64>,
    is_silent: bool,
}

pub(super) const PARAMETERS: [&str; 5] = ["chats", "channels", "silent", "notification", "server"];

impl Telegram {
    pub(super) fn read(parts: &mut Parts) -> Result<Vec<Self>, String> {
        let token = parts.before_host().ok_or("it has no token: telegram://TOKEN@telegram?chats=…")?;
        let is_token = token.split_once(':').is_some_and(|(bot, secret)| {
            let is_secret = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            bot.bytes().all(|byte| byte.is_ascii_digit())
                && !bot.is_empty()
                && secret.len() >= 8
                && secret.bytes().all(is_secret)
        });
        if !is_token {
            return Err("its token is not one of @BotFather's, which is digits, a colon, and letters".into());
        }
        parts.no_more()?;
        if parts.host != "telegram" {
            return Err("behind the token stands @telegram; a Bot API server of your own is named by server=".into());
        }
        let server = parts.server("https://api.telegram.org/")?;
        let is_silent = parts.yes("silent")?.or(parts.yes("notification")?.map(|loud| !loud)).unwrap_or(false);
        let chats = [parts.list("chats"), parts.list("channels")].concat();
        if chats.is_empty() {
            return Err("it names no chat: add ?chats= with the id of a chat, or @ and the name of a channel".into());
        }
        chats
            .iter()
            .map(|written| {
                let (chat, topic) =
                    written.split_once(':').map_or((written.as_str(), None), |(chat, topic)| (chat, Some(topic)));
                let is_chat = chat.parse::<i64>().is_ok() || (chat.len() > 1 && chat.starts_with('@'));
                let topic = topic.map(|topic| topic.parse().map_err(|_| ())).transpose();
                let (true, Ok(topic)) = (is_chat, topic) else {
                    return Err(
                        "a chat is a number (a group's begins with -), or @ and the name of a public channel; \
                        a topic is a number behind it, after a colon"
                            .into(),
                    );
                };
                Ok(Self { server: server.clone(), token: token.clone(), chat: chat.to_owned(), topic, is_silent })
            })
            .collect()
    }

    pub(super) fn request(&self, event: &Event, moved_to: Option<&str>) -> Request {
        let url = below(&self.server, &[&format!("bot{}", self.token), "sendMessage"]);
        let chat = moved_to.unwrap_or(&self.chat);
        let chat = chat.parse::<i64>().map_or_else(|_| json!(chat), |id| json!(id));
        let mut body = json!({
            "chat_id": chat,
            "text": cut_units(&event.plain(), MAX_TEXT),
            "disable_notification": self.is_silent || !event.is_serious,
            "link_preview_options": {"is_disabled": true},
        });
        if let Some(topic) = self.topic {
            body["message_thread_id"] = json!(topic);
        }
        Request::json(url, &body)
    }

    /// The same with a picture, where one can be sent: its text is the picture's caption.
    pub(super) fn with_picture(&self, event: &Event, jpeg: &[u8], moved_to: Option<&str>) -> Option<Request> {
        let url = below(&self.server, &[&format!("bot{}", self.token), "sendPhoto"]);
        let mut fields = vec![
            ("chat_id", moved_to.unwrap_or(&self.chat).to_owned()),
            ("caption", cut_units(&event.plain(), MAX_CAPTION)),
            ("disable_notification", (self.is_silent || !event.is_serious).to_string()),
        ];
        fields.extend(self.topic.map(|topic| ("message_thread_id", topic.to_string())));
        form(&fields, jpeg).map(|body| Request { body: Some((FORM, body)), ..Request::json(url, &json!({})) })
    }

    pub(super) fn taken(answer: &Answer<'_>) -> Result<(), Failure> {
        let Some(body) = answer.json().filter(|body| body["ok"].is_boolean()) else {
            return Err(if answer.is_success() { answer.strange("Telegram") } else { answer.failure(None) });
        };
        if body["ok"] == true && answer.is_success() {
            return Ok(());
        }
        let words = &quoted(body["description"].as_str().unwrap_or_default());
        let parameters = &body["parameters"];
        if let Some(chat) = parameters["migrate_to_chat_id"].as_i64() {
            return Err(Failure::Moved(chat.to_string()));
        }
        let wait = parameters["retry_after"].as_u64().map(Duration::from_secs).or(answer.wait);
        let answer = Answer { wait, ..*answer };
        Err(match answer.status {
            401 | 404 => Failure::Refused("Telegram does not know this token: copy it from @BotFather again".into()),
            403 => Failure::Refused(format!(
                "the bot may not write there ({words}): start it, or add it to the group, again"
            )),
            400 if words.contains("chat not found") => {
                Failure::Refused("Telegram knows no such chat: write to the bot once, or add it to the group".into())
            }
            _ => answer.failure(Some(words)),
        })
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        vec![self.token.clone()]
    }

    pub(super) fn target(&self) -> String {
        self.topic.map_or_else(|| self.chat.clone(), |topic| format!("{}:{topic}", self.chat))
    }
}

/// A form of these fields and a picture; `None` where one of them holds what stands between them.
fn form(fields: &[(&str, String)], jpeg: &[u8]) -> Option<Vec<u8>> {
    let holds = |bytes: &[u8]| bytes.windows(BOUNDARY.len()).any(|window| window == BOUNDARY.as_bytes());
    if holds(jpeg) || fields.iter().any(|(_, value)| holds(value.as_bytes())) {
        return None;
    }
    let mut body = Vec::with_capacity(jpeg.len() + 2048);
    for (name, value) in fields {
        let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"picture.jpg\"\r\n\
         Content-Type: image/jpeg\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(jpeg);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    Some(body)
}

fn cut_units(text: &str, most: usize) -> String {
    if text.encode_utf16().count() <= most {
        return text.to_owned();
    }
    let mut units = 0;
    let fits = |c: &char| {
        units += c.len_utf16();
        units < most
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Stage, tests::event};

    fn read(line: &str) -> Result<Vec<Telegram>, String> {
        Telegram::read(&mut Parts::read(line).unwrap())
    }

    #[test]
    fn each_chat_gets_a_message_without_markup() {
        let chats = read("telegram://123456:ABC-def_ghi@telegram?chats=-1001234,@mine,42:7&silent=yes").unwrap();
        let sent: Vec<_> = chats.iter().map(|chat| chat.request(&event(Stage::Began), None)).collect();
        assert_eq!(sent[0].url.as_str(), "https://api.telegram.org/bot123456:ABC-def_ghi/sendMessage");
        let bodies: Vec<serde_json::Value> =
            sent.iter().map(|sent| serde_json::from_slice(&sent.body.as_ref().unwrap().1).unwrap()).collect();
        assert_eq!(
            bodies.iter().map(|body| body["chat_id"].clone()).collect::<Vec<_>>(),
            [json!(-1_001_234), json!("@mine"), json!(42)]
        );
        assert_eq!(bodies[2]["message_thread_id"], 7);
        assert!(bodies[0]["disable_notification"] == true && bodies[0].get("parse_mode").is_none());
        assert!(bodies[0]["text"].as_str().unwrap().contains("<home.duckdns.org> & the"), "as it is");
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        for (line, expected) in [
            ("telegram://telegram?chats=1", "it has no token"),
            ("telegram://token@telegram?chats=1", "one of @BotFather's"),
            ("telegram://123456:ABC-def_ghi@telegram", "it names no chat"),
            ("telegram://123456:ABC-def_ghi@telegram?chats=home", "a chat is a number"),
            ("telegram://123456:ABC-def_ghi@telegram?chats=1:general", "a topic is a number"),
            ("telegram://123456:ABC-def_ghi@example.com?chats=1", "server="),
            ("telegram://123456:ABC-def_ghi@telegram?chats=1&silent=maybe", "silent is yes or no"),
        ] {
            let error = read(line).err().unwrap_or_else(|| panic!("{line} is taken"));
            assert!(error.contains(expected) && !error.contains("ABC"), "{line}: {error}");
        }
    }

    #[test]
    fn its_errors_are_understood() {
        let taken = |status, body: &str| Telegram::taken(&Answer { status, wait: None, body: body.as_bytes() });
        assert_eq!(taken(200, r#"{"ok":true,"result":{"message_id":1}}"#), Ok(()));
        let limited = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 15","parameters":{"retry_after":15}}"#;
        let Err(Failure::Passing { after, .. }) = taken(429, limited) else { panic!("it may pass") };
        assert_eq!(after, Some(Duration::from_secs(15)));
        let moved = r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1001}}"#;
        assert_eq!(taken(400, moved), Err(Failure::Moved("-1001".into())));
        for (status, body, expected) in [
            (
                403,
                r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#,
                "may not write",
            ),
            (401, r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#, "does not know this token"),
            (400, r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#, "no such chat"),
            (200, "<html>", "a web page answers"),
        ] {
            let Err(Failure::Refused(what)) = taken(status, body) else { panic!("{body} is refused") };
            assert!(what.contains(expected), "{what}");
        }
        assert!(matches!(taken(502, "<html>"), Err(Failure::Passing { .. })));
    }

    #[test]
    fn a_long_text_is_cut_to_what_it_takes() {
        let long = cut_units(&"😀".repeat(3000), MAX_TEXT);
        assert!(long.encode_utf16().count() <= MAX_TEXT && long.ends_with('…'), "{}", long.len());
    }

    #[test]
    fn a_picture_has_the_text_as_its_caption_and_nothing_in_it_is_taken_for_a_field() {
        let chat = &read("telegram://123456:ABC-def_ghi@telegram?chats=42:7").unwrap()[0];
        let request = chat.with_picture(&event(Stage::Began), b"\xff\xd8 picture", None).unwrap();
        assert_eq!(request.url.as_str(), "https://api.telegram.org/bot123456:ABC-def_ghi/sendPhoto");
        let (kind, body) = request.body.unwrap();
        let boundary = kind.split_once("boundary=").unwrap().1;
        let body = String::from_utf8_lossy(&body).into_owned();
        let parts: Vec<_> = body.split(&format!("--{boundary}")).collect();
        assert_eq!((parts.len(), *parts.last().unwrap()), (7, "--\r\n"), "{body}");
        for (part, expected) in parts[1..].iter().zip([
            "name=\"chat_id\"\r\n\r\n42\r\n",
            "name=\"caption\"\r\n\r\nHome internet is down\nNothing answers",
            "name=\"disable_notification\"\r\n\r\nfalse\r\n",
            "name=\"message_thread_id\"\r\n\r\n7\r\n",
            "filename=\"picture.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n",
        ]) {
            assert!(part.contains(expected), "{part}");
        }
        let forged = format!("\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n43");
        assert!(chat.with_picture(&event(Stage::Began), forged.as_bytes(), None).is_none());
        let in_text = Event { text: forged, ..event(Stage::Began) };
        assert!(chat.with_picture(&in_text, b"\xff\xd8", None).is_none());
    }
}
