//! A second prober of the same homes, at another location: what it saw is heeded, and what this one saw is told to it.

use jiff::Timestamp;
use tokio::time::Instant;

use super::{prober::Prober, target_state::TargetState};
use crate::{
    judge::{
        locations::{Sighting, with_other_location},
        verdict::Verdict,
    },
    mode::Mode,
};

impl Prober {
    /// Corrects the verdicts by what the other prober saw, which is read only where one is down. What this one saw by itself;
    /// `None` where there is no other.
    pub(super) async fn heed_other_location(
        &self,
        states: &mut [TargetState<'_>],
        at: Timestamp,
        until: Instant,
    ) -> Option<Sighting> {
        let (other, state) = (self.other_location.as_ref()?, self.state.as_ref()?);
        let own = Sighting::of(at, states.iter().map(|state| (&state.target.component, state.verdict)));
        if states.iter().any(|state| matches!(state.verdict, Verdict::Down(_))) {
            // One that cannot be read has no say: the page must not depend on it.
            let seen = state.sighting(self.secrets.store(), other, until).await;
            let seen = seen.inspect_err(|error| tracing::warn!("{error}")).ok().flatten();
            for state in states {
                state.verdict = with_other_location(state.verdict, &state.target.component, seen.as_ref(), at);
            }
        }
        Some(own)
    }

    /// Leaves what this prober saw for the other one.
    pub(super) async fn share_sighting(&self, sighting: Option<Sighting>, until: Instant) {
        let (Some(sighting), Some(state), Mode::Publish) = (sighting, self.state.as_ref(), self.mode) else { return };
        if let Err(error) = state.put_sighting(self.secrets.store(), &self.location, &sighting, until).await {
            tracing::warn!("{error}");
        }
    }
}
