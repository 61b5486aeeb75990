//! The shape of each kind of check in `checks.yml`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::definition::Texts;
use crate::file::{
    expect::shape::{Certificate, Expect},
    words::{Several, Span, TextOrSecret, Words},
};

/// A request over HTTP.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    /// Where: http or https, without user name and password.
    pub(super) url: Words,
    /// By which method (GET).
    pub(super) method: Option<Words>,
    /// Headers, each a text or `{ secret: NAME }`.
    #[serde(default)]
    pub(super) headers: Texts,
    /// The body that is sent.
    pub(super) body: Option<TextOrSecret>,
    /// How many redirects are followed; one more is a failure, and with 0 the first is the answer (5).
    pub(super) redirects: Option<u8>,
    /// Whether a certificate that is not valid is a failure (true).
    pub(super) verify: Option<bool>,
    /// Slower is a warning.
    pub(super) slow_above: Option<Span>,
    /// What the answer must be.
    pub(super) expect: Option<Expect>,
}

/// A connection over TCP.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tcp {
    /// A name or an address.
    pub(super) host: Words,
    /// The port.
    pub(super) port: u16,
    /// What is written once connected.
    pub(super) send: Option<TextOrSecret>,
    /// What is read then matches this.
    pub(super) banner: Option<Words>,
    /// Whether TLS is spoken first (false).
    pub(super) tls: Option<bool>,
    /// Whether a certificate that is not valid is a failure (true).
    pub(super) verify: Option<bool>,
}

/// A TLS handshake, and the certificate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    /// A name or an address.
    pub(super) host: Words,
    /// The port (443).
    pub(super) port: Option<u16>,
    /// The name that the certificate must be for, where it is not the host's.
    pub(super) name: Option<Words>,
    /// Whether the chain must lead to an authority that is trusted here (true).
    pub(super) verify: Option<bool>,
    /// The oldest version of TLS that is accepted: `1.2` or `1.3`.
    pub(super) least_version: Option<Words>,
    /// For how long the certificate must be valid yet (14d and 3d).
    pub(super) certificate: Option<Certificate>,
}

/// A question to a name server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Dns {
    /// What is asked about.
    pub(super) name: Words,
    /// Which records: A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT or CAA (A).
    pub(super) record: Option<Words>,
    /// Who is asked: an address, with a port where it is not 53. Without it, the servers of this machine.
    pub(super) server: Option<Words>,
    /// Records that must be in the answer.
    #[serde(default)]
    pub(super) expect: Several<Words>,
    /// Whether there must be no others (false).
    pub(super) exactly: Option<bool>,
}

/// Echoes (ping).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Icmp {
    /// A name or an address.
    pub(super) host: Words,
    /// How many echoes a run sends: 1 to 20 (3).
    pub(super) count: Option<u8>,
    /// What is a warning.
    pub(super) warning: Option<Echoes>,
    /// What is critical; that all are lost always is.
    pub(super) critical: Option<Echoes>,
}

/// Bounds of echoes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Echoes {
    /// More percent lost than this.
    pub(super) loss: Option<f64>,
    /// A longer average round trip than this.
    pub(super) rtt: Option<Span>,
}

/// The health service of gRPC.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Grpc {
    /// A name or an address.
    pub(super) host: Words,
    /// The port.
    pub(super) port: u16,
    /// The service; without it, the server as a whole.
    pub(super) service: Option<Words>,
    /// Whether TLS is spoken (false).
    pub(super) tls: Option<bool>,
    /// Whether a certificate that is not valid is a failure (true).
    pub(super) verify: Option<bool>,
}

/// A program that keeps the contract of monitoring plugins.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// The program with its whole path, and its arguments; no shell is in between.
    pub(super) command: Vec<Words>,
    /// Secrets that it gets as variables of their names.
    #[serde(default)]
    pub(super) secrets: Vec<Words>,
    /// Variables of its environment, each a text or `{ secret: NAME }`.
    #[serde(default)]
    pub(super) environment: Texts,
    /// The folder that it runs in (/).
    pub(super) folder: Option<Words>,
    /// The number of the user that it runs as, where that can be chosen.
    pub(super) uid: Option<u32>,
}

/// Something that calls us: a backup, a cron job.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Passive {
    /// How often it calls: `1d`.
    pub(super) period: Span,
    /// How much later it may be (1h).
    pub(super) grace: Option<Span>,
    /// The variable with the secret that its address ends with, or, with `_FILE` behind it, with a file that holds it.
    pub(super) secret: Words,
}
