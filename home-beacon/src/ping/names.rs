//! The address behind a name, asked once for a run.

use std::{net::IpAddr, time::Duration};

use shared::names::{Family, Names, Search};
use tokio::time::Instant;

/// An address, and how long it took to learn it: `None` where there was nothing to ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) address: IpAddr,
    pub(super) took: Option<Duration>,
}

/// Of both families IPv4 is preferred; one that no server answers about is not waited for once the other is known.
///
/// # Errors
/// Why there is no address, in words.
pub(super) async fn resolve(host: &str, family: Option<Family>, until: Instant) -> Result<Found, String> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(Found { address: address.to_canonical(), took: None });
    }
    let start = Instant::now();
    let found = Names::of_this_machine().resolve(host, family, Search::of_target(host), until).await;
    let found = found.map_err(|error| error.to_string())?;
    Ok(Found { address: found[0], took: Some(start.elapsed()) })
}
