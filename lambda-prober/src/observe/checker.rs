//! Finds out whose answer it was, with the keys as they are now.

use shared::{
    proof::Challenge,
    random::{self, NoRandomness},
};
use tokio::time::{Instant, timeout_at};

use crate::{
    identity::{Evidence, Identity},
    secrets::RunSecrets,
    target::Home,
};

/// Challenges one home and checks what it answers.
#[derive(Clone, Copy, Debug)]
pub struct Checker<'run> {
    pub secrets: &'run RunSecrets<'run>,
    pub home: &'run Home,
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

    /// Whose answer it was. Before it counts as somebody else's, the keys are read again: they may have been replaced.
    /// Where that fails, or takes beyond `until`, those from before stand.
    pub(super) async fn identify(&self, evidence: &Evidence, until: Instant) -> Identity {
        let with_first = self.secrets.keys(self.home).await.map(|keys| keys.identify(evidence));
        if let Ok(identity) = with_first
            && identity.is_enough()
        {
            return identity;
        }
        match timeout_at(until, self.secrets.keys_again(self.home)).await {
            Ok(Ok(keys)) => keys.identify(evidence),
            Err(_) | Ok(Err(_)) => with_first.unwrap_or(Identity::Unchecked),
        }
    }
}
