//! Incidents and maintenance on the page: what goes on, and what is over.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use super::Time;
use crate::keeper::{
    Shared,
    store::{Incident, IncidentFilter, StoreError},
};

/// How many are listed of what goes on.
const MOST_OPEN: u32 = 50;

/// How many are listed of what is over, among how many of the last, and how long.
const MOST_PAST: usize = 5;
const LOOKED_AT: u32 = 20;
const PAST: Duration = Duration::from_hours(14 * 24);

/// A part of the page; it is left out where it is empty.
pub(super) struct SectionView {
    pub(super) id: &'static str,
    pub(super) heading: &'static str,
    /// Newest first.
    pub(super) incidents: Vec<IncidentView>,
}

pub(super) struct IncidentView {
    pub(super) name: String,
    pub(super) status: String,
    /// Newest first.
    pub(super) updates: Vec<UpdateView>,
}

pub(super) struct UpdateView {
    pub(super) status: String,
    pub(super) body: String,
    pub(super) at: Time,
}

/// What goes on, and what is over.
pub(super) async fn sections(
    shared: &Shared,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<(Vec<SectionView>, Vec<SectionView>), StoreError> {
    let list = async |filter, limit| shared.store.incidents(&shared.page, &filter, 0, limit).await;
    let section = |id, heading, incidents: &[Incident]| {
        let incidents: Vec<_> = incidents.iter().map(|incident| IncidentView::new(incident, zone)).collect();
        (!incidents.is_empty()).then_some(SectionView { id, heading, incidents })
    };
    let maintenance = list(IncidentFilter::ActiveMaintenance, MOST_OPEN).await?;
    let open = list(IncidentFilter::Unresolved, MOST_OPEN).await?;
    let mut past = list(IncidentFilter::All(None), LOOKED_AT).await?;
    past.retain(|incident| matches!(incident.status.as_str(), "resolved" | "completed"));
    // What is told afterwards is over since then, not since it was told.
    let over_since = |incident: &Incident| incident.times.resolved_at.unwrap_or(incident.times.updated_at).timestamp();
    past.retain(|incident| now.duration_since(over_since(incident)).unsigned_abs() < PAST);
    past.truncate(MOST_PAST);
    let going_on =
        [section("maintenance", "Maintenance under way", &maintenance), section("incidents", "Open incidents", &open)];
    let over = section("past", "Past incidents", &past);
    Ok((going_on.into_iter().flatten().collect(), over.into_iter().collect()))
}

impl IncidentView {
    pub(super) fn new(incident: &Incident, zone: &TimeZone) -> Self {
        let updates = incident.incident_updates.iter().map(|update| UpdateView {
            status: words(&update.status),
            body: update.body.clone(),
            at: Time::new(update.display_at.timestamp(), zone),
        });
        Self { name: incident.name.clone(), status: words(&incident.status), updates: updates.collect() }
    }
}

/// A status as a reader knows it: `In progress`.
fn words(status: &str) -> String {
    let status = status.replace('_', " ");
    let mut letters = status.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
