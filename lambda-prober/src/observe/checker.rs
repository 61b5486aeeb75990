//! Finds out who sent an answer, with the keys as they are now, and signs requests with them.

use std::net::IpAddr;

use shared::{
    look::{LastVerdict, Location, SignedLook, Vantage},
    proof::Challenge,
    random::{self, NoRandomness},
};
use tokio::time::{Instant, timeout_at};

use crate::{
    judge::identity::{Identity, ProofHeader},
    kept::secrets::RunSecrets,
    look::Viewpoint,
    target::Home,
};

/// Makes challenges for one home, and checks the proofs in answers to them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checker<'run> {
    pub(crate) secrets: &'run RunSecrets<'run>,
    pub(crate) home: &'run Home,
    /// `None` where a person asks, which is no run.
    pub(crate) signer: Option<Signer<'run>>,
}

/// What a run says of itself in the requests that it signs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signer<'run> {
    /// Unix time of its beginning, in seconds.
    pub(crate) at: i64,
    pub(crate) location: &'run Location,
    /// What the run before concluded of the home.
    pub(crate) last: Option<LastVerdict>,
    pub(crate) viewpoint: Viewpoint<'run>,
}

impl Checker<'_> {
    /// Whether an answer must be proven.
    pub(super) fn has_key(&self) -> bool {
        self.secrets.has_key(self.home)
    }

    /// A challenge for one request; `None` where the home has no key to answer it with.
    pub(super) fn challenge(&self) -> Result<Option<Challenge>, NoRandomness> {
        if !self.has_key() {
            return Ok(None);
        }
        random::bytes().map(|bytes| Some(Challenge::new(bytes)))
    }

    /// Whether a request to that address is signed: the home takes a signed one for a look from outside.
    pub(super) async fn signs_to(&self, address: IpAddr) -> bool {
        match &self.signer {
            Some(signer) if self.has_key() => signer.viewpoint.of(&[address]).await == Vantage::Outside,
            _ => false,
        }
    }

    /// The signature of a request that carries the challenge; `None` while no key is at hand.
    pub(super) fn sign(&self, challenge: &Challenge) -> Option<SignedLook> {
        let Signer { at, location, last, .. } = self.signer?;
        let key = self.secrets.key_at_hand(self.home)?;
        Some(SignedLook::new(&key, challenge, at, location.clone(), last))
    }

    /// Who sent the answer. Before a proof counts as foreign, the keys are read again: they may have been replaced.
    /// Where that fails, or takes beyond `until`, the keys from before are used.
    pub(super) async fn identify(&self, header: &ProofHeader, until: Instant) -> Identity {
        let with_first = self.secrets.keys(self.home).await.map(|keys| keys.identify(header));
        if let Ok(identity) = with_first
            && identity.is_enough()
        {
            return identity;
        }
        match timeout_at(until, self.secrets.keys_again(self.home)).await {
            Ok(Ok(keys)) => keys.identify(header),
            Err(_) | Ok(Err(_)) => with_first.unwrap_or(Identity::Unchecked),
        }
    }
}
