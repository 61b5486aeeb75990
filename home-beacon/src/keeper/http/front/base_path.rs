//! The page below a path, as `https://example.org/status/`: `KEEPER_BASE_PATH`. A proxy may leave the path on the requests
//! or take it off, so the public listener answers both below it and at its root.

use std::{fmt, str::FromStr};

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, Uri, header},
    response::IntoResponse,
};
use tower::ServiceExt;

/// What the page's own addresses begin with: below one of these it would hide them.
const TAKEN: [&str; 8] = ["api", "badge", "history", "incidents", "logo", "porchlight", "report", "widget"];

/// The longest path, in bytes.
const MAX_LENGTH: usize = 100;

/// A path like `/status` or `/home/status`, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasePath(String);

/// A text that is no such path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a base path is written like /status: parts of letters, digits, - and _, each after a slash, and the first is none of the \
     page's own, like /api or /incidents"
)]
pub struct WrongBasePath;

impl BasePath {
    /// As it stands in addresses.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What `path` is below this one; `None` where it is elsewhere.
    fn rest<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(&self.0).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl FromStr for BasePath {
    type Err = WrongBasePath;

    fn from_str(text: &str) -> Result<Self, WrongBasePath> {
        let path = text.strip_suffix('/').unwrap_or(text);
        let is_part =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let mut parts = path.strip_prefix('/').ok_or(WrongBasePath)?.split('/');
        let fits = parts.clone().all(is_part) && parts.next().is_some_and(|first| !TAKEN.contains(&first));
        if fits && path.len() <= MAX_LENGTH { Ok(Self(path.to_owned())) } else { Err(WrongBasePath) }
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `routes` below the path, and at the root. Applied before routing, so it wraps the whole router.
pub(super) fn below(base: BasePath, routes: Router) -> Router {
    Router::new().fallback(move |request: Request| {
        let (base, routes) = (base.clone(), routes.clone());
        async move {
            match taken_off(&base, request) {
                Ok(request) => routes.oneshot(request).await.into_response(),
                Err(place) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)]).into_response(),
            }
        }
    })
}

/// The request as if it had come to the root; for the path itself, where the page is: its addresses are relative, so it needs
/// the slash at the end.
fn taken_off(base: &BasePath, mut request: Request) -> Result<Request, String> {
    // For links, which begin with it whichever way the request came.
    request.extensions_mut().insert(base.clone());
    let uri = request.uri();
    let Some(rest) = base.rest(uri.path()) else { return Ok(request) };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    if rest.is_empty() {
        return Err(format!("{base}/{query}"));
    }
    // What comes after a path is one too, but for `//`, which would be read as a host.
    let path = format!("/{}{query}", rest.trim_start_matches('/'));
    if let Ok(uri) = path.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn a_base_path_is_plain_and_none_of_the_pages_own() {
        for (text, path) in
            [("/status", "/status"), ("/status/", "/status"), ("/home/my_status-1", "/home/my_status-1")]
        {
            assert_eq!(text.parse::<BasePath>().unwrap().as_str(), path);
        }
        let long = format!("/{}", "a".repeat(MAX_LENGTH));
        for wrong in ["", "/", "status", "//", "/a//b", "/a b", "/a/../b", "/a?b", "/ä", "/api", "/incidents/x", &long]
        {
            assert_eq!(wrong.parse::<BasePath>(), Err(WrongBasePath), "{wrong}");
        }
    }

    #[test]
    fn the_path_is_taken_off_where_it_is_there() {
        let base: BasePath = "/status".parse().unwrap();
        let off = |path: &str| {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            match taken_off(&base, request) {
                Ok(request) => request.uri().to_string(),
                Err(place) => format!("-> {place}"),
            }
        };
        for (asked, routed) in [
            ("/status/", "/"),
            ("/status/incidents/x?a=b", "/incidents/x?a=b"),
            ("/status/?a=b", "/?a=b"),
            ("/status", "-> /status/"),
            ("/status?a=b", "-> /status/?a=b"),
            ("/", "/"),
            ("/statuses/", "/statuses/"),
            ("/page.css", "/page.css"),
            ("/status//evil.example/", "/evil.example/"),
            ("/status/status", "/status"),
        ] {
            assert_eq!(off(asked), routed, "{asked}");
        }
    }
}
