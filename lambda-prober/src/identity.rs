//! Whose answer it was: what the answer showed, held against the keys of the home. Pure.

use std::{net::IpAddr, time::Duration};

use jiff::{SignedDuration, Timestamp};
use shared::proof::{Challenge, Key, Proof, Running};

/// What an answer showed of its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// No proof at all, or a text that is none.
    Absent,
    /// A well-formed proof, and the challenge that it should answer.
    Presented { challenge: Challenge, proof: Proof },
}

impl Evidence {
    /// Reads the values of all proof headers of an answer; two of them prove nothing.
    pub fn read<'a>(challenge: Challenge, values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut values = values.into_iter();
        let (Some(value), None) = (values.next(), values.next()) else { return Self::Absent };
        match std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()) {
            Some(proof) => Self::Presented { challenge, proof },
            None => Self::Absent,
        }
    }
}

/// The keys that a home may prove itself with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    pub current: Key,
    /// The one before, while it is being replaced.
    pub old: Option<Key>,
    /// `false` when the old key could not be read: then a proof that does not fit may be the home's all the same.
    pub complete: bool,
}

/// What is known of the sender of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// No key is configured, so any answer counts.
    NotAsked,
    /// It is the home.
    Proven { running: Running, with: WhichKey },
    /// A beacon with another key: somebody else's.
    Foreign,
    /// An answer without a proof.
    Absent,
    /// The key could not be read, so nothing can be said.
    Unchecked,
}

/// A proof that the home gave: at which address, and how long it has been running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    pub at: IpAddr,
    pub running: Running,
}

/// How far one and the same beginning may seem to move from run to run: it is told in whole seconds, and answers take theirs.
pub const JITTER: Duration = Duration::from_secs(10);

/// How far the time between a boot and a start may seem to move. Both are told by one clock, at once, in whole seconds.
pub const SAME_START: SignedDuration = SignedDuration::from_secs(3);

/// When host and beacon began, to the second, by the prober's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Began {
    pub booted: Timestamp,
    pub started: Timestamp,
}

impl Began {
    /// By what a beacon told at that time; `None` of times that no clock can tell.
    pub fn of(running: Running, at: Timestamp) -> Option<Self> {
        let at = Timestamp::from_second(at.as_second()).ok()?;
        let ago = |seconds: u64| at.checked_sub(Duration::from_secs(seconds)).ok();
        Some(Self { booted: ago(running.up)?, started: ago(running.age)? })
    }

    /// How long after its host's boot the beacon started. No clock that is set changes it.
    pub fn start_after_boot(self) -> SignedDuration {
        self.started.duration_since(self.booted)
    }

    /// Whether it is worth noting in the place of `before`. Of several beacons that answer in turn the newest is kept: what
    /// is earlier is only noted where it is the same beacon by another clock.
    pub fn is_news_after(self, before: Self) -> bool {
        let later = self.booted.duration_since(before.booted);
        let moved = self.start_after_boot() - before.start_after_boot();
        let same_boot = later.unsigned_abs() <= JITTER;
        let same_start = moved.unsigned_abs() <= SAME_START.unsigned_abs();
        match (same_boot, same_start) {
            (true, true) => false,
            (true, false) => moved.is_positive(),
            (false, true) => true,
            (false, false) => later.is_positive(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichKey {
    Current,
    Old,
}

impl Identity {
    /// Whether this answer alone makes the home up.
    pub const fn is_enough(self) -> bool {
        matches!(self, Self::NotAsked | Self::Proven { .. })
    }
}

impl Keys {
    pub fn identify(&self, evidence: &Evidence) -> Identity {
        let Evidence::Presented { challenge, proof } = evidence else { return Identity::Absent };
        let keys = [(Some(&self.current), WhichKey::Current), (self.old.as_ref(), WhichKey::Old)];
        let fits =
            |(key, with): (Option<&Key>, WhichKey)| key.filter(|key| proof.is_made_with(key, challenge)).map(|_| with);
        match keys.into_iter().find_map(fits) {
            Some(with) => Identity::Proven { running: proof.running, with },
            None if self.complete => Identity::Foreign,
            None => Identity::Unchecked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Key = Key::new([1; 32]);
    const OLD: Key = Key::new([2; 32]);
    const RUNNING: Running = Running { up: 60, age: 5 };

    fn keys() -> Keys {
        Keys { current: NEW, old: Some(OLD), complete: true }
    }

    fn presented(key: &Key) -> Evidence {
        let challenge = Challenge::new([3; 32]);
        let value = Proof::new(key, &challenge, RUNNING).to_string();
        Evidence::read(challenge, [value.as_bytes()])
    }

    #[test]
    fn both_keys_prove_and_any_other_does_not() {
        let proven = |with| Identity::Proven { running: RUNNING, with };
        assert_eq!(keys().identify(&presented(&NEW)), proven(WhichKey::Current));
        assert_eq!(keys().identify(&presented(&OLD)), proven(WhichKey::Old));
        assert_eq!(Keys { old: None, ..keys() }.identify(&presented(&OLD)), Identity::Foreign);
        assert_eq!(keys().identify(&presented(&Key::new([9; 32]))), Identity::Foreign);
    }

    #[test]
    fn a_proof_that_may_fit_an_old_key_that_is_not_known_is_not_checked() {
        let keys = Keys { old: None, complete: false, ..keys() };
        assert_eq!(keys.identify(&presented(&OLD)), Identity::Unchecked);
        assert!(keys.identify(&presented(&NEW)).is_enough());
    }

    #[test]
    fn an_answer_to_somebody_elses_challenge_is_foreign() {
        let Evidence::Presented { proof, .. } = presented(&NEW) else { panic!("a proof") };
        let replayed = Evidence::Presented { challenge: Challenge::new([4; 32]), proof };
        assert_eq!(keys().identify(&replayed), Identity::Foreign);
    }

    #[test]
    fn what_is_no_single_proof_is_none() {
        let challenge = || Challenge::new([3; 32]);
        let good = Proof::new(&NEW, &challenge(), RUNNING).to_string();
        let huge = "v1;".repeat(20_000);
        for values in [&[][..], &[good.as_bytes(), good.as_bytes()], &[b"v1"], &[b"\xff\xfe"], &[huge.as_bytes()]] {
            let evidence = Evidence::read(challenge(), values.iter().copied());
            assert_eq!(keys().identify(&evidence), Identity::Absent);
        }
    }
}
