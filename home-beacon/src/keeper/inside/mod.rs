//! The inside view: what the home itself knows of a time in which it was not seen from outside, or saw nothing of the world. Pure.
//!
//! - `observed`: what was recorded; `failing`: when something did not answer, to the precision of its records
//! - `classify`: from that to intervals, each of one [`Kind`]; `reach`, `congestion`, `outside`: its parts
//! - `words`: a kind in a sentence

mod classify;
mod congestion;
mod failing;
mod observed;
mod outside;
mod ranges;
mod reach;
#[cfg(test)]
mod stories;
mod words;

pub use self::{
    classify::classify,
    observed::{Observed, Probe, Role},
};

/// What kept the home from the world, or the world from the home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
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
    /// The world was there from home, and the home was not there for the world: forwarding, address, CGNAT.
    Inbound,
    /// The beacon did not answer at home either.
    Beacon,
    /// Nobody looked, and nothing was wrong at home.
    ProberSilent,
    /// The line was there and did not carry what it should.
    Congestion,
    /// Seen from outside, and nothing that was recorded at home explains it.
    NotKnown,
}

/// When something changed, in milliseconds since 1970: after the last record of before, and by the first of after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Not before.
    pub earliest: i64,
    /// Not after.
    pub latest: i64,
}

/// How sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// It fits, and another kind would fit too: something that would tell them apart is not measured.
    Low,
    /// By what was recorded on one side, at home or outside.
    Medium,
    /// By what was recorded on both.
    High,
}

/// What makes a time of its kind a special one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A bandwidth test filled the line meanwhile.
    DuringTest,
    /// The home had got an address that nobody can call.
    BehindCgnat,
}

/// A time of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// What it was.
    pub kind: Kind,
    /// When it began.
    pub began: Moment,
    /// When it ended; `None` where it has not.
    pub ended: Option<Moment>,
    /// How sure that is.
    pub confidence: Confidence,
    /// What it is concluded from, each in a few words.
    pub evidence: Vec<String>,
    /// What else is known of it.
    pub detail: Option<Detail>,
}

impl Interval {
    /// Its longest extent: from the earliest begin to the latest end, or to `now`.
    pub(in crate::keeper) fn extent(&self, now: i64) -> std::ops::Range<i64> {
        self.began.earliest..self.ended.map_or(now, |ended| ended.latest)
    }
}
