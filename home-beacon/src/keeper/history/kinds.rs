//! What this home's own records say of an outage: whether host and keeper went on meanwhile. It is evidence beside
//! what was seen from outside, and no verdict on line, router or power.

use std::ops::Range;

/// How far apart two records may be at most, in milliseconds: for so long after the last one it is not known to
/// have ended.
const MAX_SILENCE: i64 = 2 * 60 * 1000;

/// What was recorded at home, and when nothing was. Times are milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HomeRecords {
    /// Since when it is known.
    pub since: i64,
    /// The last record.
    pub until: i64,
    /// When nothing was recorded.
    pub silences: Vec<Silence>,
}

/// A time in which nothing was recorded at home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// The last record before it.
    pub began: i64,
    /// The first one after it.
    pub ended: i64,
    /// Whether the host was started in it.
    pub host_started: bool,
}

/// What the records say of an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What of.
    pub kind: Kind,
    /// For how much of the outage nothing was recorded, in milliseconds.
    pub unrecorded: i64,
}

/// What went on at home during an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The host was off or restarted.
    HostRestarted,
    /// The host ran, and the keeper did not, or could not write.
    KeeperStopped,
    /// Everything was recorded as ever.
    KeptRunning,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::HostRestarted, Self::KeeperStopped, Self::KeptRunning];

    /// For machines.
    pub const fn label(self) -> &'static str {
        match self {
            Self::HostRestarted => "host_restarted",
            Self::KeeperStopped => "keeper_stopped",
            Self::KeptRunning => "kept_running",
        }
    }

    /// For people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::HostRestarted => "The host at home was off or restarted.",
            Self::KeeperStopped => "At home the keeper was not running, or could not write.",
            Self::KeptRunning => "At home everything kept running.",
        }
    }
}

/// What the records say of a component of this home that was down for that time; `None` where they do not reach
/// over all of it, and show nothing.
pub fn evidence(outage: &Range<i64>, records: &HomeRecords) -> Option<Evidence> {
    let overlap = |silence: &Silence| silence.ended.min(outage.end) - silence.began.max(outage.start);
    let during = || records.silences.iter().filter(|silence| overlap(silence) > 0);
    let unrecorded = during().map(overlap).sum();
    let kind = if during().any(|silence| silence.host_started) {
        Kind::HostRestarted
    } else if unrecorded > 0 {
        Kind::KeeperStopped
    } else if records.since <= outage.start && outage.end <= records.until.saturating_add(MAX_SILENCE) {
        Kind::KeptRunning
    } else {
        return None;
    };
    Some(Evidence { kind, unrecorded })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    /// Of an outage from the tenth to the thirtieth minute; silences in minutes.
    fn says(silences: &[(i64, i64, bool)]) -> Option<(Kind, i64)> {
        let silence = |&(began, ended, host_started): &(i64, i64, bool)| Silence {
            began: began * MINUTE,
            ended: ended * MINUTE,
            host_started,
        };
        let silences = silences.iter().map(silence).collect();
        let records = HomeRecords { since: 0, until: 60 * MINUTE, silences };
        evidence(&(10 * MINUTE..30 * MINUTE), &records).map(|it| (it.kind, it.unrecorded / MINUTE))
    }

    #[test]
    fn the_kind_is_that_of_the_silences_meanwhile() {
        for (silences, kind, unrecorded) in [
            (&[][..], Kind::KeptRunning, 0),
            (&[(9, 31, true)], Kind::HostRestarted, 20),
            (&[(9, 31, false)], Kind::KeeperStopped, 20),
            (&[(12, 15, false), (20, 22, true)], Kind::HostRestarted, 5),
            (&[(0, 10, true), (30, 40, true)], Kind::KeptRunning, 0),
            (&[(29, 40, true)], Kind::HostRestarted, 1),
        ] {
            assert_eq!(says(silences), Some((kind, unrecorded)), "{silences:?}");
        }
    }

    #[test]
    fn where_the_records_do_not_reach_nothing_is_said() {
        let records = |since, until| HomeRecords { since: since * MINUTE, until: until * MINUTE, silences: Vec::new() };
        let outage = 10 * MINUTE..30 * MINUTE;
        for (since, until, known) in [(10, 28, true), (11, 60, false), (0, 27, false), (0, 30, true)] {
            assert_eq!(evidence(&outage, &records(since, until)).is_some(), known, "{since} to {until}");
        }
        // What is known of it is said all the same.
        let silences = vec![Silence { began: 12 * MINUTE, ended: 14 * MINUTE, host_started: true }];
        let late = HomeRecords { silences, ..records(11, 12) };
        assert_eq!(evidence(&outage, &late).map(|it| it.kind), Some(Kind::HostRestarted));
    }

    #[test]
    fn each_kind_has_a_label_and_a_sentence() {
        let labels: std::collections::HashSet<_> = Kind::ALL.iter().map(|kind| kind.label()).collect();
        assert_eq!(labels.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|kind| kind.sentence().ends_with('.')));
    }
}
