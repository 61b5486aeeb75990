//! ntfy, Gotify and Pushover.

use serde_json::{Value, json};

use super::{Posted, Reply};

/// Publishing as JSON at the root of a server (ntfy, docs/publish.md; error codes: server/errors.go). The topic `quota` has used up
/// its day, `locked` takes the token `tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2` alone.
pub fn ntfy(posted: &Posted, before: usize) -> Reply {
    let error = |http: u16, code: u32, error: &str| {
        Reply::json(http, &json!({"code": code, "http": http, "error": error, "link": "https://ntfy.sh/docs/publish/"}))
    };
    if posted.target != "/" || !matches!(posted.method.as_str(), "POST" | "PUT") {
        return error(404, 40401, "page not found");
    }
    // It does not look at Content-Type.
    let body: Value = serde_json::from_slice(&posted.body).unwrap_or_default();
    let Some(topic) = body["topic"].as_str() else {
        return error(400, 40024, "invalid request: request body must be valid JSON");
    };
    let is_topic = topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        && (1..=64).contains(&topic.len());
    if !is_topic {
        return error(400, 40009, "invalid request: topic invalid");
    }
    if !body["priority"].is_null() && !body["priority"].as_i64().is_some_and(|priority| (1..=5).contains(&priority)) {
        return error(400, 40007, "invalid request: priority invalid");
    }
    if !body["tags"].is_null() && !body["tags"].is_array() {
        return error(400, 40024, "invalid request: request body must be valid JSON");
    }
    if body["message"].as_str().is_some_and(|message| message.len() > 4096) {
        return error(400, 40014, "invalid request: attachments not allowed");
    }
    match topic {
        "quota" => return error(429, 42908, "limit reached: daily message quota reached"),
        "locked" if posted.header("authorization") != Some("Bearer tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2") => {
            return error(403, 40301, "forbidden");
        }
        _ => (),
    }
    let message = json!({"id": format!("hwQ2YpKdmg{before}"), "time": 1_795_938_245, "expires": 1_795_981_445, "event": "message",
        "topic": topic, "title": body["title"], "message": body["message"]});
    Reply::json(200, &message)
}

/// `POST /message` (Gotify's API: createMessage): the token is an application's, in a header, a parameter or as a bearer's.
pub fn gotify(posted: &Posted, before: usize) -> Reply {
    let error = |status: u16, error: &str, words: &str| {
        Reply::json(status, &json!({"error": error, "errorCode": status, "errorDescription": words}))
    };
    if posted.header("x-gotify-key") != Some("AwB.3fOBkRd4f9y") {
        return error(
            401,
            "Unauthorized",
            "you need to provide a valid access token or user credentials to access this api",
        );
    }
    if posted.target != "/message" || posted.method != "POST" {
        return error(404, "Not Found", "page not found");
    }
    let body = posted.json();
    if body["message"].as_str().is_none_or(str::is_empty) {
        return error(400, "Bad Request", "Field 'message' is required");
    }
    Reply::json(
        200,
        &json!({"id": before + 1, "appid": 5, "message": body["message"], "title": body["title"],
        "priority": body["priority"], "date": "2026-11-29T07:44:05Z"}),
    )
}

/// `POST /1/messages.json` (Pushover's API: "status" is 1 or 0, "errors" says why).
pub fn pushover(posted: &Posted, _: usize) -> Reply {
    let refused = |errors: &[&str]| {
        Reply::json(400, &json!({"status": 0, "request": "5042853c-402d-4a18-abcb-168734a801de", "errors": errors}))
    };
    if posted.target != "/1/messages.json" || posted.method != "POST" {
        return Reply::text(404, "not found");
    }
    let body = posted.json();
    if body["token"] != "azGDORePK8gMaC0QOYAMyEEuzJnyUi" {
        return refused(&["application token is invalid, see https://pushover.net/api"]);
    }
    if body["user"] != "uQiRzpo4DXghDmr9QzzfQu27cmVRsG" {
        return refused(&[
            "user identifier is not a valid user, group, or subscribed user key, see https://pushover.net/api#identifiers",
        ]);
    }
    match body["message"].as_str() {
        None | Some("") => refused(&["message cannot be blank"]),
        Some(message) if message.chars().count() > 1024 => refused(&["message must be less than 1024 characters"]),
        Some(_) => Reply::json(200, &json!({"status": 1, "request": "647d2300-702c-4b38-8b2f-d56326ae460b"})),
    }
}
