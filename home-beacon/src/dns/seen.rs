//! Which address the world sees this home come from: what sources say, for whoever wants no name kept.

use std::net::IpAddr;

use futures_util::future::join_all;
use shared::{
    http::{client_of_the_world, tls_for},
    names::Family,
};
use tokio::time::Instant;
use url::Url;

use super::{
    detect::Detected,
    find::{unclear, weigh},
    services::{self, OF_DUCKDNS},
};

/// Asks all sources at once over IPv4; two must agree.
///
/// # Errors
/// When they do not until `until`; says what each of them said.
pub async fn seen(sources: &[Url], until: Instant) -> Result<IpAddr, String> {
    let family = Family::V4;
    let tls = tls_for(sources).map_err(|error| error.to_string())?;
    let client = client_of_the_world(&tls, OF_DUCKDNS, Some(family.unspecified()));
    let answers = join_all(sources.iter().map(|source| services::ask(&client, source, family, until))).await;
    match weigh(&answers, None) {
        Detected::Moved(address) => Ok(address),
        Detected::Same | Detected::Unclear => Err(unclear(family, &answers)),
    }
}
