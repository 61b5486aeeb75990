//! What is at the other end, where it is not the service: known by how a connection fails, and by the shape of an answer. The
//! address is always named, because the likeliest fault is in it.

use std::{error::Error, io};

use reqwest::header::{HeaderMap, LOCATION};

use super::{ApiError, NotTheApi, Passing, Permanent, error::said};
use crate::{chain::root_cause, complaints, http::CallError, secret::Secret, settings::without_credentials};

/// An exchange that failed, by what to do about it.
pub(super) fn broken(call: &str, base: &str, error: CallError) -> ApiError {
    let plain = base.starts_with("http://");
    let not_the_api = |what: String| NotTheApi { call: call.to_owned(), what }.into();
    if let Some(rustls::Error::InvalidMessage(_)) = complaints::behind(&error) {
        let address = base.replacen("https://", "http://", 1);
        return not_the_api(format!(
            "what answers at {base} speaks no TLS: if it is the right one, its address is {address}"
        ));
    }
    let http = found::<hyper::Error>(&error);
    // What speaks first, like an SSH server, is read before anything was asked.
    if http.is_some_and(hyper::Error::is_parse) || root_cause(&error).to_string().contains("unexpected message") {
        return not_the_api(if plain {
            let address = base.replacen("http://", "https://", 1);
            format!("what answers at {base} speaks no HTTP: if it speaks TLS, its address is {address}")
        } else {
            format!("what answers at {base} speaks no HTTP")
        });
    }
    if let Some(found) = complaints::behind(&error) {
        let what = format!("no secure connection to {base}: {}", complaints::of_handshake(found));
        return Passing { call: call.to_owned(), what, status: None, retry_after: None, source: None }.into();
    }
    let what = if error.is_timeout() {
        if error.is_connect() {
            format!("no connection to {base} in time")
        } else {
            format!("no answer from {base} in time")
        }
    } else if error.is_connect() {
        match found::<io::Error>(&error).map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => format!("nothing listens at {base}"),
            Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
                format!("this machine has no way to {base}")
            }
            _ => format!("no connection to {base}"),
        }
    } else if plain && http.is_some_and(hyper::Error::is_incomplete_message) {
        format!("{base} hung up without an answer, as a server does that expects https")
    } else {
        format!("the connection to {base} broke")
    };
    Passing { call: call.to_owned(), what, status: None, retry_after: None, source: Some(error) }.into()
}

/// The first error of that kind in the chain.
fn found<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// An answer, before it is believed.
pub(super) struct Received<'a> {
    pub(super) status: u16,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) token: &'a Secret,
}

impl Received<'_> {
    /// The body as text that can be shown: the other side may repeat what it was sent.
    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(self.body).replace(self.token.expose(), "…")
    }

    /// What answered instead of the service, if that is known. Where the call may have arrived at the service all the same
    /// (a part of it that this server lacks), it is the call alone that failed for good.
    pub(super) fn not_the_api(&self, call: &str, base: &str) -> Option<ApiError> {
        let status = self.status;
        let call = call.to_owned();
        let text = self.body.trim_ascii_start();
        let page = text.starts_with(b"<");
        let json = || serde_json::from_slice::<serde::de::IgnoredAny>(self.body).is_ok();
        let what = match status {
            301 | 302 | 303 | 307 | 308 => {
                let to = self.headers.get(LOCATION).and_then(|to| to.to_str().ok());
                let to =
                    to.map_or("somewhere else".into(), |to| without_credentials(to).replace(self.token.expose(), "…"));
                format!("{base} sends us on to {to}: if that is the API, name its address ({status})")
            }
            400 if self.shown().to_ascii_lowercase().contains("https") && !json() => {
                format!("{base} wants to be spoken to over https ({status}: {})", said(self.plain().as_bytes()))
            }
            200..=299 if !text.is_empty() && !page && !json() => {
                let message = format!(
                    "{base} is not the address of this API: what answers says `{}`",
                    said(self.shown().as_bytes())
                );
                return Some(Permanent { call, status, message: format!("{message} ({status})") }.into());
            }
            400 | 404 | 405 | 410 if page => {
                format!("{base} is not the address of this API: what answers sends an HTML page ({status})")
            }
            404 | 405 | 410 if !json() => {
                let words =
                    if text.is_empty() { "nothing".into() } else { format!("`{}`", said(self.shown().as_bytes())) };
                let message = format!("{base} is not the address of this API: what answers says {words}");
                return Some(Permanent { call, status, message }.into());
            }
            _ => return None,
        };
        Some(NotTheApi { call, what }.into())
    }

    /// The words of a page without its tags.
    fn plain(&self) -> String {
        let mut tag = false;
        let outside = |c: char| {
            tag = (tag || c == '<') && c != '>';
            (!tag).then_some(if c == '>' { ' ' } else { c })
        };
        self.shown().chars().filter_map(outside).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Option<String> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let received = Received { status, headers: &headers, body: body.as_bytes(), token: &Secret::new("hunter2") };
        received.not_the_api("GET /pages", "http://h:8080/v1").map(|error| error.to_string())
    }

    #[test]
    fn an_answer_that_is_not_the_service_s_is_known_by_what_it_says() {
        for (status, body, said) in [
            (
                200,
                "porchlight\n",
                "http://h:8080/v1 is not the address of this API: what answers says `porchlight` (200)",
            ),
            (405, "only GET\n", "what answers says `only GET` (405)"),
            (404, "", "what answers says nothing (404)"),
            (404, "<html>", "what answers sends an HTML page (404)"),
            (200, "you sent hunter2", "what answers says `you sent …` (200)"),
            (
                400,
                "<html><center>The plain HTTP request was sent to HTTPS port</center>",
                "wants to be spoken to over https (400: The plain HTTP request was sent to HTTPS port)",
            ),
            (400, "Client sent an HTTP request to an HTTPS server.\n", "wants to be spoken to over https"),
        ] {
            let what = described(status, &[], body).unwrap_or_default();
            assert!(what.contains(said), "{status} {body}: {what}");
        }
        let what = described(301, &[("location", "https://u:p@h/v1?token=x")], "").unwrap();
        assert!(what.contains("sends us on to https://…@h/v1?…: if that is the API"), "{what}");
    }

    #[test]
    fn what_the_service_itself_says_is_of_the_api() {
        for (status, body) in [
            (200, "{}"),
            (200, ""),
            (204, ""),
            (200, "<html>a proxy, for now"),
            (404, r#"{"error":"Not found"}"#),
            (400, r#"{"error":"https is missing in the address"}"#),
            (401, "no"),
            (422, "no"),
            (502, "<html>"),
            (503, "busy"),
        ] {
            assert_eq!(described(status, &[], body), None, "{status} {body}");
        }
    }
}
