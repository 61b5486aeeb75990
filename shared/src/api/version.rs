//! Versions of what a service keeps, so that it can be replaced only if no other client has done so meanwhile (RFC 9110,
//! section 13.1).

use reqwest::{
    Response,
    header::{ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH},
};

/// The version that a service sent with its answer, if any; the default is that nothing is kept yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version(Option<HeaderValue>);

impl Version {
    pub(super) fn of(response: &Response) -> Self {
        Self(response.headers().get(ETAG).cloned())
    }

    /// The field of a request that may only change this version.
    pub(super) fn condition(&self) -> (HeaderName, HeaderValue) {
        match &self.0 {
            Some(tag) => (IF_MATCH, tag.clone()),
            None => (IF_NONE_MATCH, HeaderValue::from_static("*")),
        }
    }
}
