//! Incidents and maintenance on the page: what goes on, and what is over.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use super::{super::AppState, Time};
use crate::keeper::{
    KeeperError,
    db::Moment,
    status::{
        Incident,
        incidents::{self, IncidentFilter},
        timeline,
    },
};

/// How many are listed of what goes on.
const MAX_OPEN: u32 = 50;

/// How many are listed of what is planned, and for how long after its time is over.
const MAX_PLANNED: u32 = 10;
const OVERDUE: Duration = Duration::from_hours(24);

/// How many are listed of what is over, and how long.
const MAX_PAST: u32 = 5;
const PAST: Duration = Duration::from_hours(14 * 24);

/// A part of the page; it is left out where it is empty.
pub(super) struct SectionView {
    pub(super) id: &'static str,
    pub(super) heading: &'static str,
    /// Newest first; what is planned soonest first.
    pub(super) incidents: Vec<IncidentView>,
    /// How many more there are.
    pub(super) more: i64,
}

pub(super) struct IncidentView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) status: String,
    /// When maintenance is to begin and to end.
    pub(super) from: Option<Time>,
    pub(super) until: Option<Time>,
    /// Newest first.
    pub(super) updates: Vec<UpdateView>,
}

pub(super) struct UpdateView {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) body: String,
    pub(super) at: Time,
}

/// What goes on or is planned, and what is over.
pub(super) async fn sections(
    state: &AppState,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<(Vec<SectionView>, Vec<SectionView>), KeeperError> {
    let list = async |filter, limit| incidents::list(&state.db, &state.page, &filter, 0, limit).await;
    let section = |id, heading, incidents: &[Incident], more| {
        let incidents: Vec<_> = incidents.iter().map(|incident| IncidentView::new(incident, zone)).collect();
        (!incidents.is_empty()).then_some(SectionView { id, heading, incidents, more })
    };
    let before = |age: Duration| now.checked_sub(age).unwrap_or(Timestamp::MIN);
    let maintenance = list(IncidentFilter::ActiveMaintenance, MAX_OPEN).await?;
    let open = list(IncidentFilter::Unresolved, MAX_OPEN).await?;
    let (planned, count) = timeline::planned(&state.db, &state.page, before(OVERDUE), MAX_PLANNED).await?;
    let more = count - i64::try_from(planned.len()).unwrap_or(count);
    let past = timeline::over(&state.db, &state.page, before(PAST), MAX_PAST).await?;
    let going_on = [
        section("incidents", "Open incidents", &open, 0),
        section("maintenance", "Maintenance under way", &maintenance, 0),
        section("planned", "Planned maintenance", &planned, more),
    ];
    let over = section("past", "Past incidents", &past, 0);
    Ok((going_on.into_iter().flatten().collect(), over.into_iter().collect()))
}

impl IncidentView {
    pub(super) fn new(incident: &Incident, zone: &TimeZone) -> Self {
        let updates = incident.incident_updates.iter().map(|update| UpdateView {
            id: update.id.clone(),
            status: words(update.state.as_str()),
            body: update.body.clone(),
            at: Time::new(update.display_at.timestamp(), zone),
        });
        let time = |moment: Option<Moment>| moment.map(|moment| Time::new(moment.timestamp(), zone));
        Self {
            id: incident.id.to_string(),
            name: incident.name.clone(),
            status: words(incident.state.as_str()),
            from: time(incident.times.scheduled_for),
            until: time(incident.times.scheduled_until),
            updates: updates.collect(),
        }
    }
}

/// A status as a reader knows it: `In progress`.
pub(in crate::keeper::http) fn words(status: &str) -> String {
    let status = status.replace('_', " ");
    let mut letters = status.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
