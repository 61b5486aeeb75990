//! A home with several web addresses, or with several IP addresses behind one.

use super::*;
use crate::judge::addresses::{Differing, differing};

const PROVEN: Identity = Identity::Proven { running: Running { up: 1, age: 1 }, with: WhichKey::Current };

/// Three times each of these, at an address of its own: what a run sees that does not find the home.
fn thrice(of_each: &[Attempt]) -> Vec<Attempt> {
    let placed = of_each.iter().enumerate().map(|(place, attempt)| Attempt { place, ..attempt.clone() });
    std::iter::repeat_n(placed.collect::<Vec<_>>(), 3).flatten().collect()
}

fn at(place: usize, attempt: Attempt) -> Attempt {
    Attempt { place, ..attempt }
}

/// Its only address is one of IPv6.
fn over_ipv6(witnesses: &[&str]) -> Attempt {
    let mut attempt = failed(Failure::TimedOut);
    attempt.exchanges[0].address = V6.parse().unwrap();
    Attempt { witnesses: Some(reached(witnesses)), ..attempt }
}

const BOTH: [&str; 2] = ["203.0.113.1:443", "[2001:db8::5]:443"];

#[test]
fn an_answer_over_one_of_two_addresses_is_up() {
    let one_of_two = attempt(Resolution::Literal, &[Err(Failure::Unreachable), Ok((200, Identity::NotAsked))]);
    assert_eq!(judge(&[one_of_two]), Verdict::Up);
}

#[test]
fn a_proven_answer_at_any_address_is_up() {
    for other in
        [no_such_name(), name_failed(NameServiceError::Timeout), failed(Failure::TimedOut), from(Identity::Foreign)]
    {
        for seen in [[at(0, other.clone()), at(1, from(PROVEN))], [at(0, from(PROVEN)), at(1, other)]] {
            assert_eq!(judge(&seen), Verdict::Up);
        }
    }
}

#[test]
fn a_home_is_down_where_it_is_down_at_each_address() {
    let silent = || failed(Failure::TimedOut);
    assert_eq!(judge(&thrice(&[silent(), silent()])), Verdict::Down(DownCause::Unreachable));
    assert_eq!(judge(&thrice(&[silent(), failed(Failure::Refused)])), Verdict::Down(DownCause::Refused));
    assert_eq!(judge(&thrice(&[no_such_name(), no_such_name()])), Verdict::Down(DownCause::Name));
    assert_eq!(judge(&thrice(&[no_such_name(), silent()])), Verdict::Down(DownCause::Unreachable));
    let one_time = [at(0, silent()), at(1, silent())];
    assert_eq!(judge(&one_time), Verdict::Unknown(UnknownCause::Blind), "one time at two addresses is one time");
}

#[test]
fn a_name_service_that_fails_hides_no_outage_that_another_name_shows() {
    let failing = || name_failed(NameServiceError::Error);
    let by_the_other = thrice(&[failing(), failed(Failure::TimedOut)]);
    assert_eq!(judge(&by_the_other), Verdict::Down(DownCause::Unreachable));
    assert_eq!(judge(&thrice(&[failing(), failing()])), Verdict::Unknown(UnknownCause::NameService));
    // That a name is gone says nothing of the home, where the other one may well lead to it.
    assert_eq!(judge(&thrice(&[failing(), no_such_name()])), Verdict::Unknown(UnknownCause::NameService));
}

#[test]
fn ipv6_alone_decides_nothing_where_ipv4_could_not_be_tried() {
    let (v6_only, v4_only) = (&BOTH[1..], &BOTH[..1]);
    // A function without IPv6 has tried the one over IPv4, and that is enough.
    let without_v6 = Attempt { witnesses: Some(reached(v4_only)), ..failed(Failure::TimedOut) };
    assert_eq!(judge(&thrice(&[without_v6, over_ipv6(v4_only)])), Verdict::Down(DownCause::Unreachable));
    let without_v4 = Attempt { witnesses: Some(reached(v6_only)), ..failed(Failure::TimedOut) };
    assert_eq!(judge(&thrice(&[without_v4, over_ipv6(v6_only)])), Verdict::Unknown(UnknownCause::NoRoute));
}

#[test]
fn an_answer_that_could_not_be_checked_at_one_forbids_down_at_the_other() {
    let seen = thrice(&[from(Identity::Unchecked), failed(Failure::Refused)]);
    assert_eq!(judge(&seen), Verdict::Unknown(UnknownCause::Key));
}

#[test]
fn what_does_not_lead_to_a_home_that_answers_is_named() {
    let unasked = |attempt: Attempt| Attempt { witnesses: None, ..attempt };
    let names = |other: Attempt| {
        let seen = [at(0, unasked(other)), at(1, unasked(from(PROVEN)))];
        differing(&seen, judge(&seen)).into_iter().map(|it| (it.place, it.verdict.cause().unwrap())).collect::<Vec<_>>()
    };
    let pending = attempt(Resolution::Resolved { took: TOOK, failed: None }, &[]);
    for (other, cause) in [
        (no_such_name(), "name"),
        (name_failed(NameServiceError::Timeout), "name_service"),
        (failed(Failure::Refused), "refused"),
        (failed(Failure::TimedOut), "unreachable"),
        (failed(Failure::Local("out of files".into())), "unreachable"),
        (from(Identity::Foreign), "impostor"),
        (from(Identity::Absent), "unproven"),
        (pending, "unreachable"),
        (but_at_one(|exchange| exchange.certificate = Some("expired".into())), "certificate"),
    ] {
        assert_eq!(names(other), [(0, cause)]);
    }
    assert_eq!(names(from(PROVEN)), [], "both lead to it");
    let slow = but_at_one(|exchange| exchange.phases.connect = Some(ABOVE * 2));
    assert_eq!(names(slow), [], "a slow one leads to it, too");
}

fn but_at_one(change: impl FnOnce(&mut Exchange)) -> Attempt {
    let mut attempt = from(PROVEN);
    change(&mut attempt.exchanges[0]);
    attempt
}

#[test]
fn only_the_name_service_is_at_fault_and_each_name_that_fails_is_named() {
    let last = |exchange: &mut Exchange| exchange.origin = Origin::LastProven;
    let failing = Resolution::Failed { took: TOOK, error: NameServiceError::Error };
    let found = Attempt { resolution: failing, ..but_at_one(last) };
    let seen = [at(0, no_such_name()), at(1, found)];
    assert_eq!(judge(&seen), Verdict::Degraded(DegradedCause::NameService));
    let named: Vec<_> = differing(&seen, judge(&seen)).into_iter().map(|it| (it.place, it.words())).collect();
    assert_eq!(named, [(0, "the name does not exist"), (1, "the name cannot be resolved")]);
}

#[test]
fn nothing_differs_at_one_address_nor_of_a_home_that_is_down() {
    let one = [from(PROVEN)];
    assert_eq!(differing(&one, judge(&one)), Vec::<Differing>::new());
    let seen = thrice(&[failed(Failure::Refused), no_such_name()]);
    assert_eq!(differing(&seen, judge(&seen)), Vec::<Differing>::new());
}
