//! A public name server over UDP, which answers with what the emulated DuckDNS holds, or as a name server does that is
//! behind, failing or gone. It knows one zone, `duckdns.org`.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{net::UdpSocket, task::JoinHandle};

use crate::duckdns::Zone;

const SERVFAIL: u8 = 2;
const NXDOMAIN: u8 = 3;
const REFUSED: u8 = 5;
const A: u8 = 1;
const AAAA: u8 = 28;

/// How it answers.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// With what DuckDNS holds now.
    Live,
    /// With an old answer, as often as that, and then live: it was asked shortly before a change.
    Behind(IpAddr, usize),
    /// With an old answer for ever.
    Stale(IpAddr),
    Servfail,
    Refuses,
    NoSuchName,
    Silent,
}

/// A name server that listens; ends when dropped.
#[derive(Debug)]
pub struct NameServer {
    pub address: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl NameServer {
    /// # Panics
    /// When no port is to be had.
    pub async fn open(zone: &Arc<Zone>, manner: Manner) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("an address");
        let manner = Arc::new(Mutex::new(manner));
        let asked = Arc::new(AtomicUsize::new(0));
        let (zone, playing, counting) = (Arc::clone(zone), Arc::clone(&manner), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            let mut packet = [0; 1500];
            while let Ok((length, client)) = socket.recv_from(&mut packet).await {
                counting.fetch_add(1, Ordering::Relaxed);
                let manner = turned(&playing);
                if let Some(answer) = answer(&packet[..length], &zone, manner) {
                    let _ = socket.send_to(&answer, client).await;
                }
            }
        });
        Self { address, manner, asked, task }
    }

    /// # Panics
    /// Never in practice.
    pub fn turn(&self, manner: Manner) {
        *self.manner.lock().expect("no question panics") = manner;
    }

    /// How many questions came so far.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// How it answers this time.
fn turned(manner: &Mutex<Manner>) -> Manner {
    let mut manner = manner.lock().expect("no question panics");
    let now = *manner;
    if let Manner::Behind(old, left) = now {
        *manner = if left > 1 { Manner::Behind(old, left - 1) } else { Manner::Live };
    }
    now
}

/// The answer to a query of one question; `None` is silence.
fn answer(query: &[u8], zone: &Zone, manner: Manner) -> Option<Vec<u8>> {
    let question = query.get(12..)?;
    let mut labels = Vec::new();
    let mut at = 0;
    while let length @ 1.. = usize::from(*question.get(at)?) {
        labels.push(String::from_utf8_lossy(question.get(at + 1..=at + length)?).to_lowercase());
        at += length + 1;
    }
    let question = question.get(..at + 5)?;
    let kind = question[at + 2];
    let held = match &labels[..] {
        [name, duckdns, org] if duckdns == "duckdns" && org == "org" => zone.get(name),
        _ => None,
    };
    let of_kind = |address: &IpAddr| kind == if address.is_ipv4() { A } else { AAAA };
    let (code, address) = match (manner, held) {
        (Manner::Silent, _) => return None,
        (Manner::Servfail, _) => (SERVFAIL, None),
        (Manner::Refuses, _) => (REFUSED, None),
        (Manner::Behind(old, _) | Manner::Stale(old), _) => (0, Some(old).filter(of_kind)),
        (Manner::NoSuchName, _) | (Manner::Live, None) => (NXDOMAIN, None),
        (Manner::Live, Some(held)) => {
            let addresses = [held.ipv4.map(IpAddr::from), held.ipv6.map(IpAddr::from)];
            (0, addresses.into_iter().flatten().find(of_kind))
        }
    };
    let mut answer = Vec::from(&query[..2]);
    answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
    answer.extend(question);
    // The question's name, its kind, IN, 60 s (FACTS.md D3).
    answer.extend(address.iter().flat_map(|_| [0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60]));
    match address {
        Some(IpAddr::V4(address)) => answer.extend([&[0, 4], &address.octets()[..]].concat()),
        Some(IpAddr::V6(address)) => answer.extend([&[0, 16], &address.octets()[..]].concat()),
        None => (),
    }
    Some(answer)
}
