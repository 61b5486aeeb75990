//! The shape of `checks.yml`, from which its JSON Schema is made: what is said here of a key is what editors show.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kinds::{Dns, Grpc, Http, Icmp, Passive, Script, Tcp, Tls};
use crate::file::words::{Several, Span, Words};

/// What Porchlight checks beside the home itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "checks.yml of Porchlight")]
pub(super) struct File {
    /// What holds for each check that says nothing else.
    #[serde(default)]
    pub(super) defaults: Option<Defaults>,
    /// The checks: at most 10 000.
    #[serde(default)]
    pub(super) checks: Option<Vec<Definition>>,
}

/// What holds for each check that says nothing else.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Defaults {
    /// From one run to the next: 5s or more (60s).
    pub(super) every: Option<Span>,
    /// The deadline of a run, its retries included (10s).
    pub(super) timeout: Option<Span>,
    /// How often a run that fails tries again before it counts as failed: 10 at most (1).
    pub(super) retries: Option<u8>,
    /// Failed runs in a row until it counts as down (2).
    pub(super) fail_after: Option<u32>,
    /// Runs in a row that worked until it counts as up again (1).
    pub(super) recover_after: Option<u32>,
}

/// One check: a name or a title, one of the kinds, and what is to be another way than the defaults.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = kinds(), "anyOf" = [{"required": ["name"]}, {"required": ["title"]}]))]
pub(super) struct Definition {
    /// By what it is known, in readings and metrics: up to 50 lower-case letters, digits and `_ - .` Without it, it is made from
    /// the title.
    pub(super) name: Option<Words>,
    /// Its name before, whose history it goes on with.
    pub(super) was: Option<Words>,
    /// What people read: the name, unless it is set.
    pub(super) title: Option<Words>,
    /// The group of the page that it is in.
    pub(super) group: Option<Words>,
    /// From one run to the next: 5s or more.
    pub(super) every: Option<Span>,
    /// The deadline of a run, its retries included: at most `every`.
    pub(super) timeout: Option<Span>,
    /// How often a run that fails tries again before it counts as failed: 10 at most.
    pub(super) retries: Option<u8>,
    /// Failed runs in a row until it counts as down.
    pub(super) fail_after: Option<u32>,
    /// Runs in a row that worked until it counts as up again.
    pub(super) recover_after: Option<u32>,
    /// What must be up for its failures to say anything of itself: `home`, or names of other checks.
    #[serde(default)]
    pub(super) depends_on: Several<Words>,
    /// Where its state is shown: `own` (a component that is made for it), `nowhere`, or the id of a component that is there.
    pub(super) component: Option<Words>,
    /// When people are written to about it.
    pub(super) notices: Option<Notices>,
    /// A request over HTTP.
    pub(super) http: Option<Box<Http>>,
    /// A connection over TCP.
    pub(super) tcp: Option<Tcp>,
    /// A TLS handshake, and the certificate.
    pub(super) tls: Option<Tls>,
    /// A question to a name server.
    pub(super) dns: Option<Dns>,
    /// Echoes (ping).
    pub(super) icmp: Option<Icmp>,
    /// The health service of gRPC.
    pub(super) grpc: Option<Grpc>,
    /// A program that keeps the contract of monitoring plugins.
    pub(super) script: Option<Script>,
    /// Nothing is asked: it calls us.
    pub(super) passive: Option<Passive>,
}

/// The kinds of checks, by their keys.
pub(super) const KINDS: [&str; 8] = ["http", "tcp", "tls", "dns", "icmp", "grpc", "script", "passive"];

fn kinds() -> serde_json::Value {
    KINDS.iter().map(|kind| serde_json::json!({"required": [kind]})).collect()
}

/// When people are written to about a check.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Notices {
    /// Whether they are at all (true).
    pub(super) wanted: Option<bool>,
    /// After how many failed runs (1).
    pub(super) after_failures: Option<u32>,
    /// Of each change of its state, a warning included, and not only of begin and end (false).
    pub(super) all_changes: Option<bool>,
}

/// Keys with texts, some of them secrets.
pub(super) type Texts = BTreeMap<String, crate::file::words::TextOrSecret>;
