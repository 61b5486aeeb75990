//! One attempt: both families are queried and tried at once, each address as soon as it is known (after RFC 8305, but
//! without its delay: what matters is whether anything answers, not which address is better).

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use shared::names::{Family, Names, Reply, Search};
use tokio::time::{Instant, timeout_at};
use url::Host;

use super::{exchange::exchange, names::resolution, observer::Observer};
use crate::judge::observation::{Attempt, Exchange, Origin, Resolution};

/// How many addresses of a family are tried.
const MAX_ADDRESSES: usize = 4;

/// How long the other family has once one has answered: enough to see how it is, where it works.
const SECOND_FAMILY_GRACE: Duration = Duration::from_millis(250);

/// What a pending part of an attempt brings.
enum Step {
    Resolved(Family, Reply),
    Exchanged(Box<Exchange>),
}

type Pending<'a> = FuturesUnordered<BoxFuture<'a, Step>>;

impl Observer<'_> {
    pub(super) async fn attempt(&self, until: Instant) -> Attempt {
        let (start, host) = (Instant::now(), self.checker.home.url.host());
        let mut attempt = Attempt {
            started: start - self.began,
            resolution: Resolution::Literal,
            addresses: Vec::new(),
            exchanges: Vec::new(),
            witnesses: None,
        };
        match host {
            Some(Host::Ipv4(address)) => self.try_address(&mut attempt, address.into(), until).await,
            Some(Host::Ipv6(address)) => self.try_address(&mut attempt, address.into(), until).await,
            Some(Host::Domain(name)) => self.try_name(&mut attempt, name, start, until).await,
            None => (),
        }
        attempt
    }

    async fn try_address(&self, attempt: &mut Attempt, address: IpAddr, until: Instant) {
        attempt.addresses.push(address);
        attempt.exchanges.push(self.exchange(address, until).await);
    }

    async fn try_name(&self, attempt: &mut Attempt, name: &str, start: Instant, until: Instant) {
        let names = Names::of_this_machine();
        let resolve_until = until.min(start + self.timing.resolve);
        let pending: Pending<'_> = Pending::new();
        for family in [Family::V4, Family::V6] {
            let query = names.find_for_certain(name, family, Search::of_target(name), resolve_until);
            pending.push(Box::pin(async move { Step::Resolved(family, query.await) }));
        }
        let (v4, v6, took) = self.complete(attempt, pending, start, until).await;
        attempt.resolution = resolution(v4.as_ref(), v6.as_ref(), took);
        if attempt.enough().is_none() {
            self.try_last_proven(attempt, until).await;
        }
    }

    /// Waits for all that is pending, or until shortly after a conclusive answer. The replies for both families, as far
    /// as they came, and how long resolving took.
    async fn complete<'a>(
        &'a self,
        attempt: &mut Attempt,
        mut pending: Pending<'a>,
        start: Instant,
        until: Instant,
    ) -> (Option<Reply>, Option<Reply>, Duration) {
        let (mut v4, mut v6, mut took, mut grace) = (None, None, None, None);
        loop {
            let step = match grace {
                Some(grace) => timeout_at(grace, pending.next()).await.unwrap_or(None),
                None => pending.next().await,
            };
            match step {
                None => return (v4, v6, took.unwrap_or_else(|| start.elapsed())),
                Some(Step::Exchanged(exchange)) => {
                    if self.is_conclusive(&exchange) {
                        grace.get_or_insert(Instant::now() + SECOND_FAMILY_GRACE);
                    }
                    attempt.exchanges.push(*exchange);
                }
                Some(Step::Resolved(family, reply)) => {
                    let addresses = &reply.addresses()[..reply.addresses().len().min(MAX_ADDRESSES)];
                    if !addresses.is_empty() {
                        took.get_or_insert_with(|| start.elapsed());
                    }
                    attempt.addresses.extend(addresses);
                    for address in addresses.iter().copied() {
                        pending.push(Box::pin(async move {
                            Step::Exchanged(Box::new(self.exchange(address, until).await))
                        }));
                    }
                    *if family == Family::V4 { &mut v4 } else { &mut v6 } = Some(reply);
                }
            }
        }
    }

    /// Where the name fails, the home may still be where it last proved itself. Without a key that could not be verified.
    async fn try_last_proven(&self, attempt: &mut Attempt, until: Instant) {
        let failed = match attempt.resolution {
            Resolution::Resolved { failed: None, .. } | Resolution::Literal => return,
            Resolution::Resolved { failed: Some((family, _)), .. } => Some(family),
            Resolution::NoSuchName { .. } | Resolution::Failed { .. } => None,
        };
        if !self.checker.has_key() {
            return;
        }
        let Some(last) = self.session.last_proven_address(until).await else { return };
        if failed.is_none_or(|family| family == Family::of(last)) && !attempt.addresses.contains(&last) {
            let exchange = self.exchange(last, until).await;
            attempt.exchanges.push(Exchange { origin: Origin::LastProven, ..exchange });
        }
    }

    async fn exchange(&self, address: IpAddr, until: Instant) -> Exchange {
        let port = self.checker.home.url.port_or_known_default().unwrap_or(80);
        let address = SocketAddr::new(address, port);
        exchange(&self.checker, address, self.certificates, self.timing.phase, until).await
    }
}
