//! ICMP echoes: over a datagram socket, which needs no privilege where `net.ipv4.ping_group_range` lets us, or over a raw
//! one, which needs `CAP_NET_RAW`.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{io::Interest, net::UdpSocket, sync::oneshot, task::AbortHandle, time::timeout};

use super::{
    packet::{Echoed, replied, request, requested},
    unreachable::{self, Sample, Why, lost},
};

/// How often a packet is sent that could not be because of an error about one before it.
const MAX_ATTEMPTS: u32 = 4;

/// A socket over which one host is sent echoes.
#[derive(Debug)]
pub struct Echo {
    shared: Arc<Shared>,
    reader: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    socket: UdpSocket,
    address: IpAddr,
    raw: bool,
    identifier: u16,
    waiting: Mutex<HashMap<u16, oneshot::Sender<Received>>>,
}

/// What was received about an echo, and when.
#[derive(Debug)]
enum Received {
    Reply(Instant),
    Error(unreachable::IcmpError, Instant),
}

impl Echo {
    /// Opens one towards an address, of the kind that this process may have.
    ///
    /// # Errors
    /// When neither kind of socket can be opened; `PermissionDenied` when this process may have none.
    pub fn open(address: IpAddr) -> io::Result<Self> {
        Self::with_hops(address, None)
    }

    /// As [`Echo::open`], for echoes that go over so many hops and no further: the last one says so
    /// ([`IcmpError::is_time_exceeded`](super::IcmpError::is_time_exceeded)).
    ///
    /// # Errors
    /// As of [`Echo::open`].
    pub fn within(address: IpAddr, hops: u8) -> io::Result<Self> {
        Self::with_hops(address, Some(hops))
    }

    fn with_hops(address: IpAddr, hops: Option<u8>) -> io::Result<Self> {
        let (domain, protocol) =
            if address.is_ipv4() { (Domain::IPV4, Protocol::ICMPV4) } else { (Domain::IPV6, Protocol::ICMPV6) };
        let open = |kind| Socket::new(domain, kind, Some(protocol));
        let (socket, raw) = match open(Type::DGRAM) {
            Ok(socket) => (socket, false),
            Err(error) => (open(Type::RAW).map_err(|_| error)?, true),
        };
        socket.set_nonblocking(true)?;
        unreachable::listen(&socket, address)?;
        match hops {
            Some(hops) if address.is_ipv4() => socket.set_ttl_v4(hops.into())?,
            Some(hops) => socket.set_unicast_hops_v6(hops.into())?,
            None => (),
        }
        // To tokio it is one that carries datagrams, like any other.
        let socket = UdpSocket::from_std(socket.into())?;
        let shared =
            Arc::new(Shared { socket, address, raw, identifier: fastrand::u16(..), waiting: Mutex::default() });
        let reader = tokio::spawn(read(Arc::clone(&shared))).abort_handle();
        Ok(Self { shared, reader })
    }

    /// How it sends: `icmp` without a privilege, or `icmp-raw`.
    pub fn method(&self) -> &'static str {
        if self.shared.raw { "icmp-raw" } else { "icmp" }
    }

    /// Sends one echo, and waits for what comes of it.
    ///
    /// # Errors
    /// When it could not even be sent.
    pub async fn sample(&self, sequence: u16, timeout_after: Duration) -> io::Result<Sample> {
        let shared = &self.shared;
        let (sender, received) = oneshot::channel();
        shared.waiting().insert(sequence, sender);
        let start = Instant::now();
        if let Err(error) = shared.send(sequence).await {
            shared.waiting().remove(&sequence);
            return lost(error, shared.address);
        }
        let received = timeout(timeout_after, received).await;
        shared.waiting().remove(&sequence);
        Ok(match received {
            Ok(Ok(Received::Reply(at))) => Sample::Answered(at.saturating_duration_since(start)),
            Ok(Ok(Received::Error(error, at))) => Sample::Lost(Some(Why::Reported(unreachable::IcmpError {
                after: Some(at.saturating_duration_since(start)),
                ..error
            }))),
            Ok(Err(_)) | Err(_) => Sample::Lost(None),
        })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Shared {
    async fn send(&self, sequence: u16) -> io::Result<()> {
        let packet = request(self.address, self.identifier, sequence);
        let to = SocketAddr::new(self.address, 0);
        let mut tries = 0;
        loop {
            let sent = self.socket.send_to(&packet, to).await;
            tries += 1;
            match sent {
                Ok(_) => return Ok(()),
                Err(error) if tries == MAX_ATTEMPTS => return Err(error),
                // It may be about a packet before this one: an error is returned once, at the next use of the socket.
                Err(_) => (),
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u16, oneshot::Sender<Received>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliver(&self, echoed: Option<Echoed>, received: Received) {
        // On a datagram socket of Linux the kernel chooses the identifier, and gives us nothing but our own.
        let all_ours = !self.raw && cfg!(target_os = "linux");
        let Some(echoed) = echoed.filter(|echoed| all_ours || echoed.identifier == self.identifier) else { return };
        if let Some(waiting) = self.waiting().remove(&echoed.sequence) {
            let _ = waiting.send(received);
        }
    }

    /// Takes all that is there.
    fn take(&self) {
        let (socket, v4) = (&self.socket, self.address.is_ipv4());
        while let Some((error, packet)) = unreachable::next(socket) {
            if let Some(error) = error {
                self.deliver(requested(&packet, v4), Received::Error(error, Instant::now()));
            }
        }
        let mut packet = [0; 2048];
        loop {
            match rustix::net::recvfrom(socket, &mut packet[..], rustix::net::RecvFlags::empty()) {
                Ok((length, _, from)) => {
                    let from = from.and_then(|from| SocketAddr::try_from(from).ok()).map(|from| from.ip());
                    if from == Some(self.address) {
                        self.deliver(replied(&packet[..length], v4), Received::Reply(Instant::now()));
                    }
                }
                Err(rustix::io::Errno::WOULDBLOCK) => return,
                // An error that is returned once; what it is about was in the queue.
                Err(_) => (),
            }
        }
    }
}

/// Reads until the socket is dropped.
async fn read(shared: Arc<Shared>) {
    let take = || {
        shared.take();
        Err::<(), _>(io::ErrorKind::WouldBlock.into())
    };
    let _ = shared.socket.async_io(Interest::READABLE | Interest::ERROR, take).await;
}
