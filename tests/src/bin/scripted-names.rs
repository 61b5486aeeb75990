//! A name server at the address that it is given (127.0.0.53), port 53, that says `asked` for each question. It answers by what
//! a name begins with: `nx`, `servfail`, `empty` and `silent` as they say, `half` with an address for IPv4 and SERVFAIL for
//! IPv6, `halfsilent` with silence for it, and everything else with 127.0.0.1. A second word gives it another manner:
//!
//! - `late=MS`: as above, but so much later
//! - `code=N`: with that code to everything
//! - `silent`: never
//! - `only=NAME`: with 127.0.0.1 for that name and all below it, and that no other exists
//! - `only=NAME/N`: with that code to all others instead

use std::{io, net::UdpSocket, thread::sleep, time::Duration};

const SERVFAIL: u8 = 2;
const NXDOMAIN: u8 = 3;

fn main() -> io::Result<()> {
    let mut words = std::env::args().skip(1);
    let address = words.next().unwrap_or_else(|| "127.0.0.53".into());
    let manner = words.next().unwrap_or_default();
    let socket = UdpSocket::bind((address.as_str(), 53))?;
    println!("listening");
    let mut packet = [0; 512];
    loop {
        let (length, client) = socket.recv_from(&mut packet)?;
        println!("asked");
        if let Some(answer) = answer(&packet[..length], manner.split_once('=').unwrap_or((&manner, ""))) {
            socket.send_to(&answer, client)?;
        }
    }
}

/// The answer to a query of one question; `None` is silence.
fn answer(query: &[u8], manner: (&str, &str)) -> Option<Vec<u8>> {
    let question = query.get(12..)?;
    let end = question.iter().position(|byte| *byte == 0)? + 5;
    let wants_v4 = question[end - 3] == 1;
    let (code, address) = match manner {
        ("silent", _) => return None,
        ("code", code) => (code.parse().ok()?, false),
        ("only", known) => {
            let (known, code) = known.split_once('/').unwrap_or((known, "3"));
            if is_below(question, known) { (0, wants_v4) } else { (code.parse().ok()?, false) }
        }
        (late, by) => {
            if late == "late" {
                sleep(Duration::from_millis(by.parse().ok()?));
            }
            by_label(question, wants_v4)?
        }
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

fn by_label(question: &[u8], wants_v4: bool) -> Option<(u8, bool)> {
    let label = String::from_utf8_lossy(question.get(1..=usize::from(question[0]))?).to_lowercase();
    Some(match label.as_str() {
        "silent" => return None,
        "nx" => (NXDOMAIN, false),
        "servfail" => (SERVFAIL, false),
        "halfsilent" if !wants_v4 => return None,
        "half" => (if wants_v4 { 0 } else { SERVFAIL }, wants_v4),
        "empty" => (0, false),
        _ => (0, wants_v4),
    })
}

/// Whether the name that is asked for is `known`, or below it.
fn is_below(question: &[u8], known: &str) -> bool {
    let (mut name, mut at) = (String::new(), 0);
    while let Some(length @ 1..) = question.get(at).map(|length| usize::from(*length)) {
        let Some(label) = question.get(at + 1..=at + length) else { return false };
        name = format!("{name}.{}", String::from_utf8_lossy(label).to_lowercase());
        at += length + 1;
    }
    name.ends_with(&format!(".{known}"))
}
