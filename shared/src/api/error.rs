//! What can go wrong with a call, by what to do about it.
//!
//! - [`Passing`]: try again, after `retry_after` where the service names it.
//! - [`Pausing`]: the token is refused; nothing about the call itself is wrong. Stop and ask for another token.
//! - [`Permanent`]: the same call will fail again.
//! - [`NotTheApi`]: what answers is not the service: the address is wrong, or something stands in between.
//!
//! The messages are for a person and never hold the token.

use std::{fmt, time::Duration};

use serde_json::Value;

use crate::{chain::root_cause, http::CallError};

/// The most characters of a service's message that are repeated.
const MAX_QUOTE: usize = 200;

/// Why a call did not bring what was asked for, by what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// It may go better in a moment.
    #[error(transparent)]
    Passing(#[from] Passing),
    /// Nothing goes until the token is another one.
    #[error(transparent)]
    Pausing(#[from] Pausing),
    /// It will be refused again.
    #[error(transparent)]
    Permanent(#[from] Permanent),
    /// It is not the service that answers.
    #[error(transparent)]
    NotTheApi(#[from] NotTheApi),
}

/// What goes away: a rate limit, an overloaded or restarting server, a broken connection.
#[derive(Debug, thiserror::Error)]
#[error("{call}: {what}")]
pub struct Passing {
    /// The method and path.
    pub call: String,
    /// What went wrong.
    pub what: String,
    /// The HTTP status, where the service itself answered.
    pub status: Option<u16>,
    /// How long the service asked us to wait (420, 429, 503).
    pub retry_after: Option<Duration>,
    /// What the transport says, where it got so far.
    #[source]
    pub source: Option<CallError>,
}

/// The token is refused (401, 403).
#[derive(Debug, thiserror::Error)]
#[error("{call}: the token is refused ({status}: {message}); it may have been revoked or changed")]
pub struct Pausing {
    /// The method and path.
    pub call: String,
    /// The HTTP status.
    pub status: u16,
    /// What the service says, shortened.
    pub message: String,
}

/// The call itself is refused (400, 404, 405, 422 …), or its answer lacks what we need.
#[derive(Debug, thiserror::Error)]
#[error("{call}: {message}{}", Status(*status))]
pub struct Permanent {
    /// The method and path.
    pub call: String,
    /// The HTTP status; 200 and its like where the answer lacks what we need.
    pub status: u16,
    /// What the service says, shortened, or what is lacking.
    pub message: String,
}

/// What answers does not speak as the service does: no TLS, no HTTP, no JSON, or it sends us somewhere else. Trying again within
/// a run is of no use; the next run may find the service.
#[derive(Debug, thiserror::Error)]
#[error("{call}: {what}")]
pub struct NotTheApi {
    /// The method and path.
    pub call: String,
    /// What answered instead.
    pub what: String,
}

struct Status(u16);

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 300 { Ok(()) } else { write!(f, " ({})", self.0) }
    }
}

impl ApiError {
    /// The error with what was at the bottom of it.
    pub fn in_words(&self) -> String {
        match self {
            Self::Passing(passing @ Passing { source: Some(source), .. }) => {
                format!("{passing} ({})", root_cause(source))
            }
            other => other.to_string(),
        }
    }

    /// Sorts an answer that is not a success by what to do about it.
    pub(super) fn from_answer(call: String, status: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let message = said(body);
        match status {
            401 | 403 => Pausing { call, status, message }.into(),
            420 | 429 => {
                let what = format!("the rate limit is used up ({status}: {message})");
                Passing { call, what, status: Some(status), retry_after, source: None }.into()
            }
            408 | 500.. => {
                let what = format!("the server fails ({status}: {message})");
                Passing { call, what, status: Some(status), retry_after, source: None }.into()
            }
            _ => Permanent { call, status, message }.into(),
        }
    }
}

/// What an error body says: `error` (a text, a list, or messages by field), else `message`, else the text itself.
pub(super) fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let words = match serde_json::from_str::<Value>(&text) {
        Ok(value) => match value.get("error").or_else(|| value.get("message")) {
            Some(said) => flat(said),
            None => text.trim().to_owned(),
        },
        Err(_) => text.trim().to_owned(),
    };
    if words.is_empty() { "no reason given".into() } else { shortened(&words) }
}

fn flat(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(flat).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => {
            fields.iter().map(|(field, said)| format!("{field}: {}", flat(said))).collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

fn shortened(words: &str) -> String {
    let one_line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match one_line.char_indices().nth(MAX_QUOTE) {
        Some((end, _)) => format!("{} …", &one_line[..end]),
        None => one_line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_shape_of_an_error_body_is_understood() {
        for (body, words) in [
            (r#"{"error":"Could not authenticate"}"#, "Could not authenticate"),
            (r#"{"error":["Name can't be blank","Status is wrong"]}"#, "Name can't be blank; Status is wrong"),
            (
                r#"{"error":{"name":["can't be blank"],"status":["is wrong"]}}"#,
                "name: can't be blank; status: is wrong",
            ),
            (r#"{"message":"Not found"}"#, "Not found"),
            (r#"{"other":1}"#, r#"{"other":1}"#),
            ("plain words", "plain words"),
            ("", "no reason given"),
        ] {
            assert_eq!(said(body.as_bytes()), words, "{body}");
        }
    }

    #[test]
    fn a_long_body_is_cut() {
        assert!(said("word ".repeat(10_000).as_bytes()).chars().count() <= MAX_QUOTE + 2);
    }

    #[test]
    fn errors_are_sorted_by_what_to_do() {
        let sort = |status| ApiError::from_answer("GET /pages".into(), status, None, b"");
        for status in [408, 420, 429, 500, 502, 503, 504] {
            assert!(matches!(sort(status), ApiError::Passing(_)), "{status}");
        }
        for status in [401, 403] {
            assert!(matches!(sort(status), ApiError::Pausing(_)), "{status}");
        }
        for status in [301, 400, 404, 405, 422] {
            assert!(matches!(sort(status), ApiError::Permanent(_)), "{status}");
        }
    }
}
