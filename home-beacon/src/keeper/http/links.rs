//! Where the page can be reached, and each incident on it: what the APIs send as links.
//!
//! A page says so itself, by its `domain` or else its `url`. For one that does not, links begin as the request did that
//! asks for them, and go on with the path below which the page is.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use shared::id::IncidentId;

use super::front::base_path::BasePath;
use crate::keeper::status::{Incident, Page};

/// The longest name of a host with its port.
const MAX_HOST: usize = 260;

/// Under which address this keeper was called, as far as the request says.
#[derive(Debug)]
pub(super) struct RequestOrigin(String);

impl<S: Sync> FromRequestParts<S> for RequestOrigin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let field = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let known = |host: &&str| {
            let of_a_host = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
            !host.is_empty() && host.len() <= MAX_HOST && host.bytes().all(of_a_host)
        };
        // In front of a public keeper stands a proxy that speaks TLS for it.
        let scheme = if field("x-forwarded-proto") == Some("https") { "https" } else { "http" };
        let host = field(header::HOST.as_str()).filter(known).unwrap_or("localhost");
        let path = parts.extensions.get().map_or("", BasePath::as_str);
        Ok(Self(format!("{scheme}://{host}{path}")))
    }
}

/// Links to a page.
#[derive(Debug)]
pub(super) struct Links(String);

impl Links {
    pub(super) fn of(page: &Page, origin: &RequestOrigin) -> Self {
        Self::stated(page).unwrap_or_else(|| Self(origin.0.trim_end_matches('/').to_owned()))
    }

    /// Where the page itself says that it can be reached: what stands in an answer that is made once for all who ask.
    pub(super) fn stated(page: &Page) -> Option<Self> {
        let own =
            [&page.domain, &page.url].into_iter().flatten().map(|text| text.trim()).find(|text| !text.is_empty())?;
        let base = if own.contains("://") { own.to_owned() } else { format!("https://{own}") };
        Some(Self(base.trim_end_matches('/').to_owned()))
    }

    /// The page itself.
    pub(super) fn page(&self) -> &str {
        &self.0
    }

    pub(super) fn incident(&self, id: &IncidentId) -> String {
        format!("{}/incidents/{id}", self.0)
    }

    /// Gives an incident its link, unless it is a copy that brought its own.
    pub(super) fn complete(&self, incident: &mut Incident) {
        if incident.shortlink.is_none() {
            incident.shortlink = Some(self.incident(&incident.id));
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use jiff::Timestamp;

    use super::*;
    use crate::keeper::db::Moment;

    fn page(domain: Option<&str>, url: Option<&str>) -> Page {
        let now = Moment::new(Timestamp::UNIX_EPOCH);
        Page {
            id: "gytm4qzbx9t6".parse().unwrap(),
            name: "Home".into(),
            description: None,
            url: url.map(str::to_owned),
            domain: domain.map(str::to_owned),
            subdomain: None,
            time_zone: "UTC".into(),
            created_at: now,
            updated_at: now,
        }
    }

    async fn origin(headers: &[(&str, &str)]) -> RequestOrigin {
        let request = headers.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
        let Ok(origin) = RequestOrigin::from_request_parts(&mut request.body(()).unwrap().into_parts().0, &()).await;
        origin
    }

    #[tokio::test]
    async fn a_link_begins_as_the_page_says_or_as_it_was_asked_for() {
        let here = origin(&[("host", "pi.lan:8030")]).await;
        for (domain, url, base) in [
            (Some("status.example.org"), Some("https://example.org"), "https://status.example.org"),
            (Some(""), Some("https://example.org/home/"), "https://example.org/home"),
            (None, None, "http://pi.lan:8030"),
        ] {
            assert_eq!(Links::of(&page(domain, url), &here).page(), base);
        }
        for (headers, base) in [
            (&[("host", "home.example"), ("x-forwarded-proto", "https")][..], "https://home.example"),
            (&[("host", "[::1]:8030")], "http://[::1]:8030"),
            (&[("host", "a\"><script>")], "http://localhost"),
            (&[], "http://localhost"),
        ] {
            assert_eq!(Links::of(&page(None, None), &origin(headers).await).page(), base, "{headers:?}");
        }
    }
}
