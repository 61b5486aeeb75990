//! From what was seen to a verdict. Pure: the same attempts always give the same verdict.

use crate::{
    identity::Identity,
    observation::{Attempt, Failure, Family, Resolution},
    verdict::{DownCause, UnknownCause, Verdict},
};

/// How many attempts must speak against a home before it counts as down: one may be a lost packet.
pub const AGAINST: usize = 2;

/// Judges the attempts of one run on one target.
///
/// One answer on any attempt and address is enough for `Up`, where a key is configured one with a valid proof. `Down` takes [`AGAINST`] attempts that point at the
/// home; the most telling of their failures names the cause. Attempts in which the name service or this machine was
/// in trouble point at nobody, and where too few others are left the verdict is `Unknown`. An answer that could not be
/// checked may have been the home's, so it forbids `Down` whatever else was seen.
pub fn judge(attempts: &[Attempt]) -> Verdict {
    if attempts.iter().any(|attempt| attempt.enough().is_some()) {
        return Verdict::Up;
    }
    if answers(attempts).any(|identity| identity == Identity::Unchecked) {
        return Verdict::Unknown(UnknownCause::Key);
    }
    let seen: Vec<Seen> = attempts.iter().map(look).collect();
    let mut against: Vec<DownCause> =
        seen.iter().filter_map(|seen| if let Seen::Home(cause) = seen { Some(*cause) } else { None }).collect();
    against.sort_unstable();
    match against.first() {
        Some(&cause) if against.len() >= AGAINST => Verdict::Down(cause),
        _ if seen.contains(&Seen::Nobody(UnknownCause::Blind)) => Verdict::Unknown(UnknownCause::Blind),
        _ if seen.contains(&Seen::Nobody(UnknownCause::NameService)) => Verdict::Unknown(UnknownCause::NameService),
        // Nobody was in trouble, but there was no time for attempts enough.
        _ => Verdict::Unknown(UnknownCause::Blind),
    }
}

fn answers(attempts: &[Attempt]) -> impl Iterator<Item = Identity> {
    let exchanges = attempts.iter().flat_map(|attempt| &attempt.exchanges);
    exchanges.filter_map(|exchange| exchange.outcome.as_ref().ok()).map(|answer| answer.identity)
}

/// At whom an attempt without an answer that counts points.
#[derive(PartialEq)]
enum Seen {
    Home(DownCause),
    Nobody(UnknownCause),
}

fn look(attempt: &Attempt) -> Seen {
    match attempt.resolution {
        Resolution::NoSuchName { .. } => return Seen::Home(DownCause::Name),
        // Where IPv4 could not be asked for, it may be the family that works. The other way round nothing is lost: IPv4 is
        // what the cloud reaches homes by, and a resolver that always fails for IPv6 must not hide every outage.
        Resolution::Trouble { .. } | Resolution::Resolved { trouble: Some((Family::V4, _)), .. } => {
            return Seen::Nobody(UnknownCause::NameService);
        }
        Resolution::Literal | Resolution::Resolved { .. } => (),
    }
    let causes = attempt.exchanges.iter().filter_map(|exchange| match &exchange.outcome {
        Ok(answer) => of_a_stranger(answer.identity),
        Err(failure) => points_at_home(failure),
    });
    match causes.min() {
        Some(cause) => Seen::Home(cause),
        None => Seen::Nobody(UnknownCause::Blind),
    }
}

fn of_a_stranger(identity: Identity) -> Option<DownCause> {
    match identity {
        Identity::Foreign => Some(DownCause::Impostor),
        Identity::Absent => Some(DownCause::Unproven),
        Identity::NotAsked | Identity::Proven { .. } | Identity::Unchecked => None,
    }
}

fn points_at_home(failure: &Failure) -> Option<DownCause> {
    match failure {
        Failure::Refused => Some(DownCause::Refused),
        Failure::Reset | Failure::NotHttp => Some(DownCause::Reset),
        Failure::Tls(_) => Some(DownCause::Tls),
        Failure::TimedOut | Failure::Unreachable => Some(DownCause::Unreachable),
        Failure::Local(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared::proof::Running;

    use super::*;
    use crate::{
        identity::WhichKey,
        observation::{Answer, Exchange, NameTrouble, Phases},
    };

    const TOOK: Duration = Duration::from_millis(10);

    fn attempt(resolution: Resolution, outcomes: &[Result<(u16, Identity), Failure>]) -> Attempt {
        let exchange = |outcome: &Result<(u16, Identity), Failure>| Exchange {
            address: "192.0.2.1:30008".parse().unwrap(),
            phases: Phases::default(),
            outcome: outcome.clone().map(|(status, identity)| Answer { status, identity }),
        };
        Attempt {
            started: Duration::ZERO,
            resolution,
            addresses: Vec::new(),
            exchanges: outcomes.iter().map(exchange).collect(),
        }
    }

    fn answered(status: u16) -> Attempt {
        attempt(Resolution::Resolved { took: TOOK, trouble: None }, &[Ok((status, Identity::NotAsked))])
    }

    fn from(identity: Identity) -> Attempt {
        attempt(Resolution::Resolved { took: TOOK, trouble: None }, &[Ok((200, identity))])
    }

    fn failed(failure: Failure) -> Attempt {
        attempt(Resolution::Resolved { took: TOOK, trouble: None }, &[Err(failure)])
    }

    fn no_such_name() -> Attempt {
        attempt(Resolution::NoSuchName { took: TOOK }, &[])
    }

    fn name_trouble(trouble: NameTrouble) -> Attempt {
        attempt(Resolution::Trouble { took: TOOK, trouble }, &[])
    }

    #[test]
    fn any_http_answer_on_any_attempt_is_up() {
        for status in [200, 302, 404, 500, 503] {
            assert_eq!(judge(&[failed(Failure::Refused), failed(Failure::TimedOut), answered(status)]), Verdict::Up);
        }
    }

    #[test]
    fn an_answer_over_one_of_two_addresses_is_up() {
        let one_of_two = attempt(Resolution::Literal, &[Err(Failure::Unreachable), Ok((200, Identity::NotAsked))]);
        assert_eq!(judge(&[one_of_two]), Verdict::Up);
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
            (Failure::NotHttp, DownCause::Reset),
            (Failure::Tls("expired".into()), DownCause::Tls),
            (Failure::TimedOut, DownCause::Unreachable),
            (Failure::Unreachable, DownCause::Unreachable),
        ] {
            assert_eq!(judge(&[failed(failure.clone()), failed(failure)]), Verdict::Down(cause));
        }
        assert_eq!(judge(&[no_such_name(), no_such_name()]), Verdict::Down(DownCause::Name));
    }

    #[test]
    fn the_most_telling_failure_names_the_cause() {
        let attempts = [no_such_name(), failed(Failure::TimedOut), failed(Failure::Refused)];
        assert_eq!(judge(&attempts), Verdict::Down(DownCause::Refused));
    }

    #[test]
    fn trouble_of_the_name_service_is_unknown() {
        for trouble in [NameTrouble::Timeout, NameTrouble::Error, NameTrouble::Empty] {
            let attempts = [name_trouble(trouble), name_trouble(trouble), name_trouble(trouble)];
            assert_eq!(judge(&attempts), Verdict::Unknown(UnknownCause::NameService));
        }
    }

    #[test]
    fn one_attempt_against_the_home_is_not_enough() {
        for single in [no_such_name(), failed(Failure::TimedOut), failed(Failure::Refused)] {
            let attempts = [name_trouble(NameTrouble::Error), single, name_trouble(NameTrouble::Timeout)];
            assert_eq!(judge(&attempts), Verdict::Unknown(UnknownCause::NameService));
        }
    }

    #[test]
    fn ipv4_that_could_not_be_asked_for_may_be_what_works_and_ipv6_does_not_hide_an_outage() {
        let half = |family| {
            let trouble = Some((family, NameTrouble::Timeout));
            attempt(Resolution::Resolved { took: TOOK, trouble }, &[Err(Failure::Refused)])
        };
        let unknown = Verdict::Unknown(UnknownCause::NameService);
        assert_eq!(judge(&[half(Family::V4), half(Family::V4)]), unknown);
        assert_eq!(judge(&[half(Family::V6), half(Family::V6)]), Verdict::Down(DownCause::Refused));
    }

    #[test]
    fn trouble_of_our_own_machine_is_blindness() {
        let local = || failed(Failure::Local("too many open files".into()));
        assert_eq!(judge(&[local(), local(), local()]), Verdict::Unknown(UnknownCause::Blind));
    }

    #[test]
    fn nothing_seen_is_never_down() {
        assert_eq!(judge(&[]), Verdict::Unknown(UnknownCause::Blind));
    }
}
