//! A name server at the address that it is told (127.0.0.53), port 53, that answers by what a name begins with: `nx`,
//! `servfail`, `empty` and `silent` as they say, `half` with an address for IPv4 and SERVFAIL for IPv6, `halfsilent` with
//! silence for it, and everything else with 127.0.0.1.

use std::{io, net::UdpSocket};

const SERVFAIL: u8 = 2;
const NXDOMAIN: u8 = 3;

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.53".into());
    let socket = UdpSocket::bind((address.as_str(), 53))?;
    println!("listening");
    let mut packet = [0; 512];
    loop {
        let (length, client) = socket.recv_from(&mut packet)?;
        if let Some(answer) = answer(&packet[..length]) {
            socket.send_to(&answer, client)?;
        }
    }
}

/// The answer to a query of one question; `None` is silence.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let question = query.get(12..)?;
    let end = question.iter().position(|byte| *byte == 0)? + 5;
    let label = String::from_utf8_lossy(question.get(1..=usize::from(question[0]))?).to_lowercase();
    let wants_v4 = question[end - 3] == 1;
    let (code, address) = match label.as_str() {
        "silent" => return None,
        "nx" => (NXDOMAIN, false),
        "servfail" => (SERVFAIL, false),
        "halfsilent" if !wants_v4 => return None,
        "half" => (if wants_v4 { 0 } else { SERVFAIL }, wants_v4),
        "empty" => (0, false),
        _ => (0, wants_v4),
    };
    let mut answer = Vec::from(&query[..2]);
    answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(address), 0, 0, 0, 0]);
    answer.extend(&question[..end]);
    if address {
        // The question's name, A, IN, 5 s, 4 bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}
