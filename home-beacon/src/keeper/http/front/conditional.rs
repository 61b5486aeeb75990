//! `ETag` and 304: a client that has an answer already learns that it is still the right one.
//!
//! The tag is made of the answer's body, so an answer that says the second in which it was made is another one each
//! second. One that comes with a tag of its own keeps it.

use std::hash::{DefaultHasher, Hasher};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::MAX_BODY;

pub(super) async fn conditional(mut request: Request, next: Next) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    // The answer to a HEAD is that to a GET, whose body the server leaves out.
    *request.method_mut() = Method::GET;
    let known: Vec<HeaderValue> = request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect();
    let response = next.run(request).await;
    if response.status() == StatusCode::OK { tagged(response, &known).await } else { response }
}

async fn tagged(response: Response, known: &[HeaderValue]) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = &mut parts.headers;
    if !headers.contains_key(header::ETAG) {
        headers.insert(header::ETAG, tag(&body));
    }
    kept(headers);
    if is_known(&headers[header::ETAG], known) {
        for of_body in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
            headers.remove(of_body);
        }
        parts.status = StatusCode::NOT_MODIFIED;
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}

/// What was not to be kept may be, as long as it is asked for each time whether it still is right.
fn kept(headers: &mut HeaderMap) {
    if headers.get(header::CACHE_CONTROL).is_none_or(|control| control == "no-store") {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
}

/// A weak one: the same answer, compressed or not.
fn tag(body: &[u8]) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    let text = format!("W/\"{:016x}\"", hasher.finish());
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// Compared weakly, as RFC 9110 has it for `If-None-Match`.
fn is_known(tag: &HeaderValue, known: &[HeaderValue]) -> bool {
    fn bare(tag: &str) -> &str {
        tag.strip_prefix("W/").unwrap_or(tag)
    }
    let Ok(tag) = tag.to_str() else { return false };
    let listed = known.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    listed.map(str::trim).any(|one| one == "*" || bare(one) == bare(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(texts: &[&str]) -> Vec<HeaderValue> {
        texts.iter().map(|text| HeaderValue::from_str(text).unwrap()).collect()
    }

    #[test]
    fn a_tag_is_known_weakly_in_a_list_and_by_a_star() {
        let ours = HeaderValue::from_static("W/\"0123456789abcdef\"");
        for (known, is) in [
            (&["W/\"0123456789abcdef\""][..], true),
            (&["\"0123456789abcdef\""], true),
            (&["\"x\", W/\"0123456789abcdef\""], true),
            (&["\"x\"", "\"0123456789abcdef\""], true),
            (&["*"], true),
            (&[], false),
            (&[""], false),
            (&["0123456789abcdef"], false),
            (&["\"0123456789abcde\""], false),
        ] {
            assert_eq!(is_known(&ours, &values(known)), is, "{known:?}");
        }
    }

    #[test]
    fn another_body_has_another_tag() {
        assert_eq!(tag(b"a"), tag(b"a"));
        assert_ne!(tag(b"a"), tag(b"b"));
        assert_eq!(tag(b"").len(), 20);
    }
}
