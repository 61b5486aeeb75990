//! Whether the home's address is its own.

use std::net::IpAddr;

use shared::network::{Kind, NotPublic, public};

use super::{
    super::{finding::Finding, link::Link},
    address::Here,
};
use crate::port::outside::Outside;

/// Whether the provider gives an address of one's own: what the router says of its outside, beside what the world sees.
pub fn provider(outside: Option<&Outside>, own: Option<IpAddr>, here: Here) -> Finding {
    let link = Link::Cgnat;
    if here.is_ipv6 {
        return Finding::unused(link, "the home is reached over IPv6, where each machine has an address of its own");
    }
    if let Some(Outside::Behind(refused)) = outside
        && here.is_reached()
    {
        return Finding::ok(
            link,
            format!("the router has {refused} outside, and the world gets to the beacon all the same"),
        );
    }
    let not_asked = "the router does not tell its outside address";
    match outside {
        Some(Outside::Behind(NotPublic { address, kind: Kind::Cgnat })) => Finding::failed(
            link,
            format!("the router has {address} outside, which the provider shares among its customers (CGNAT)"),
            "ask the provider for a public IPv4 address, or use IPv6 (IP_VERSION=6): no port of the router helps",
        ),
        Some(Outside::Behind(refused)) => Finding::failed(
            link,
            format!("the router has {refused} outside: there is another router before it"),
            "forward the port on the other router, too, or set it to bridge mode",
        ),
        // Some routers are wrong about their own address.
        Some(Outside::Differ { router, world }) => Finding::unknown(
            link,
            format!(
                "the router has {router} outside, and the world sees {world}: a VPN, another router, or a router that errs"
            ),
            "end the VPN of this machine if there is one, and run this again",
        ),
        Some(Outside::Confirmed(address) | Outside::Own(address)) => {
            Finding::ok(link, format!("{address} is the home's own"))
        }
        Some(Outside::Unconfirmed(address, why)) => Finding::unknown(
            link,
            format!("the router has {address} outside; {why}"),
            "mend the link own address first",
        ),
        Some(Outside::Untold { .. }) | None => match own.map(public) {
            Some(Err(NotPublic { address, .. })) => Finding::unknown(
                link,
                format!("{not_asked}, and {address} is seen"),
                "compare with what the router's page says",
            ),
            _ => Finding::unknown(
                link,
                not_asked,
                "compare the outside address on the router's page with the own address above: they must be the same",
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{super::finding::Outcome, address::FromOutside},
        *,
    };

    const OWN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(81, 2, 69, 142));
    const HOME: Here = Here { is_home: true, is_ipv6: false, from_outside: FromOutside::Missed, outside: None };

    #[test]
    fn a_shared_address_a_second_router_and_a_vpn_are_told_apart() {
        let of = |router: [u8; 4], world: Result<IpAddr, String>| {
            provider(Some(&Outside::of(Some(router.into()), world)), None, HOME)
        };
        assert_eq!(of([81, 2, 69, 142], Ok(OWN)).outcome, Outcome::Ok);
        assert!(of([100, 64, 1, 2], Ok(OWN)).saw.contains("(CGNAT)"));
        assert!(of([192, 168, 1, 2], Ok(OWN)).saw.contains("another router before it"));
        let differ = of([81, 2, 69, 143], Ok(OWN));
        assert_eq!((differ.outcome, differ.saw.contains("a VPN")), (Outcome::NotConclusive, true));
        assert_eq!(of([81, 2, 69, 142], Err("offline".into())).outcome, Outcome::NotConclusive);
        assert_eq!(provider(None, Some(OWN), HOME).outcome, Outcome::NotConclusive);
        assert_eq!(provider(Some(&Outside::Untold { world: Ok(OWN) }), None, HOME).outcome, Outcome::NotConclusive);
        let shared = provider(None, Some([100, 64, 1, 2].into()), HOME);
        assert_eq!((shared.outcome, shared.saw.contains("100.64.1.2 is seen")), (Outcome::NotConclusive, true));
    }

    #[test]
    fn what_the_world_gets_through_is_not_in_its_way() {
        let behind = Outside::of(Some([192, 168, 1, 2].into()), Ok(OWN));
        assert_eq!(provider(Some(&behind), Some(OWN), Here { is_ipv6: true, ..HOME }).outcome, Outcome::NotUsed);
        let reached = Here { from_outside: FromOutside::Reached, ..HOME };
        assert_eq!(provider(Some(&behind), Some(OWN), reached).outcome, Outcome::Ok, "both routers forward");
    }
}
