//! What is to be done of one family, found out from sources and public DNS.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::names::Family;
use tokio::time::Instant;

use super::{
    DnsSettings,
    consensus::{Consensus, consensus, disagreements},
    decide::{Decision, asks_sources, contradicted, decide},
    detect::{Detected, detect},
    own::{self, Own},
    public::PublicDns,
    record::Accepted,
    services::{Named, Services},
    share::part,
};

/// How long checking public DNS may take where nothing seems to have changed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// What is known and wanted of one family.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) family: Family,
    pub(super) decision: Decision,
    /// Another address than the last accepted one, which sources agree on.
    pub(super) seen: Option<IpAddr>,
    /// Our address as far as sources tell it, for who cannot wait for DuckDNS.
    pub(super) known: Option<IpAddr>,
    /// What the sources said, where that did not help.
    pub(super) unclear: String,
    /// What public DNS said, where it could not be learned whether it agrees.
    pub(super) unconfirmed: String,
    /// The temporary address that sources were asked from, because there is no other.
    pub(super) temporary: Option<Ipv6Addr>,
}

/// The services to ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking<'a> {
    pub(super) settings: &'a DnsSettings,
    pub(super) services: &'a Services,
    pub(super) public: &'a PublicDns,
    /// Whether our address is wanted although DuckDNS is called anyway: for a second name, which is there for when DuckDNS fails.
    pub(super) always: bool,
}

impl Asking<'_> {
    pub(super) async fn find(
        self,
        family: Family,
        accepted: Option<Accepted>,
        now: Timestamp,
        until: Instant,
    ) -> Finding {
        let how = self.settings.how(family);
        let own = if family == Family::V6 { own::own() } else { None };
        let (detected, unclear) = if self.always || asks_sources(how, accepted, now) {
            self.detect(family, own, accepted.map(|accepted| accepted.address), part(2, until)).await
        } else {
            (Detected::Unclear, String::new())
        };
        let mut unconfirmed = String::new();
        let decision = match decide(how, accepted, detected, now) {
            // Only where nothing seems to have changed: a name server that is asked before a change keeps the old
            // answer for as long as it lives, and gives it to every client.
            Decision::Stay(address) => {
                let until = part(2, until).min(Instant::now() + CHECK_TIMEOUT);
                let check = self.public.ask(&self.settings.domain, &[address], until).await;
                match consensus(&check.responses) {
                    Consensus::Agrees => Decision::Stay(address),
                    Consensus::Disagrees => contradicted(how, address, disagreements(&check.responses)),
                    Consensus::Unknown => {
                        unconfirmed = disagreements(&check.responses);
                        Decision::Stay(address)
                    }
                }
            }
            decided => decided,
        };
        let known = known(detected, accepted);
        let seen = match detected {
            Detected::Moved(seen) => Some(seen),
            Detected::Same | Detected::Unclear => None,
        };
        let temporary = own.filter(|own| own.is_temporary).map(|own| own.address);
        Finding { family, decision, seen, known, unclear, unconfirmed, temporary }
    }

    /// Asks one source, drawn by chance; and all others at once where it does not name the last accepted address.
    async fn detect(
        self,
        family: Family,
        own: Option<Own>,
        accepted: Option<IpAddr>,
        until: Instant,
    ) -> (Detected, String) {
        let mut sources: Vec<_> = self.settings.sources(family).iter().collect();
        fastrand::shuffle(&mut sources);
        let (first, others) = sources.split_at(if accepted.is_some() { 1 } else { sources.len() });
        let at_first = if others.is_empty() { until } else { part(2, until) };
        let mut answers = join_all(first.iter().map(|source| self.services.ask(source, family, own, at_first))).await;
        if weigh(&answers, accepted) != Detected::Same {
            answers.extend(join_all(others.iter().map(|source| self.services.ask(source, family, own, until))).await);
        }
        let detected = weigh(&answers, accepted);
        let unclear = if detected == Detected::Unclear { unclear(family, &answers) } else { String::new() };
        (detected, unclear)
    }
}

impl Finding {
    /// Whether public DNS and the sources that were asked agree that nothing is to be done.
    pub(super) fn is_confirmed(&self) -> bool {
        matches!(self.decision, Decision::Stay(_)) && self.unclear.is_empty() && self.unconfirmed.is_empty()
    }

    /// The finding as JSON, for `details` of the run's report.
    pub(super) fn details(&self) -> Value {
        let (family, decision) = (self.family.to_string(), &self.decision);
        match decision {
            Decision::Call(why, address) => {
                json!({"family": family, "did": "call", "why": why.to_string(), "address": address})
            }
            Decision::Stay(address) => json!({"family": family, "did": "stay", "address": address}),
            Decision::Unknown => json!({"family": family, "did": "fail", "why": self.unclear}),
        }
    }
}

/// Our address by what sources say. Where they have named another one than DuckDNS took since it took that (a VPN, a second line),
/// DuckDNS's stands.
fn known(detected: Detected, accepted: Option<Accepted>) -> Option<IpAddr> {
    match (detected, accepted) {
        (Detected::Moved(seen), Some(accepted)) if accepted.seen == Some(seen) => Some(accepted.address),
        (Detected::Moved(seen), _) => Some(seen),
        (Detected::Same, accepted) => accepted.map(|accepted| accepted.address),
        (Detected::Unclear, _) => None,
    }
}

pub(super) fn weigh(answers: &[Named], accepted: Option<IpAddr>) -> Detected {
    let named: Vec<IpAddr> = answers.iter().filter_map(|(_, named)| named.as_ref().ok().copied()).collect();
    detect(&named, accepted)
}

/// What the sources said, in words: those that said the same are named together.
pub(super) fn unclear(family: Family, answers: &[Named]) -> String {
    let mut said: Vec<(String, String)> = Vec::new();
    for (source, named) in answers {
        let what = named.as_ref().map_or_else(ToString::to_string, |address| format!("it says {address}"));
        match said.iter_mut().find(|(_, other)| *other == what) {
            Some((sources, _)) => *sources = format!("{sources}, {source}"),
            None => said.push((source.clone(), what)),
        }
    }
    let said = said.into_iter().map(|(sources, what)| format!("{sources}: {what}")).collect::<Vec<_>>().join("; ");
    let text = format!("our {family} address is not known, because no two sources agree on one ({said})");
    let advice = answers.iter().find_map(|(_, named)| named.as_ref().err()?.not_public()?.advice());
    advice.map_or_else(|| text.clone(), |advice| format!("{text}; {advice}"))
}

#[cfg(test)]
mod tests {
    use super::{super::source, *};

    #[test]
    fn what_the_sources_said_is_reported_and_what_cgnat_means_once() {
        let cgnat = || Err(source::address(b"100.64.3.4", Family::V4).unwrap_err().into());
        let answers = [("a", cgnat()), ("b", cgnat()), ("c", Ok([81, 2, 69, 1].into()))];
        let text = unclear(Family::V4, &answers.map(|(source, named)| (source.to_owned(), named)));
        assert!(
            text.starts_with(
                "our IPv4 address is not known, because no two sources agree on one (a, b: it says 100.64.3.4, an address \
                 that a provider shares among its customers (CGNAT); c: it says 81.2.69.1); if "
            ),
            "{text}"
        );
        assert_eq!(text.matches("no probe from outside can reach").count(), 1, "{text}");
    }
}
