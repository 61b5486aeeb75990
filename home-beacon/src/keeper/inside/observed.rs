//! What was recorded of a time, at home and outside.

use std::{collections::BTreeMap, ops::Range};

use crate::keeper::history::{Look, kinds::Silence};

/// What is pinged, or asked, from home, by what it is on the way to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The home's router.
    Router,
    /// The first hop behind it, which is the provider's.
    FirstHop,
    /// Hosts far away, by their addresses.
    World,
    /// The name servers that the home uses.
    HomeNames,
    /// A name server that is not the provider's.
    OtherNames,
    /// The beacon, at home.
    Beacon,
}

/// One run of what asks one role. Of several hosts of a role one that answers is enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// Whether it answered.
    pub answered: bool,
    /// How much was lost, in per cent, where that was measured.
    pub loss: Option<f64>,
    /// How long an answer took, in milliseconds.
    pub latency: Option<f64>,
    /// Whether a bandwidth test filled the line meanwhile.
    pub in_test: bool,
}

/// All of that, of one home. Times are milliseconds since 1970.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Of which time.
    pub window: Range<i64>,
    /// When nothing was recorded at home, the oldest first.
    pub silences: Vec<Silence>,
    /// What was asked, the oldest first; a role that is not there is not measured.
    pub probes: BTreeMap<Role, Vec<Probe>>,
    /// What was seen from outside.
    pub looks: Vec<Look>,
    /// When the page upstream had it down, as far as it could be read.
    pub down_upstream: Vec<Range<i64>>,
    /// When the page upstream could be read.
    pub upstream_read: Vec<Range<i64>>,
    /// Whether the beacon is asked at home: what it says is noted only while it does not answer, and when it does again.
    pub asks_beacon: bool,
    /// When the home's public address became another one, and whether that is one that nobody can call.
    pub addresses: Vec<(i64, bool)>,
}

impl Observed {
    /// What was asked of a role within a time.
    pub(super) fn within(&self, role: Role, time: &Range<i64>) -> &[Probe] {
        let all = self.probes.get(&role).map_or(&[][..], Vec::as_slice);
        let from = all.partition_point(|probe| probe.at < time.start);
        let to = all.partition_point(|probe| probe.at <= time.end);
        &all[from..to.max(from)]
    }

    /// How many of these answered, and how many there were.
    pub(super) fn answered(&self, role: Role, time: &Range<i64>) -> (usize, usize) {
        let all = self.within(role, time);
        (all.iter().filter(|probe| probe.answered).count(), all.len())
    }
}
