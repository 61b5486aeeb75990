//! Names for our HTTP clients, by hickory, because getaddrinfo blocks a thread beyond any deadline.
//!
//! `/etc/resolv.conf` is read at each look-up: a program that starts before the network does, or outlives a change of name
//! servers, must not ask the old ones for ever.

use std::{io, net::SocketAddr};

use hickory_resolver::{
    TokioResolver,
    config::LookupIpStrategy,
    net::{DnsError, NetError},
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Asks the name servers that this machine is set to now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names;

impl Names {
    /// The addresses of a host, of both families.
    ///
    /// # Errors
    /// When there are none; says of what.
    pub async fn resolve(host: &str) -> io::Result<Vec<SocketAddr>> {
        let cannot = |error: NetError| io::Error::other(told(host, &error));
        let built = TokioResolver::builder_tokio().and_then(|mut builder| {
            builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
            builder.build()
        });
        let found = built.map_err(cannot)?.lookup_ip(host).await.map_err(cannot)?;
        // Whoever connects puts the port in.
        Ok(found.iter().map(|address| SocketAddr::new(address, 0)).collect())
    }
}

/// Why a name has no address, in words.
pub fn told(host: &str, error: &NetError) -> String {
    match error {
        error if error.is_nx_domain() => format!("{host} does not exist (NXDOMAIN)"),
        error if error.is_no_records_found() => format!("{host} has no such address"),
        NetError::Dns(DnsError::ResponseCode(code)) => {
            format!("the name service could not find out about {host} ({code})")
        }
        NetError::Timeout | NetError::NoConnections => {
            format!("no name server answered about {host}, perhaps because we are offline")
        }
        other => format!("{host} could not be looked up, perhaps because we are offline ({other})"),
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = Self::resolve(name.as_str()).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
