//! Answers challenges, and takes in looks: holds the home's key and the clock that proofs are dated by.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::http::{HeaderMap, HeaderValue};
use shared::{
    look::BeaconLooks,
    proof::{CHALLENGE_HEADER, Challenge, Key, Proof, Running, WrongKey},
    secret::SecretSource,
    settings::WrongSetting,
};

use super::{
    looks::{LookTotals, Looks},
    only,
    settings::BEACON_KEY,
};
use crate::clock::{BootClock, Host};

/// How long a key is used until its file is read again. Kubernetes takes about a minute to renew a mounted secret.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

/// Signs challenges with the key as it is now.
#[derive(Debug)]
pub struct Prover {
    source: SecretSource,
    held: Mutex<Held>,
    clock: BootClock,
    started: Duration,
    proofs: AtomicU64,
    looks: Looks,
}

#[derive(Debug)]
struct Held {
    key: Key,
    read_at: Duration,
    /// The last reading brought no key; logged once.
    lost: bool,
}

impl Prover {
    /// A prover of a process that starts now.
    ///
    /// # Errors
    /// When the source holds no key.
    pub fn new(source: SecretSource, host: Host) -> Result<Self, WrongSetting> {
        let clock = host.uptime.clone();
        let started = clock.now();
        let held = Mutex::new(Held { key: key(&source)?, read_at: started, lost: false });
        Ok(Self { source, held, clock, started, proofs: AtomicU64::default(), looks: Looks::new(host) })
    }

    /// The header's value for the challenge among `headers`, where there is exactly one; and whether they carry a signed look,
    /// which changes nothing of the answer.
    pub(super) fn answer(&self, headers: &HeaderMap) -> (Option<HeaderValue>, bool) {
        let challenge = challenge(headers);
        let now = self.clock.now();
        let is_look = self.looks.consider(headers, challenge.as_ref(), || self.key(now));
        let proof = challenge.map(|challenge| self.prove(&challenge, now).to_string());
        (proof.and_then(|proof| HeaderValue::try_from(proof).ok()), is_look)
    }

    /// How many proofs have been given.
    pub fn proofs(&self) -> u64 {
        self.proofs.load(Ordering::Relaxed)
    }

    /// The looks that counted, for the keeper.
    pub fn looks(&self) -> BeaconLooks {
        self.looks.reported()
    }

    pub(super) fn look_totals(&self) -> LookTotals {
        self.looks.totals()
    }

    fn prove(&self, challenge: &Challenge, now: Duration) -> Proof {
        self.proofs.fetch_add(1, Ordering::Relaxed);
        Proof::new(
            &self.key(now),
            challenge,
            Running { up: now.as_secs(), age: now.saturating_sub(self.started).as_secs() },
        )
    }

    /// The key as it is now. A source that has become useless is logged, and the last key stays in use: a home must not go
    /// dark because an editor left an empty file for a moment.
    fn key(&self, now: Duration) -> Key {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(held.read_at) >= RELOAD_INTERVAL {
            held.read_at = now;
            match key(&self.source) {
                Ok(key) => {
                    if key != held.key {
                        tracing::info!("a new key is in use");
                    }
                    (held.key, held.lost) = (key, false);
                }
                Err(error) if !held.lost => {
                    tracing::warn!("{error}; the last key stays in use");
                    held.lost = true;
                }
                Err(_) => (),
            }
        }
        held.key.clone()
    }
}

/// The challenge of a request that has exactly one, and that one well formed.
pub(super) fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    only(headers, CHALLENGE_HEADER)?.parse().ok()
}

fn key(source: &SecretSource) -> Result<Key, WrongSetting> {
    let wrong = |error: WrongKey| WrongSetting(format!("{}: {error}", source.name(BEACON_KEY.name)));
    source.current()?.expose().parse().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::AtomicU64};

    use shared::secret::Secret;

    use super::*;

    /// A prover whose boot-time clock shows what the test says.
    fn prover(source: SecretSource, seconds: &Arc<AtomicU64>) -> Prover {
        let seconds = Arc::clone(seconds);
        let uptime = BootClock::new(move || Duration::from_secs(seconds.load(Ordering::Relaxed)));
        Prover::new(source, Host { uptime, ..Host::system() }).unwrap()
    }

    fn value(key: &Key) -> SecretSource {
        SecretSource::Value(Secret::new(key.expose()))
    }

    fn asked(challenges: &[&str]) -> HeaderMap {
        challenges
            .iter()
            .map(|text| (CHALLENGE_HEADER.parse().unwrap(), HeaderValue::from_str(text).unwrap()))
            .collect()
    }

    #[test]
    fn a_proof_says_how_long_host_and_process_have_been_running() {
        let (key, challenge) = (Key::new([1; 32]), Challenge::new([2; 32]));
        let seconds = Arc::new(AtomicU64::new(100));
        let prover = prover(value(&key), &seconds);
        for (now, up, age) in [(100, 100, 0), (160, 160, 60), (100_000, 100_000, 99_900)] {
            seconds.store(now, Ordering::Relaxed);
            let answer = prover.answer(&asked(&[challenge.as_str()])).0.unwrap();
            let proof: Proof = answer.to_str().unwrap().parse().unwrap();
            assert_eq!(proof.running, Running { up, age });
            assert!(proof.is_made_with(&key, &challenge));
        }
        assert_eq!(prover.proofs(), 3);
    }

    #[test]
    fn no_challenge_a_malformed_one_or_two_are_not_answered() {
        let prover = prover(value(&Key::new([1; 32])), &Arc::default());
        let good = Challenge::new([2; 32]);
        for challenges in [&[][..], &["short"], &[good.as_str(), good.as_str()], &["!".repeat(40).as_str()]] {
            assert_eq!(prover.answer(&asked(challenges)), (None, false), "{challenges:?}");
        }
        assert_eq!(prover.proofs(), 0);
    }

    #[test]
    fn a_changed_key_file_counts_and_a_lost_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let (first, second) = (Key::new([1; 32]), Key::new([2; 32]));
        std::fs::write(&path, first.expose() + "\n").unwrap();
        let seconds = Arc::new(AtomicU64::new(0));
        let prover = prover(SecretSource::File { setting: "BEACON_KEY", path: path.clone() }, &seconds);
        let challenge = Challenge::new([3; 32]);
        let made_with = |key: &Key, now| {
            seconds.store(now, Ordering::Relaxed);
            prover.prove(&challenge, Duration::from_secs(now)).is_made_with(key, &challenge)
        };
        assert!(made_with(&first, 0));
        std::fs::write(&path, second.expose()).unwrap();
        assert!(made_with(&first, 4), "it is not read for every challenge");
        assert!(made_with(&second, 5));
        std::fs::write(&path, "half a k").unwrap();
        assert!(made_with(&second, 10));
        std::fs::remove_file(&path).unwrap();
        assert!(made_with(&second, 15));
        std::fs::write(&path, first.expose()).unwrap();
        assert!(made_with(&first, 20));
    }

    #[test]
    fn a_wrong_key_is_refused_without_being_repeated() {
        let source = SecretSource::Value(Secret::new("hunter2"));
        let error = Prover::new(source, Host::system()).unwrap_err().to_string();
        assert!(error.starts_with("BEACON_KEY: a key is 43 letters") && !error.contains("hunter2"), "{error}");
    }
}
