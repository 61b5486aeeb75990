//! Whether DuckDNS is to be called, for one family of addresses.
//!
//! It is called on a change, once a day, and when public DNS says otherwise: a record can be lost on the way, and a
//! memory be wrong.
//!
//! Where DuckDNS sees our address itself (`server`), we do not know it before the call. Then one address source that
//! still names the last accepted address is enough to leave DuckDNS alone; when the sources name another, or nothing,
//! DuckDNS is called, because only it knows, and a call too many is cheaper than a name that leads nowhere. So a home
//! that stays where it is costs one small call of a source at each run, and a home that moved is reported at its next run,
//! or where every source is blocked within a quarter of an hour. Sources that see another address than DuckDNS does (a
//! VPN, two lines) are believed as long as they go on naming that one. A source alone that keeps
//! on naming the old address after a move is the weak spot: which one is asked first is drawn by chance, so it delays a run
//! or two, and a day at most.

use std::{fmt, net::IpAddr};

use jiff::Timestamp;

use super::{detect::Detected, record::Accepted};

/// How our address becomes known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// DuckDNS takes the one that it sees: IPv4 only.
    Server,
    /// Sources name it, and it is sent to DuckDNS.
    Detect,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::Detect => "detect",
        })
    }
}

/// Why DuckDNS is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// No earlier call is remembered.
    NeverCalled,
    /// The address is another one.
    Moved { from: IpAddr, to: IpAddr },
    /// It was called a day ago.
    Due,
    /// No source names the last accepted address.
    Unclear,
    /// Public DNS says otherwise: what, in words.
    Published(String),
}

/// What to do for one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is called with this address, or with `None` to take the one that it sees.
    Call(Why, Option<IpAddr>),
    /// Our address is the last accepted one; only public DNS may still say otherwise.
    Stay(IpAddr),
    /// Our address is not known, so DuckDNS cannot be called with it.
    Unknown,
}

/// Whether the sources must be asked at all.
pub(super) fn asks_sources(how: How, accepted: Option<Accepted>, now: Timestamp) -> bool {
    match how {
        How::Detect => true,
        How::Server => accepted.is_some_and(|accepted| !accepted.is_due(now)),
    }
}

/// Decides from what was accepted last and what the sources say, which does not count where they need not be asked.
pub(super) fn decide(how: How, accepted: Option<Accepted>, detected: Detected, now: Timestamp) -> Decision {
    let given = |address| (how == How::Detect).then_some(address);
    let Some(accepted) = accepted else {
        return match (how, detected) {
            (How::Server, _) => Decision::Call(Why::NeverCalled, None),
            (How::Detect, Detected::Moved(address)) => Decision::Call(Why::NeverCalled, Some(address)),
            (How::Detect, _) => Decision::Unknown,
        };
    };
    let from = accepted.address;
    if how == How::Server && accepted.is_due(now) {
        return Decision::Call(Why::Due, None);
    }
    match (detected, how) {
        (Detected::Moved(to), How::Server) if accepted.seen == Some(to) => Decision::Stay(from),
        (Detected::Unclear, How::Server) if accepted.is_recent(now) => Decision::Stay(from),
        (Detected::Moved(to), _) => Decision::Call(Why::Moved { from, to }, given(to)),
        (Detected::Same, _) if accepted.is_due(now) => Decision::Call(Why::Due, given(from)),
        (Detected::Same, _) => Decision::Stay(from),
        (Detected::Unclear, How::Server) => Decision::Call(Why::Unclear, None),
        (Detected::Unclear, How::Detect) => Decision::Unknown,
    }
}

/// What becomes of a decision to stay when public DNS says otherwise.
pub(super) fn contradicted(how: How, address: IpAddr, said: String) -> Decision {
    Decision::Call(Why::Published(said), (how == How::Detect).then_some(address))
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverCalled => f.write_str("no earlier answer of DuckDNS is remembered"),
            Self::Moved { from, to } => write!(f, "the address was {from} and is now {to}"),
            Self::Due => f.write_str("by this machine's clock, DuckDNS was not called within the last day"),
            Self::Unclear => f.write_str("no source confirms the last accepted address"),
            Self::Published(said) => write!(f, "public DNS says otherwise: {said}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use Detected::{Moved, Same, Unclear};
    use How::{Detect, Server};
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn duckdns_is_called_on_a_change_once_a_day_and_when_it_cannot_be_known() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let (old, new) = (IpAddr::from([81, 2, 69, 142]), IpAddr::from([81, 2, 69, 160]));
        let hours_ago =
            |hours| Some(Accepted { address: old, at: now - SignedDuration::from_hours(hours), seen: None });
        let minutes_ago =
            |minutes| Some(Accepted { address: old, at: now - SignedDuration::from_mins(minutes), seen: None });
        let beside = |seen| Some(Accepted { address: old, at: now - SignedDuration::from_hours(1), seen: Some(seen) });
        let moved = || Why::Moved { from: old, to: new };
        for (how, accepted, detected, expected) in [
            (Server, None, Unclear, Decision::Call(Why::NeverCalled, None)),
            (Server, None, Moved(new), Decision::Call(Why::NeverCalled, None)),
            (Server, hours_ago(25), Unclear, Decision::Call(Why::Due, None)),
            (Server, hours_ago(-5), Same, Decision::Call(Why::Due, None)),
            (Server, hours_ago(1), Same, Decision::Stay(old)),
            (Server, hours_ago(1), Moved(new), Decision::Call(moved(), None)),
            (Server, hours_ago(1), Unclear, Decision::Call(Why::Unclear, None)),
            (Server, minutes_ago(14), Unclear, Decision::Stay(old)),
            (Server, minutes_ago(16), Unclear, Decision::Call(Why::Unclear, None)),
            (Server, minutes_ago(14), Moved(new), Decision::Call(moved(), None)),
            (Server, beside(new), Moved(new), Decision::Stay(old)),
            (Server, beside(old), Moved(new), Decision::Call(moved(), None)),
            (Detect, beside(new), Moved(new), Decision::Call(moved(), Some(new))),
            (Detect, None, Unclear, Decision::Unknown),
            (Detect, None, Moved(new), Decision::Call(Why::NeverCalled, Some(new))),
            (Detect, hours_ago(25), Same, Decision::Call(Why::Due, Some(old))),
            (Detect, hours_ago(25), Moved(new), Decision::Call(moved(), Some(new))),
            (Detect, hours_ago(25), Unclear, Decision::Unknown),
            (Detect, hours_ago(1), Same, Decision::Stay(old)),
            (Detect, hours_ago(1), Moved(new), Decision::Call(moved(), Some(new))),
            (Detect, hours_ago(1), Unclear, Decision::Unknown),
        ] {
            assert_eq!(decide(how, accepted, detected, now), expected, "{how:?} {accepted:?} {detected:?}");
        }
    }

    #[test]
    fn sources_are_asked_only_where_their_answer_counts() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let hours_ago = |hours| {
            Some(Accepted { address: [81, 2, 69, 142].into(), at: now - SignedDuration::from_hours(hours), seen: None })
        };
        for (how, accepted, asks) in [
            (Server, None, false),
            (Server, hours_ago(25), false),
            (Server, hours_ago(1), true),
            (Detect, None, true),
            (Detect, hours_ago(25), true),
            (Detect, hours_ago(1), true),
        ] {
            assert_eq!(asks_sources(how, accepted, now), asks, "{how:?} {accepted:?}");
        }
    }

    #[test]
    fn what_public_dns_says_otherwise_is_mended_in_the_way_that_was_set() {
        let address = IpAddr::from([81, 2, 69, 142]);
        let said = || "1.1.1.1 knows no such name".to_owned();
        assert_eq!(contradicted(Server, address, said()), Decision::Call(Why::Published(said()), None));
        assert_eq!(contradicted(Detect, address, said()), Decision::Call(Why::Published(said()), Some(address)));
    }
}
