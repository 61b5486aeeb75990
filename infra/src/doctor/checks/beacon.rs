//! The beacon over the hops inside the home: the process, the home network, the router's port.

use std::net::SocketAddr;

use super::{
    super::{finding::Finding, link::Link},
    address::FromOutside,
};

/// What answered where the beacon should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hop {
    /// It was not asked.
    NotAsked,
    /// The port is closed.
    Refused,
    /// Nothing came in time, or there is no way; says what.
    Silent(String),
    /// The beacon with the key that is set here.
    Proven,
    /// A beacon with another key.
    OtherKey,
    /// A beacon with a key, and none is set here.
    KeyUnknown,
    /// A beacon without a key.
    NoKey,
    /// Something else, with that HTTP status.
    Stranger(u16),
}

impl Hop {
    /// Whether a beacon answered, whosever.
    pub const fn is_beacon(&self) -> bool {
        matches!(self, Self::Proven | Self::OtherKey | Self::KeyUnknown | Self::NoKey)
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::NotAsked => "was not asked".into(),
            Self::Refused => "refuses connections".into(),
            Self::Silent(why) => format!("does not answer: {why}"),
            Self::Proven => "answers with a valid proof".into(),
            Self::OtherKey => "answers with a proof by another key".into(),
            Self::KeyUnknown => "answers with a proof, by a key that is not set here".into(),
            Self::NoKey => "answers without a proof".into(),
            Self::Stranger(status) => format!("answers as something else would (HTTP {status})"),
        }
    }
}

/// The beacon where it runs. `is_said`: whether the settings say that it runs here; `is_in_cluster`: that it runs in a pod.
pub fn process(at: SocketAddr, hop: &Hop, is_said: bool, is_in_cluster: bool) -> Finding {
    let (link, saw) = (Link::Beacon, format!("{at} {}", hop.words()));
    match hop {
        hop if hop.is_beacon() => Finding::ok(link, saw),
        _ if is_in_cluster => Finding::unused(link, "it runs in a pod, which is the next link"),
        Hop::NotAsked => Finding::unused(link, "it was not asked"),
        Hop::Refused if is_said => {
            Finding::failed(link, saw, "start it: systemctl start porchlight-beacon, or porchlight up")
        }
        Hop::Stranger(_) if is_said => {
            Finding::failed(link, saw, "another program has its port: see ss -ltnp, and set PUBLIC_ADDR")
        }
        Hop::Silent(_) if is_said => {
            Finding::failed(link, saw, "restart it, and see its log: journalctl -u porchlight-beacon")
        }
        _ => Finding::unknown(
            link,
            format!("{saw}, and nothing says that it should be here"),
            "run this on the machine that runs the beacon, or set PUBLIC_ADDR to where it listens",
        ),
    }
}

/// What is known of where the router finds the beacon.
#[derive(Clone, Copy, Debug)]
pub struct Lan {
    /// The node's port, or the machine's address at home.
    pub at: SocketAddr,
    /// Whether that is this machine: then the question never left it.
    pub is_own: bool,
}

/// The beacon as the router finds it. `is_said`: whether the settings, or the cluster, say that it is there; `is_reached`: whether
/// somebody outside has got to it a moment ago, which takes the home network.
pub fn lan(lan: Option<Lan>, hop: &Hop, is_said: bool, is_reached: bool) -> Finding {
    let link = Link::Lan;
    let Some(Lan { at, is_own }) = lan else {
        return Finding::unknown(link, "this machine's address at home is not known", "set PORT_TO to it");
    };
    let saw = format!("{at} {}", hop.words());
    match hop {
        hop if hop.is_beacon() && is_own && is_reached => {
            Finding::ok(link, format!("{saw}, and the world has got there"))
        }
        hop if hop.is_beacon() && is_own => Finding::unknown(
            link,
            format!("{saw} this machine, which is the same: no firewall was in between"),
            format!("ask from another machine at home: curl -i http://{at}/"),
        ),
        hop if hop.is_beacon() => Finding::ok(link, saw),
        Hop::NotAsked => Finding::unused(link, "it was not asked"),
        _ if !is_said => Finding::unknown(
            link,
            format!("{saw}, and nothing says that it should be there"),
            "run this where the beacon runs",
        ),
        Hop::Refused => Finding::failed(
            link,
            saw,
            "have the beacon listen on all addresses: PUBLIC_ADDR=0.0.0.0:8080, not 127.0.0.1",
        ),
        Hop::Stranger(_) => Finding::failed(link, saw, "another program has this port at this address: see ss -ltnp"),
        _ => {
            Finding::failed(link, saw, "let the firewall of this machine take it: see nft list ruleset, or ufw status")
        }
    }
}

/// What is known of the port that the router opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouterSeen {
    /// The router was not asked.
    NotAsked(String),
    /// It was opened by hand, if at all: `porchlight port` has opened nothing.
    ByHand,
    /// What `porchlight port` has opened is in the router's list, or as far as is known.
    Open(String),
    /// It is not there any more, or leads elsewhere.
    Gone(String),
    /// It is not in the list of another protocol than the one that it was opened by.
    Unlisted(String),
    /// The router does not tell.
    Untold(String),
}

/// The router's port. `from_outside`: what somebody outside has seen through it a moment ago.
pub fn router(seen: &RouterSeen, from_outside: FromOutside) -> Finding {
    let link = Link::Router;
    let again = "open it again, and keep it open: porchlight port open --every 5m";
    match seen {
        RouterSeen::NotAsked(why) => Finding::unused(link, why.clone()),
        RouterSeen::Open(words) => Finding::ok(link, words.clone()),
        RouterSeen::Unlisted(words) => match from_outside {
            FromOutside::Reached => Finding::ok(link, format!("{words}, and the world has got there a moment ago")),
            FromOutside::Missed => Finding::failed(link, format!("{words}, and the world does not get there"), again),
            FromOutside::Unseen => Finding::unknown(
                link,
                format!("{words}, and that may be another list than the one that it is in"),
                "have it asked for once more, which changes nothing where it is open: porchlight port open",
            ),
        },
        RouterSeen::Gone(words) if from_outside == FromOutside::Reached => Finding::unknown(
            link,
            format!("{words}; all the same the world has got there a moment ago"),
            "run this again in two minutes; if it is still reached, the port was forwarded by hand as well",
        ),
        RouterSeen::Gone(words) => Finding::failed(link, words.clone(), again),
        RouterSeen::Untold(why) => Finding::unknown(link, why.clone(), "see porchlight port status"),
        RouterSeen::ByHand => Finding::unknown(
            link,
            "porchlight port has opened none: it was forwarded by hand, if at all",
            "if the link from outside fails, see the router's page: the world's port is to lead to this machine",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::finding::Outcome, *};

    fn at() -> SocketAddr {
        ([127, 0, 0, 1], 8080).into()
    }

    #[test]
    fn a_beacon_is_there_refuses_is_another_or_is_not_expected() {
        for (hop, said, unsaid) in [
            (Hop::Proven, Outcome::Ok, Outcome::Ok),
            (Hop::OtherKey, Outcome::Ok, Outcome::Ok),
            (Hop::KeyUnknown, Outcome::Ok, Outcome::Ok),
            (Hop::NoKey, Outcome::Ok, Outcome::Ok),
            (Hop::Refused, Outcome::Failed, Outcome::NotConclusive),
            (Hop::Silent("timeout".into()), Outcome::Failed, Outcome::NotConclusive),
            (Hop::Stranger(404), Outcome::Failed, Outcome::NotConclusive),
            (Hop::NotAsked, Outcome::NotUsed, Outcome::NotUsed),
        ] {
            assert_eq!(process(at(), &hop, true, false).outcome, said, "{hop:?}");
            assert_eq!(process(at(), &hop, false, false).outcome, unsaid, "{hop:?}");
        }
        assert_eq!(process(at(), &Hop::Refused, false, true).outcome, Outcome::NotUsed);
    }

    #[test]
    fn the_router_finds_the_beacon_or_what_is_in_between_is_named() {
        for (hop, outcome, next) in [
            (Hop::Proven, Outcome::Ok, ""),
            (Hop::Refused, Outcome::Failed, "listen on all addresses"),
            (Hop::Stranger(200), Outcome::Failed, "another program"),
            (Hop::Silent("timeout".into()), Outcome::Failed, "firewall"),
            (Hop::NotAsked, Outcome::NotUsed, ""),
        ] {
            let found = lan(Some(Lan { at: at(), is_own: false }), &hop, true, false);
            assert_eq!(found.outcome, outcome, "{hop:?}");
            assert!(found.next.unwrap_or_default().contains(next), "{hop:?}");
        }
        let own = Some(Lan { at: at(), is_own: true });
        assert_eq!(lan(own, &Hop::Refused, false, false).outcome, Outcome::NotConclusive);
        assert_eq!(lan(None, &Hop::NotAsked, true, false).outcome, Outcome::NotConclusive);
        // What never left this machine proves no way there; who came from outside does.
        assert_eq!(lan(own, &Hop::Proven, true, false).outcome, Outcome::NotConclusive);
        assert_eq!(lan(own, &Hop::Proven, true, true).outcome, Outcome::Ok);
        assert_eq!(lan(own, &Hop::Refused, true, false).outcome, Outcome::Failed, "nobody listens there");
    }

    #[test]
    fn a_port_is_open_gone_or_was_forwarded_by_hand() {
        for (seen, outcome) in [
            (RouterSeen::Open("it is".into()), Outcome::Ok),
            (RouterSeen::Gone("it is gone".into()), Outcome::Failed),
            (RouterSeen::Untold("no answer".into()), Outcome::NotConclusive),
            (RouterSeen::ByHand, Outcome::NotConclusive),
            (RouterSeen::NotAsked("--no-router".into()), Outcome::NotUsed),
        ] {
            assert_eq!(router(&seen, FromOutside::Unseen).outcome, outcome, "{seen:?}");
        }
        let by_hand = router(&RouterSeen::Gone("it is gone".into()), FromOutside::Reached);
        assert_eq!(by_hand.outcome, Outcome::NotConclusive, "who got through got through");
    }

    #[test]
    fn a_port_that_another_list_has_not_is_gone_where_the_world_does_not_get_there() {
        let unlisted = RouterSeen::Unlisted("it is not in the list".into());
        for (from_outside, outcome) in [
            (FromOutside::Reached, Outcome::Ok),
            (FromOutside::Missed, Outcome::Failed),
            (FromOutside::Unseen, Outcome::NotConclusive),
        ] {
            assert_eq!(router(&unlisted, from_outside).outcome, outcome, "{from_outside:?}");
        }
    }
}
