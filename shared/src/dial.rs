//! TCP connections to names, after RFC 8305: both families are asked for and tried side by side, the addresses of a name
//! staggered, all of them before one deadline. Neither a name server that is silent about a family nor an address that
//! does not answer keeps the others waiting.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::{Instant, timeout_at},
};
use url::Host;

use crate::{
    connection::ConnectionFailure,
    names::{Family, LookupError, Names, Reply, Search, describe},
};

/// How long an address is tried before the next one is, too: RFC 8305's, section 5.
const STAGGER: Duration = Duration::from_millis(250);

/// How long a name server that is silent about a family is waited for once all other addresses have failed.
const NAME_GRACE: Duration = Duration::from_millis(500);

/// The most addresses that are tried of each family.
const MAX_ADDRESSES: usize = 8;

/// No connection.
#[derive(Debug, thiserror::Error)]
pub enum NotConnected {
    /// The name has no address that could be tried; says why.
    #[error("{0}")]
    Name(String),
    /// The last of the addresses that were tried did not take it.
    #[error("no connection to {address}")]
    Refused {
        /// Where it was tried.
        address: SocketAddr,
        /// What the system says.
        #[source]
        why: io::Error,
    },
    /// None of the addresses took it before the deadline.
    #[error("no connection in time")]
    TooLate,
}

/// How connections are made.
#[derive(Clone, Copy, Debug)]
pub struct Dial {
    /// Whether the search list may complete the name.
    pub search: Search,
    /// Where they come from; an unspecified address (`0.0.0.0` or `::`) stands for its family.
    pub local: Option<IpAddr>,
}

/// What dialling came to, phase by phase.
#[derive(Debug)]
pub struct Dialled {
    /// Until the name had an address, or had none; `None` where the host is an address.
    pub resolve: Option<Duration>,
    /// From then to the connection, or to the last failure; `None` where there was no address to try.
    pub connect: Option<Duration>,
    /// The connection.
    pub stream: Result<TcpStream, DialFailure>,
}

/// Why there is no connection to any address of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialFailure {
    /// The name does not exist or has no address, says every server that was asked; in words.
    NoSuchName(String),
    /// The name service does not say; in words.
    NameService(String),
    /// Of the addresses that were tried, the one whose failure says most of the other side.
    Connection(SocketAddr, ConnectionFailure),
}

/// What was seen while it dialled.
#[derive(Debug, Default)]
struct Seen {
    /// When the first address was known.
    addressed: Option<Instant>,
    replies: Vec<Reply>,
    trying: Vec<SocketAddr>,
    failures: Vec<(SocketAddr, ConnectionFailure)>,
}

impl Seen {
    fn failed(&mut self, address: SocketAddr, why: &io::Error) {
        self.trying.retain(|other| *other != address);
        self.failures.push((address, ConnectionFailure::of_connecting(why, address)));
    }

    /// Why there is no connection to the host, the last word said.
    fn failure(self, host: &str) -> DialFailure {
        let silent = self.trying.into_iter().map(|address| (address, ConnectionFailure::TimedOut));
        let most_informative = silent.chain(self.failures).min_by(|(_, one), (_, other)| one.cmp(other));
        match most_informative {
            Some((address, failure)) => DialFailure::Connection(address, failure),
            // A name without any address leads nowhere, whatever else it has.
            None if self.replies.iter().all(|reply| matches!(reply, Reply::NoSuchName | Reply::NoAddress)) => {
                DialFailure::NoSuchName(describe(host, &self.replies))
            }
            None => DialFailure::NameService(describe(host, &self.replies)),
        }
    }
}

/// What comes back while it dials.
enum Step {
    Named(Family, Reply),
    Tried(SocketAddr, io::Result<TcpStream>),
}

impl Dial {
    /// Connects to whichever address of the host answers first.
    ///
    /// # Errors
    /// When none does before `until`; of several reasons that of the last address.
    pub async fn connect(&self, host: Host<&str>, port: u16, until: Instant) -> Result<TcpStream, NotConnected> {
        let name = match host {
            Host::Ipv4(address) => return self.connect_to((address, port).into(), until).await,
            Host::Ipv6(address) => return self.connect_to((address, port).into(), until).await,
            Host::Domain(name) => name,
        };
        let (names, mut seen) = (Names::of_this_machine(), Seen::default());
        timeout_at(until, self.race(&names, name, port, until, &mut seen)).await.unwrap_or(Err(NotConnected::TooLate))
    }

    /// As [`Dial::connect`], by these name servers, with how long each phase took; of several reasons that which says most.
    pub async fn connect_timed(&self, names: &Names, host: Host<&str>, port: u16, until: Instant) -> Dialled {
        let (began, mut seen) = (Instant::now(), Seen::default());
        let (name, dialled) = match host {
            Host::Ipv4(address) => return self.connect_to_timed((address, port).into(), until).await,
            Host::Ipv6(address) => return self.connect_to_timed((address, port).into(), until).await,
            Host::Domain(name) => (name, timeout_at(until, self.race(names, name, port, until, &mut seen)).await),
        };
        let (ended, addressed) = (Instant::now(), seen.addressed);
        if ended >= until {
            seen.replies.push(Reply::Failed(LookupError::Silent));
        }
        let stream = dialled.ok().and_then(Result::ok).ok_or_else(|| seen.failure(name));
        let resolve = Some(addressed.unwrap_or(ended) - began);
        Dialled { resolve, connect: addressed.map(|addressed| ended - addressed), stream }
    }

    async fn connect_to_timed(&self, address: SocketAddr, until: Instant) -> Dialled {
        let began = Instant::now();
        let tried = timeout_at(until, self.attempt(address)).await;
        let failed = |failure| DialFailure::Connection(address, failure);
        let stream = match tried {
            Err(_) => Err(failed(ConnectionFailure::TimedOut)),
            Ok(tried) => tried.map_err(|why| failed(ConnectionFailure::of_connecting(&why, address))),
        };
        Dialled { resolve: None, connect: Some(began.elapsed()), stream }
    }

    async fn connect_to(&self, address: SocketAddr, until: Instant) -> Result<TcpStream, NotConnected> {
        let tried = timeout_at(until, self.attempt(address)).await;
        tried.map_err(|_| NotConnected::TooLate)?.map_err(|why| NotConnected::Refused { address, why })
    }

    async fn race(
        &self,
        names: &Names,
        name: &str,
        port: u16,
        until: Instant,
        seen: &mut Seen,
    ) -> Result<TcpStream, NotConnected> {
        let mut under_way: FuturesUnordered<BoxFuture<'_, Step>> = FuturesUnordered::new();
        for family in [Family::V4, Family::V6] {
            if self.local.is_none_or(|local| Family::of(local) == family) {
                under_way.push(Box::pin(async move {
                    Step::Named(family, names.find(name, family, self.search, until).await)
                }));
            }
        }
        let (mut queue, mut failed) = (Queue::default(), None);
        let mut next_at = Instant::now();
        loop {
            if (seen.trying.is_empty() || Instant::now() >= next_at)
                && let Some(address) = queue.next()
            {
                let address = SocketAddr::new(address, port);
                under_way.push(Box::pin(async move { Step::Tried(address, self.attempt(address).await) }));
                seen.trying.push(address);
                next_at = Instant::now() + STAGGER;
                continue;
            }
            // Once all that is known has failed, a family that no server answers about is not waited for much longer.
            let is_over = queue.is_empty() && seen.trying.is_empty() && failed.is_some();
            let pause = match (queue.is_empty(), is_over) {
                (false, _) => next_at.min(until),
                (true, false) => until,
                (true, true) => until.min(next_at + NAME_GRACE),
            };
            match timeout_at(pause, under_way.next()).await {
                Err(_) if is_over || pause >= until => return Err(failed.unwrap_or(NotConnected::TooLate)),
                Err(_) => (),
                Ok(Some(Step::Named(family, reply))) => {
                    queue.add(family, reply.addresses());
                    if !queue.is_empty() {
                        seen.addressed.get_or_insert_with(Instant::now);
                    }
                    seen.replies.push(reply);
                }
                Ok(Some(Step::Tried(_, Ok(stream)))) => return Ok(stream),
                Ok(Some(Step::Tried(address, Err(why)))) => {
                    seen.failed(address, &why);
                    next_at = Instant::now();
                    failed = Some(NotConnected::Refused { address, why });
                }
                Ok(None) => return Err(failed.unwrap_or_else(|| NotConnected::Name(describe(name, &seen.replies)))),
            }
        }
    }

    async fn attempt(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(local) = self.local {
            socket.bind(SocketAddr::new(local, 0))?;
        }
        tracing::trace!(%address, "connecting");
        let stream = socket.connect(address).await?;
        // Requests are written whole: waiting for more to send would only delay them.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// The addresses that are still to be tried, one of each family in turn.
#[derive(Debug, Default)]
struct Queue {
    v4: VecDeque<IpAddr>,
    v6: VecDeque<IpAddr>,
    last: Option<Family>,
}

impl Queue {
    fn add(&mut self, family: Family, addresses: &[IpAddr]) {
        let queue = if family == Family::V4 { &mut self.v4 } else { &mut self.v6 };
        queue.extend(addresses.iter().take(MAX_ADDRESSES));
    }

    fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    fn next(&mut self) -> Option<IpAddr> {
        let v6_is_next = self.last == Some(Family::V4);
        let address = if v6_is_next {
            self.v6.pop_front().or_else(|| self.v4.pop_front())
        } else {
            self.v4.pop_front().or_else(|| self.v6.pop_front())
        };
        self.last = address.map(Family::of);
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let mut queue = Queue::default();
        queue.add(Family::V6, &addresses(&["::1", "::2"]));
        queue.add(Family::V4, &addresses(&["0.0.0.1", "0.0.0.2", "0.0.0.3"]));
        let order: Vec<_> = std::iter::from_fn(|| queue.next()).map(|address| address.to_string()).collect();
        assert_eq!(order, ["0.0.0.1", "::1", "0.0.0.2", "::2", "0.0.0.3"]);
    }

    #[test]
    fn of_several_failures_the_one_that_says_most_of_the_other_side_counts() {
        let address = |last| SocketAddr::from(([192, 0, 2, last], 80));
        let local = ConnectionFailure::Local("no route".into());
        let failures = vec![(address(1), local.clone()), (address(2), ConnectionFailure::Refused)];
        let seen = Seen { failures, trying: vec![address(3)], ..Seen::default() };
        assert_eq!(seen.failure("pi"), DialFailure::Connection(address(2), ConnectionFailure::Refused));
        let seen = Seen { failures: vec![(address(1), local)], trying: vec![address(3)], ..Seen::default() };
        assert_eq!(seen.failure("pi"), DialFailure::Connection(address(3), ConnectionFailure::TimedOut));
        let denied = |replies| Seen { replies, ..Seen::default() }.failure("pi");
        assert!(matches!(denied(vec![Reply::NoSuchName, Reply::NoSuchName]), DialFailure::NoSuchName(_)));
        assert!(matches!(denied(vec![Reply::NoSuchName, Reply::NoAddress]), DialFailure::NoSuchName(_)));
        assert!(matches!(
            denied(vec![Reply::NoAddress, Reply::Failed(LookupError::Silent)]),
            DialFailure::NameService(_)
        ));
    }
}
