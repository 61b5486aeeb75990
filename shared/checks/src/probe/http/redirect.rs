//! Where the next request goes, and what it may carry: what is secret stays with the host that it was meant for.

use hyper::{
    Method, StatusCode,
    body::Bytes,
    header::{
        CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, LOCATION,
    },
};
use url::Url;

use super::request::Request;
use crate::{cause::Cause, probe::run::Finding};

/// Headers that describe a body.
const OF_THE_BODY: [HeaderName; 4] = [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE];

impl Request {
    /// The request that follows an answer; `None` where the answer is no redirect, or does not say where to.
    pub(super) fn redirected(&self, status: StatusCode, headers: &HeaderMap) -> Option<Result<Self, Finding>> {
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let location = headers.get(LOCATION)?;
        Some(self.to(&String::from_utf8_lossy(location.as_bytes()), status))
    }

    fn to(&self, location: &str, status: StatusCode) -> Result<Self, Finding> {
        let wrong = |text: &str| Finding::new(Cause::Redirect, text);
        let mut url = self.url.join(location).map_err(|_| wrong("it redirects to what is no address"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong("it redirects to an address that is neither of http nor of https"));
        }
        // What another side writes there would be sent as ours.
        if url.set_username("").and_then(|()| url.set_password(None)).is_err() {
            return Err(wrong("it redirects to what is no address"));
        }
        url.set_fragment(None);
        let stays = may_have_secrets(&self.url, &url);
        let mut next = Self { url, ..self.clone() };
        next.fields.retain(|field| stays || !field.value.is_sensitive());
        if next.url.host() != self.url.host() {
            next.fields.retain(|field| field.name != HOST);
        }
        if becomes_get(&self.method, status) {
            next.method = Method::GET;
            next.body = Bytes::new();
            next.body_is_confidential = false;
            next.fields.retain(|field| !OF_THE_BODY.contains(&field.name));
        }
        if next.body_is_confidential && !stays {
            return Err(wrong("it redirects to another host, which does not get the body because it is a secret"));
        }
        Ok(next)
    }
}

/// Whether what is secret may go there, too: to the same host and port, and never from https to http.
fn may_have_secrets(from: &Url, to: &Url) -> bool {
    let upgrade = from.scheme() == "http" && to.scheme() == "https" && from.port().is_none() && to.port().is_none();
    from.host() == to.host() && (upgrade || from.origin() == to.origin())
}

/// As browsers have it (Fetch standard, HTTP-redirect fetch).
fn becomes_get(method: &Method, status: StatusCode) -> bool {
    match status.as_u16() {
        301 | 302 => *method == Method::POST,
        303 => !matches!(*method, Method::GET | Method::HEAD),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::{AUTHORIZATION, HeaderValue};

    use super::{super::request::Field, *};

    fn request(url: &str, method: Method) -> Request {
        let mut secret = HeaderValue::from_static("secret");
        secret.set_sensitive(true);
        let field = |name, value| Field { name, value };
        let fields = vec![
            field(AUTHORIZATION, secret),
            field(CONTENT_TYPE, HeaderValue::from_static("text/plain")),
            field(HOST, HeaderValue::from_static("other.example")),
        ];
        let body = Bytes::from_static(b"body");
        Request { url: url.parse().unwrap(), method, fields, body, body_is_confidential: false }
    }

    /// Address, method, the names of the headers, and the length of the body.
    fn next(request: &Request, status: u16, location: &str) -> Result<(String, Method, Vec<String>, usize), Finding> {
        let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_str(location).unwrap())]);
        let next = request.redirected(StatusCode::from_u16(status).unwrap(), &headers).expect("a redirect")?;
        let names = next.fields.iter().map(|field| field.name.to_string()).collect();
        Ok((next.url.to_string(), next.method, names, next.body.len()))
    }

    #[test]
    fn a_secret_goes_to_the_same_host_alone_and_never_from_https_to_http() {
        for (from, to, has_it) in [
            ("https://a.example/x", "/y", true),
            ("https://a.example/x", "https://A.example:443/y", true),
            ("http://a.example/x", "https://a.example/y", true),
            ("https://a.example/x", "http://a.example/y", false),
            ("https://a.example/x", "https://a.example:8443/y", false),
            ("http://a.example:8080/x", "https://a.example/y", false),
            ("https://a.example/x", "https://b.example/y", false),
            ("https://a.example/x", "https://sub.a.example/y", false),
            ("https://a.example/x", "//b.example/y", false),
        ] {
            let (_, _, names, _) = next(&request(from, Method::GET), 302, to).unwrap();
            assert_eq!(names.contains(&"authorization".to_owned()), has_it, "{from} {to}");
        }
        let elsewhere = next(&request("https://a.example/", Method::GET), 302, "https://b.example/").unwrap();
        assert_eq!(elsewhere.2, ["content-type"], "nor is another host asked by the name that was set for this one");
    }

    #[test]
    fn the_method_and_the_body_change_as_browsers_have_it() {
        for (method, status, becomes) in [
            (Method::GET, 301, (Method::GET, 4)),
            (Method::POST, 301, (Method::GET, 0)),
            (Method::POST, 302, (Method::GET, 0)),
            (Method::PUT, 302, (Method::PUT, 4)),
            (Method::PUT, 303, (Method::GET, 0)),
            (Method::HEAD, 303, (Method::HEAD, 4)),
            (Method::POST, 307, (Method::POST, 4)),
            (Method::POST, 308, (Method::POST, 4)),
        ] {
            let (_, after, names, length) = next(&request("http://a.example/", method), status, "/y").unwrap();
            assert_eq!((after, length), becomes, "{status}");
            assert_eq!(names.contains(&"content-type".to_owned()), length > 0);
        }
    }

    #[test]
    fn a_confidential_body_does_not_go_to_another_host() {
        let mut confidential = request("https://a.example/", Method::POST);
        confidential.body_is_confidential = true;
        assert!(next(&confidential, 307, "/y").is_ok());
        assert_eq!(next(&confidential, 307, "https://b.example/").unwrap_err().cause, Cause::Redirect);
        assert_eq!(next(&confidential, 302, "https://b.example/").unwrap().3, 0);
    }

    #[test]
    fn what_leads_nowhere_is_not_followed() {
        for location in ["ftp://a.example/", "file:///etc/passwd", "http://", "javascript:alert(1)", "mailto:a@b"] {
            let wrong = next(&request("http://a.example/", Method::GET), 302, location).unwrap_err();
            assert_eq!(wrong.cause, Cause::Redirect, "{location}");
        }
        let named =
            next(&request("http://a.example/", Method::GET), 302, "http://user:password@b.example/#part").unwrap();
        assert_eq!(named.0, "http://b.example/");
        let request = request("http://a.example/", Method::GET);
        assert!(request.redirected(StatusCode::FOUND, &HeaderMap::new()).is_none(), "it does not say where to");
        assert!(request.redirected(StatusCode::NOT_MODIFIED, &HeaderMap::new()).is_none());
    }
}
