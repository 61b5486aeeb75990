//! What `dns` remembers between runs: what DuckDNS took, for which names, and when. It is written after DuckDNS's `OK`
//! and never before: a client that remembers an address which never arrived finds "no change" for ever after.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::names::Family;

use super::{name::SubName, second::SecondName};

/// How often DuckDNS is called where no source can say whether our address is still the one it took.
const UNCERTAIN_INTERVAL: SignedDuration = SignedDuration::from_mins(15);

/// The name under which it is remembered.
pub(super) const JOB: &str = "dns";

/// How long DuckDNS's answer counts. Beyond it, DuckDNS is called although nothing changed: a name may have been
/// cleared, or given up.
const CALL_INTERVAL: SignedDuration = SignedDuration::from_hours(24);

/// What DuckDNS took for the names that are set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    names: Vec<SubName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ipv4: Option<Accepted>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ipv6: Option<Accepted>,
    /// Whether the latest reading was a failure: then one that says otherwise is owed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) failing: bool,
    /// The name at another service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) second: Option<SecondName>,
}

/// An address that DuckDNS took, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Accepted {
    pub(super) address: IpAddr,
    pub(super) at: Timestamp,
    /// What sources named at that time, where it was another address: behind a VPN or with two lines they go on doing so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seen: Option<IpAddr>,
}

impl Accepted {
    /// Whether DuckDNS is to be called again. A time to come was written by a wrong clock, or is read by one.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        !(SignedDuration::ZERO..CALL_INTERVAL).contains(&now.duration_since(self.at))
    }

    /// Whether it was taken so lately that DuckDNS is not called again only because no source can say.
    pub(super) fn is_recent(&self, now: Timestamp) -> bool {
        (SignedDuration::ZERO..UNCERTAIN_INTERVAL).contains(&now.duration_since(self.at))
    }
}

impl Record {
    /// What is remembered for these names: where it was for others, no more than of the second one, which is none of them.
    pub(super) fn of(names: &[SubName], loaded: Option<Self>) -> Self {
        match loaded {
            Some(record) if record.names == names => record,
            other => {
                let second = other.and_then(|record| record.second);
                Self { names: names.to_vec(), second, ..Self::default() }
            }
        }
    }

    /// The address that DuckDNS took, of that family.
    pub(super) fn accepted(&self, family: Family) -> Option<Accepted> {
        let accepted = match family {
            Family::V4 => self.ipv4,
            Family::V6 => self.ipv6,
        };
        accepted.filter(|accepted| Family::of(accepted.address) == family)
    }

    /// DuckDNS took the address, while sources named the other one.
    pub(super) fn accept(&mut self, address: IpAddr, at: Timestamp, seen: Option<IpAddr>) {
        let seen = seen.filter(|seen| *seen != address);
        let accepted = Some(Accepted { address, at, seen });
        match Family::of(address) {
            Family::V4 => self.ipv4 = accepted,
            Family::V6 => self.ipv6 = accepted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_for_a_day_and_one_from_the_future_does_not() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        for (hours, due) in [(-1, true), (0, false), (23, false), (24, true), (500_000, true)] {
            let at = now - SignedDuration::from_hours(hours);
            assert_eq!(
                Accepted { address: [81, 2, 69, 142].into(), at, seen: None }.is_due(now),
                due,
                "{hours} hours ago"
            );
        }
    }

    #[test]
    fn a_record_is_of_its_names_and_of_its_families() {
        let names = ["home".parse().unwrap()];
        let mut record = Record::of(&names, None);
        record.accept([81, 2, 69, 142].into(), Timestamp::UNIX_EPOCH, None);
        let written = serde_json::to_string(&record).unwrap();
        assert_eq!(written, r#"{"names":["home"],"ipv4":{"address":"81.2.69.142","at":"1970-01-01T00:00:00Z"}}"#);
        let read: Record = serde_json::from_str(&written).unwrap();
        assert_eq!(Record::of(&names, Some(read.clone())), record);
        assert!(read.accepted(Family::V4).is_some() && read.accepted(Family::V6).is_none());
        let others = ["home".parse().unwrap(), "away".parse().unwrap()];
        assert_eq!(Record::of(&others, Some(read)).accepted(Family::V4), None);
        let swapped: Record = serde_json::from_str(&written.replace("ipv4", "ipv6")).unwrap();
        assert_eq!(swapped.accepted(Family::V6), None);
    }
}
