//! The SDK's name queries, by our resolver: the C library's would block a thread beyond any deadline.

use std::time::Duration;

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use shared::names::{Names, Search};
use tokio::time::Instant;

/// As long as the SDK's own deadline for connecting.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(2);

/// Queries the name servers of this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolver;

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let names = Names::of_this_machine();
            let resolved = names.resolve(name, None, Search::Never, Instant::now() + RESOLVE_TIMEOUT).await;
            resolved.map_err(ResolveDnsError::new)
        })
    }
}
