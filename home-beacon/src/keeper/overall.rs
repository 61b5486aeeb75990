//! What a page as a whole says: the worst of its components, in the words of statuspage.io.

use serde::Serialize;
use shared::statuspage::ComponentStatus;

use super::store::Component;

/// Shape of `status` in `/api/v2`. The API has no indicator for knowing nothing, so that is said in the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Overall {
    pub(super) indicator: &'static str,
    pub(super) description: &'static str,
}

pub(super) fn overall(components: &[Component]) -> Overall {
    let statuses = components.iter().filter_map(|component| component.status.parse().ok());
    let Some(worst) = statuses.max_by_key(|status| severity(*status)) else {
        return Overall { indicator: "none", description: "No Status Known" };
    };
    let (indicator, description) = match worst {
        ComponentStatus::Operational => ("none", "All Systems Operational"),
        ComponentStatus::UnderMaintenance => ("maintenance", "Service Under Maintenance"),
        ComponentStatus::DegradedPerformance => ("minor", "Partially Degraded Service"),
        ComponentStatus::PartialOutage => ("major", "Partial System Outage"),
        ComponentStatus::MajorOutage => ("critical", "Major System Outage"),
    };
    Overall { indicator, description }
}

fn severity(status: ComponentStatus) -> u8 {
    match status {
        ComponentStatus::Operational => 0,
        ComponentStatus::UnderMaintenance => 1,
        ComponentStatus::DegradedPerformance => 2,
        ComponentStatus::PartialOutage => 3,
        ComponentStatus::MajorOutage => 4,
    }
}
