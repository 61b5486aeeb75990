//! A router that opens ports when it is asked to, as strict as the standards and the routers that are known (FACTS.md R1 to R8):
//! PCP and NAT-PMP over UDP, UPnP's search and its calls, over real sockets and one table. It forwards nothing.

mod igd;
mod pmp;
mod ssdp;
mod table;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::{
    net::{TcpListener, UdpSocket},
    task::JoinHandle,
};

pub use self::table::Entry;
use self::table::Table;

/// What a router speaks, and how.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a router that somebody has at home")]
pub struct Manner {
    pub pcp: bool,
    pub nat_pmp: bool,
    /// The version of UPnP's Internet Gateway Device: 1 or 2.
    pub igd: Option<u8>,
    /// What it says its address outside is; `None`: it has none, and opens nothing.
    pub outside: Option<Ipv4Addr>,
    /// R4: it knows no leases (725).
    pub only_for_ever: bool,
    /// R5: it takes the same port inside and outside alone (724).
    pub only_same_port: bool,
    /// R3: it opens ports for the machine that asks alone.
    pub is_secure: bool,
    /// It has no list of single ports (401).
    pub has_no_list: bool,
    /// R6: its refusals have a number and no words.
    pub is_wordless: bool,
    /// It opens nothing twice (718), not even for the same machine.
    pub opens_once: bool,
    /// What is asked for is forbidden (606, not authorised).
    pub forbids: bool,
    /// It says that it has opened a port, and has not.
    pub pretends: bool,
    /// A web page in the place of every answer of UPnP.
    pub is_a_web_page: bool,
    /// It describes itself in megabytes, each element with namespaces of its own.
    pub is_long_winded: bool,
    /// It begins to describe itself, and never ends.
    pub stalls: bool,
    /// It lists its machines by names that it has for them.
    pub lists_names: bool,
    /// The longest lease that it gives, in seconds.
    pub longest: u32,
}

impl Manner {
    /// One that speaks everything and does what it is asked.
    pub const GOOD: Self = Self {
        pcp: true,
        nat_pmp: true,
        igd: Some(2),
        outside: Some(Ipv4Addr::new(81, 2, 69, 142)),
        only_for_ever: false,
        only_same_port: false,
        is_secure: true,
        has_no_list: false,
        is_wordless: false,
        opens_once: false,
        forbids: false,
        pretends: false,
        is_a_web_page: false,
        is_long_winded: false,
        stalls: false,
        lists_names: false,
        longest: 86_400,
    };

    /// One that speaks UPnP alone.
    pub const UPNP: Self = Self { pcp: false, nat_pmp: false, igd: Some(1), ..Self::GOOD };

    /// One that speaks PCP alone.
    pub const PCP: Self = Self { nat_pmp: false, igd: None, ..Self::GOOD };

    /// One that speaks NAT-PMP alone.
    pub const NAT_PMP: Self = Self { pcp: false, igd: None, ..Self::GOOD };

    /// One that says nothing at all.
    pub const DEAF: Self = Self { pcp: false, nat_pmp: false, igd: None, ..Self::GOOD };
}

#[derive(Debug)]
struct State {
    manner: Manner,
    table: Table,
    /// What it was asked, in a line each.
    asked: Vec<String>,
}

type Shared = Arc<Mutex<State>>;

/// A router; switched off when dropped.
#[derive(Debug)]
pub struct Router {
    pub address: Ipv4Addr,
    state: Shared,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Router {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Router {
    /// One at an address that nobody else has, asked directly alone.
    ///
    /// # Panics
    /// When its ports cannot be had.
    pub async fn at(address: Ipv4Addr, manner: Manner) -> Self {
        Self::open(address, address, manner).await
    }

    /// One that also hears what everybody on its network is asked; for a network of its own, because it takes the ports of all
    /// addresses there.
    ///
    /// # Panics
    /// When its ports cannot be had.
    pub async fn on_network(address: Ipv4Addr, manner: Manner) -> Self {
        Self::open(address, Ipv4Addr::UNSPECIFIED, manner).await
    }

    async fn open(address: Ipv4Addr, searched: Ipv4Addr, manner: Manner) -> Self {
        let state = Arc::new(Mutex::new(State { manner, table: Table::new(), asked: Vec::new() }));
        let mut tasks = Vec::new();
        if manner.pcp || manner.nat_pmp {
            let socket = UdpSocket::bind((address, 5351)).await.expect("the port of PCP");
            tasks.push(tokio::spawn(pmp::serve(socket, Arc::clone(&state))));
        }
        if let Some(version) = manner.igd {
            let listener = TcpListener::bind((address, 0)).await.expect("a port");
            let described = listener.local_addr().expect("an address");
            let socket = UdpSocket::bind((searched, 1900)).await.expect("the port of searches");
            if searched.is_unspecified() {
                socket.join_multicast_v4(ssdp::GROUP, address).expect("the group of searches");
            }
            tasks.push(tokio::spawn(ssdp::serve(socket, described, version)));
            tasks.push(tokio::spawn(igd::serve(listener, version, Arc::clone(&state))));
        }
        Self { address, state, tasks }
    }

    /// One that speaks PCP and NAT-PMP alone, over a socket that was made elsewhere.
    pub fn over(socket: UdpSocket, address: Ipv4Addr, manner: Manner) -> Self {
        let state = Arc::new(Mutex::new(State { manner, table: Table::new(), asked: Vec::new() }));
        let tasks = vec![tokio::spawn(pmp::serve(socket, Arc::clone(&state)))];
        Self { address, state, tasks }
    }

    /// Who has which port now.
    pub fn table(&self) -> Vec<Entry> {
        self.state().table.entries()
    }

    /// The external ports that lead to this machine, with the inner ones.
    pub fn leads_here(&self) -> Vec<(u16, u16)> {
        let here = self.table().into_iter().filter(|entry| entry.client == IpAddr::from(Ipv4Addr::LOCALHOST));
        here.map(|entry| (entry.external, entry.internal)).collect()
    }

    /// Has a port lead to another machine, as if that one had asked.
    pub fn give(&self, external: u16, client: IpAddr, internal: u16, description: &str) {
        self.state().table.put(Entry::new(external, client, internal, description));
    }

    /// Takes a port away, as a person does in the settings.
    pub fn take(&self, external: u16) {
        self.state().table.remove(external);
    }

    /// What it was asked so far, in a line each; `LOOK`, `OPEN` or `CLOSE` first, or `ASK` for what changes nothing.
    pub fn asked(&self) -> Vec<String> {
        self.state().asked.clone()
    }

    /// The power goes and comes: its table is empty, and it counts from nothing.
    pub fn restart(&self) {
        self.state().table = Table::new();
    }

    /// It becomes another one, but for the protocols that it listens to.
    pub fn turn(&self, manner: Manner) {
        self.state().manner = manner;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no question panics")
    }
}

/// The address of who asks, as IPv4.
fn v4(peer: SocketAddr) -> Ipv4Addr {
    match peer.ip() {
        IpAddr::V4(four) => four,
        IpAddr::V6(six) => six.to_ipv4_mapped().unwrap_or(Ipv4Addr::UNSPECIFIED),
    }
}
