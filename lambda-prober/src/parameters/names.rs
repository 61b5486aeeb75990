//! The SDK's look-ups, by our resolver: the C library's would hold a thread beyond any deadline.

use std::time::Duration;

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use shared::names::{self, Search};
use tokio::time::Instant;

/// The SDK's own deadline for connecting is as long.
const LONGEST: Duration = Duration::from_secs(2);

/// Asks the name servers that this machine is set to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names;

impl ResolveDns for Names {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let names = names::Names::of_this_machine();
            let found = names.resolve(name, None, Search::Never, Instant::now() + LONGEST).await;
            found.map_err(ResolveDnsError::new)
        })
    }
}
