//! A call that changes a page.

use std::collections::BTreeMap;

use shared::{
    id::{ComponentId, IncidentId},
    statuspage::{ComponentStatus, IncidentChange},
};

/// A call that changes a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Sets the status of a component.
    Set {
        /// Which one.
        component: ComponentId,
        /// Its new status.
        to: ComponentStatus,
    },
    /// Opens an incident.
    Open {
        /// The key of the outage that it is about.
        key: String,
        /// Its texts, components and metadata.
        change: IncidentChange,
    },
    /// Updates or resolves an incident.
    Change {
        /// Which one.
        incident: IncidentId,
        /// The update.
        change: IncidentChange,
    },
    /// Deletes the younger of two incidents about one outage.
    Delete {
        /// Which one.
        incident: IncidentId,
    },
}

impl Call {
    /// The components whose status it sets, with the new status.
    pub fn sets(&self) -> BTreeMap<ComponentId, ComponentStatus> {
        match self {
            Self::Set { component, to } => BTreeMap::from([(component.clone(), *to)]),
            Self::Open { change, .. } | Self::Change { change, .. } => change.components.clone(),
            Self::Delete { .. } => BTreeMap::new(),
        }
    }

    /// The components that it is about, whether it sets their status or not.
    pub(crate) fn about(&self) -> Vec<ComponentId> {
        match self {
            Self::Set { component, .. } => vec![component.clone()],
            Self::Open { change, .. } | Self::Change { change, .. } => change.component_ids.clone(),
            Self::Delete { .. } => Vec::new(),
        }
    }
}
