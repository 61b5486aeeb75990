//! A home with several web addresses: what they come to where it answers at none, and which of them do not lead to it where it
//! answers at another.

use std::time::Duration;

use super::{
    conclude::{Blame, classify_by, flaw},
    observation::Attempt,
    verdict::{DegradedCause, DownCause, UnknownCause, Verdict},
};

/// What keeps a verdict from being known, the worst first.
pub(super) const UNKNOWN_CAUSES: [UnknownCause; 3] =
    [UnknownCause::Blind, UnknownCause::NoRoute, UnknownCause::NameService];

/// What was seen at one web address at which the home did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failing {
    /// It is down, as far as this address goes.
    Down {
        /// Why.
        cause: DownCause,
        /// Whether IPv4 was tried.
        over_ipv4: bool,
    },
    /// Nothing is known.
    Unknown(UnknownCause),
}

/// A web address that does not lead to the home, although it answers at another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Differing {
    /// Which of the home's web addresses, from 0.
    pub place: usize,
    /// What was seen there.
    pub verdict: Verdict,
}

/// The places of the web addresses that were tried.
pub(super) fn places(attempts: &[Attempt]) -> std::ops::Range<usize> {
    0..attempts.iter().map(|attempt| attempt.place + 1).max().unwrap_or(0)
}

/// What the web addresses of one home come to, at none of which it answered.
///
/// It is down where it is at each of them, and the most specific cause counts. A name that cannot be resolved, or an address
/// that cannot be tried, says nothing, so another one at which something was tried decides: it is for then that a home has
/// several. A name that does not exist decides nothing, and neither does IPv6 alone where IPv4 could not be tried.
pub(super) fn over_all(addresses: impl Iterator<Item = Failing>) -> Verdict {
    let (mut down, mut unknown) = (Vec::new(), Vec::new());
    for address in addresses {
        match address {
            Failing::Down { cause, over_ipv4 } => down.push((cause, over_ipv4)),
            Failing::Unknown(cause) => unknown.push(cause),
        }
    }
    let decides = |(cause, over_ipv4): &(DownCause, bool)| {
        let may_ipv4_work = unknown.contains(&UnknownCause::NoRoute) && !over_ipv4;
        unknown.is_empty() || (*cause != DownCause::Name && !may_ipv4_work)
    };
    let cause = down.iter().filter(|it| decides(it)).map(|(cause, _)| *cause).min();
    let worst = || UNKNOWN_CAUSES.into_iter().find(|cause| unknown.contains(cause)).unwrap_or(UnknownCause::Blind);
    cause.map_or_else(|| Verdict::Unknown(worst()), Verdict::Down)
}

/// The web addresses that do not lead to the home, of one that answers at another.
///
/// Somebody is reached from here then, so what fails is not this machine's fault. One at which nothing had come a second after
/// the home answered elsewhere counts as failing, too: it is told of, and changes nothing.
pub fn differing(attempts: &[Attempt], verdict: Verdict) -> Vec<Differing> {
    let places = places(attempts);
    if !verdict.answers() || places.len() < 2 {
        return Vec::new();
    }
    let seen_at = |place| differs_at(place, attempts).map(|verdict| Differing { place, verdict });
    places.filter_map(seen_at).collect()
}

fn differs_at(place: usize, attempts: &[Attempt]) -> Option<Verdict> {
    let of_place = || attempts.iter().filter(|attempt| attempt.place == place);
    let enough = of_place().flat_map(|attempt| &attempt.exchanges).filter(|exchange| exchange.is_enough());
    // How long it takes is judged where it is the best answer.
    let flaws = enough.map(|exchange| flaw(exchange, Duration::MAX));
    let unanswered = Verdict::Down(DownCause::Unreachable);
    match flaws.min() {
        Some(None) => None,
        Some(Some(DegradedCause::NameService)) | None => {
            let last = of_place().next_back()?;
            Some(match classify_by(last, |_| true, attempts) {
                Blame::Home(cause) => Verdict::Down(cause),
                Blame::Elsewhere(UnknownCause::NameService) => Verdict::Unknown(UnknownCause::NameService),
                Blame::Elsewhere(_) => unanswered,
            })
        }
        Some(Some(cause)) => Some(Verdict::Degraded(cause)),
    }
}

impl Differing {
    /// What is wrong with it, to be read after the address.
    pub const fn words(self) -> &'static str {
        match self.verdict {
            Verdict::Down(DownCause::Impostor) => "a beacon with another key answers",
            Verdict::Down(DownCause::Unproven) => "something answers, but without the beacon's proof",
            Verdict::Down(DownCause::Unexpected) => "something answers, but not as expected",
            Verdict::Down(DownCause::Refused) => "the port is closed",
            Verdict::Down(DownCause::Reset) => "the connection is taken, but no HTTP answer comes",
            Verdict::Down(DownCause::Tls) => "no secure connection comes about",
            Verdict::Down(DownCause::Name) => "the name does not exist",
            Verdict::Unknown(UnknownCause::NameService) => "the name cannot be resolved",
            Verdict::Degraded(DegradedCause::Certificate) => "its certificate is not valid",
            Verdict::Degraded(DegradedCause::CertificateEnds) => "its certificate ends soon",
            Verdict::Down(DownCause::Unreachable | DownCause::Inbound | DownCause::Silent)
            | Verdict::Up
            | Verdict::Degraded(_)
            | Verdict::Unknown(_) => "nothing answers",
        }
    }
}
