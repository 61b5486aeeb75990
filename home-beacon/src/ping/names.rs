//! The address behind a name, asked once for a run.

use std::{net::IpAddr, pin::pin, time::Duration};

use futures_util::future::{Either, select};
use shared::names::{self, Names, Reply, Search};
use tokio::time::{Instant, timeout};

use super::settings::Family;

/// How long an address for IPv4 is waited for once one for IPv6 is known.
const PREFERENCE: Duration = Duration::from_millis(300);

/// An address, and how long it took to learn it: `None` where there was nothing to ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) address: IpAddr,
    pub(super) took: Option<Duration>,
}

/// Of both families IPv4 is preferred, and one that nobody tells of is not waited for once the other is known.
///
/// # Errors
/// Why there is no address, in words.
pub(super) async fn resolve(host: &str, family: Option<Family>, until: Instant) -> Result<Found, String> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(Found { address: address.to_canonical(), took: None });
    }
    let (names, start, search) = (Names::of_this_machine(), Instant::now(), Search::of_target(host));
    let find = |family| names.find(host, family, search, until);
    let replies = match family {
        Some(Family::V4) => vec![find(names::Family::V4).await],
        Some(Family::V6) => vec![find(names::Family::V6).await],
        None => {
            let (v4, v6) = (pin!(find(names::Family::V4)), pin!(find(names::Family::V6)));
            match select(v4, v6).await {
                Either::Left((v4, _)) if !v4.addresses().is_empty() => vec![v4],
                Either::Left((v4, v6)) => vec![v4, v6.await],
                Either::Right((v6, v4)) if !v6.addresses().is_empty() => match timeout(PREFERENCE, v4).await {
                    Ok(v4) => vec![v4, v6],
                    Err(_) => vec![v6],
                },
                Either::Right((v6, v4)) => vec![v4.await, v6],
            }
        }
    };
    match replies.iter().flat_map(Reply::addresses).next() {
        Some(address) => Ok(Found { address: *address, took: Some(start.elapsed()) }),
        None => Err(names::told(host, &replies)),
    }
}
