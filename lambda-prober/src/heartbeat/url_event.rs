//! The event of a function URL (payload format 2.0), and its answer.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use shared::heartbeat::MAX_LENGTH;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Posted {
    /// A body of at most [`MAX_LENGTH`] bytes.
    Body(Vec<u8>),
    /// A longer one, of which nothing was read.
    TooLong,
    /// Something else than a POST with a body.
    Other,
}

/// Reads an event; `None` where it is none of a function URL.
pub(super) fn read(event: &Value) -> Option<Posted> {
    let method = event["requestContext"]["http"]["method"].as_str()?;
    let (Some(body), "POST") = (event["body"].as_str(), method) else { return Some(Posted::Other) };
    if event["isBase64Encoded"] != Value::Bool(true) {
        return Some(if body.len() > MAX_LENGTH { Posted::TooLong } else { Posted::Body(body.into()) });
    }
    if body.len() > MAX_LENGTH.div_ceil(3) * 4 {
        return Some(Posted::TooLong);
    }
    Some(match BASE64_STANDARD.decode(body) {
        Ok(bytes) if bytes.len() > MAX_LENGTH => Posted::TooLong,
        Ok(bytes) => Posted::Body(bytes),
        Err(_) => Posted::Other,
    })
}

/// The answer with that status and text.
pub(super) fn answer(status: u16, body: &str) -> Value {
    let headers = json!({"content-type": "text/plain", "cache-control": "no-store"});
    json!({"statusCode": status, "headers": headers, "cookies": [], "body": body, "isBase64Encoded": false})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(method: &str, body: &Value, encoded: bool) -> Value {
        json!({"version": "2.0", "requestContext": {"http": {"method": method, "path": "/"}}, "body": body, "isBase64Encoded": encoded})
    }

    #[test]
    fn a_body_is_read_plain_or_encoded_and_never_above_the_limit() {
        assert_eq!(read(&event("POST", &json!("v1;"), false)), Some(Posted::Body(b"v1;".into())));
        assert_eq!(read(&event("POST", &json!("djE7"), true)), Some(Posted::Body(b"v1;".into())));
        assert_eq!(read(&event("POST", &json!("x".repeat(MAX_LENGTH + 1)), false)), Some(Posted::TooLong));
        let encoded = BASE64_STANDARD.encode("x".repeat(MAX_LENGTH + 1));
        assert_eq!(read(&event("POST", &json!(encoded), true)), Some(Posted::TooLong));
        let most = BASE64_STANDARD.encode("x".repeat(MAX_LENGTH));
        assert!(
            matches!(read(&event("POST", &json!(most), true)), Some(Posted::Body(body)) if body.len() == MAX_LENGTH)
        );
        assert_eq!(read(&event("POST", &json!("%"), true)), Some(Posted::Other));
        assert_eq!(read(&event("GET", &Value::Null, false)), Some(Posted::Other));
        assert_eq!(read(&json!({"source": "aws.events"})), None);
    }
}
