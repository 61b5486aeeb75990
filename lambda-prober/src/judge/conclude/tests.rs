//! The design's table, row by row.

mod addresses;
mod expected;
mod strangers;

use std::time::Duration;

use shared::proof::{Challenge, Key, Proof, Running};

use super::*;
use crate::judge::{
    headers::AnswerHeaders,
    identity::WhichKey,
    observation::{NameServiceError, NotHttp, Phases, WitnessEvidence, WitnessResult},
};

const TOOK: Duration = Duration::from_millis(10);
const ABOVE: Duration = Duration::from_secs(2);
const V4: &str = "192.0.2.1:30008";
const V6: &str = "[2001:db8::1]:30008";

fn judge(attempts: &[Attempt]) -> Verdict {
    super::judge(attempts, ABOVE)
}

/// The evidence when witnesses at these addresses are reached, and two others are not.
fn reached(witnesses: &[&str]) -> WitnessEvidence {
    let result = |outcome: Result<Duration, Failure>| {
        move |address: &&str| WitnessResult {
            witness: "w".into(),
            address: address.parse().ok(),
            outcome: outcome.clone(),
        }
    };
    let silent = ["203.0.113.9:443", "[2001:db8::9]:443"];
    let silent = silent.iter().map(result(Err(Failure::TimedOut)));
    WitnessEvidence(witnesses.iter().map(result(Ok(TOOK))).chain(silent).collect())
}

fn exchange(outcome: Result<(u16, Identity), Failure>) -> Exchange {
    Exchange {
        address: V4.parse().unwrap(),
        origin: Origin::Target,
        phases: Phases { connect: Some(TOOK), ..Phases::default() },
        certificate: None,
        outcome: outcome.map(|(status, identity)| Answer {
            status,
            identity,
            headers: AnswerHeaders::default(),
            unmet: None,
        }),
    }
}

fn attempt(resolution: Resolution, outcomes: &[Result<(u16, Identity), Failure>]) -> Attempt {
    Attempt {
        place: 0,
        started: Duration::ZERO,
        resolution,
        addresses: Vec::new(),
        exchanges: outcomes.iter().cloned().map(exchange).collect(),
        witnesses: Some(reached(&["203.0.113.1:443", "[2001:db8::5]:443"])),
    }
}

fn answered(status: u16) -> Attempt {
    attempt(Resolution::Resolved { took: TOOK, failed: None }, &[Ok((status, Identity::NotAsked))])
}

fn from(identity: Identity) -> Attempt {
    attempt(Resolution::Resolved { took: TOOK, failed: None }, &[Ok((200, identity))])
}

fn failed(failure: Failure) -> Attempt {
    attempt(Resolution::Resolved { took: TOOK, failed: None }, &[Err(failure)])
}

fn no_such_name() -> Attempt {
    attempt(Resolution::NoSuchName { took: TOOK }, &[])
}

fn name_failed(error: NameServiceError) -> Attempt {
    attempt(Resolution::Failed { took: TOOK, error }, &[])
}

#[test]
fn any_http_answer_on_any_attempt_is_up() {
    for status in [200, 302, 404, 500, 503] {
        assert_eq!(judge(&[failed(Failure::Refused), failed(Failure::TimedOut), answered(status)]), Verdict::Up);
    }
}

#[test]
fn a_proof_is_up_whoever_else_answers() {
    let proven = Identity::Proven { running: Running { up: 1, age: 1 }, with: WhichKey::Old };
    assert_eq!(judge(&[from(Identity::Foreign), from(proven)]), Verdict::Up);
    let both = attempt(Resolution::Literal, &[Ok((200, Identity::Absent)), Ok((200, proven))]);
    assert_eq!(judge(&[both]), Verdict::Up);
}

#[test]
fn an_answer_of_a_stranger_is_down_and_says_which_stranger() {
    let (foreign, absent) = (|| from(Identity::Foreign), || from(Identity::Absent));
    assert_eq!(judge(&[foreign(), foreign()]), Verdict::Down(DownCause::Impostor));
    assert_eq!(judge(&[absent(), absent()]), Verdict::Down(DownCause::Unproven));
    assert_eq!(judge(&[absent(), foreign(), failed(Failure::Refused)]), Verdict::Down(DownCause::Impostor));
    assert_eq!(judge(&[failed(Failure::TimedOut), absent()]), Verdict::Down(DownCause::Unproven));
    assert_eq!(judge(&[absent()]), Verdict::Unknown(UnknownCause::Blind), "one attempt is not enough");
}

#[test]
fn an_answer_that_could_not_be_checked_is_never_down() {
    let unchecked = || from(Identity::Unchecked);
    for others in [[failed(Failure::Refused), failed(Failure::Refused)], [from(Identity::Absent), unchecked()]] {
        let attempts = [&[unchecked()], &others[..]].concat();
        assert_eq!(judge(&attempts), Verdict::Unknown(UnknownCause::Key));
    }
}

#[test]
fn each_failure_names_its_cause() {
    for (failure, cause) in [
        (Failure::Refused, DownCause::Refused),
        (Failure::Reset, DownCause::Reset),
        (Failure::NotHttp(NotHttp::Unknown), DownCause::Reset),
        (Failure::NotHttp(NotHttp::Tls), DownCause::Reset),
        (Failure::Tls("expired".into()), DownCause::Tls),
        (Failure::TimedOut, DownCause::Unreachable),
        (Failure::Unreachable, DownCause::Unreachable),
    ] {
        assert_eq!(judge(&[failed(failure.clone()), failed(failure)]), Verdict::Down(cause));
    }
    for phases in [Phases { tls: Some(TOOK), ..Phases::default() }, Phases { answer: Some(TOOK), ..Phases::default() }]
    {
        let mut silent = failed(Failure::TimedOut);
        silent.exchanges[0].phases = phases;
        assert_eq!(judge(&[silent.clone(), silent]), Verdict::Down(DownCause::Reset), "the connection was accepted");
    }
    assert_eq!(judge(&[no_such_name(), no_such_name()]), Verdict::Down(DownCause::Name));
}

#[test]
fn the_most_specific_failure_names_the_cause() {
    let attempts = [no_such_name(), failed(Failure::TimedOut), failed(Failure::Refused)];
    assert_eq!(judge(&attempts), Verdict::Down(DownCause::Refused));
}

#[test]
fn a_name_service_that_fails_is_unknown() {
    for error in [NameServiceError::Timeout, NameServiceError::Error, NameServiceError::Empty] {
        let attempts = [name_failed(error), name_failed(error), name_failed(error)];
        assert_eq!(judge(&attempts), Verdict::Unknown(UnknownCause::NameService));
    }
}

#[test]
fn one_attempt_against_the_home_is_not_enough() {
    for single in [no_such_name(), failed(Failure::TimedOut), failed(Failure::Refused)] {
        let attempts = [name_failed(NameServiceError::Error), single, name_failed(NameServiceError::Timeout)];
        assert_eq!(judge(&attempts), Verdict::Unknown(UnknownCause::NameService));
    }
}

#[test]
fn ipv4_that_could_not_be_asked_for_may_be_what_works_and_ipv6_does_not_hide_an_outage() {
    let half = |family| {
        let failed = Some((family, NameServiceError::Timeout));
        attempt(Resolution::Resolved { took: TOOK, failed }, &[Err(Failure::Refused)])
    };
    let unknown = Verdict::Unknown(UnknownCause::NameService);
    assert_eq!(judge(&[half(Family::V4), half(Family::V4)]), unknown);
    assert_eq!(judge(&[half(Family::V6), half(Family::V6)]), Verdict::Down(DownCause::Refused));
}

#[test]
fn errors_of_our_own_machine_are_blindness() {
    let local = || failed(Failure::Local("too many open files".into()));
    assert_eq!(judge(&[local(), local(), local()]), Verdict::Unknown(UnknownCause::Blind));
}

#[test]
fn nothing_seen_is_never_down() {
    assert_eq!(judge(&[]), Verdict::Unknown(UnknownCause::Blind));
}

/// An attempt in which the home answered, changed.
fn but(change: impl FnOnce(&mut Exchange)) -> Attempt {
    let mut answered = from(PROVEN);
    change(&mut answered.exchanges[0]);
    answered
}

const PROVEN: Identity = Identity::Proven { running: Running { up: 1, age: 1 }, with: WhichKey::Current };

fn slow() -> Attempt {
    but(|exchange| exchange.phases.connect = Some(ABOVE + TOOK))
}

#[test]
fn a_home_that_every_attempt_takes_long_to_reach_is_degraded() {
    assert_eq!(judge(&[slow(), slow(), slow()]), Verdict::Degraded(DegradedCause::Slow));
    assert_eq!(judge(&[slow(), failed(Failure::TimedOut), slow()]), Verdict::Degraded(DegradedCause::Slow));
    assert_eq!(judge(&[slow(), answered(200)]), Verdict::Up);
    assert_eq!(judge(&[but(|exchange| exchange.phases.connect = Some(ABOVE))]), Verdict::Up);
}

#[test]
fn a_proof_under_a_certificate_that_is_not_valid_is_degraded() {
    let expired = || but(|exchange| exchange.certificate = Some("expired".into()));
    assert_eq!(judge(&[expired()]), Verdict::Degraded(DegradedCause::Certificate));
    assert_eq!(judge(&[failed(Failure::TimedOut), expired(), answered(200)]), Verdict::Up);
    assert!(is_conclusive(&expired().exchanges[0], ABOVE), "it will not become valid within seconds");
}

#[test]
fn a_proof_at_the_last_address_while_the_name_fails_is_degraded() {
    let resolutions = [
        Resolution::Failed { took: TOOK, error: NameServiceError::Error },
        Resolution::NoSuchName { took: TOOK },
        Resolution::Resolved { took: TOOK, failed: Some((Family::V4, NameServiceError::Timeout)) },
    ];
    for resolution in resolutions {
        let found = Attempt { resolution, ..but(|exchange| exchange.origin = Origin::LastProven) };
        assert!(!is_conclusive(&found.exchanges[0], ABOVE), "the name may be found by the next attempt");
        assert_eq!(judge(&[found.clone(), found.clone()]), Verdict::Degraded(DegradedCause::NameService));
        assert_eq!(judge(&[found, answered(200)]), Verdict::Up);
    }
}

#[test]
fn silence_at_the_last_address_leaves_what_the_name_says() {
    let at_last = |resolution| {
        let mut attempt = attempt(resolution, &[Err(Failure::TimedOut)]);
        attempt.exchanges[0].origin = Origin::LastProven;
        attempt
    };
    let failing = || at_last(Resolution::Failed { took: TOOK, error: NameServiceError::Timeout });
    assert_eq!(judge(&[failing(), failing(), failing()]), Verdict::Unknown(UnknownCause::NameService));
    let gone = || at_last(Resolution::NoSuchName { took: TOOK });
    assert_eq!(judge(&[gone(), gone(), gone()]), Verdict::Down(DownCause::Name));
}

#[test]
fn a_home_is_never_down_while_no_witness_answers() {
    let blind = |attempt: Attempt| Attempt { witnesses: Some(reached(&[])), ..attempt };
    let unasked = |attempt: Attempt| Attempt { witnesses: None, ..attempt };
    for seen in [failed(Failure::TimedOut), failed(Failure::Refused), from(Identity::Foreign), no_such_name()] {
        let all = [blind(seen.clone()), unasked(seen.clone()), blind(seen.clone())];
        assert_eq!(judge(&all), Verdict::Unknown(UnknownCause::Blind), "{seen:?}");
        let one = [blind(seen.clone()), seen.clone(), blind(seen.clone())];
        assert_eq!(judge(&one), Verdict::Unknown(UnknownCause::Blind), "one that counts is not enough");
        assert!(matches!(judge(&[blind(seen.clone()), seen.clone(), seen]), Verdict::Down(_)));
    }
}

#[test]
fn any_one_witness_suffices() {
    let reached_by = |by: &str| Attempt { witnesses: Some(reached(&[by])), ..failed(Failure::Refused) };
    let attempts = [reached_by("203.0.113.1:443"), reached_by("203.0.113.2:443")];
    assert_eq!(judge(&attempts), Verdict::Down(DownCause::Refused));
}

#[test]
fn a_family_over_which_no_witness_is_reached_counts_as_not_observed() {
    let over = |addresses: &[&str], witnesses: &[&str]| {
        let mut seen = attempt(Resolution::Literal, &vec![Err(Failure::TimedOut); addresses.len()]);
        for (exchange, address) in seen.exchanges.iter_mut().zip(addresses) {
            exchange.address = address.parse().unwrap();
        }
        Attempt { witnesses: Some(reached(witnesses)), ..seen }
    };
    let (w4, w6) = ("203.0.113.1:443", "[2001:db8::5]:443");
    let (unreachable, no_route) = (Verdict::Down(DownCause::Unreachable), Verdict::Unknown(UnknownCause::NoRoute));
    for (addresses, witnesses, verdict) in [
        (&[V6][..], &[w4][..], no_route),
        (&[V4], &[w6], no_route),
        (&[V6], &[w6], unreachable),
        (&[V4, V6], &[w4], unreachable),
        (&[V4, V6], &[w6], no_route),
    ] {
        let seen = over(addresses, witnesses);
        assert_eq!(judge(&[seen.clone(), seen]), verdict, "{addresses:?} as {witnesses:?} say");
    }
}

#[test]
fn our_own_error_over_one_family_does_not_hide_what_the_other_shows() {
    let both = || {
        let mut both = attempt(Resolution::Literal, &[Err(Failure::Local("no route".into())), Err(Failure::Refused)]);
        both.exchanges[0].address = V6.parse().unwrap();
        both
    };
    assert_eq!(judge(&[both(), both()]), Verdict::Down(DownCause::Refused));
}
