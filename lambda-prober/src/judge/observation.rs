//! What a run saw: plain values, phase by phase.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use checks::cause::Cause;
use shared::{connection::ConnectionFailure, names::Family};

use super::{
    headers::AnswerHeaders,
    identity::{Identity, Proven},
};

/// One attempt at one of a home's web addresses: its name was resolved, and every IP address that it has was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which of the home's web addresses, from 0. All of them are tried at once.
    pub place: usize,
    /// Since the run began.
    pub started: Duration,
    /// How the name was resolved.
    pub resolution: Resolution,
    /// The addresses that were found and tried.
    pub addresses: Vec<IpAddr>,
    /// One for each address, in no particular order; those still under way shortly after another answered are left out.
    pub exchanges: Vec<Exchange>,
    /// Which witnesses were reached shortly afterwards; only asked where the home was not reached.
    pub witnesses: Option<WitnessEvidence>,
}

/// The outcome of the resolve phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The target is an address already.
    Literal,
    /// Addresses were found.
    Resolved {
        /// The duration of the phase.
        took: Duration,
        /// The query for one family failed although the other's brought addresses.
        failed: Option<(Family, NameServiceError)>,
    },
    /// The name service says that there is no such name (NXDOMAIN for both families).
    NoSuchName {
        /// The duration of the phase.
        took: Duration,
    },
    /// The name service failed.
    Failed {
        /// The duration of the phase.
        took: Duration,
        /// How it failed.
        error: NameServiceError,
    },
}

impl Resolution {
    /// The duration of the phase; zero where the target is an address.
    pub fn took(&self) -> Duration {
        match *self {
            Self::Literal => Duration::ZERO,
            Self::Resolved { took, .. } | Self::NoSuchName { took } | Self::Failed { took, .. } => took,
        }
    }
}

/// How the name service failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameServiceError {
    /// No answer in time.
    Timeout,
    /// It answered with an error (SERVFAIL, REFUSED …) or could not be reached.
    Error,
    /// It knows the name, but no address of it.
    Empty,
}

/// One connection to one address: the duration of each phase that was entered, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The address that was tried.
    pub address: SocketAddr,
    /// How the address is known.
    pub origin: Origin,
    /// The durations.
    pub phases: Phases,
    /// Why the certificate that was shown is not valid; `None` where it is valid, or none was shown.
    pub certificate: Option<String>,
    /// The answer, or why there was none.
    pub outcome: Result<Answer, Failure>,
}

/// How an address is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is the target's, or its name's.
    Target,
    /// The home last proved itself there; tried where the name fails.
    LastProven,
}

/// Durations of the phases that were entered; the last one is that of the failure, if there was one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// The TCP handshake.
    pub connect: Option<Duration>,
    /// The TLS handshake; absent over plain HTTP.
    pub tls: Option<Duration>,
    /// From the request to the end of the answer's head (TTFB).
    pub answer: Option<Duration>,
    /// From there to the end of the body, or of what is read of it; absent where it is not read.
    pub body: Option<Duration>,
    /// Checking the proof, with another read of the keys where that was needed. Absent where no proof was asked for.
    pub proof: Option<Duration>,
}

impl Phases {
    /// Whether the other side accepted the connection: the next phase was entered.
    pub const fn connected(&self) -> bool {
        self.tls.is_some() || self.answer.is_some()
    }

    /// From the beginning to the end of the answer's head.
    pub fn until_answer(&self) -> Duration {
        [self.connect, self.tls, self.answer].into_iter().flatten().sum()
    }
}

/// The head of an HTTP answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Who sent it.
    pub identity: Identity,
    /// What else it says of its sender.
    pub headers: AnswerHeaders,
    /// What of it is not as expected of the target; `None` where all is, or nothing is expected.
    pub unmet: Option<Unmet>,
}

/// What of an answer is not as expected: the first thing that is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Whether that is an outage, or something to see to in time.
    pub weight: Weight,
    /// What it is.
    pub cause: Cause,
    /// The same in one line, for people: what was expected, and what came.
    pub text: String,
}

/// How much something that is not as expected weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The target works all the same.
    Warning,
    /// The target does not do what it should.
    Critical,
}

/// Why a connection brought no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The port is closed.
    Refused,
    /// Closed by the other side, or by something in between.
    Reset,
    /// Something answered, but not in HTTP.
    NotHttp(NotHttp),
    /// The handshake failed; the text says why, for people.
    Tls(String),
    /// A phase's deadline passed.
    TimedOut,
    /// The network says that there is no way to the address.
    Unreachable,
    /// This machine could not even try (out of files, forbidden …): says nothing about the home.
    Local(String),
}

impl From<ConnectionFailure> for Failure {
    fn from(failure: ConnectionFailure) -> Self {
        match failure {
            ConnectionFailure::Refused => Self::Refused,
            ConnectionFailure::Reset => Self::Reset,
            ConnectionFailure::Unreachable => Self::Unreachable,
            ConnectionFailure::TimedOut => Self::TimedOut,
            ConnectionFailure::Local(why) => Self::Local(why),
        }
    }
}

/// What was read is not an answer in HTTP/1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotHttp {
    /// A TLS alert (RFC 8446, section 5.1): the port expects https.
    Tls,
    /// Anything else.
    Unknown,
}

/// The results of the witnesses that had answered or failed when enough was known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WitnessEvidence(pub Vec<WitnessResult>);

/// Whether one address of a witness could be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessResult {
    /// Host and port, as in the settings.
    pub witness: String,
    /// `None` where its name could not be resolved.
    pub address: Option<SocketAddr>,
    /// The duration of the TCP handshake, or how it failed.
    pub outcome: Result<Duration, Failure>,
}

impl WitnessEvidence {
    /// Whether any witness was reached over that family.
    pub fn reached(&self, family: Family) -> bool {
        self.reached_addresses().any(|address| Family::of(address.ip()) == family)
    }

    /// Whether any witness was reached at all.
    pub fn reached_any(&self) -> bool {
        self.reached_addresses().next().is_some()
    }

    fn reached_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().filter(|result| result.outcome.is_ok()).filter_map(|result| result.address)
    }
}

impl Answer {
    /// How much what is not as expected weighs; `None` where all is as expected.
    pub fn weight(&self) -> Option<Weight> {
        self.unmet.as_ref().map(|unmet| unmet.weight)
    }
}

impl Exchange {
    /// Whether this alone shows that the home answers: an answer, a proven one where the home has a key, and one as expected
    /// where something is expected.
    pub fn is_enough(&self) -> bool {
        self.outcome
            .as_ref()
            .is_ok_and(|answer| answer.identity.is_enough() && answer.weight() != Some(Weight::Critical))
    }

    /// The proof that was given, and at which address.
    pub fn proven(&self) -> Option<Proven> {
        match self.outcome.as_ref().ok()?.identity {
            Identity::Proven { running, .. } => Some(Proven { at: self.address.ip(), running }),
            _ => None,
        }
    }

    /// IPv4 or IPv6.
    pub fn family(&self) -> Family {
        Family::of(self.address.ip())
    }
}

impl Attempt {
    /// An exchange that is enough to say that the home answers, if there was one.
    pub fn enough(&self) -> Option<&Exchange> {
        self.exchanges.iter().find(|exchange| exchange.is_enough())
    }
}
