//! What a token of one page opens: what a relay and a mirror call, and nothing that makes or deletes anything.

use axum::http::Method;
use shared::id::PageId;

/// What is said of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::keeper) enum Scope {
    /// It may be made.
    Open,
    /// It may be made where it sets nothing but a component's status.
    StatusAlone,
    /// It is about another page, of which this token knows nothing.
    OtherPage,
    /// It is not for this token.
    Closed,
}

/// What a token of `page` opens of the Manage API. `path` is below `/v1`.
pub(in crate::keeper) fn scope(method: &Method, path: &str, page: &PageId) -> Scope {
    let mut parts = path.trim_start_matches('/').split('/');
    if parts.next() != Some("pages") {
        return Scope::Closed;
    }
    let Some(of) = parts.next() else { return Scope::Closed };
    // As it is written: an id in percent codes is another text, and closed.
    if of != page.as_str() {
        return Scope::OtherPage;
    }
    let rest: Vec<_> = parts.collect();
    match (method, rest.as_slice()) {
        (&(Method::GET | Method::HEAD), _)
        | (&Method::POST, ["metrics", "data"] | ["metrics", _, "data"])
        | (&Method::PATCH, ["incidents", _]) => Scope::Open,
        (&Method::PATCH, ["components", _]) => Scope::StatusAlone,
        _ => Scope::Closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_what_relay_and_mirror_call_on_its_page() {
        use Scope::{Closed, Open, OtherPage, StatusAlone};
        let page: PageId = "gytm4qzbx9t6".parse().unwrap();
        for (method, path, opens) in [
            ("GET", "/pages/gytm4qzbx9t6", Open),
            ("GET", "/pages/gytm4qzbx9t6/incidents/unresolved", Open),
            ("HEAD", "/pages/gytm4qzbx9t6/components", Open),
            ("POST", "/pages/gytm4qzbx9t6/metrics/data", Open),
            ("POST", "/pages/gytm4qzbx9t6/metrics/aaaaaaaaaaa1/data", Open),
            ("PATCH", "/pages/gytm4qzbx9t6/components/8kbf7d35c070", StatusAlone),
            ("PATCH", "/pages/gytm4qzbx9t6/incidents/8kbf7d35c070", Open),
            ("GET", "/pages", Closed),
            ("GET", "/", Closed),
            ("GET", "/other", Closed),
            ("PATCH", "/pages/gytm4qzbx9t6", Closed),
            ("PUT", "/pages/gytm4qzbx9t6/components/8kbf7d35c070", Closed),
            ("DELETE", "/pages/gytm4qzbx9t6/components/8kbf7d35c070", Closed),
            ("POST", "/pages/gytm4qzbx9t6/components", Closed),
            ("POST", "/pages/gytm4qzbx9t6/incidents", Closed),
            ("DELETE", "/pages/gytm4qzbx9t6/metrics/aaaaaaaaaaa1/data", Closed),
            ("PATCH", "/pages/gytm4qzbx9t6/incidents/8kbf7d35c070/incident_updates/x", Closed),
            ("PATCH", "/pages/gytm4qzbx9t6/metrics/aaaaaaaaaaa1", Closed),
            ("GET", "/pages/aaaaaaaaaaaa", OtherPage),
            ("DELETE", "/pages/aaaaaaaaaaaa/components/x", OtherPage),
            ("GET", "/pages/%67ytm4qzbx9t6", OtherPage),
            ("GET", "/pages/", OtherPage),
        ] {
            let method = method.parse().unwrap();
            assert_eq!(scope(&method, path, &page), opens, "{method} {path}");
        }
    }
}
