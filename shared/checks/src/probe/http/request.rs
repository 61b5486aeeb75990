//! A request: where it goes, and what it carries.

use http_body_util::Full;
use hyper::{
    Method,
    body::Bytes,
    header::{
        ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue,
        TRANSFER_ENCODING, USER_AGENT,
    },
};
use url::{Position, Url};

use crate::{
    cause::Cause,
    check::{CONFIDENTIAL_HEADERS, HttpCheck, Text},
    probe::run::{Finding, Run},
};

/// Headers that are ours alone, because they say how the request is framed.
const FRAMING: [HeaderName; 3] = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING];

/// A request that can be sent, and sent on to where it is redirected. Without `Debug`: its body may be a secret.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) fields: Vec<Field>,
    pub(super) body: Bytes,
    /// Whether the body holds a secret.
    pub(super) body_is_confidential: bool,
}

/// A header of the check.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: HeaderName,
    /// One that is sensitive goes to no other host.
    pub(super) value: HeaderValue,
}

impl Request {
    /// The first request of a run.
    ///
    /// # Errors
    /// When a secret cannot be read, or cannot stand in a header.
    pub(super) fn new(check: &HttpCheck, run: &mut Run) -> Result<Self, Finding> {
        let mut fields = Vec::with_capacity(check.headers.len());
        for (name, text) in check.headers.iter().filter(|(name, _)| !FRAMING.contains(name)) {
            let value = HeaderValue::from_str(&run.read(text)?);
            let mut value = value.map_err(|_| {
                Finding::new(Cause::Local, format!("what is to be sent as {name} cannot stand in a header"))
            })?;
            value.set_sensitive(matches!(text, Text::Secret(_)) || CONFIDENTIAL_HEADERS.contains(name));
            fields.push(Field { name: name.clone(), value });
        }
        let body = check.body.as_ref().map(|text| run.read_whole(text)).transpose()?.unwrap_or_default().into();
        let body_is_confidential = matches!(check.body, Some(Text::Secret(_)));
        Ok(Self { url: check.url.clone(), method: check.method.clone(), fields, body, body_is_confidential })
    }

    /// As it is sent: ours first, in whose place those of the check stand.
    pub(super) fn on_the_wire(&self) -> Result<hyper::Request<Full<Bytes>>, Finding> {
        let wrong = |error: &dyn std::error::Error| Finding::new(Cause::Local, format!("its address is none: {error}"));
        let mut request = hyper::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() =
            self.url[Position::BeforePath..Position::AfterQuery].parse().map_err(|error| wrong(&error))?;
        let host = &self.url[Position::BeforeHost..Position::AfterPort];
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_str(host).map_err(|error| wrong(&error))?);
        headers.insert(USER_AGENT, HeaderValue::from_static(shared::http::USER_AGENT));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        self.overlay(headers);
        Ok(request)
    }

    fn overlay(&self, headers: &mut HeaderMap) {
        self.fields.iter().for_each(|field| drop(headers.remove(&field.name)));
        for Field { name, value } in &self.fields {
            headers.append(name, value.clone());
        }
    }
}
