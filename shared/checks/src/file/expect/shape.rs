//! The shape of what an answer must be.

use std::collections::BTreeMap;

#[cfg(feature = "files")]
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::file::words::{Several, Span, Words};

/// What an answer must be; all of it.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "files", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::file) struct Expect {
    /// One of these statuses: `200`, `"301-308"` (200 to 399).
    #[serde(default)]
    pub(in crate::file) status: Several<Words>,
    /// What the body must hold.
    pub(in crate::file) body: Option<Body>,
    /// What the body must be as JSON.
    #[serde(default)]
    pub(in crate::file) json: Vec<Json>,
    /// Headers that must be there, and what they must match.
    #[serde(default)]
    pub(in crate::file) headers: BTreeMap<String, Option<Header>>,
    /// The largest body: `64KiB`. At most the first MiB is read.
    pub(in crate::file) largest: Option<Words>,
    /// For how long the certificate must be valid yet.
    pub(in crate::file) certificate: Option<Certificate>,
}

/// What a body must hold.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "files", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::file) struct Body {
    /// A match of each of these regular expressions.
    #[serde(default)]
    pub(in crate::file) matches: Several<Words>,
    /// A match of none of these.
    #[serde(default)]
    pub(in crate::file) matches_not: Several<Words>,
}

/// A value in a body of JSON.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "files", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::file) struct Json {
    /// Where, after RFC 9535: `$.state`.
    pub(in crate::file) path: Words,
    /// What is there, of any type; without it and `matches`, anything.
    #[serde(default, deserialize_with = "even_null")]
    pub(in crate::file) equals: Option<serde_json::Value>,
    /// What its text matches.
    pub(in crate::file) matches: Option<Words>,
}

/// `equals: null` asks for null.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(deserializer).map(Some)
}

/// What a header must be.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "files", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::file) struct Header {
    /// What one of its values matches; without it, it must be there.
    pub(in crate::file) matches: Option<Words>,
}

/// For how long a certificate must be valid yet.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "files", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::file) struct Certificate {
    /// Less is a warning: `14d`.
    pub(in crate::file) warning: Option<Span>,
    /// Less is critical: `3d`.
    pub(in crate::file) critical: Option<Span>,
}
