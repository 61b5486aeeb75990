//! PCP (RFC 6887) and NAT-PMP (RFC 6886) of a router. FACTS.md R1, R2, R3.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;

use super::{
    Shared, State,
    table::{Entry, ends},
    v4,
};

/// Results of PCP, section 7.4.
const SUCCESS: u8 = 0;
const UNSUPPORTED_VERSION: u8 = 1;
const NOT_AUTHORIZED: u8 = 2;
const MALFORMED_REQUEST: u8 = 3;
const UNSUPPORTED_OPCODE: u8 = 4;
const NO_RESOURCES: u8 = 8;
const UNSUPPORTED_PROTOCOL: u8 = 9;
const ADDRESS_MISMATCH: u8 = 12;

/// The longest request, section 7.
const LONGEST: usize = 1100;

const TCP: u8 = 6;

pub(super) async fn serve(socket: UdpSocket, state: Shared) {
    let mut buffer = [0; 2048];
    while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
        let answer = {
            let mut state = state.lock().expect("no question panics");
            answer(&mut state, peer, &buffer[..length])
        };
        if let Some(answer) = answer {
            let _ = socket.send_to(&answer, peer).await;
        }
    }
}

fn answer(state: &mut State, peer: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let (pcp, nat_pmp) = (state.manner.pcp, state.manner.nat_pmp);
    match request {
        // An answer to something is never answered.
        [_, opcode, ..] if opcode & 0x80 != 0 => None,
        [0, ..] if nat_pmp => natpmp(state, peer, request),
        [2, ..] if pcp && request.len() <= LONGEST => Some(map(state, peer, request)),
        // One that speaks PCP alone says so in PCP, and one that speaks NAT-PMP alone in NAT-PMP (section 9; RFC 6886, 3.5).
        [_, opcode, ..] if pcp => Some(header(state, *opcode, UNSUPPORTED_VERSION, 0)),
        [_, opcode, ..] => Some([&[0, opcode | 0x80, 0, 1][..], &state.table.epoch().to_be_bytes()].concat()),
        _ => None,
    }
}

/// Version, opcode, reserved, result, lifetime, epoch, 96 reserved bits.
fn header(state: &State, opcode: u8, result: u8, lifetime: u32) -> Vec<u8> {
    let epoch = state.table.epoch().to_be_bytes();
    [&[2, opcode | 0x80, 0, result][..], &lifetime.to_be_bytes(), &epoch, &[0; 12]].concat()
}

fn map(state: &mut State, peer: SocketAddr, request: &[u8]) -> Vec<u8> {
    let opcode = request[1];
    let refuse = |state: &mut State, result| {
        state.asked.push(format!("ASK PCP {opcode}: refused with {result}"));
        header(state, opcode, result, 30)
    };
    if request.len() < 24 || !request.len().is_multiple_of(4) || request[2..4] != [0, 0] {
        return refuse(state, MALFORMED_REQUEST);
    }
    if opcode != 1 {
        return refuse(state, UNSUPPORTED_OPCODE);
    }
    if request.len() != 60 {
        return refuse(state, MALFORMED_REQUEST);
    }
    let lifetime = u32::from_be_bytes(request[4..8].try_into().expect("four bytes"));
    // ::ffff:a.b.c.d, which must be who sends it (section 8.1).
    let client = v6(&request[8..24]);
    let nonce: [u8; 12] = request[24..36].try_into().expect("twelve bytes");
    let (protocol, port) = (request[36], |at: usize| u16::from_be_bytes([request[at], request[at + 1]]));
    let (internal, suggested) = (port(40), port(42));
    if request[37..40] != [0, 0, 0] || internal == 0 {
        return refuse(state, MALFORMED_REQUEST);
    }
    if client != Some(IpAddr::V4(v4(peer))) {
        return refuse(state, ADDRESS_MISMATCH);
    }
    if protocol != TCP {
        return refuse(state, UNSUPPORTED_PROTOCOL);
    }
    let client = IpAddr::V4(v4(peer));
    let known = state.table.of("PCP", client, internal);
    // Somebody else's, by a nonce that only who opened it knows (section 11.3).
    if known.as_ref().is_some_and(|known| known.nonce != Some(nonce)) {
        return refuse(state, NOT_AUTHORIZED);
    }
    let (external, given) = if lifetime == 0 {
        state.asked.push(format!("CLOSE PCP {internal}"));
        known.inspect(|known| _ = state.table.remove(known.external)).map_or((0, 0), |known| (known.external, 0))
    } else {
        state.asked.push(format!("OPEN PCP {suggested} {internal} {lifetime}"));
        if state.manner.forbids {
            return refuse(state, NOT_AUTHORIZED);
        }
        // R2: miniupnpd says so where it has no public address.
        if state.manner.outside.is_none() {
            return refuse(state, NO_RESOURCES);
        }
        let external = known.map_or_else(|| state.table.free(suggested), |known| known.external);
        let given = lifetime.min(state.manner.longest);
        state.table.put(Entry {
            ends: Some(ends(given)),
            nonce: Some(nonce),
            by: "PCP",
            ..Entry::new(external, client, internal, "PCP")
        });
        (external, given)
    };
    let outside = state.manner.outside.unwrap_or(Ipv4Addr::UNSPECIFIED).to_ipv6_mapped().octets();
    let ports = [internal.to_be_bytes(), external.to_be_bytes()].concat();
    [&header(state, opcode, SUCCESS, given)[..], &nonce, &[protocol, 0, 0, 0], &ports, &outside].concat()
}

fn natpmp(state: &mut State, peer: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let epoch = state.table.epoch().to_be_bytes();
    let failed = |opcode: u8, result: u8| [&[0, opcode | 0x80, 0, result][..], &epoch].concat();
    match request {
        [0, 0] => {
            state.asked.push("ASK NAT-PMP".into());
            let Some(outside) = state.manner.outside else { return Some([&failed(0, 3)[..], &[0; 4]].concat()) };
            Some([&failed(0, 0)[..], &outside.octets()].concat())
        }
        [0, opcode @ (1 | 2), 0, 0, i0, i1, e0, e1, l0, l1, l2, l3] => {
            let (internal, suggested) = (u16::from_be_bytes([*i0, *i1]), u16::from_be_bytes([*e0, *e1]));
            let lifetime = u32::from_be_bytes([*l0, *l1, *l2, *l3]);
            let client = IpAddr::V4(v4(peer));
            let known = state.table.of("NAT-PMP", client, internal);
            let (result, external, given) = if lifetime == 0 {
                state.asked.push(format!("CLOSE NAT-PMP {internal}"));
                known.inspect(|known| _ = state.table.remove(known.external));
                // Section 3.4: both are zero of what is closed.
                (0, 0, 0)
            } else {
                state.asked.push(format!("OPEN NAT-PMP {suggested} {internal} {lifetime}"));
                if state.manner.forbids {
                    (2, 0, 0)
                } else if state.manner.outside.is_none() {
                    (3, 0, 0)
                } else {
                    let external = known.map_or_else(|| state.table.free(suggested), |known| known.external);
                    let given = lifetime.min(state.manner.longest);
                    let entry = Entry::new(external, client, internal, "NAT-PMP");
                    state.table.put(Entry { ends: Some(ends(given)), by: "NAT-PMP", ..entry });
                    (0, external, given)
                }
            };
            let ports = [internal.to_be_bytes(), external.to_be_bytes()].concat();
            Some([&failed(*opcode, result)[..], &ports, &given.to_be_bytes()].concat())
        }
        [0, opcode, ..] => Some(failed(*opcode, 5)),
        _ => None,
    }
}

fn v6(bytes: &[u8]) -> Option<IpAddr> {
    let octets: [u8; 16] = bytes.try_into().ok()?;
    std::net::Ipv6Addr::from(octets).to_ipv4_mapped().map(IpAddr::V4)
}
