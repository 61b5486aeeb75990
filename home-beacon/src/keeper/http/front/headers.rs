//! What every answer asks of browsers: that nothing in it may be run, framed or guessed at by others. What an answer says by
//! itself stands.

use axum::{
    Router,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};
use tower::util::MapResponseLayer;

use super::robots::Robots;

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

const HEADERS: [(HeaderName, &str); 5] = [
    // Of what is no page: one that somebody opens by itself needs nothing, and can do nothing.
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (OPENER_POLICY, "same-origin"),
    (
        PERMISSIONS_POLICY,
        "browsing-topics=(), camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Answers of `routes`, with these headers.
pub(super) fn added(robots: Robots, routes: Router) -> Router {
    routes.layer(MapResponseLayer::new(move |mut response: Response| {
        complete(response.headers_mut(), robots);
        response
    }))
}

fn complete(headers: &mut HeaderMap, robots: Robots) {
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // What any origin may read it may also show.
    let is_for_all = headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_some_and(|origin| origin == "*");
    let resource = if is_for_all { "cross-origin" } else { "same-origin" };
    headers.entry(RESOURCE_POLICY).or_insert(HeaderValue::from_static(resource));
    if let Some(tag) = robots.tag() {
        headers.insert(ROBOTS_TAG, HeaderValue::from_static(tag));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_says_by_itself_stands() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'self'"));
        complete(&mut headers, Robots::Index);
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(text("content-security-policy"), Some("default-src 'self'"));
        assert_eq!(text("x-content-type-options"), Some("nosniff"));
        assert_eq!(text("cross-origin-resource-policy"), Some("same-origin"));
        assert_eq!(text("x-robots-tag"), None);
    }

    #[test]
    fn what_is_for_any_origin_may_be_shown_by_any() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        complete(&mut headers, Robots::Noindex);
        assert_eq!(headers[RESOURCE_POLICY], "cross-origin");
        assert_eq!(headers[ROBOTS_TAG], "noindex, nofollow");
    }
}
