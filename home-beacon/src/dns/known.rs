//! What is known of the home's address, for who is not the job: read from what it remembers.

use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::names::Family;

use super::record::{Accepted, JOB, Record};

/// The name under which the job remembers it.
pub(crate) const STATE: &str = JOB;

/// The home's addresses, one of them at least.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct KnownAddresses {
    ipv4: Option<KnownAddress>,
    ipv6: Option<KnownAddress>,
    /// Whether the job's last run that recorded anything failed: then the home may have another address by now.
    failing: bool,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct KnownAddress {
    address: IpAddr,
    /// When the source took it or named it: while all is well no longer ago than a day.
    at: Timestamp,
    source: Source,
    /// Another address that address sources named at that time, as behind a VPN or with two lines.
    seen: Option<IpAddr>,
}

/// Who vouches for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    /// It took the address for the home's name.
    DuckDns,
}

impl KnownAddresses {
    /// What the document of the job says; `None` where it names no address.
    pub(crate) fn of(document: Value) -> Option<Self> {
        let record: Record = serde_json::from_value(document).ok()?;
        let [ipv4, ipv6] = [Family::V4, Family::V6].map(|family| record.accepted(family).map(KnownAddress::from));
        (ipv4.is_some() || ipv6.is_some()).then_some(Self { ipv4, ipv6, failing: record.failing })
    }

    /// Its IPv4 address.
    pub(crate) fn ipv4(&self) -> Option<Ipv4Addr> {
        match self.ipv4?.address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        }
    }
}

impl From<Accepted> for KnownAddress {
    fn from(Accepted { address, at, seen }: Accepted) -> Self {
        Self { address, at, source: Source::DuckDns, seen }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_that_names_no_address_says_nothing() {
        for document in [
            json!({}),
            json!({"names": ["home"]}),
            json!({"names": ["home"], "ipv4": {"address": "<html>", "at": "2026-11-29T12:00:00Z"}}),
            json!({"names": ["home"], "ipv4": {"address": "2001:db8::1", "at": "2026-11-29T12:00:00Z"}}),
            json!({"address": "81.2.69.142"}),
        ] {
            assert_eq!(KnownAddresses::of(document.clone()), None, "{document}");
        }
    }

    #[test]
    fn both_families_are_said_with_when_and_by_whom() {
        let known = KnownAddresses::of(json!({
            "names": ["home"], "failing": true,
            "ipv4": {"address": "81.2.69.142", "at": "2026-11-29T12:00:00Z", "seen": "81.2.69.160"},
            "ipv6": {"address": "2a02:db8::1", "at": "2026-11-28T12:00:00Z"},
        }))
        .unwrap();
        assert_eq!(known.ipv4(), Some([81, 2, 69, 142].into()));
        assert_eq!(
            serde_json::to_value(known).unwrap(),
            json!({
                "ipv4": {"address": "81.2.69.142", "at": "2026-11-29T12:00:00Z", "source": "duckdns", "seen": "81.2.69.160"},
                "ipv6": {"address": "2a02:db8::1", "at": "2026-11-28T12:00:00Z", "source": "duckdns", "seen": null},
                "failing": true,
            })
        );
    }
}
