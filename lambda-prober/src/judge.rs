//! From what was seen to a verdict. Pure: the same attempts always give the same verdict.

use std::time::Duration;

use crate::{
    advice::may_be_old,
    identity::Identity,
    observation::{Answer, Attempt, Exchange, Failure, Family, Origin, Phases, Resolution, Testimony},
    verdict::{DegradedCause, DownCause, UnknownCause, Verdict},
};

/// How many attempts must speak against a home before it counts as down: one may be a lost packet.
pub const AGAINST: usize = 2;

/// Judges the attempts of one run on one target.
///
/// An answer on any attempt and address says that the home is there, where a key is configured one with a valid proof; of
/// several answers the best one counts. `Down` takes [`AGAINST`] attempts that point at the home; the most telling of their
/// failures names the cause. Attempts in which no witness was reached, the name service was in trouble, or only families
/// were tried over which no witness was reached, point at nobody, and where too few others are left the verdict is
/// `Unknown`. An answer that could not be checked may have been the home's, so it forbids `Down` whatever else was seen.
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
    let seen: Vec<Seen> = attempts.iter().map(|attempt| look(attempt, attempts)).collect();
    let mut against: Vec<DownCause> =
        seen.iter().filter_map(|seen| if let Seen::Home(cause) = seen { Some(*cause) } else { None }).collect();
    against.sort_unstable();
    if let Some(&cause) = against.first()
        && against.len() >= AGAINST
    {
        return Verdict::Down(cause);
    }
    let troubles = [UnknownCause::Blind, UnknownCause::NoRoute, UnknownCause::NameService];
    let trouble = troubles.into_iter().find(|cause| seen.contains(&Seen::Nobody(*cause)));
    // Where nobody was in trouble, there was no time for attempts enough.
    Verdict::Unknown(trouble.unwrap_or(UnknownCause::Blind))
}

/// Whether an attempt makes further ones needless: nothing better than `Up` can come of them. A certificate does not become
/// valid within seconds either, but a packet that was lost need not be lost again.
pub fn is_conclusive(exchange: &Exchange, degraded_above: Duration) -> bool {
    exchange.is_enough() && matches!(flaw(exchange, degraded_above), None | Some(DegradedCause::Certificate))
}

/// What is wrong with an exchange that is enough, the worst of it.
fn flaw(exchange: &Exchange, degraded_above: Duration) -> Option<DegradedCause> {
    if exchange.origin == Origin::LastProven {
        Some(DegradedCause::NameService)
    } else if exchange.certificate.is_some() {
        Some(DegradedCause::Certificate)
    } else if exchange.phases.connect.is_some_and(|took| took > degraded_above) {
        Some(DegradedCause::Slow)
    } else {
        None
    }
}

/// At whom an attempt without an answer that counts points.
#[derive(PartialEq)]
enum Seen {
    Home(DownCause),
    Nobody(UnknownCause),
}

fn look(attempt: &Attempt, all: &[Attempt]) -> Seen {
    let Some(testimony) = attempt.testimony.as_ref().filter(|testimony| testimony.reached_any()) else {
        return Seen::Nobody(UnknownCause::Blind);
    };
    match attempt.resolution {
        Resolution::NoSuchName { .. } => Seen::Home(DownCause::Name),
        // Where IPv4 could not be asked for, it may be the family that works. The other way round nothing is lost: IPv4 is
        // what the cloud reaches homes by, and a resolver that always fails for IPv6 must not hide every outage.
        Resolution::Trouble { .. } | Resolution::Resolved { trouble: Some((Family::V4, _)), .. } => {
            Seen::Nobody(UnknownCause::NameService)
        }
        Resolution::Literal | Resolution::Resolved { .. } => look_at_exchanges(&attempt.exchanges, testimony, all),
    }
}

fn look_at_exchanges(exchanges: &[Exchange], testimony: &Testimony, all: &[Attempt]) -> Seen {
    // Who is at the last address while the name has others says nothing about these.
    let named = exchanges.iter().filter(|exchange| exchange.origin == Origin::Target);
    let (observed, unobserved): (Vec<_>, Vec<_>) = named.partition(|exchange| testimony.reached(exchange.family()));
    // As with names: IPv4 may be what works.
    if unobserved.iter().any(|exchange| exchange.family() == Family::V4) {
        return Seen::Nobody(UnknownCause::NoRoute);
    }
    let causes = observed.into_iter().filter_map(|exchange| match &exchange.outcome {
        Ok(answer) => of_a_stranger(answer, all),
        Err(failure) => points_at_home(failure, &exchange.phases),
    });
    match causes.min() {
        Some(cause) => Seen::Home(cause),
        None if unobserved.is_empty() => Seen::Nobody(UnknownCause::Blind),
        None => Seen::Nobody(UnknownCause::NoRoute),
    }
}

fn of_a_stranger(answer: &Answer, all: &[Attempt]) -> Option<DownCause> {
    match answer.identity {
        // It may be the home's own, of another time, so nobody is called a stranger.
        Identity::Foreign if may_be_old(answer, all) => Some(DownCause::Unproven),
        Identity::Foreign => Some(DownCause::Impostor),
        Identity::Absent => Some(DownCause::Unproven),
        Identity::NotAsked | Identity::Proven { .. } | Identity::Unchecked => None,
    }
}

fn points_at_home(failure: &Failure, phases: &Phases) -> Option<DownCause> {
    match failure {
        Failure::Refused => Some(DownCause::Refused),
        Failure::Reset | Failure::NotHttp(_) => Some(DownCause::Reset),
        // Line and power are well where somebody takes a connection, whatever comes of it.
        Failure::TimedOut if phases.connected() => Some(DownCause::Reset),
        Failure::Tls(_) => Some(DownCause::Tls),
        Failure::TimedOut | Failure::Unreachable => Some(DownCause::Unreachable),
        Failure::Local(_) => None,
    }
}

#[cfg(test)]
mod tests;
