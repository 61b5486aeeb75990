//! Public name servers, each asked by itself and directly, so that neither this machine's hosts file nor its resolver's
//! cache answers in their place.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::future::join_all;
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RecordType},
    },
};
use shared::{online::Asked, settings::WrongSetting};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{
    address::Family,
    name::SubName,
    standing::{Heard, Said, Standing, standing},
};

/// How long a server may take to answer, twice, because a datagram may be lost.
const PATIENCE: Duration = Duration::from_secs(2);

/// The pauses between two looks, the last one again and again. DuckDNS's records live for 60 s.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5)];

/// Name servers that the world asks.
#[derive(Clone)]
pub(super) struct PublicDns(Vec<(SocketAddr, TokioResolver)>);

impl PublicDns {
    /// # Errors
    /// When no resolver can be made.
    pub(super) fn new(servers: &[SocketAddr]) -> Result<Self, WrongSetting> {
        let resolvers = servers.iter().map(|server| {
            let mut connection = ConnectionConfig::udp();
            connection.port = server.port();
            let config = NameServerConfig::new(server.ip(), true, vec![connection]);
            let config = ResolverConfig::from_name_servers(vec![config]);
            let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
            let options = builder.options_mut();
            options.cache_size = 0;
            options.use_hosts_file = ResolveHosts::Never;
            options.timeout = PATIENCE;
            options.attempts = 1;
            let resolver = builder.build();
            resolver
                .map(|resolver| (*server, resolver))
                .map_err(|error| WrongSetting(format!("PUBLIC_DNS: {server} cannot be asked ({error})")))
        });
        Ok(Self(resolvers.collect::<Result<_, _>>()?))
    }

    /// Asks every server for every name's addresses.
    pub(super) async fn ask(&self, names: &[SubName], expected: &[IpAddr], until: Instant) -> Look {
        let asked = self.0.iter().flat_map(|server| names.iter().map(move |name| (server, name)));
        let asked = asked.flat_map(|(server, name)| expected.iter().map(move |expected| (server, name, *expected)));
        let heard = join_all(asked.map(|((server, resolver), name, expected)| async move {
            let said = timeout_at(until, said(resolver, name, Family::of(expected))).await.unwrap_or(Said::Silent);
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

async fn said(resolver: &TokioResolver, name: &SubName, family: Family) -> Said {
    let Ok(full) = Name::from_ascii(name.full()) else { return Said::NoName };
    let kind = match family {
        Family::V4 => RecordType::A,
        Family::V6 => RecordType::AAAA,
    };
    match resolver.lookup(full, kind).await {
        Ok(lookup) => {
            let addresses: Vec<IpAddr> = lookup.answers().iter().filter_map(|record| record.data.ip_addr()).collect();
            if addresses.is_empty() { Said::NoAddress } else { Said::Addresses(addresses) }
        }
        Err(error) if error.is_nx_domain() => Said::NoName,
        Err(error) if error.is_no_records_found() => Said::NoAddress,
        Err(NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused))) => Said::Failed("REFUSED"),
        Err(NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail))) => Said::Failed("SERVFAIL"),
        Err(NetError::Dns(_)) => Said::Failed("an error"),
        Err(_) => Said::Silent,
    }
}

impl std::fmt::Debug for PublicDns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(server, _)| server)).finish()
    }
}
