//! The router's address outside, by its own word (NAT-PMP, RFC 6886): a home whose provider moves it behind CGNAT looks well from
//! inside, and no look reaches it any more. Recorded where it has become another one; many routers say nothing, and that is fine.

use std::{net::IpAddr, time::Duration};

use crab_nat::{TimeoutConfig, natpmp};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::network::{Kind, public};
use tokio::time::Instant;

use super::way::MEMORY_TIMEOUT;
use crate::{
    job::memory::Memory,
    reading::{MetricName, Outcome, Reading},
};

/// The name under which the address is remembered.
const STATE: &str = "router_outside";

/// Three packets within 1.75 s: of a router in the same house one is enough.
const PATIENCE: TimeoutConfig =
    TimeoutConfig { initial_timeout: Duration::from_millis(250), max_retries: 2, max_retry_timeout: None };

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    address: Option<IpAddr>,
}

/// The reading of an address that has become another one; of the first one only where nobody can call it.
pub(super) async fn moved(memory: &Memory, router: IpAddr, until: Instant) -> Option<Reading> {
    let (at, start) = (Timestamp::now(), Instant::now());
    let IpAddr::V4(router) = router else { return None };
    let mapped = natpmp::external_address(router.into(), Some(PATIENCE)).await.ok().map(IpAddr::V4);
    // Routers that are not connected say 0.0.0.0.
    let address = mapped.filter(|address| !address.is_unspecified())?;
    let took = start.elapsed();
    let soon = || until.min(Instant::now() + MEMORY_TIMEOUT);
    // Where it cannot be read, nothing is known to have changed.
    let known: Known = memory.load(STATE, soon()).await.ok()?.state.unwrap_or_default();
    if known.address == Some(address) {
        return None;
    }
    memory.save(STATE, &Known { address: Some(address) }, soon()).await.ok()?;
    if known.address.is_none() && !is_shared(address) {
        return None;
    }
    let mut reading = Reading::new(MetricName::ours("router_outside"), at, Outcome::Value(took.as_secs_f64() * 1e3));
    reading.target = Some(address.to_string());
    Some(reading)
}

/// Whether nobody in the world can call who has this address: its provider keeps it behind CGNAT, DS-Lite, or a router of its own.
pub(crate) fn is_shared(address: IpAddr) -> bool {
    matches!(public(address).map_err(|refused| refused.kind), Err(Kind::Cgnat | Kind::Private | Kind::Reserved))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_an_address_of_the_providers_own_network_cannot_be_called() {
        let shared = ["100.64.3.4", "10.3.4.5", "192.168.178.20", "192.0.0.2"];
        let others = ["81.2.69.142", "203.0.113.7", "2a02:8109::7"];
        for (addresses, expected) in [(&shared[..], true), (&others[..], false)] {
            for address in addresses {
                assert_eq!(is_shared(address.parse().unwrap()), expected, "{address}");
            }
        }
    }
}
