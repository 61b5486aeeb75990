//! What a home says of its last outage, by what it recorded itself. Pure.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};
use shared::heartbeat::{Outage, OutageKind};

use super::texts::{length, time};

/// How long before the outage was noticed outside it may have ended at home: a run is a minute apart.
const TOLERANCE: Duration = Duration::from_mins(3);

/// An outage in the home's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HomesWord {
    kind: OutageKind,
    began: Timestamp,
    ended: Timestamp,
}

impl HomesWord {
    /// What a heartbeat says that was received at that time, by the clock of who received it: it tells in seconds ago.
    pub fn of(outage: Outage, received: Timestamp) -> Option<Self> {
        let ago = |seconds: u64| received.checked_sub(Duration::from_secs(seconds)).ok();
        Some(Self { kind: outage.kind, began: ago(outage.began)?, ended: ago(outage.ended)? })
    }

    /// The sentence for the page's readers, where it is about an outage that began at `down_since` and is over by `now`.
    pub(super) fn sentence(self, down_since: Timestamp, now: Timestamp, zone: &TimeZone) -> Option<String> {
        let is_it = self.began <= now && self.ended + TOLERANCE >= down_since;
        let what = is_it.then(|| words(self.kind)).flatten()?;
        let since = time(self.began, now, zone);
        let long = length(self.ended.duration_since(self.began).unsigned_abs());
        Some(format!("As recorded at home, {what}, from {since} on for {long}."))
    }
}

/// What it was; nothing of an outage of which the home does not know more.
const fn words(kind: OutageKind) -> Option<&'static str> {
    Some(match kind {
        OutageKind::Power => "its host was off",
        OutageKind::Router => "its router did not answer",
        OutageKind::Line => "its router was there, and the line behind it was not",
        OutageKind::Provider => "its line was there, and nothing beyond the provider's first hop",
        OutageKind::Names => "its line was there, and its name servers did not answer",
        OutageKind::Inbound => "it reached the world, and the world did not reach it",
        OutageKind::Beacon => "it was there, and its beacon was not",
        OutageKind::Other => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn said(kind: OutageKind, began: u64, ended: u64, down_since: i64) -> Option<String> {
        HomesWord::of(Outage { kind, began, ended }, at(-30))?.sentence(at(down_since), at(0), &TimeZone::UTC)
    }

    #[test]
    fn an_outage_is_told_with_kind_begin_and_length() {
        assert_eq!(
            said(OutageKind::Line, 870, 150, -840).unwrap(),
            "As recorded at home, its router was there, and the line behind it was not, from 07:45 UTC on for 12 minutes."
        );
        assert_eq!(said(OutageKind::Other, 870, 150, -840), None);
        assert_eq!(said(OutageKind::Line, 8_000, 7_000, -840), None, "that was another one");
        assert_eq!(said(OutageKind::Line, u64::MAX, 7_000, -840), None);
    }

    #[test]
    fn every_kind_of_which_something_is_known_has_words_of_its_own() {
        let all: std::collections::HashSet<_> = OutageKind::ALL.into_iter().filter_map(words).collect();
        assert_eq!(all.len(), OutageKind::ALL.len() - 1);
    }
}
