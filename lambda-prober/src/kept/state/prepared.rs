//! The records of a run before they are written.

use std::collections::HashMap;

use shared::id::ComponentId;

use super::{finding::Finding, record::StateRecord};

/// One home's record after a run, or why it is not known. The error is for people.
pub(crate) type RecordResult = Result<StateRecord, String>;

/// The records as they should be after a run, and which of them are to be written.
#[derive(Debug, Default)]
pub(crate) struct PreparedRecords {
    /// What the run goes by, whether the record could be read or not.
    pub(super) effective: HashMap<ComponentId, StateRecord>,
    pub(super) results: HashMap<ComponentId, RecordResult>,
    pub(super) changed: Vec<(ComponentId, StateRecord)>,
}

impl PreparedRecords {
    /// Where no state is kept, a run goes by what the page shows.
    pub(crate) fn without_state(findings: &[(&ComponentId, Finding<'_>)]) -> Self {
        let effective = findings.iter().map(|(id, finding)| ((*id).clone(), finding.record(None))).collect();
        Self { effective, ..Self::default() }
    }

    /// Whether a home's record could not be read, so that what is known of it is a guess.
    pub(crate) fn is_guessed(&self, id: &ComponentId) -> bool {
        self.results.get(id).is_some_and(Result::is_err)
    }

    /// A home's record after this run, as far as anything is known; an empty one where none was needed.
    pub(crate) fn record(&self, id: &ComponentId) -> StateRecord {
        self.effective.get(id).cloned().unwrap_or_default()
    }
}
