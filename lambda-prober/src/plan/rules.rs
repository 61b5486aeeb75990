//! What the operator wants of a page.

use std::time::Duration;

use super::statuses::Statuses;

/// What the operator wants of a page; the default is that of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The component's status for each cause.
    pub statuses: Statuses,
    /// How long an outage lasts before an incident is opened; `None` is never.
    pub incident_after: Option<Duration>,
    /// How long a home must be up for its outage to be over.
    pub resolve_after: Duration,
    /// Whether the page's subscribers are notified of incidents.
    pub notify: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            statuses: Statuses::default(),
            incident_after: Some(Duration::from_mins(5)),
            resolve_after: Duration::from_mins(2),
            notify: true,
        }
    }
}
