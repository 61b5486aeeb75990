//! What the home saw from inside, in few bytes.

use std::{fmt, str::FromStr};

use super::whole;

/// Whether something answers the home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It answers.
    Up,
    /// It does not.
    Down,
    /// It is not measured, or not lately.
    Unknown,
}

/// Whether something answers the home, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whether it does.
    pub reach: Reach,
    /// For how many seconds that has been so; 0 where it is not known.
    pub since: u64,
}

/// What answers the home. Written `router=up/3600;provider=up/3600;world=down/120;names=unknown/0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The router.
    pub router: Seen,
    /// The provider's first hop.
    pub provider: Seen,
    /// Hosts outside, by their addresses.
    pub world: Seen,
    /// The home's name servers.
    pub names: Seen,
}

/// What kept the home from the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutageKind {
    /// The host was off.
    Power,
    /// The router did not answer.
    Router,
    /// The router answered, and what is behind it on the way did not.
    Line,
    /// The provider's first hop answered, and nothing beyond it.
    Provider,
    /// Hosts answered by their addresses, and names could not be looked up.
    Names,
    /// The home itself could not be reached.
    Inbound,
    /// The beacon stood still.
    Beacon,
    /// None of these, or one that a later version knows.
    Other,
}

/// The last outage that the home knows to be over. Written `last=line/3720/120`, and `last=none` where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// What it was.
    pub kind: OutageKind,
    /// How many seconds ago it began, at the earliest that its evidence allows.
    pub began: u64,
    /// How many seconds ago it ended.
    pub ended: u64,
}

/// The longest word for a kind that a later version may have.
const MAX_KIND: usize = 16;

impl OutageKind {
    /// Every kind.
    pub const ALL: [Self; 8] =
        [Self::Power, Self::Router, Self::Line, Self::Provider, Self::Names, Self::Inbound, Self::Beacon, Self::Other];

    /// For machines.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Router => "router",
            Self::Line => "line",
            Self::Provider => "provider",
            Self::Names => "names",
            Self::Inbound => "inbound",
            Self::Beacon => "beacon",
            Self::Other => "other",
        }
    }

    /// The kind that this label names; [`OutageKind::Other`] for a word of a later version.
    pub(super) fn of_label(label: &str) -> Option<Self> {
        let is_word = !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let known = || Self::ALL.into_iter().find(|kind| kind.label() == label);
        (is_word && label.len() <= MAX_KIND).then(|| known().unwrap_or(Self::Other))
    }
}

impl Seen {
    /// What is not measured.
    pub const UNKNOWN: Self = Self { reach: Reach::Unknown, since: 0 };
}

impl View {
    /// A home that measures nothing of this.
    pub const UNKNOWN: Self =
        Self { router: Seen::UNKNOWN, provider: Seen::UNKNOWN, world: Seen::UNKNOWN, names: Seen::UNKNOWN };
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reach = match self.reach {
            Reach::Up => "up",
            Reach::Down => "down",
            Reach::Unknown => "unknown",
        };
        write!(f, "{reach}/{}", self.since)
    }
}

impl FromStr for Seen {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (reach, since) = text.split_once('/').ok_or(())?;
        let reach = match reach {
            "up" => Reach::Up,
            "down" => Reach::Down,
            "unknown" => Reach::Unknown,
            _ => return Err(()),
        };
        Ok(Self { reach, since: whole(since).ok_or(())? })
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind.label(), self.began, self.ended)
    }
}

impl FromStr for Outage {
    type Err = ();

    /// It ended after it began.
    fn from_str(text: &str) -> Result<Self, ()> {
        let read = || {
            let (kind, times) = text.split_once('/')?;
            let (began, ended) = times.split_once('/')?;
            let outage = Self { kind: OutageKind::of_label(kind)?, began: whole(began)?, ended: whole(ended)? };
            (outage.ended <= outage.began).then_some(outage)
        };
        read().ok_or(())
    }
}
