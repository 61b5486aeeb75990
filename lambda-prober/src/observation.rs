//! What a run saw: plain values, phase by phase, that [`judge`](crate::judge) reads and [`explain`](crate::explain) tells.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

pub use shared::names::Family;

use crate::{
    head::NotHttp,
    identity::{Identity, Proven},
    marks::Marks,
};

/// One attempt: the name was resolved, and every address that it has was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Since the run began.
    pub started: Duration,
    pub resolution: Resolution,
    /// Those that were found and tried.
    pub addresses: Vec<IpAddr>,
    /// One for each address, in no particular order; those still under way shortly after another answered are left out.
    pub exchanges: Vec<Exchange>,
    /// Who was reached shortly afterwards; only asked where the home was not.
    pub testimony: Option<Testimony>,
}

/// What the resolve phase brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The target is an address already.
    Literal,
    Resolved {
        took: Duration,
        /// One family's question failed although the other's brought addresses.
        trouble: Option<(Family, NameTrouble)>,
    },
    /// The name service says that there is no such name (NXDOMAIN for both families).
    NoSuchName { took: Duration },
    /// The name service did not say.
    Trouble { took: Duration, trouble: NameTrouble },
}

impl Resolution {
    /// How long the name took.
    pub fn took(&self) -> Duration {
        match *self {
            Self::Literal => Duration::ZERO,
            Self::Resolved { took, .. } | Self::NoSuchName { took } | Self::Trouble { took, .. } => took,
        }
    }
}

/// How the name service failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameTrouble {
    Timeout,
    /// It answered with an error (SERVFAIL, REFUSED …) or could not be reached.
    Error,
    /// It knows the name, but no address of it.
    Empty,
}

/// One connection to one address: how long each phase took as far as it came, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub address: SocketAddr,
    pub origin: Origin,
    pub phases: Phases,
    /// Why the certificate that was shown is not valid; `None` where it is, or none was asked for.
    pub certificate: Option<String>,
    pub outcome: Result<Answer, Failure>,
}

/// How an address was come by.
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
    pub connect: Option<Duration>,
    /// Absent over plain HTTP.
    pub tls: Option<Duration>,
    /// From the request to the end of the answer's head.
    pub answer: Option<Duration>,
    /// Finding out whose answer it was, with another look at the keys where it took one. Absent where it was not asked.
    pub proof: Option<Duration>,
}

impl Phases {
    /// Whether the other side took the connection: the next phase was entered.
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
    pub status: u16,
    pub identity: Identity,
    /// What it told of itself besides.
    pub marks: Marks,
}

/// Why a connection brought no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    Refused,
    /// Broken off by the other side, or by something between.
    Reset,
    /// Something answered, but not in HTTP.
    NotHttp(NotHttp),
    /// The handshake failed; the text is for people.
    Tls(String),
    /// A phase's deadline passed.
    TimedOut,
    /// The network says that there is no way to the address.
    Unreachable,
    /// This machine could not even try (out of files, forbidden …): says nothing about the home.
    Local(String),
}

/// What the witnesses said who had spoken when enough was known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Testimony(pub Vec<Statement>);

/// Whether one address of a witness could be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Host and port, as in the settings.
    pub witness: String,
    /// `None` where its name could not be resolved.
    pub address: Option<SocketAddr>,
    pub outcome: Result<Duration, Failure>,
}

impl Testimony {
    /// Whether any witness was reached over that family.
    pub fn reached(&self, family: Family) -> bool {
        self.reached_addresses().any(|address| Family::of(address.ip()) == family)
    }

    /// Whether any witness was reached at all.
    pub fn reached_any(&self) -> bool {
        self.reached_addresses().next().is_some()
    }

    fn reached_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().filter(|statement| statement.outcome.is_ok()).filter_map(|statement| statement.address)
    }
}

impl Exchange {
    /// Whether this alone shows that the home answers: an answer, and the home's where that can be told.
    pub fn is_enough(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|answer| answer.identity.is_enough())
    }

    /// The proof that was given, and where.
    pub fn proven(&self) -> Option<Proven> {
        match self.outcome.as_ref().ok()?.identity {
            Identity::Proven { running, .. } => Some(Proven { at: self.address.ip(), running }),
            _ => None,
        }
    }

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
