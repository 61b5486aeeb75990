//! The address behind a name, asked once for a run.

use std::{net::IpAddr, time::Duration};

use hickory_resolver::{TokioResolver, config::LookupIpStrategy};
use shared::names::told;
use tokio::time::{Instant, timeout_at};

use super::settings::Family;

/// An address, and how long it took to learn it: `None` where there was nothing to ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) address: IpAddr,
    pub(super) took: Option<Duration>,
}

/// # Errors
/// Why there is no address, in words.
pub(super) async fn resolve(host: &str, family: Option<Family>, until: Instant) -> Result<Found, String> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(Found { address: address.to_canonical(), took: None });
    }
    let resolver = TokioResolver::builder_tokio().and_then(|mut builder| {
        builder.options_mut().ip_strategy = match family {
            None => LookupIpStrategy::Ipv4thenIpv6,
            Some(Family::V4) => LookupIpStrategy::Ipv4Only,
            Some(Family::V6) => LookupIpStrategy::Ipv6Only,
        };
        builder.build()
    });
    let resolver = resolver.map_err(|error| format!("no name server is known ({error})"))?;
    let start = Instant::now();
    match timeout_at(until, resolver.lookup_ip(host)).await {
        Err(_) => Err(format!("the name service did not answer in time for {host}")),
        Ok(Err(error)) => Err(told(host, &error)),
        Ok(Ok(found)) => match found.iter().next() {
            Some(address) => Ok(Found { address, took: Some(start.elapsed()) }),
            None => Err(format!("{host} has no address")),
        },
    }
}
