//! What is on the way to the world: the router and its address outside, the first hop behind it, name servers, and a second host far
//! away. With `ROUTER_HOST` alone.

use std::net::{IpAddr, SocketAddr};

use checks::icmp::{loss, summary};
use jiff::Timestamp;
use shared::network::is_at_home;
use tokio::time::Instant;

use super::{
    super::{Method, Router, outside, way},
    Ping, not_allowed,
};
use crate::reading::{MetricName, Outcome, Reading};

/// The port of name servers.
const DNS: u16 = 53;

/// Readings, and what to say of them.
type Said = (Vec<Reading>, String);

impl Ping<'_> {
    /// All of that but for the first hop.
    pub(super) async fn near(&self, until: Instant) -> Vec<Said> {
        let Some(router) = self.settings.router_host else { return Vec::new() };
        let other = self.settings.other_name_server;
        let name = self.settings.checked_name.as_str();
        let (router, far, names, moved) = tokio::join!(
            self.pinged("router", address_of(router)),
            // Beside the first target: one host alone may be silent for reasons of its own.
            self.pinged("far", Ok(other)),
            way::names(name, Some(SocketAddr::new(other, DNS)), until),
            Box::pin(self.moved(address_of(router), until)),
        );
        let names = names.into_iter().map(|reading| {
            let is_own = reading.metric == MetricName::ours("names");
            let whose = if is_own { "the home's name servers" } else { "another name server" };
            let said = format!("{whose}: {}", in_words(&reading));
            (vec![reading], said)
        });
        [router, far].into_iter().chain(names).chain(moved).collect()
    }

    /// That the router has another address outside than before.
    async fn moved(&self, router: Result<IpAddr, String>, until: Instant) -> Option<Said> {
        let reading = outside::moved(&self.context.memory, router.ok()?, until).await?;
        let said = format!("the router's address outside is {} now", reading.target.as_deref().unwrap_or_default());
        Some((vec![reading], said))
    }

    /// One of them. Where there is no gateway, the cable is out, or the router is off: that is a failure.
    async fn pinged(&self, name: &str, address: Result<IpAddr, String>) -> Said {
        let at = Timestamp::now();
        let taken = match &address {
            Ok(address) => self.sample(*address).await,
            Err(why) => Err(why.clone()),
        };
        let (outcome, loss) = match taken {
            Ok(taken) => match summary(&taken.samples) {
                Some(sum) => (Outcome::Value(sum.average), Some(loss(&taken.samples))),
                None => (Outcome::Failure(format!("none of {} answers came", taken.samples.len())), Some(100.0)),
            },
            Err(why) => (Outcome::Failure(why), None),
        };
        let mut reading = Reading::new(MetricName::ours(name), at, outcome);
        (reading.target, reading.loss) = (address.ok().map(|address| address.to_string()), loss);
        let target = reading.target.as_deref().unwrap_or_default();
        let said = format!("{name} {target}: {}", in_words(&reading));
        (vec![reading], said)
    }

    /// The first hop behind the router, where echoes can be sent; `is_there`: whether hosts behind it answer now.
    pub(super) async fn first_hop(&self, is_there: bool, until: Instant) -> Option<Said> {
        let router = self.settings.router_host.filter(|_| self.settings.method != Method::Tcp)?;
        let router = address_of(router).ok();
        let is_usable = |address: &IpAddr| {
            // The router says which it is by its address of the same family.
            !is_at_home(*address) && router.is_none_or(|router| router.is_ipv4() == address.is_ipv4())
        };
        let targets = self.settings.target_host.iter().filter_map(|target| target.as_str().parse().ok());
        // What is on the way there is asked, and not itself.
        let far = targets.into_iter().chain([self.settings.other_name_server]).find(is_usable)?;
        match way::first_hop(&self.context.memory, router, far, is_there, until).await {
            Ok(Some(reading)) => {
                let said = format!("first hop: {}", in_words(&reading));
                Some((vec![reading], said))
            }
            Ok(None) => Some((Vec::new(), "first hop: it has not been found yet".into())),
            Err(error) => Some((Vec::new(), format!("first hop: {}", not_allowed(&error)))),
        }
    }
}

fn address_of(router: Router) -> Result<IpAddr, String> {
    match router {
        Router::At(address) => Ok(address),
        Router::Gateway => way::gateway(),
    }
}

fn in_words(reading: &Reading) -> String {
    match &reading.outcome {
        Outcome::Value(millis) => format!("{millis:.3} ms"),
        Outcome::Failure(why) | Outcome::Skipped(why) => why.clone(),
    }
}
