//! Telegram, Discord and Slack.

use serde_json::{Value, json};

use super::{Posted, Reply};

/// The token that the emulator of Telegram knows, and the one chat in which its bot is.
pub const BOT_TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
pub const CHAT: i64 = 4711;

/// A group that has become a supergroup, by its old id and its new one.
const MOVED: (i64, i64) = (-1001, -1_000_000_001);

/// The longest message in UTF-16 units, after entities (Bot API, sendMessage: "1-4096 characters").
const MAX_TEXT: usize = 4096;

/// `sendMessage` of the Bot API. Errors have the status `error_code`, and `parameters` where there is something to do (Bot API,
/// `ResponseParameters`): 4711 takes messages, -1001 has moved, 403 is a person who has blocked the bot, 429 a chat with a limit.
pub fn telegram(posted: &Posted, before: usize) -> Reply {
    let refused = |code: u16, description: &str, parameters: Value| {
        let mut body = json!({"ok": false, "error_code": code, "description": description});
        if !parameters.is_null() {
            body["parameters"] = parameters;
        }
        Reply::json(code, &body)
    };
    let Some(method) = posted.target.strip_prefix(&format!("/bot{BOT_TOKEN}/")) else {
        let is_token = posted.target.starts_with("/bot") && posted.target.contains(':');
        return if is_token {
            refused(401, "Unauthorized", Value::Null)
        } else {
            refused(404, "Not Found", Value::Null)
        };
    };
    let body = match method {
        "sendMessage" if posted.method == "POST" => posted.json(),
        "sendPhoto" if posted.method == "POST" => match photo(posted) {
            Ok(body) => body,
            Err(description) => return refused(400, description, Value::Null),
        },
        _ => return refused(404, "Not Found: method not found", Value::Null),
    };
    let units = body["text"].as_str().map_or(0, |text| text.encode_utf16().count());
    if units == 0 {
        return refused(400, "Bad Request: message text is empty", Value::Null);
    }
    if units > MAX_TEXT {
        return refused(400, "Bad Request: message is too long", Value::Null);
    }
    match body["chat_id"].as_i64() {
        Some(CHAT) => (),
        Some(id) if id == MOVED.1 => (),
        Some(id) if id == MOVED.0 => {
            let moved = json!({"migrate_to_chat_id": MOVED.1});
            return refused(400, "Bad Request: group chat was upgraded to a supergroup chat", moved);
        }
        Some(403) => return refused(403, "Forbidden: bot was blocked by the user", Value::Null),
        Some(429) if before == 0 => return refused(429, "Too Many Requests: retry after 1", json!({"retry_after": 1})),
        Some(429) => (),
        _ => return refused(400, "Bad Request: chat not found", Value::Null),
    }
    Reply::json(200, &json!({"ok": true, "result": {"message_id": before + 1, "chat": {"id": body["chat_id"]}}}))
}

/// The fields of `sendPhoto`, as those of a message: a form (RFC 7578) with a JPEG, whose caption has up to 1024 characters.
fn photo(posted: &Posted) -> Result<Value, &'static str> {
    let kind = posted.header("content-type").unwrap_or_default();
    let boundary =
        kind.strip_prefix("multipart/form-data; boundary=").ok_or("Bad Request: there is no photo in the request")?;
    // As bytes are characters here, a picture stays what it is.
    let body: String = posted.body.iter().map(|byte| char::from(*byte)).collect();
    let body = body.strip_suffix(&format!("\r\n--{boundary}--\r\n")).ok_or("Bad Request: the form does not end")?;
    let mut fields = json!({});
    let mut is_jpeg = false;
    for part in format!("\r\n{body}").split(&format!("\r\n--{boundary}\r\n")).skip(1) {
        let (head, value) = part.split_once("\r\n\r\n").ok_or("Bad Request: a part has no head")?;
        let name = head.split("name=\"").nth(1).and_then(|name| name.split('"').next());
        let name = name.ok_or("Bad Request: a part has no name")?;
        if name == "photo" {
            is_jpeg = head.contains("filename=\"")
                && value.starts_with("\u{ff}\u{d8}\u{ff}")
                && value.ends_with("\u{ff}\u{d9}");
        } else {
            let bytes: Vec<u8> = value.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect();
            fields[name] = json!(String::from_utf8_lossy(&bytes));
        }
    }
    if !is_jpeg {
        return Err("Bad Request: IMAGE_PROCESS_FAILED");
    }
    let caption = fields["caption"].as_str().unwrap_or_default();
    if caption.encode_utf16().count() > 1024 {
        return Err("Bad Request: message caption is too long");
    }
    let chat = fields["chat_id"].as_str().and_then(|chat| chat.parse::<i64>().ok());
    Ok(json!({"text": caption, "chat_id": chat}))
}

/// A web hook with `wait=true`. The limits of an embed and the answer of a limit with its headers are those of the documentation
/// (Channel resource: embed limits; Topics: rate limits). `limited`: how many requests are over the limit at first.
pub fn discord(limited: usize) -> impl Fn(&Posted, usize) -> Reply + Send + Sync {
    move |posted, before| {
        let error = |status, code: u32, message: &str| Reply::json(status, &json!({"message": message, "code": code}));
        let Some(path) = posted.target.strip_prefix("/api/webhooks/4711/") else {
            return error(404, 10015, "Unknown Webhook");
        };
        match path.split('?').next() {
            Some("secretToken") => (),
            _ => return error(401, 50027, "Invalid Webhook Token"),
        }
        if before < limited {
            let body = json!({"message": "You are being rate limited.", "retry_after": 0.8, "global": false});
            return Reply::json(429, &body)
                .with("Retry-After", "1")
                .with("X-RateLimit-Reset-After", "0.8")
                .with("X-RateLimit-Scope", "user");
        }
        let body = posted.json();
        let embeds = body["embeds"].as_array().cloned().unwrap_or_default();
        let is_within = |embed: &Value, name: &str, most: usize| {
            embed[name].as_str().is_none_or(|text| text.chars().count() <= most)
        };
        let well = embeds.iter().all(|embed| is_within(embed, "title", 256) && is_within(embed, "description", 4096));
        if !well || embeds.len() > 10 || (embeds.is_empty() && body["content"].as_str().is_none_or(str::is_empty)) {
            return error(400, 50006, "Cannot send an empty message");
        }
        if path.contains("wait=true") {
            return Reply::json(200, &json!({"id": "1312345678901234567", "type": 0, "channel_id": "1"}));
        }
        Reply::text(204, "")
    }
}

/// An incoming web hook: `ok` as plain text, and errors in words with the statuses of the documentation (incoming webhooks, handling
/// errors).
pub fn slack(posted: &Posted, _: usize) -> Reply {
    if posted.target != "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX" {
        return Reply::text(404, "no_service");
    }
    let body = posted.json();
    if !body.is_object() {
        return Reply::text(400, "invalid_payload");
    }
    if body["text"].as_str().is_none_or(str::is_empty) && body["attachments"].as_array().is_none_or(Vec::is_empty) {
        return Reply::text(400, "no_text");
    }
    Reply::text(200, "ok")
}
