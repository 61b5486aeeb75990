//! Answers that are not as expected.

use checks::cause::Cause;

use super::*;
use crate::judge::observation::{Unmet, Weight};

const PROVEN: Identity = Identity::Proven { running: Running { up: 1, age: 1 }, with: WhichKey::Current };

fn unmet(identity: Identity, weight: Weight) -> Attempt {
    let mut attempt = from(identity);
    let Ok(answer) = &mut attempt.exchanges[0].outcome else { panic!("an answer") };
    let (cause, text) = (Cause::Status, "HTTP 503 instead of 200-399".to_owned());
    answer.unmet = Some(Unmet { weight, cause, text });
    attempt
}

fn wrong() -> Attempt {
    unmet(Identity::NotAsked, Weight::Critical)
}

fn ends_soon() -> Attempt {
    unmet(Identity::NotAsked, Weight::Warning)
}

#[test]
fn an_answer_that_is_not_as_expected_is_down_after_two_attempts() {
    assert_eq!(judge(&[wrong(), wrong()]), Verdict::Down(DownCause::Unexpected));
    assert_eq!(judge(&[unmet(PROVEN, Weight::Critical), wrong()]), Verdict::Down(DownCause::Unexpected));
    assert_eq!(judge(&[wrong()]), Verdict::Unknown(UnknownCause::Blind), "one attempt is not enough");
    assert_eq!(judge(&[wrong(), answered(200)]), Verdict::Up, "the best answer counts");
    let mut blind = wrong();
    blind.witnesses = Some(reached(&[]));
    assert_eq!(judge(&[blind.clone(), blind]), Verdict::Unknown(UnknownCause::Blind), "a hotel's page answers, too");
}

#[test]
fn it_says_more_than_silence_and_less_than_a_missing_proof() {
    for (other, cause) in [
        (from(Identity::Foreign), DownCause::Impostor),
        (from(Identity::Absent), DownCause::Unproven),
        (failed(Failure::Refused), DownCause::Unexpected),
        (failed(Failure::TimedOut), DownCause::Unexpected),
    ] {
        assert_eq!(judge(&[wrong(), other]), Verdict::Down(cause));
    }
    let strangers = || unmet(Identity::Absent, Weight::Critical);
    assert_eq!(judge(&[strangers(), strangers()]), Verdict::Down(DownCause::Unproven), "it is not its answer");
    let unchecked = unmet(Identity::Unchecked, Weight::Critical);
    assert_eq!(judge(&[unchecked, wrong(), wrong()]), Verdict::Unknown(UnknownCause::Key));
}

#[test]
fn a_certificate_that_ends_soon_is_degraded_and_no_reason_to_try_again() {
    assert_eq!(judge(&[ends_soon()]), Verdict::Degraded(DegradedCause::CertificateEnds));
    assert!(is_conclusive(&ends_soon().exchanges[0], ABOVE));
    assert!(!is_conclusive(&wrong().exchanges[0], ABOVE));
    let two_addresses = attempt(Resolution::Literal, &[Ok((200, Identity::NotAsked))]);
    let exchanges = [ends_soon().exchanges, two_addresses.exchanges.clone()].concat();
    assert_eq!(judge(&[Attempt { exchanges, ..two_addresses }]), Verdict::Up, "the best answer counts");
    let mut invalid = unmet(PROVEN, Weight::Warning);
    invalid.exchanges[0].certificate = Some("the certificate has expired".into());
    assert_eq!(judge(&[invalid]), Verdict::Degraded(DegradedCause::Certificate));
    let mut slow = ends_soon();
    slow.exchanges[0].phases.connect = Some(2 * ABOVE);
    assert_eq!(judge(&[slow]), Verdict::Degraded(DegradedCause::CertificateEnds), "which does not pass by itself");
}
