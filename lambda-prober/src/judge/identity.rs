//! Who sent an answer: the proof that it carries, checked against the home's keys.

use std::net::IpAddr;

use shared::proof::{Challenge, Key, Proof, Running};

/// The proof that an answer carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofHeader {
    /// No proof, or a malformed one.
    Absent,
    /// A well-formed proof.
    Presented {
        /// What it should answer.
        challenge: Challenge,
        /// What was sent.
        proof: Proof,
    },
}

impl ProofHeader {
    /// Reads the values of all `Porchlight-Proof` headers of an answer; two of them prove nothing.
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
    /// The key of today.
    pub current: Key,
    /// The previous one, while it is being replaced.
    pub old: Option<Key>,
    /// `false` when the old key could not be read: then a proof that does not fit may be the home's all the same.
    pub complete: bool,
}

/// Who sent an answer, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// No key is configured, so any answer counts.
    NotAsked,
    /// The home.
    Proven {
        /// How long its host and beacon have been running.
        running: Running,
        /// The key that the proof was made with.
        with: WhichKey,
    },
    /// A beacon with another key: not the home's.
    Foreign,
    /// An answer without a proof.
    Absent,
    /// The key could not be read, so the proof was not checked.
    Unchecked,
}

/// A valid proof of the home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The address that it was given at.
    pub at: IpAddr,
    /// How long host and beacon have been running.
    pub running: Running,
}

/// Which of a home's keys a proof was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichKey {
    /// The key of today.
    Current,
    /// The previous one.
    Old,
}

impl Identity {
    /// Whether this answer alone makes the home up.
    pub const fn is_enough(self) -> bool {
        matches!(self, Self::NotAsked | Self::Proven { .. })
    }
}

impl Keys {
    /// Who made this proof: `Proven`, `Foreign`, `Absent`, or `Unchecked` where the old key is not known.
    pub fn identify(&self, header: &ProofHeader) -> Identity {
        let ProofHeader::Presented { challenge, proof } = header else { return Identity::Absent };
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

    fn presented(key: &Key) -> ProofHeader {
        let challenge = Challenge::new([3; 32]);
        let value = Proof::new(key, &challenge, RUNNING).to_string();
        ProofHeader::read(challenge, [value.as_bytes()])
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
    fn an_answer_to_another_challenge_is_foreign() {
        let ProofHeader::Presented { proof, .. } = presented(&NEW) else { panic!("a proof") };
        let replayed = ProofHeader::Presented { challenge: Challenge::new([4; 32]), proof };
        assert_eq!(keys().identify(&replayed), Identity::Foreign);
    }

    #[test]
    fn no_proof_two_proofs_and_malformed_ones_are_absent() {
        let challenge = || Challenge::new([3; 32]);
        let good = Proof::new(&NEW, &challenge(), RUNNING).to_string();
        let huge = "v1;".repeat(20_000);
        for values in [&[][..], &[good.as_bytes(), good.as_bytes()], &[b"v1"], &[b"\xff\xfe"], &[huge.as_bytes()]] {
            let header = ProofHeader::read(challenge(), values.iter().copied());
            assert_eq!(keys().identify(&header), Identity::Absent);
        }
    }
}
