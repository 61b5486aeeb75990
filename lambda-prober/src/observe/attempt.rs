//! One attempt at each of a home's web addresses, all at once: both families are queried and tried at once, each IP address as
//! soon as it is known (after RFC 8305, but without its delay: what matters is whether anything answers, not which address is
//! better).

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use shared::names::{Family, Names, Reply, Search};
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use super::{exchange::exchange, names::resolution, observer::Observer};
use crate::judge::observation::{Attempt, Exchange, Origin, Resolution};

/// How many IP addresses of a family are tried.
const MAX_ADDRESSES: usize = 4;

/// How long the other family has once one has answered: enough to see how it is, where it works.
const SECOND_FAMILY_GRACE: Duration = Duration::from_millis(250);

/// How long the home's other web addresses have once it has answered at one: enough to see whether they lead to it, too, also
/// where a name server has to be asked a second time.
const OTHER_ADDRESS_GRACE: Duration = Duration::from_secs(1);

/// What a pending part of an attempt brings, and for which of the web addresses.
enum Step {
    Resolved(usize, Family, Reply),
    Exchanged(usize, Box<Exchange>),
}

type Pending<'a> = FuturesUnordered<BoxFuture<'a, Step>>;

/// The attempt at one web address, while it is under way.
struct Trying<'a> {
    url: &'a Url,
    attempt: Attempt,
    v4: Option<Reply>,
    v6: Option<Reply>,
    /// How long it took until an IP address was known.
    took: Option<Duration>,
}

impl Observer<'_> {
    /// One attempt at each web address, in their order.
    pub(super) async fn attempts(&self, until: Instant) -> Vec<Attempt> {
        let start = Instant::now();
        let (resolve_until, names) = (until.min(start + self.timing.resolve), Names::of_this_machine());
        let mut pending: Pending<'_> = Pending::new();
        let mut all: Vec<Trying<'_>> = Vec::new();
        for (place, url) in self.checker.home.addresses.iter().enumerate() {
            let mut trying = Trying::begun(place, url, start - self.began);
            match url.host() {
                Some(Host::Ipv4(address)) => self.try_all(&mut trying, &[address.into()], until, &mut pending),
                Some(Host::Ipv6(address)) => self.try_all(&mut trying, &[address.into()], until, &mut pending),
                Some(Host::Domain(name)) => {
                    for family in [Family::V4, Family::V6] {
                        let query = names.find_for_certain(name, family, Search::of_target(name), resolve_until);
                        pending.push(Box::pin(async move { Step::Resolved(place, family, query.await) }));
                    }
                }
                None => (),
            }
            all.push(trying);
        }
        self.complete(&mut all, pending, start, until).await;
        let mut attempts: Vec<(Attempt, &Url)> = all.into_iter().map(|trying| trying.ended(start)).collect();
        if attempts.iter().all(|(attempt, _)| attempt.enough().is_none()) {
            self.try_last_proven(&mut attempts, until).await;
        }
        attempts.into_iter().map(|(attempt, _)| attempt).collect()
    }

    /// Waits for all that is pending, or until shortly after a conclusive answer.
    async fn complete<'a>(&'a self, all: &mut [Trying<'a>], mut pending: Pending<'a>, start: Instant, until: Instant) {
        let mut grace: Option<Instant> = None;
        loop {
            let step = match grace {
                Some(grace) => timeout_at(grace, pending.next()).await.unwrap_or(None),
                None => pending.next().await,
            };
            match step {
                None => return,
                Some(Step::Exchanged(place, exchange)) => {
                    let is_conclusive = self.is_conclusive(&exchange);
                    all[place].attempt.exchanges.push(*exchange);
                    if is_conclusive {
                        let waits = Instant::now() + self.grace(all);
                        grace = Some(grace.map_or(waits, |grace| grace.min(waits)));
                    }
                }
                Some(Step::Resolved(place, family, reply)) => {
                    let trying = &mut all[place];
                    let addresses = &reply.addresses()[..reply.addresses().len().min(MAX_ADDRESSES)];
                    if !addresses.is_empty() {
                        trying.took.get_or_insert_with(|| start.elapsed());
                    }
                    self.try_all(trying, addresses, until, &mut pending);
                    *if family == Family::V4 { &mut trying.v4 } else { &mut trying.v6 } = Some(reply);
                }
            }
        }
    }

    /// How long to wait for the rest, now that an answer is conclusive.
    fn grace(&self, all: &[Trying<'_>]) -> Duration {
        let is_conclusive = |trying: &Trying<'_>| trying.attempt.exchanges.iter().any(|it| self.is_conclusive(it));
        if all.iter().all(is_conclusive) { SECOND_FAMILY_GRACE } else { OTHER_ADDRESS_GRACE }
    }

    fn try_all<'a>(&'a self, trying: &mut Trying<'a>, addresses: &[IpAddr], until: Instant, pending: &mut Pending<'a>) {
        trying.attempt.addresses.extend(addresses);
        let (place, url) = (trying.attempt.place, trying.url);
        for address in addresses.iter().copied() {
            pending.push(Box::pin(async move {
                Step::Exchanged(place, Box::new(self.exchange(url, address, until).await))
            }));
        }
    }

    /// Where a name fails, the home may still be where it last proved itself. Without a key that could not be verified.
    async fn try_last_proven(&self, attempts: &mut [(Attempt, &Url)], until: Instant) {
        let failing: Vec<_> = attempts.iter().map(|(attempt, _)| failed_family(&attempt.resolution)).collect();
        if !self.checker.has_key() || failing.iter().all(Option::is_none) {
            return;
        }
        let Some(last) = self.session.last_proven_address(until).await else { return };
        let is_tried = attempts.iter().any(|(attempt, _)| attempt.addresses.contains(&last));
        if is_tried {
            return;
        }
        let failing = attempts.iter_mut().zip(failing);
        let failing = failing.filter(|(_, failed)| failed.is_some_and(|it| it.is_none_or(|it| it == Family::of(last))));
        let trying = failing.map(|((attempt, url), _)| async move {
            let exchange = self.exchange(url, last, until).await;
            attempt.exchanges.push(Exchange { origin: Origin::LastProven, ..exchange });
        });
        futures_util::future::join_all(trying).await;
    }

    async fn exchange(&self, url: &Url, address: IpAddr, until: Instant) -> Exchange {
        let address = SocketAddr::new(address, url.port_or_known_default().unwrap_or(80));
        exchange((&self.checker, url), address, self.certificates, self.timing.phase, until).await
    }
}

impl<'a> Trying<'a> {
    const fn begun(place: usize, url: &'a Url, started: Duration) -> Self {
        let attempt = Attempt {
            place,
            started,
            resolution: Resolution::Literal,
            addresses: Vec::new(),
            exchanges: Vec::new(),
            witnesses: None,
        };
        Self { url, attempt, v4: None, v6: None, took: None }
    }

    /// As far as it came.
    fn ended(self, start: Instant) -> (Attempt, &'a Url) {
        let Self { url, mut attempt, v4, v6, took } = self;
        if url.domain().is_some() {
            attempt.resolution = resolution(v4.as_ref(), v6.as_ref(), took.unwrap_or_else(|| start.elapsed()));
        }
        (attempt, url)
    }
}

/// Whether a name failed, and if so for which family, or for both (`Some(None)`).
const fn failed_family(resolution: &Resolution) -> Option<Option<Family>> {
    match *resolution {
        Resolution::Resolved { failed: None, .. } | Resolution::Literal => None,
        Resolution::Resolved { failed: Some((family, _)), .. } => Some(Some(family)),
        Resolution::NoSuchName { .. } | Resolution::Failed { .. } => Some(None),
    }
}
