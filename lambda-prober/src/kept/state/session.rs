//! One home's record while the home is probed.

use std::{net::IpAddr, time::Duration};

use shared::id::ComponentId;
use tokio::time::Instant;

use super::store::State;
use crate::kept::parameters::ParameterStore;

/// How long reading a record may take that would only help.
const READ_TIMEOUT: Duration = Duration::from_secs(3);

/// Where the record of one home is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StateSession<'run> {
    /// `None` where no state is kept.
    pub(crate) record: Option<(&'run State, &'run ParameterStore, &'run ComponentId)>,
}

impl StateSession<'_> {
    /// Where the home last proved itself.
    pub(crate) async fn last_proven_address(&self, until: Instant) -> Option<IpAddr> {
        let (state, store, id) = self.record?;
        let until = until.min(Instant::now() + READ_TIMEOUT);
        state.record(store, id, until).await?.last_proven_address
    }
}
