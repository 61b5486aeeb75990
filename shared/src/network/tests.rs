use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

fn kind(text: &str) -> Option<Kind> {
    public(text.parse().unwrap()).err().map(|refused| refused.kind)
}

#[test]
fn addresses_that_the_world_cannot_reach_are_known_by_their_kind() {
    for (text, expected) in [
        ("0.0.0.0", Unspecified),
        ("0.255.255.255", Unspecified),
        ("10.0.0.1", Private),
        ("100.64.0.0", Cgnat),
        ("100.127.255.255", Cgnat),
        ("127.0.0.1", Loopback),
        ("169.254.1.1", LinkLocal),
        ("172.16.0.1", Private),
        ("172.31.255.255", Private),
        ("192.0.0.2", Reserved),
        ("192.0.2.7", Documentation),
        ("192.168.178.1", Private),
        ("198.18.0.1", Benchmarking),
        ("198.19.255.255", Benchmarking),
        ("198.51.100.1", Documentation),
        ("203.0.113.255", Documentation),
        ("224.0.0.1", Multicast),
        ("239.255.255.255", Multicast),
        ("240.0.0.1", Reserved),
        ("255.255.255.255", Reserved),
        ("::", Unspecified),
        ("::1", Loopback),
        ("::ffff:81.2.69.142", Mapped),
        ("::81.2.69.142", Mapped),
        ("64:ff9b::5102:458e", Mapped),
        ("64:ff9b:1::1", Mapped),
        ("100::1", Reserved),
        ("2001::1", Tunnel),
        ("2001:2::1", Benchmarking),
        ("2001:20::1", Reserved),
        ("2001:db8::1", Documentation),
        ("2002:5102:458e::1", Tunnel),
        ("3fff::1", Documentation),
        ("3fff:fff::1", Documentation),
        ("4000::1", Reserved),
        ("fc00::1", UniqueLocal),
        ("fd12:3456::1", UniqueLocal),
        ("fe80::1", LinkLocal),
        ("fec0::1", UniqueLocal),
        ("ff02::1", Multicast),
    ] {
        assert_eq!(kind(text), Some(expected), "{text}");
    }
}

#[test]
fn the_neighbours_of_what_is_refused_are_public() {
    for text in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.0.3.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "81.2.69.142",
        "2000::1",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2001:db7::1",
        "2001:db9::1",
        "2003::1",
        "2a02:8109::1",
        "3fff:1000::1",
    ] {
        assert_eq!(kind(text), None, "{text}");
    }
}

#[test]
fn what_is_at_home_and_what_is_a_providers_are_told_apart() {
    // At home, and beyond the reach of what is elsewhere.
    for (text, expected) in [
        ("127.0.0.1", (true, true)),
        ("10.0.0.1", (true, true)),
        ("172.31.255.255", (true, true)),
        ("192.168.178.1", (true, true)),
        ("169.254.1.1", (true, true)),
        ("::1", (true, true)),
        ("fd12:3456::1", (true, true)),
        ("fe80::1", (true, true)),
        ("febf::1", (true, true)),
        ("::ffff:192.168.0.1", (true, true)),
        ("100.64.0.1", (false, true)),
        ("::ffff:100.64.0.1", (false, true)),
        ("0.0.0.0", (false, true)),
        ("::", (false, true)),
        ("172.32.0.1", (false, false)),
        ("100.128.0.1", (false, false)),
        ("203.0.113.7", (false, false)),
        ("2001:db8::7", (false, false)),
        ("fe00::1", (false, false)),
        ("81.2.69.142", (false, false)),
        ("::ffff:81.2.69.142", (false, false)),
        ("2a02:8109::1", (false, false)),
    ] {
        let address = text.parse().unwrap();
        assert_eq!((is_at_home(address), is_local(address)), expected, "{text}");
    }
}

#[test]
fn what_cgnat_means_is_said_of_what_a_line_behind_it_gets() {
    let refused = |text: &str| public(text.parse().unwrap()).unwrap_err();
    assert!(refused("100.64.1.2").to_string().contains("CGNAT"));
    for text in ["100.64.1.2", "10.1.2.3"] {
        assert!(refused(text).advice().unwrap().contains("no probe from outside can reach"), "{text}");
    }
    assert_eq!(refused("127.0.0.1").advice(), None);
}

proptest! {
    #[test]
    fn what_the_standard_library_knows_to_be_special_is_never_public(v4: u32, v6: u128) {
        let four = Ipv4Addr::from(v4);
        let special = four.is_private() || four.is_loopback() || four.is_link_local() || four.is_broadcast()
            || four.is_documentation() || four.is_multicast() || four.is_unspecified();
        prop_assert!(!(special && public(four.into()).is_ok()), "{}", four);
        let six = Ipv6Addr::from(v6);
        let special = six.is_loopback() || six.is_multicast() || six.is_unique_local()
            || six.is_unicast_link_local() || six.is_unspecified() || six.to_ipv4().is_some();
        prop_assert!(!(special && public(six.into()).is_ok()), "{}", six);
    }
}
