//! What a page as a whole says: the worst of its components, in the words of statuspage.io.

use serde::Serialize;
use shared::statuspage::{ComponentStatus, Impact};

use super::Component;

/// Shape of `status` in `/api/v2`. The API has no indicator for knowing nothing, so that is said in the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(in crate::keeper) struct Overall {
    pub(in crate::keeper) indicator: Impact,
    pub(in crate::keeper) description: &'static str,
}

pub(in crate::keeper) fn overall(components: &[Component]) -> Overall {
    let Some(worst) = components.iter().filter_map(|component| component.status).max() else {
        return Overall { indicator: Impact::None, description: "No Status Known" };
    };
    let (indicator, description) = match worst {
        ComponentStatus::Operational => (Impact::None, "All Systems Operational"),
        ComponentStatus::UnderMaintenance => (Impact::Maintenance, "Service Under Maintenance"),
        ComponentStatus::DegradedPerformance => (Impact::Minor, "Partially Degraded Service"),
        ComponentStatus::PartialOutage => (Impact::Major, "Partial System Outage"),
        ComponentStatus::MajorOutage => (Impact::Critical, "Major System Outage"),
    };
    Overall { indicator, description }
}
