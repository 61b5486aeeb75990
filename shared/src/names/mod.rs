//! The addresses behind names, for every program here.
//!
//! - `config`: what `/etc/resolv.conf` says
//! - `hosts`: names that need no name server
//! - `records`: records of any type, as one server has them
//! - `search`: which names are asked for where a host is meant
//! - `server`: one question to one server
//! - `servers`: what several servers say together
//! - `wire`: one message to one server
//!
//! Of our own, because the C library's resolver holds a thread beyond any deadline, and hickory-resolver takes the first answer
//! of two servers, whichever it is (`findings/hickory-first-reply-wins.sh`). Nothing is remembered: both files are read at
//! each question, because a program that starts before the network does must not ask the old servers for ever.

mod config;
mod hosts;
mod records;
mod search;
mod server;
mod servers;
mod wire;

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
pub use hickory_proto::{op::ResponseCode, rr::RecordType};
use tokio::time::{Instant, timeout_at};

use self::{config::Config, server::Question};
pub use self::{
    records::{Records, ask_for_records},
    search::Search,
    server::ServerAnswer,
};

/// How long other servers have to contradict the first one that says that a name does not exist. A caller that must not be
/// wrong gives them all its time.
const DENIAL_GRACE: Duration = Duration::from_millis(800);

/// As [`DENIAL_GRACE`], where a server has been silent just before.
const SHORT_DENIAL_GRACE: Duration = Duration::from_millis(100);

/// How long the other family is waited for once the addresses of one are known.
const FAMILY_GRACE: Duration = Duration::from_millis(300);

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Asked for by A records.
    V4,
    /// Asked for by AAAA records.
    V6,
}

impl Family {
    /// That of an address.
    pub const fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The address that stands for any of this machine's in the family.
    pub const fn unspecified(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Self::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// What a question about one family's addresses brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// At least one.
    Addresses(Vec<IpAddr>),
    /// Every server that answered says that there is no such name.
    NoSuchName,
    /// The name is there, but has none of this family.
    NoAddress,
    /// Nothing is known.
    Failed(LookupError),
}

impl Reply {
    /// The addresses that were found, or none.
    pub fn addresses(&self) -> &[IpAddr] {
        if let Self::Addresses(addresses) = self { addresses } else { &[] }
    }
}

/// Why nothing is known of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupError {
    /// A server answered with that error.
    Code(ResponseCode),
    /// No server answered in time.
    Silent,
    /// No server could be reached.
    Unreachable,
    /// This machine names no server.
    NoServers,
}

/// The name service of this machine, as it is set now.
#[derive(Clone, Debug)]
pub struct Names(Config);

impl Names {
    /// As `/etc/resolv.conf` and `/etc/hosts` have it now.
    pub fn of_this_machine() -> Self {
        Self(Config::of_this_machine())
    }

    /// These servers, whatever this machine is set to, and no search list.
    pub const fn of_servers(servers: Vec<SocketAddr>) -> Self {
        Self(Config { servers, search: Vec::new() })
    }

    /// The servers that are asked, in order.
    pub fn servers(&self) -> &[SocketAddr] {
        &self.0.servers
    }

    /// The domains of the search list, in order.
    pub fn domains(&self) -> &[String] {
        &self.0.search
    }

    /// The addresses of one family.
    pub async fn find(&self, host: &str, family: Family, search: Search, until: Instant) -> Reply {
        self.find_with(host, family, search, until, DENIAL_GRACE).await
    }

    /// As [`Names::find`], where it matters most that a name which exists is never denied: each server has all the time.
    pub async fn find_for_certain(&self, host: &str, family: Family, search: Search, until: Instant) -> Reply {
        self.find_with(host, family, search, until, Duration::MAX).await
    }

    async fn find_with(&self, host: &str, family: Family, search: Search, until: Instant, grace: Duration) -> Reply {
        let (mut reply, mut servers, mut grace) = (Reply::NoSuchName, self.0.servers.clone(), grace);
        for name in search.candidates(host, &self.0.search) {
            if let Some(known) = hosts::addresses(&name) {
                return of_family(known, family);
            }
            // Nothing is asked that no name can be; nor does that make it a name that does not exist.
            let Some(question) = Question::new(&name, family) else { return Reply::NoAddress };
            let found = servers::ask_in_order(&servers, &question, until, grace).await;
            match found.reply {
                Reply::NoSuchName => {
                    // A server that was silent is asked last for the next name, and not waited for again.
                    servers.sort_by_key(|server| found.silent.contains(server));
                    if !found.silent.is_empty() {
                        grace = grace.min(SHORT_DENIAL_GRACE);
                    }
                }
                // A server that fails may know the name, but must not keep those from the search that answer.
                Reply::Failed(_) if !found.denying.is_empty() => (reply, servers) = (found.reply, found.denying),
                known => return known,
            }
        }
        reply
    }

    /// The addresses of both families, or of the one that is wished for, IPv4 first.
    ///
    /// # Errors
    /// When there are none; says why, in words.
    pub async fn resolve(
        &self,
        host: &str,
        family: Option<Family>,
        search: Search,
        until: Instant,
    ) -> io::Result<Vec<IpAddr>> {
        let replies = self.replies(host, family, search, until).await;
        let addresses: Vec<IpAddr> = replies.iter().flat_map(Reply::addresses).copied().collect();
        if addresses.is_empty() { Err(io::Error::other(describe(host, &replies))) } else { Ok(addresses) }
    }

    /// As [`Names::resolve`], for who must know why there is no address: what was said of each family, IPv4 first.
    pub async fn replies(&self, host: &str, family: Option<Family>, search: Search, until: Instant) -> Vec<Reply> {
        let families = family.map_or(vec![Family::V4, Family::V6], |family| vec![family]);
        let (wanted, mut end) = (families.len(), until);
        let asked =
            families.into_iter().map(|family| async move { (family, self.find(host, family, search, until).await) });
        let (mut asked, mut received) = (asked.collect::<FuturesUnordered<_>>(), Vec::with_capacity(wanted));
        while let Ok(Some((family, reply))) = timeout_at(end, asked.next()).await {
            if !reply.addresses().is_empty() {
                end = end.min(Instant::now() + FAMILY_GRACE);
            }
            received.push((family, reply));
        }
        if received.len() < wanted {
            received.push((Family::V6, Reply::Failed(LookupError::Silent)));
        }
        received.sort_by_key(|(family, _)| *family);
        received.into_iter().map(|(_, reply)| reply).collect()
    }
}

/// What `/etc/hosts` says of a family. A name that is given no address in particular is blocked on purpose.
fn of_family(mut known: Vec<IpAddr>, family: Family) -> Reply {
    known.retain(|address| Family::of(*address) == family && !address.is_unspecified());
    if known.is_empty() { Reply::NoAddress } else { Reply::Addresses(known) }
}

/// Asks one name server by itself, whatever this machine is set to.
pub async fn ask_server(server: SocketAddr, name: &str, family: Family, until: Instant) -> ServerAnswer {
    match Question::new(name, family) {
        Some(question) => server::ask(server, &question, until).await,
        None => ServerAnswer::NoSuchName,
    }
}

/// Why a name has no address, in words.
pub fn describe(host: &str, replies: &[Reply]) -> String {
    let error = replies.iter().find_map(|reply| match reply {
        Reply::Failed(error) => Some(*error),
        _ => None,
    });
    let why = match error {
        Some(LookupError::Code(code)) => format!("the name service could not find out about {host} ({code})"),
        Some(LookupError::Silent) => format!("no name server answered about {host}, perhaps because we are offline"),
        Some(LookupError::Unreachable) => {
            format!("no name server could be reached to ask about {host}, perhaps because we are offline")
        }
        Some(LookupError::NoServers) => {
            format!("no name server can be asked about {host}: /etc/resolv.conf is missing, or names none")
        }
        None if replies.contains(&Reply::NoSuchName) => format!("{host} does not exist (NXDOMAIN)"),
        None => format!("{host} has no such address"),
    };
    if host.trim_end_matches('.').to_ascii_lowercase().ends_with(".local") {
        return format!("{why}; names in .local are served by mDNS, which is not asked: name an address instead");
    }
    why
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_why_a_name_has_no_address() {
        for (replies, words) in [
            (vec![Reply::NoSuchName, Reply::NoSuchName], "pi does not exist (NXDOMAIN)"),
            (vec![Reply::NoAddress], "pi has no such address"),
            (
                vec![Reply::NoAddress, Reply::Failed(LookupError::Silent)],
                "no name server answered about pi, perhaps because we are offline",
            ),
            (
                vec![Reply::Failed(LookupError::Code(ResponseCode::ServFail))],
                "the name service could not find out about pi (Server Failure)",
            ),
        ] {
            assert_eq!(describe("pi", &replies), words);
        }
        let local = describe("raspberrypi.local", &[Reply::NoSuchName]);
        assert!(local.contains("mDNS, which is not asked"), "{local}");
    }
}
