//! A second name of the home, at another service, which leads to it while DuckDNS fails. Such services block who calls without
//! a change, or again after a refusal: so what they said is remembered, and they are left alone until there is something to say.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    dyndns::{NotTaken, Refusal},
    record::Accepted,
};

/// A name that is never updated may be taken for one that nobody uses any more: other clients confirm it this often (FACTS.md D6).
const CONFIRM: SignedDuration = SignedDuration::from_hours(25 * 24);

/// After a refusal: settings that are put right are to count within the hour, and an hour is no flood.
const AFTER_REFUSAL: SignedDuration = SignedDuration::from_hours(1);

/// After a block, which each further call may prolong.
const AFTER_BLOCK: SignedDuration = SignedDuration::from_hours(24);

/// After a word of trouble (FACTS.md D5).
const AFTER_TROUBLE: SignedDuration = SignedDuration::from_mins(30);

/// What is remembered of the second name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SecondName {
    /// The name and the service; what is remembered is of these alone.
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taken: Option<Accepted>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pause: Option<Pause>,
}

/// Until when the service is left alone, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pause {
    pub(super) until: Timestamp,
    pub(super) why: String,
    /// Whether somebody has to change something.
    pub(super) is_refused: bool,
}

/// What is to be done of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The service is called.
    Call,
    /// It has the address.
    Leave,
    /// It is left alone for a while.
    Wait(Pause),
}

impl SecondName {
    /// What is remembered where it is of this name, and nothing otherwise.
    pub(super) fn of(name: &str, remembered: Option<&Self>) -> Self {
        let remembered = remembered.filter(|it| it.name == name).cloned();
        remembered.unwrap_or_else(|| Self { name: name.into(), ..Self::default() })
    }

    /// What is to be done to have it at this address.
    pub(super) fn step(&self, address: IpAddr, now: Timestamp) -> Step {
        // A pause that is longer than any was written by a clock that ran ahead.
        let pause = self.pause.as_ref().filter(|it| it.until > now && it.until.duration_since(now) <= AFTER_BLOCK);
        if let Some(pause) = pause {
            return Step::Wait(pause.clone());
        }
        let is_there = self.taken.is_some_and(|taken| {
            taken.address == address && (SignedDuration::ZERO..CONFIRM).contains(&now.duration_since(taken.at))
        });
        if is_there { Step::Leave } else { Step::Call }
    }

    /// Notes what became of a call.
    pub(super) fn note(&mut self, address: IpAddr, outcome: &Result<(), NotTaken>, now: Timestamp) {
        let pause = |why: &str, lasts: SignedDuration, is_refused| {
            Some(Pause { until: now + lasts, why: why.to_owned(), is_refused })
        };
        self.pause = match outcome {
            Ok(()) => {
                self.taken = Some(Accepted { address, at: now, seen: None });
                None
            }
            Err(NotTaken::Refused(refusal @ Refusal::Blocked)) => pause(refusal.words(), AFTER_BLOCK, true),
            Err(NotTaken::Refused(refusal)) => pause(refusal.words(), AFTER_REFUSAL, true),
            Err(NotTaken::Busy(why)) => pause(why, AFTER_TROUBLE, false),
            Err(NotTaken::Failing(_)) => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(81, 2, 69, 142));
    const MOVED: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(81, 2, 69, 160));

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    fn after(outcome: &Result<(), NotTaken>) -> SecondName {
        let mut second = SecondName::of("home.ddns.net", None);
        second.note(HOME, outcome, at(0));
        second
    }

    #[test]
    fn a_service_is_called_on_a_change_and_once_in_25_days() {
        assert_eq!(SecondName::of("home.ddns.net", None).step(HOME, at(0)), Step::Call);
        let taken = after(&Ok(()));
        for (address, minutes, step) in [
            (HOME, 5, Step::Leave),
            (MOVED, 5, Step::Call),
            (HOME, 25 * 24 * 60 - 1, Step::Leave),
            (HOME, 25 * 24 * 60, Step::Call),
            // It was taken at a time that is still to come.
            (HOME, -1, Step::Call),
        ] {
            assert_eq!(taken.step(address, at(minutes)), step, "{address} after {minutes} minutes");
        }
        assert_eq!(SecondName::of("other.ddns.net", Some(&taken)).step(HOME, at(5)), Step::Call);
        assert_eq!(SecondName::of("home.ddns.net", Some(&taken)).step(HOME, at(5)), Step::Leave);
    }

    #[test]
    fn who_said_no_is_left_alone_as_long_as_the_word_asks_for() {
        for (outcome, minutes, is_refused) in [
            (NotTaken::Refused(Refusal::Credentials), 60, true),
            (NotTaken::Refused(Refusal::Blocked), 24 * 60, true),
            (NotTaken::Busy("it is in trouble (911)".into()), 30, false),
        ] {
            let second = after(&Err(outcome.clone()));
            // Even where the address moves meanwhile.
            let Step::Wait(pause) = second.step(MOVED, at(minutes - 1)) else { panic!("{outcome:?}: it is called") };
            assert_eq!((pause.until, pause.is_refused), (at(minutes), is_refused), "{outcome:?}");
            assert_eq!(second.step(MOVED, at(minutes)), Step::Call, "{outcome:?}");
            assert_eq!(
                second.step(MOVED, at(-10)),
                if minutes < 24 * 60 { second.step(MOVED, at(0)) } else { Step::Call }
            );
        }
        assert_eq!(after(&Err(NotTaken::Failing("it answered with status 502".into()))).step(HOME, at(5)), Step::Call);
    }

    #[test]
    fn what_was_taken_stands_while_the_service_is_in_trouble() {
        let mut second = after(&Ok(()));
        second.note(MOVED, &Err(NotTaken::Busy("it is in trouble (911)".into())), at(10));
        assert_eq!(second.step(HOME, at(41)), Step::Leave);
        assert_eq!(second.step(MOVED, at(41)), Step::Call);
        second.note(MOVED, &Ok(()), at(41));
        assert_eq!(second.step(MOVED, at(42)), Step::Leave);
    }
}
