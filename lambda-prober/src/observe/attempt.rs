//! One attempt: both families are asked for and tried at once, each address as soon as it is known (after RFC 8305, but
//! without its pause: what matters is whether anything answers, not which is the better way).

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use shared::names::{Names, Reply, Search};
use tokio::time::{Instant, timeout_at};
use url::Host;

use super::{Observer, exchange::exchange, names::resolution};
use crate::observation::{Attempt, Exchange, Family, Origin, Resolution};

/// The most addresses of a family that are tried.
const MOST_ADDRESSES: usize = 4;

/// How long the other family is waited for once one has answered: enough to tell how it is, where it is well.
const GRACE: Duration = Duration::from_millis(250);

/// What comes back while an attempt is under way.
enum Step {
    Named(Family, Reply),
    Exchanged(Box<Exchange>),
}

type UnderWay<'a> = FuturesUnordered<BoxFuture<'a, Step>>;

impl Observer<'_> {
    pub(super) async fn attempt(&self, until: Instant) -> Attempt {
        let (start, host) = (Instant::now(), self.checker.home.url.host());
        let mut attempt = Attempt {
            started: start - self.began,
            resolution: Resolution::Literal,
            addresses: Vec::new(),
            exchanges: Vec::new(),
            testimony: None,
        };
        match host {
            Some(Host::Ipv4(address)) => self.try_all(&mut attempt, &[address.into()], until).await,
            Some(Host::Ipv6(address)) => self.try_all(&mut attempt, &[address.into()], until).await,
            Some(Host::Domain(name)) => self.try_name(&mut attempt, name, start, until).await,
            None => (),
        }
        attempt
    }

    async fn try_all(&self, attempt: &mut Attempt, addresses: &[IpAddr], until: Instant) {
        attempt.addresses.extend(addresses);
        attempt
            .exchanges
            .extend(futures_util::future::join_all(addresses.iter().map(|it| self.exchange(*it, until))).await);
    }

    async fn try_name(&self, attempt: &mut Attempt, name: &str, start: Instant, until: Instant) {
        let names = Names::of_this_machine();
        let named_by = until.min(start + self.pace.resolve);
        let under_way: UnderWay<'_> = UnderWay::new();
        for family in [Family::V4, Family::V6] {
            let ask = names.find_for_certain(name, family, Search::of_target(name), named_by);
            under_way.push(Box::pin(async move { Step::Named(family, ask.await) }));
        }
        let (v4, v6, took) = self.follow(attempt, under_way, start, until).await;
        attempt.resolution = resolution(v4.as_ref(), v6.as_ref(), took);
        if attempt.enough().is_none() {
            self.try_last_proven(attempt, until).await;
        }
    }

    /// Follows what is under way to its end, or until shortly after an answer that leaves nothing to be asked. The replies
    /// for both families, as far as they came, and how long the name took.
    async fn follow<'a>(
        &'a self,
        attempt: &mut Attempt,
        mut under_way: UnderWay<'a>,
        start: Instant,
        until: Instant,
    ) -> (Option<Reply>, Option<Reply>, Duration) {
        let (mut v4, mut v6, mut took, mut grace) = (None, None, None, None);
        loop {
            let step = match grace {
                Some(grace) => timeout_at(grace, under_way.next()).await.unwrap_or(None),
                None => under_way.next().await,
            };
            match step {
                None => return (v4, v6, took.unwrap_or_else(|| start.elapsed())),
                Some(Step::Exchanged(exchange)) => {
                    if self.is_conclusive(&exchange) {
                        grace.get_or_insert(Instant::now() + GRACE);
                    }
                    attempt.exchanges.push(*exchange);
                }
                Some(Step::Named(family, reply)) => {
                    let addresses = &reply.addresses()[..reply.addresses().len().min(MOST_ADDRESSES)];
                    if !addresses.is_empty() {
                        took.get_or_insert_with(|| start.elapsed());
                    }
                    attempt.addresses.extend(addresses);
                    for address in addresses.iter().copied() {
                        under_way.push(Box::pin(async move {
                            Step::Exchanged(Box::new(self.exchange(address, until).await))
                        }));
                    }
                    *if family == Family::V4 { &mut v4 } else { &mut v6 } = Some(reply);
                }
            }
        }
    }

    /// Where the name fails, the home may still be where it last proved itself. Without a key nobody could tell.
    async fn try_last_proven(&self, attempt: &mut Attempt, until: Instant) {
        let broken = match attempt.resolution {
            Resolution::Resolved { trouble: None, .. } | Resolution::Literal => return,
            Resolution::Resolved { trouble: Some((family, _)), .. } => Some(family),
            Resolution::NoSuchName { .. } | Resolution::Trouble { .. } => None,
        };
        if !self.checker.has_key() {
            return;
        }
        let Some(last) = self.recall.last_proven_address(until).await else { return };
        if broken.is_none_or(|family| family == Family::of(last)) && !attempt.addresses.contains(&last) {
            let exchange = self.exchange(last, until).await;
            attempt.exchanges.push(Exchange { origin: Origin::LastProven, ..exchange });
        }
    }

    async fn exchange(&self, address: IpAddr, until: Instant) -> Exchange {
        let port = self.checker.home.url.port_or_known_default().unwrap_or(80);
        let address = SocketAddr::new(address, port);
        exchange(&self.checker, address, self.certificates, self.pace.phase, until).await
    }
}
