//! The messages of an echo (RFC 792, RFC 4443).

use std::net::IpAddr;

/// As many bytes as other pings send by default.
const PAYLOAD: [u8; 56] = *b"porchlight ping: https://www.rfc-editor.org/rfc/rfc792..";

const HEADER: usize = 8;

/// The types of a request and a reply.
const REQUEST_V4: u8 = 8;
const REPLY_V4: u8 = 0;
const REQUEST_V6: u8 = 128;
const REPLY_V6: u8 = 129;

/// Which echo a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Echoed {
    pub(super) identifier: u16,
    pub(super) sequence: u16,
}

/// A request. Its checksum is the kernel's work but on a raw IPv4 socket, and does no harm elsewhere.
pub(super) fn request(address: IpAddr, identifier: u16, sequence: u16) -> [u8; HEADER + PAYLOAD.len()] {
    let mut packet = [0; HEADER + PAYLOAD.len()];
    packet[0] = if address.is_ipv4() { REQUEST_V4 } else { REQUEST_V6 };
    packet[4..6].copy_from_slice(&identifier.to_be_bytes());
    packet[6..8].copy_from_slice(&sequence.to_be_bytes());
    packet[HEADER..].copy_from_slice(&PAYLOAD);
    if address.is_ipv4() {
        let sum = checksum(&packet);
        packet[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    packet
}

/// Which request a reply answers; `None` of everything else. A raw IPv4 socket gives the header of the packet too.
pub(super) fn replied(packet: &[u8], v4: bool) -> Option<Echoed> {
    let packet = match packet.first()? {
        first if v4 && first >> 4 == 4 => packet.get(usize::from(first & 15) * 4..)?,
        _ => packet,
    };
    echoed(packet, if v4 { REPLY_V4 } else { REPLY_V6 })
}

/// Which request this is the beginning of.
pub(super) fn requested(packet: &[u8], v4: bool) -> Option<Echoed> {
    echoed(packet, if v4 { REQUEST_V4 } else { REQUEST_V6 })
}

fn echoed(packet: &[u8], kind: u8) -> Option<Echoed> {
    let word = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    (*packet.first()? == kind).then_some(Echoed { identifier: word(4)?, sequence: word(6)? })
}

/// RFC 1071; of an even number of bytes.
fn checksum(packet: &[u8]) -> u16 {
    let sum = packet.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum::<u32>();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    !u16::try_from(folded).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_a_right_checksum_and_is_known_by_its_numbers() {
        let (v4, v6) = ([192, 0, 2, 1].into(), "2001:db8::1".parse().unwrap());
        let packet = request(v4, 0x1234, 7);
        assert_eq!(checksum(&packet), 0);
        let expected = Some(Echoed { identifier: 0x1234, sequence: 7 });
        assert_eq!((requested(&packet, true), replied(&packet, true)), (expected, None));
        assert_eq!(requested(&request(v6, 0x1234, 7), false), expected);
    }

    #[test]
    fn a_reply_is_found_behind_the_header_of_its_packet_and_halves_are_nothing() {
        let reply = [0, 0, 0, 0, 0x12, 0x34, 0, 7];
        let expected = Some(Echoed { identifier: 0x1234, sequence: 7 });
        let mut whole = [0; 24 + 8];
        whole[0] = 0x46;
        whole[24..].copy_from_slice(&reply);
        assert_eq!((replied(&reply, true), replied(&whole, true)), (expected, expected));
        assert_eq!(replied(&[129, 0, 0, 0, 0x12, 0x34, 0, 7], false), expected);
        for length in 0..8 {
            assert_eq!(replied(&reply[..length], true), None);
            assert_eq!(replied(&whole[..24 + length], true), None);
        }
        assert_eq!(replied(&[3, 1, 0, 0, 0, 0, 0, 7], true), None, "unreachable");
    }
}
