//! Finds out who sent an answer, with the keys as they are now.

use shared::{
    proof::Challenge,
    random::{self, NoRandomness},
};
use tokio::time::{Instant, timeout_at};

use crate::{
    judge::identity::{Identity, ProofHeader},
    kept::secrets::RunSecrets,
    target::Home,
};

/// Makes challenges for one home, and checks the proofs in answers to them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checker<'run> {
    pub(crate) secrets: &'run RunSecrets<'run>,
    pub(crate) home: &'run Home,
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
