//! What an answer over HTTP must be.

use std::{ops::RangeInclusive, time::Duration};

use hyper::{StatusCode, header::HeaderName};
use regex::Regex;
use serde_json_path::JsonPath;

/// What an answer must be; all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expect {
    /// One of these; empty: 200 to 399.
    pub status: Vec<StatusRange>,
    /// What its body must hold.
    pub body: Vec<BodyExpectation>,
    /// What its headers must be.
    pub headers: Vec<HeaderExpectation>,
    /// The largest body, in bytes; a longer one is a failure where this is set. In any case no more than the first MiB is read.
    pub largest: Option<u64>,
    /// For how long its certificate must be valid yet.
    pub certificate: CertificateAges,
}

/// Statuses, both ends included.
pub type StatusRange = RangeInclusive<u16>;

/// What a body must hold.
#[derive(Clone, Debug)]
pub enum BodyExpectation {
    /// A match of this.
    Matches(Regex),
    /// No match of this.
    MatchesNot(Regex),
    /// A value at this place of it as JSON, and which: any where both are left out.
    Json {
        /// Where, after RFC 9535.
        path: JsonPath,
        /// The value.
        equals: Option<serde_json::Value>,
        /// Its text matches this.
        matches: Option<Regex>,
    },
}

/// What a header must be.
#[derive(Clone, Debug)]
pub struct HeaderExpectation {
    /// The header.
    pub name: HeaderName,
    /// One of its values matches this; without it, the header must be there.
    pub matches: Option<Regex>,
}

/// For how long a certificate must be valid yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CertificateAges {
    /// Less is a warning.
    pub warning: Option<Duration>,
    /// Less is critical.
    pub critical: Option<Duration>,
}

impl PartialEq for BodyExpectation {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Matches(one), Self::Matches(other)) | (Self::MatchesNot(one), Self::MatchesNot(other)) => {
                one.as_str() == other.as_str()
            }
            (
                Self::Json { path, equals, matches },
                Self::Json { path: other_path, equals: other_equals, matches: other_matches },
            ) => {
                let texts = (matches.as_ref().map(Regex::as_str), other_matches.as_ref().map(Regex::as_str));
                path == other_path && equals == other_equals && texts.0 == texts.1
            }
            _ => false,
        }
    }
}

impl PartialEq for HeaderExpectation {
    fn eq(&self, other: &Self) -> bool {
        let Self { name, matches } = self;
        *name == other.name && matches.as_ref().map(Regex::as_str) == other.matches.as_ref().map(Regex::as_str)
    }
}

impl Expect {
    /// Whether an answer with that status is a good one.
    pub fn accepts(&self, status: StatusCode) -> bool {
        let status = status.as_u16();
        if self.status.is_empty() {
            return (200..400).contains(&status);
        }
        self.status.iter().any(|range| range.contains(&status))
    }
}
