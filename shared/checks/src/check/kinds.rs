//! What each kind of check asks for.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use hyper::{
    Method,
    header::{AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION},
};
use regex::Regex;
use shared::secret::SecretSource;
use url::Url;

use super::expect::{CertificateAges, Expect};

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A request over HTTP.
    Http(Box<HttpCheck>),
    /// A connection over TCP.
    Tcp(TcpCheck),
    /// A handshake of TLS, and the certificate that it shows.
    Tls(TlsCheck),
    /// A question to a name server.
    Dns(DnsCheck),
    /// Echoes.
    Icmp(IcmpCheck),
    /// The health service of gRPC.
    Grpc(GrpcCheck),
    /// A program that keeps the contract of monitoring plugins.
    Script(ScriptCheck),
    /// Nothing: it calls us. The keeper alone sees to it.
    Passive(PassiveCheck),
}

impl Kind {
    /// The kind as files and metrics name it.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Tcp(_) => "tcp",
            Self::Tls(_) => "tls",
            Self::Dns(_) => "dns",
            Self::Icmp(_) => "icmp",
            Self::Grpc(_) => "grpc",
            Self::Script(_) => "script",
            Self::Passive(_) => "passive",
        }
    }
}

/// A text that may be a secret.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    /// As the file has it.
    Plain(String),
    /// Of a variable, or of the file that one names; read at each use.
    Secret(SecretSource),
}

/// Headers that hold a secret although a file has it in the open.
pub const CONFIDENTIAL_HEADERS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// A request over HTTP/1.1, one connection for each.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpCheck {
    /// Where; without user name and password.
    pub url: Url,
    /// By which method.
    pub method: Method,
    /// Headers, in the place of ours of the same name.
    pub headers: Vec<(HeaderName, Text)>,
    /// The body that is sent.
    pub body: Option<Text>,
    /// How many redirects are followed; where there are more, that is a failure. With none, a redirect is the answer.
    pub redirects: u8,
    /// Whether a certificate that is not valid is a failure.
    pub verify: bool,
    /// What the answer must be.
    pub expect: Expect,
    /// Slower, it is a warning. Measured from the start of the run that succeeded to the answer's head.
    pub slow_above: Option<Duration>,
}

/// A connection over TCP.
#[derive(Clone, Debug)]
pub struct TcpCheck {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What is written once connected.
    pub send: Option<Text>,
    /// What must be read, within 4 KiB.
    pub banner: Option<Regex>,
    /// Whether TLS is spoken first.
    pub tls: bool,
    /// Whether a certificate that is not valid is a failure.
    pub verify: bool,
}

impl PartialEq for TcpCheck {
    fn eq(&self, other: &Self) -> bool {
        let Self { host, port, send, banner, tls, verify } = self;
        let banners = (banner.as_ref().map(Regex::as_str), other.banner.as_ref().map(Regex::as_str));
        (host, port, send, tls, verify) == (&other.host, &other.port, &other.send, &other.tls, &other.verify)
            && banners.0 == banners.1
    }
}

/// A handshake of TLS.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsCheck {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The name that the certificate must be for, where it is another one.
    pub name: Option<String>,
    /// Whether the chain must lead to an authority that is trusted here.
    pub verify: bool,
    /// The oldest version of TLS that is accepted: `1.2` or `1.3`.
    pub least_version: Option<TlsVersion>,
    /// For how long the certificate must be valid yet.
    pub certificate: CertificateAges,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2
    V1_2,
    /// TLS 1.3
    V1_3,
}

/// A question to a name server.
#[derive(Clone, Debug, PartialEq)]
pub struct DnsCheck {
    /// What is asked about.
    pub name: String,
    /// Which records are asked for.
    pub record: RecordType,
    /// Who is asked; without it the servers of this machine, one after the other.
    pub server: Option<SocketAddr>,
    /// Records that must all be in the answer, as people write them; none: any will do.
    pub expect: Vec<Record>,
    /// Whether there must be no other ones.
    pub exactly: bool,
}

/// The types of records that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name.
    Cname,
    /// Who takes mail: `10 mail.example.com`.
    Mx,
    /// The name servers of a zone.
    Ns,
    /// The name behind an address.
    Ptr,
    /// The start of a zone.
    Soa,
    /// A service: `0 5 5060 sip.example.com`.
    Srv,
    /// A text.
    Txt,
    /// Who may sign certificates: `0 issue "letsencrypt.org"`.
    Caa,
}

/// A record's data as people write it; compared without regard to capitals and to the dot at the end of a name.
pub type Record = String;

/// Echoes to a host.
#[derive(Clone, Debug, PartialEq)]
pub struct IcmpCheck {
    /// A name or an address.
    pub host: String,
    /// How many echoes a run sends: 1 to 20.
    pub count: u8,
    /// More percent lost than this is a warning.
    pub loss_warning: Option<f64>,
    /// More percent lost than this is critical; all lost always is.
    pub loss_critical: Option<f64>,
    /// A longer average round trip than this is a warning.
    pub rtt_warning: Option<Duration>,
    /// A longer average round trip than this is critical.
    pub rtt_critical: Option<Duration>,
}

/// A call of `grpc.health.v1.Health/Check`.
#[derive(Clone, Debug, PartialEq)]
pub struct GrpcCheck {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The service that is asked about; empty: the server as a whole.
    pub service: String,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Whether a certificate that is not valid is a failure.
    pub verify: bool,
}

/// A program that keeps the contract of monitoring plugins: exit code 0 to 3, a text, figures behind a pipe.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptCheck {
    /// The program and its arguments: no shell is in between.
    pub command: Vec<String>,
    /// Variables of its environment, which has nothing else but `PATH` and `LC_ALL=C`.
    pub environment: Vec<(String, Text)>,
    /// The folder that it runs in; `/` where it is left out.
    pub folder: Option<PathBuf>,
    /// The user that it runs as, where this process may choose.
    pub uid: Option<u32>,
}

/// Something that calls us: a backup, a cron job.
#[derive(Clone, Debug, PartialEq)]
pub struct PassiveCheck {
    /// How often it calls.
    pub period: Duration,
    /// How much later it may be.
    pub grace: Duration,
    /// What its address ends with: 22 or more characters that cannot be guessed.
    pub secret: SecretSource,
}
