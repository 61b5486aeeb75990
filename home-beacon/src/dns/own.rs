//! Which IPv6 address of this machine the home's name is to have: one that stays. Beside it a machine has temporary ones
//! (RFC 8981), which it prefers for what it asks itself, and drops after a day; no router's opening names them.

use std::{
    fs, io,
    net::{Ipv6Addr, UdpSocket},
};

/// Every IPv6 address of this machine: the address, its interface's number, the length of its prefix, its scope and flags (in
/// hexadecimal digits), and the interface's name.
const ADDRESSES: &str = "/proc/net/if_inet6";

/// The flags there (`linux/if_addr.h`): of no use now or for long.
const TEMPORARY: u8 = 0x01;
const FAILED: u8 = 0x08;
const DEPRECATED: u8 = 0x20;
const TENTATIVE: u8 = 0x40;

/// The scope of what the world can reach.
const GLOBAL: u8 = 0;

/// An address of this machine that leads out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// The address.
    pub address: Ipv6Addr,
    /// Whether the machine drops it after a day.
    pub is_temporary: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Line<'a> {
    address: Ipv6Addr,
    interface: &'a str,
    flags: u8,
}

/// The address to be known by; `None` where there is no way out over IPv6, or the system does not say.
pub fn own() -> Option<Own> {
    let text = fs::read_to_string(ADDRESSES).ok()?;
    choose(&text, leaving().ok()?)
}

/// The address that the system would take for what it sends out. No packet is sent for that.
fn leaving() -> io::Result<Ipv6Addr> {
    /// One of the addresses that are given out to the world (IANA: `2000::/3`).
    const OUTSIDE: Ipv6Addr = Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 1);
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?;
    socket.connect((OUTSIDE, 9))?;
    match socket.local_addr()?.ip() {
        std::net::IpAddr::V6(address) => Ok(address),
        std::net::IpAddr::V4(_) => Err(io::ErrorKind::AddrNotAvailable.into()),
    }
}

/// Of the interface by which `leaving` leaves: an address that stays, of the same prefix if there is one; else the temporary
/// one.
fn choose(text: &str, leaving: Ipv6Addr) -> Option<Own> {
    let lines: Vec<_> = text.lines().filter_map(line).collect();
    let interface = lines.iter().find(|line| line.address == leaving)?.interface;
    let ours = || lines.iter().filter(|line| line.interface == interface && is_public(line.address));
    let prefix = |address: Ipv6Addr| u128::from(address) >> 64;
    let staying = ours().filter(|line| line.flags & (TEMPORARY | FAILED | DEPRECATED | TENTATIVE) == 0);
    let best = staying.min_by_key(|line| prefix(line.address) != prefix(leaving));
    let kept = best.map(|line| Own { address: line.address, is_temporary: false });
    kept.or_else(|| {
        let only = ours().find(|line| line.address == leaving)?;
        Some(Own { address: only.address, is_temporary: only.flags & TEMPORARY != 0 })
    })
}

fn line(text: &str) -> Option<Line<'_>> {
    let mut words = text.split_whitespace();
    let address = u128::from_str_radix(words.next().filter(|word| word.len() == 32)?, 16).ok()?;
    let mut number = |at: usize| u8::from_str_radix(words.nth(at)?, 16).ok();
    let (scope, flags) = (number(2)?, number(0)?);
    let interface = words.next()?;
    (scope == GLOBAL).then_some(Line { address: Ipv6Addr::from(address), interface, flags })
}

/// Of the world's addresses, and not of those for use at home (`fc00::/7`), which have the same scope.
fn is_public(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xe000 == 0x2000
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "2a02810900000000aaaa000000000001";
    const TEMPORARY_TWO: &str = "2a02810900000000bbbb000000000002";
    const OTHER: &str = "2a02810900000001aaaa000000000001";
    const ULA: &str = "fd000000000000000000000000000001";

    fn address(digits: &str) -> Ipv6Addr {
        u128::from_str_radix(digits, 16).unwrap().into()
    }

    #[test]
    fn the_address_that_stays_is_chosen_and_a_temporary_one_only_where_there_is_no_other() {
        for (story, lines, leaving, expected) in [
            (
                "beside a temporary one",
                &[(TEMPORARY_TWO, 1, "eth0"), (TWO, 0, "eth0")][..],
                TEMPORARY_TWO,
                Some((TWO, false)),
            ),
            ("set by hand", &[(TWO, 0x80, "eth0")], TWO, Some((TWO, false))),
            ("only a temporary one", &[(TEMPORARY_TWO, 1, "eth0")], TEMPORARY_TWO, Some((TEMPORARY_TWO, true))),
            (
                "the other is deprecated",
                &[(TEMPORARY_TWO, 1, "eth0"), (TWO, 0x20, "eth0")],
                TEMPORARY_TWO,
                Some((TEMPORARY_TWO, true)),
            ),
            (
                "or tentative",
                &[(TEMPORARY_TWO, 1, "eth0"), (TWO, 0x40, "eth0")],
                TEMPORARY_TWO,
                Some((TEMPORARY_TWO, true)),
            ),
            (
                "or another machine's",
                &[(TEMPORARY_TWO, 1, "eth0"), (TWO, 0x88, "eth0")],
                TEMPORARY_TWO,
                Some((TEMPORARY_TWO, true)),
            ),
            (
                "of two prefixes the one that is used",
                &[(OTHER, 0, "eth0"), (TEMPORARY_TWO, 1, "eth0"), (TWO, 0, "eth0")],
                TEMPORARY_TWO,
                Some((TWO, false)),
            ),
            (
                "of two interfaces the one that leads out",
                &[(OTHER, 0, "wlan0"), (TEMPORARY_TWO, 1, "eth0"), (TWO, 0, "eth0")],
                TEMPORARY_TWO,
                Some((TWO, false)),
            ),
            (
                "not one for use at home",
                &[(ULA, 0, "eth0"), (TEMPORARY_TWO, 1, "eth0")],
                TEMPORARY_TWO,
                Some((TEMPORARY_TWO, true)),
            ),
            ("none but one for use at home", &[(ULA, 0, "eth0")], ULA, None),
            ("none", &[], TWO, None),
        ] {
            let line = |(digits, flags, name): &(&str, u8, &str)| format!("{digits} 02 40 00 {flags:02x}     {name}\n");
            let mut text: String = lines.iter().map(line).collect();
            text.push_str("fe80000000000000505400fffe000001 02 40 20 80     eth0\n");
            let expected = expected.map(|(digits, is_temporary)| Own { address: address(digits), is_temporary });
            assert_eq!(choose(&text, address(leaving)), expected, "{story}");
        }
        for garbage in ["", "\n", "zz", TWO, "2a02 01 40 00 00 eth0", &format!("{TWO} 02 40 00\n")] {
            assert_eq!(choose(garbage, address(TWO)), None, "{garbage}");
        }
    }
}
