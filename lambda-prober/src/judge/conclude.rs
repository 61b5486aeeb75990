//! From the attempts of a run to its verdict.

use std::time::Duration;

use shared::names::Family;

use super::{
    addresses::{Failing, UNKNOWN_CAUSES, over_all, places},
    advice::may_be_old,
    identity::Identity,
    observation::{Answer, Attempt, Exchange, Failure, Origin, Phases, Resolution, Weight},
    verdict::{DegradedCause, DownCause, UnknownCause, Verdict},
};

/// How many attempts must count against a home before it is down: one may be a lost packet.
const MIN_FAILED_ATTEMPTS: usize = 2;

/// Judges the attempts of one run on one target.
///
/// An answer on any attempt and address says that the home is there, where a key is configured one with a valid proof, and
/// where something is expected of it one that is so; of several answers the best one counts. `Down` takes two attempts that
/// blame the home; the most specific of their failures names the cause. Attempts in which no witness was reached, the name
/// service failed, IPv4 was tried and no witness was reached over it, or only such families were tried, blame the prober's
/// side, and where too few others are left the verdict is `Unknown`. An answer that could not be checked may have been the
/// home's, so it forbids `Down` whatever else was seen.
///
/// Each web address of the home is judged by itself; `addresses` says what that comes to.
pub fn judge(attempts: &[Attempt], degraded_above: Duration) -> Verdict {
    let exchanges = || attempts.iter().flat_map(|attempt| &attempt.exchanges);
    let flaws = exchanges().filter(|exchange| exchange.is_enough()).map(|exchange| flaw(exchange, degraded_above));
    if let Some(least) = flaws.min() {
        return least.map_or(Verdict::Up, Verdict::Degraded);
    }
    let unchecked = |exchange: &Exchange| exchange.outcome.as_ref().is_ok_and(|it| it.identity == Identity::Unchecked);
    if exchanges().any(unchecked) {
        return Verdict::Unknown(UnknownCause::Key);
    }
    over_all(places(attempts).map(|place| judge_failing(place, attempts)))
}

/// The verdict on one web address at which nothing was enough.
fn judge_failing(place: usize, attempts: &[Attempt]) -> Failing {
    let of_place = || attempts.iter().filter(move |attempt| attempt.place == place);
    let blames: Vec<Blame> = of_place().map(|attempt| classify(attempt, attempts)).collect();
    let mut against: Vec<DownCause> =
        blames.iter().filter_map(|blame| if let Blame::Home(cause) = blame { Some(*cause) } else { None }).collect();
    against.sort_unstable();
    if let Some(&cause) = against.first()
        && against.len() >= MIN_FAILED_ATTEMPTS
    {
        let mut tried = of_place().flat_map(|attempt| &attempt.exchanges).filter(|it| it.origin == Origin::Target);
        return Failing::Down { cause, over_ipv4: tried.any(|exchange| exchange.family() == Family::V4) };
    }
    let cause = UNKNOWN_CAUSES.into_iter().find(|cause| blames.contains(&Blame::Elsewhere(*cause)));
    // Without any of these, there was no time for enough attempts.
    Failing::Unknown(cause.unwrap_or(UnknownCause::Blind))
}

/// Whether an exchange makes further attempts needless: they can bring nothing better. A certificate does not become
/// valid within seconds either, but a home that was slow because of a lost packet may be fast the next time.
pub fn is_conclusive(exchange: &Exchange, degraded_above: Duration) -> bool {
    exchange.is_enough()
        && matches!(
            flaw(exchange, degraded_above),
            None | Some(DegradedCause::Certificate | DegradedCause::CertificateEnds)
        )
}

/// What is wrong with an exchange that is enough: the worst of it.
pub(super) fn flaw(exchange: &Exchange, degraded_above: Duration) -> Option<DegradedCause> {
    if exchange.origin == Origin::LastProven {
        Some(DegradedCause::NameService)
    } else if exchange.certificate.is_some() {
        Some(DegradedCause::Certificate)
    } else if exchange.outcome.as_ref().is_ok_and(|answer| answer.weight() == Some(Weight::Warning)) {
        Some(DegradedCause::CertificateEnds)
    } else if exchange.phases.connect.is_some_and(|took| took > degraded_above) {
        Some(DegradedCause::Slow)
    } else {
        None
    }
}

/// What an attempt without an answer that counts says about the home.
#[derive(PartialEq)]
pub(super) enum Blame {
    /// The home failed.
    Home(DownCause),
    /// Something else failed, so nothing is known of the home.
    Elsewhere(UnknownCause),
}

fn classify(attempt: &Attempt, all: &[Attempt]) -> Blame {
    let Some(witnesses) = attempt.witnesses.as_ref().filter(|witnesses| witnesses.reached_any()) else {
        return Blame::Elsewhere(UnknownCause::Blind);
    };
    classify_by(attempt, |family| witnesses.reached(family), all)
}

/// As [`classify`], where it is known over which families somebody was reached.
pub(super) fn classify_by(attempt: &Attempt, is_reached: impl Fn(Family) -> bool, all: &[Attempt]) -> Blame {
    match attempt.resolution {
        Resolution::NoSuchName { .. } => Blame::Home(DownCause::Name),
        // Where the query for IPv4 failed, IPv4 may be what works. The other way round nothing is lost: the cloud reaches
        // homes by IPv4, and a resolver that always fails for IPv6 must not hide every outage.
        Resolution::Failed { .. } | Resolution::Resolved { failed: Some((Family::V4, _)), .. } => {
            Blame::Elsewhere(UnknownCause::NameService)
        }
        Resolution::Literal | Resolution::Resolved { .. } => classify_exchanges(&attempt.exchanges, is_reached, all),
    }
}

fn classify_exchanges(exchanges: &[Exchange], is_reached: impl Fn(Family) -> bool, all: &[Attempt]) -> Blame {
    // An answer at the last address while the name has others says nothing about these.
    let named = exchanges.iter().filter(|exchange| exchange.origin == Origin::Target);
    let (observed, unobserved): (Vec<_>, Vec<_>) = named.partition(|exchange| is_reached(exchange.family()));
    // As with names: IPv4 may be what works.
    if unobserved.iter().any(|exchange| exchange.family() == Family::V4) {
        return Blame::Elsewhere(UnknownCause::NoRoute);
    }
    let causes = observed.into_iter().filter_map(|exchange| match &exchange.outcome {
        Ok(answer) => cause_of_answer(answer, all),
        Err(failure) => cause_of_failure(failure, &exchange.phases),
    });
    match causes.min() {
        Some(cause) => Blame::Home(cause),
        None if unobserved.is_empty() => Blame::Elsewhere(UnknownCause::Blind),
        None => Blame::Elsewhere(UnknownCause::NoRoute),
    }
}

fn cause_of_answer(answer: &Answer, all: &[Attempt]) -> Option<DownCause> {
    match answer.identity {
        // It may be an earlier answer of the home itself.
        Identity::Foreign if may_be_old(answer, all) => Some(DownCause::Unproven),
        Identity::Foreign => Some(DownCause::Impostor),
        Identity::Absent => Some(DownCause::Unproven),
        Identity::NotAsked | Identity::Proven { .. } if answer.weight() == Some(Weight::Critical) => {
            Some(DownCause::Unexpected)
        }
        Identity::NotAsked | Identity::Proven { .. } | Identity::Unchecked => None,
    }
}

fn cause_of_failure(failure: &Failure, phases: &Phases) -> Option<DownCause> {
    match failure {
        Failure::Refused => Some(DownCause::Refused),
        Failure::Reset | Failure::NotHttp(_) => Some(DownCause::Reset),
        // Line and power work where a connection is accepted, whatever follows.
        Failure::TimedOut if phases.connected() => Some(DownCause::Reset),
        Failure::Tls(_) => Some(DownCause::Tls),
        Failure::TimedOut | Failure::Unreachable => Some(DownCause::Unreachable),
        Failure::Local(_) => None,
    }
}

#[cfg(test)]
mod tests;
