//! What can go wrong with a measurement. Each is a sentence that names the host; none is ever a speed of 0.

use std::time::Duration;

use hyper::{StatusCode, header::CONTENT_TYPE, http::response};
use shared::{http::wait_asked, message::JobFault, retry::Retryable};

use super::sources::parsers::is_html;

/// Why nothing, or no more, was measured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MeasureError {
    #[error("{host} cannot be reached ({why})")]
    Unreachable { host: String, why: String },
    #[error("{host}: the connection broke ({why})")]
    Broken { host: String, why: String },
    #[error("{host} sent nothing for {} s", after.as_secs())]
    Silent { host: String, after: Duration },
    #[error("{host} answered with an HTML page instead of {instead}: perhaps a proxy or a login page did in its place")]
    Html { host: String, instead: &'static str },
    #[error("{host} redirects ({status}) instead of answering with {instead}: redirects are not followed")]
    Redirected { host: String, status: u16, instead: &'static str },
    #[error("{host} refuses to answer with {instead} ({status})")]
    Refused { host: String, status: u16, instead: &'static str },
    #[error("{host} wants fewer requests ({status}): {}", again(*.after))]
    Limited { host: String, status: u16, after: Option<Duration> },
    #[error("a proxy on the way to {host} wants a password ({status})")]
    Proxy { host: String, status: u16 },
    #[error("{host} fails ({status})")]
    Server { host: String, status: u16 },
    #[error("{host} answered {status} instead of {instead}")]
    Status { host: String, status: u16, instead: &'static str },
    #[error("{host}: {what}")]
    Unusable { host: String, what: String },
    #[error("{0}")]
    Other(String),
}

impl MeasureError {
    pub(crate) fn unusable(host: &str, what: impl Into<String>) -> Self {
        Self::Unusable { host: host.to_owned(), what: what.into() }
    }

    /// What to do about it.
    pub(crate) fn fault(&self) -> JobFault {
        match self {
            Self::Html { .. } | Self::Redirected { .. } | Self::Proxy { .. } => JobFault::Intercepted,
            _ => JobFault::NotMeasured,
        }
    }

    /// The run has used what it may.
    pub(crate) fn spent() -> Self {
        Self::Other("nothing is left of what this run may use".into())
    }

    /// Checks the head of an answer that should be `instead`.
    ///
    /// # Errors
    /// When it is something else.
    pub(crate) fn check(host: &str, head: &response::Parts, instead: &'static str) -> Result<(), Self> {
        let (host, status) = (host.to_owned(), head.status.as_u16());
        Err(match head.status {
            StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT | StatusCode::PARTIAL_CONTENT => {
                return Ok(());
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Refused { host, status, instead },
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => Self::Proxy { host, status },
            StatusCode::TOO_MANY_REQUESTS => Self::Limited { host, status, after: wait_asked(status, &head.headers) },
            StatusCode::REQUEST_TIMEOUT => Self::Server { host, status },
            other if other.is_redirection() => Self::Redirected { host, status, instead },
            other if other.is_server_error() => Self::Server { host, status },
            _ => Self::Status { host, status, instead },
        })
    }

    /// As [`MeasureError::check`]; a page is no such answer either.
    ///
    /// # Errors
    /// When it is something else.
    pub(crate) fn check_payload(host: &str, head: &response::Parts, instead: &'static str) -> Result<(), Self> {
        Self::check(host, head, instead)?;
        let kind = head.headers.get(CONTENT_TYPE).and_then(|field| field.to_str().ok());
        match kind {
            Some(kind) if is_html(Some(kind), b"") => Err(Self::Html { host: host.to_owned(), instead }),
            _ => Ok(()),
        }
    }
}

impl Retryable for MeasureError {
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } | Self::Silent { .. } | Self::Server { .. } => {
                Some(Duration::ZERO)
            }
            // Without a time, this is no passing limit.
            Self::Limited { after, .. } => *after,
            _ => None,
        }
    }

    fn out_of_time() -> Self {
        Self::Other("there was no answer in time".into())
    }
}

fn again(after: Option<Duration>) -> String {
    match after {
        None => "try again later".into(),
        Some(after) if after < Duration::from_mins(2) => format!("try again in {} s", after.as_secs()),
        Some(after) => format!("try again in {} minutes", after.as_secs().div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use hyper::{Response, header::RETRY_AFTER};

    use super::*;

    fn checked(status: u16, fields: &[(&str, &str)]) -> String {
        let response =
            fields.iter().fold(Response::builder().status(status), |r, (name, value)| r.header(*name, *value));
        let head = response.body(()).unwrap().into_parts().0;
        MeasureError::check_payload("h.example", &head, "payload")
            .map_or_else(|error| error.to_string(), |()| "good".into())
    }

    #[test]
    fn every_answer_that_is_none_is_described_in_a_sentence() {
        for (status, fields, sentence) in [
            (200, &[][..], "good"),
            (206, &[("content-type", "application/octet-stream")], "good"),
            (
                200,
                &[("content-type", "text/html")],
                "h.example answered with an HTML page instead of payload: perhaps a \
                 proxy or a login page did in its place",
            ),
            (
                302,
                &[("location", "https://login/")],
                "h.example redirects (302) instead of answering with payload: redirects are \
                 not followed",
            ),
            (403, &[], "h.example refuses to answer with payload (403)"),
            (404, &[], "h.example answered 404 instead of payload"),
            (407, &[], "a proxy on the way to h.example wants a password (407)"),
            (429, &[], "h.example wants fewer requests (429): try again in 60 s"),
            (429, &[(RETRY_AFTER.as_str(), "3000")], "h.example wants fewer requests (429): try again in 50 minutes"),
            (429, &[(RETRY_AFTER.as_str(), "7")], "h.example wants fewer requests (429): try again in 7 s"),
            (503, &[], "h.example fails (503)"),
        ] {
            assert_eq!(checked(status, fields), sentence);
        }
    }
}
