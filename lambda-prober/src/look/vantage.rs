//! Whether a home is looked at from its own machine or network: what is seen from there says nothing of its line. Pure:
//! addresses come from the caller.

use std::net::{IpAddr, Ipv6Addr};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use shared::{
    look::Vantage,
    network::{Kind, is_local},
};

/// From where a prober looks, by the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VantageSetting {
    /// By the addresses.
    #[default]
    Auto,
    /// From the home's own machine or network, whatever the addresses say.
    Inside,
    /// From elsewhere, whatever the addresses say.
    Outside,
}

/// From where a home at `targets` is looked at. `targets` is the address that was reached or, where none was, all that were
/// tried; `own` are addresses of this machine, and `outside` those that the world sees it come from. Where these cannot be known
/// it is not for this function to decide.
pub fn vantage(setting: VantageSetting, targets: &[IpAddr], own: &[IpAddr], outside: &[IpAddr]) -> Vantage {
    let is_inside = |target: &IpAddr| {
        let target = target.to_canonical();
        is_local(target)
            || own.iter().any(|own| is_same_machine_or_link(target, own.to_canonical()))
            || outside.iter().any(|outside| is_same_machine_or_link(target, outside.to_canonical()))
    };
    match setting {
        VantageSetting::Inside => Vantage::Inside,
        VantageSetting::Auto if targets.iter().any(is_inside) => Vantage::Inside,
        VantageSetting::Auto | VantageSetting::Outside => Vantage::Outside,
    }
}

/// Whether an address is one that the world can reach, so that the one that the world sees us come from may be the same.
pub(super) fn is_of_the_world(address: IpAddr) -> bool {
    let address = address.to_canonical();
    !is_local(address) && !matches!(Kind::of(address), Some(Kind::Documentation | Kind::Multicast))
}

/// The same address; over IPv6, where every machine has its own, also the same link, which is a /64 (RFC 4291).
fn is_same_machine_or_link(one: IpAddr, other: IpAddr) -> bool {
    let link = |address: Ipv6Addr| address.octets().first_chunk::<8>().copied();
    match (one, other) {
        (IpAddr::V6(one), IpAddr::V6(other)) => link(one) == link(other),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn auto(targets: &[&str], own: &[&str], outside: &[&str]) -> Vantage {
        vantage(VantageSetting::Auto, &addresses(targets), &addresses(own), &addresses(outside))
    }

    #[test]
    fn a_local_or_private_address_is_looked_at_from_inside() {
        for local in [
            "127.0.0.1",
            "127.64.3.9",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.178.1",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fdff::1",
            "::ffff:192.168.0.1",
        ] {
            assert_eq!(auto(&[local], &[], &[]), Vantage::Inside, "{local}");
        }
        for public in ["172.32.0.1", "100.128.0.1", "100.63.255.255", "81.2.69.142", "2a02:8109::1", "fe00::1"] {
            assert_eq!(auto(&[public], &[], &[]), Vantage::Outside, "{public}");
        }
        assert_eq!(auto(&["81.2.69.142", "fd00::1"], &[], &[]), Vantage::Inside, "any that was tried");
        assert_eq!(auto(&[], &[], &[]), Vantage::Outside, "nothing shows it");
    }

    #[test]
    fn an_own_address_or_the_one_that_the_world_sees_is_inside() {
        assert_eq!(auto(&["81.2.69.142"], &["192.168.0.2"], &["81.2.69.143"]), Vantage::Outside);
        assert_eq!(auto(&["81.2.69.142"], &["81.2.69.142"], &[]), Vantage::Inside);
        assert_eq!(auto(&["81.2.69.142"], &["192.168.0.2"], &["81.2.69.142"]), Vantage::Inside);
        assert_eq!(auto(&["2a02:8109::1"], &["2a02:8109::2"], &[]), Vantage::Inside, "the same link");
        assert_eq!(auto(&["2a02:8109::1"], &["2a02:8109:0:1::1"], &[]), Vantage::Outside);
        assert_eq!(auto(&["2a02:8109::1"], &[], &["2a02:8109::ffff"]), Vantage::Inside);
    }

    #[test]
    fn what_is_set_by_hand_counts() {
        let (near, far) = (addresses(&["127.0.0.1"]), addresses(&["81.2.69.142"]));
        assert_eq!(vantage(VantageSetting::Outside, &near, &near, &near), Vantage::Outside);
        assert_eq!(vantage(VantageSetting::Inside, &far, &[], &[]), Vantage::Inside);
    }

    #[test]
    fn only_where_the_world_can_reach_a_home_is_it_asked_where_we_come_from() {
        for (address, asked) in [
            ("81.2.69.142", true),
            ("2a02:8109::1", true),
            ("192.0.2.1", false),
            ("2001:db8::1", false),
            ("10.0.0.1", false),
            ("::ffff:127.0.0.1", false),
            ("224.0.0.1", false),
        ] {
            assert_eq!(is_of_the_world(address.parse().unwrap()), asked, "{address}");
        }
    }
}
