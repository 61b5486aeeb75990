//! Names for our HTTP clients, by hickory, because getaddrinfo blocks a thread beyond any deadline.
//!
//! `/etc/resolv.conf` is read at each look-up: a program that starts before the network does, or outlives a change of name
//! servers, must not ask the old ones for ever.

use std::{io, net::SocketAddr};

use hickory_resolver::{TokioResolver, config::LookupIpStrategy};
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
        let cannot = |error: &dyn std::fmt::Display| {
            io::Error::other(format!("the name {host} could not be looked up, perhaps because we are offline: {error}"))
        };
        let built = TokioResolver::builder_tokio().and_then(|mut builder| {
            builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
            builder.build()
        });
        let found = built.map_err(|error| cannot(&error))?.lookup_ip(host).await;
        let found = found.map_err(|error| cannot(&error))?;
        // Whoever connects puts the port in.
        Ok(found.iter().map(|address| SocketAddr::new(address, 0)).collect())
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
