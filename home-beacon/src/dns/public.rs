//! Public name servers, each asked by itself and directly, so that neither this machine's hosts file nor its resolver's
//! cache answers in their place.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::future::join_all;
use shared::{names, online::Asked};
use tokio::time::{Instant, sleep_until};

use super::{
    address::Family,
    name::SubName,
    standing::{Heard, Said, Standing, standing},
};

/// How long a server may take to answer; a datagram that is lost is sent again meanwhile.
const PATIENCE: Duration = Duration::from_secs(4);

/// The pauses between two looks, the last one again and again. DuckDNS's records live for 60 s.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5)];

/// Name servers that the world asks.
#[derive(Clone, Debug)]
pub(super) struct PublicDns(Vec<SocketAddr>);

impl PublicDns {
    pub(super) fn new(servers: &[SocketAddr]) -> Self {
        Self(servers.to_vec())
    }

    /// Asks every server for every name's addresses.
    pub(super) async fn ask(&self, names: &[SubName], expected: &[IpAddr], until: Instant) -> Look {
        let asked = self.0.iter().flat_map(|server| names.iter().map(move |name| (server, name)));
        let asked = asked.flat_map(|(server, name)| expected.iter().map(move |expected| (server, name, *expected)));
        let until = until.min(Instant::now() + PATIENCE);
        let heard = join_all(asked.map(|(server, name, expected)| async move {
            let said = said(*server, name, Family::of(expected), until).await;
            (Heard { server: *server, name: name.clone(), expected, said }, Instant::now())
        }));
        let heard = heard.await;
        let answered = heard.iter().filter(|(heard, _)| heard.agrees().is_some()).map(|(_, at)| *at).max();
        Look { answered, heard: heard.into_iter().map(|(heard, _)| heard).collect() }
    }

    /// Asks, for `--check --online`, whether the names are known at all. DuckDNS itself has no call that changes nothing.
    pub(super) async fn exist(&self, names: &[SubName]) -> Vec<Asked> {
        let until = Instant::now() + 3 * PATIENCE;
        let look = self.ask(names, &[Family::V4.unspecified()], until).await;
        let of = |name: &SubName| {
            let said: Vec<_> = look.heard.iter().filter(|heard| heard.name == *name).map(|heard| &heard.said).collect();
            if said.iter().any(|said| matches!(said, Said::Addresses(_) | Said::NoAddress)) {
                Asked::there(format!("{name} is known to public name servers"))
            } else if said.contains(&&Said::NoName) {
                Asked::wrong(format!(
                    "{name} is not known to public name servers: look at DOMAIN, and add the name at www.duckdns.org"
                ))
            } else {
                Asked::unasked(format!("{name}: none of the name servers in PUBLIC_DNS answers"))
            }
        };
        names.iter().map(of).collect()
    }

    /// Asks again and again until the servers agree or `until` has come; the last look.
    pub(super) async fn wait(&self, names: &[SubName], expected: &[IpAddr], until: Instant) -> Look {
        let mut pauses = PAUSES.into_iter().chain(std::iter::repeat(PAUSES[PAUSES.len() - 1]));
        loop {
            let look = self.ask(names, expected, until).await;
            let next = Instant::now() + pauses.next().unwrap_or_default();
            if standing(&look.heard) == Standing::Agrees || next >= until {
                return look;
            }
            sleep_until(next).await;
        }
    }
}

/// What the servers said at one time.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) heard: Vec<Heard>,
    /// When the last answer came: silence is waited for, but says nothing.
    pub(super) answered: Option<Instant>,
}

async fn said(server: SocketAddr, name: &SubName, family: Family, until: Instant) -> Said {
    match names::ask_server(server, &name.full(), family, until).await {
        names::Said::Addresses(addresses) => Said::Addresses(addresses),
        names::Said::NoAddress => Said::NoAddress,
        names::Said::NoSuchName => Said::NoName,
        names::Said::Failed(names::ResponseCode::Refused) => Said::Failed("REFUSED"),
        names::Said::Failed(names::ResponseCode::ServFail) => Said::Failed("SERVFAIL"),
        names::Said::Failed(_) => Said::Failed("an error"),
        names::Said::Silent | names::Said::Unreachable => Said::Silent,
    }
}
