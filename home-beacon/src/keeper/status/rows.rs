//! How what a page says is read from its rows. A column that a later migration has added is read by `get_or_default`.

use super::{Component, Incident, IncidentState, IncidentTimes, IncidentUpdate, Page, StatusChange, plan::Plan};
use crate::keeper::db::{FromRow, Row, StorageError};

impl FromRow for Page {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            description: row.get("description")?,
            url: row.get("url")?,
            domain: row.get("domain")?,
            subdomain: row.get("subdomain")?,
            time_zone: row.get("time_zone")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

impl FromRow for Component {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.get("id")?,
            page_id: row.get("page_id")?,
            name: row.get("name")?,
            description: row.get("description")?,
            position: row.get("position")?,
            status: row.get("status")?,
            showcase: row.get("showcase")?,
            only_show_if_degraded: row.get("only_show_if_degraded")?,
            start_date: row.get("start_date")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            group_id: row.get_or_default("group_id")?,
            group: false,
            mirrored: row.get_or_default("mirrored")?,
            seeded: row.get_or_default("seeded")?,
            looks: row.get_or_default::<Option<bool>>("looks")?.unwrap_or(true),
            checked: row.get_or_default("checked")?,
            porchlight_shown: None,
            porchlight_warning: None,
        })
    }
}

impl FromRow for StatusChange {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { status: row.get("status")?, since: row.get("since")? })
    }
}

/// Without its components and updates.
impl FromRow for Incident {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.get("id")?,
            page_id: row.get("page_id")?,
            name: row.get("name")?,
            state: IncidentState { status: row.get("status")?, word: row.get_or_default("upstream_status")? },
            impact: row.get("impact")?,
            impact_override: row.get("impact_override")?,
            metadata: row.get("metadata")?,
            reminder_intervals: row.get("reminder_intervals")?,
            backfilled: row.get("backfilled")?,
            mirrored: row.get_or_default("mirrored")?,
            times: IncidentTimes {
                scheduled_for: row.get("scheduled_for")?,
                scheduled_until: row.get("scheduled_until")?,
                started_at: row.get("started_at")?,
                monitoring_at: row.get("monitoring_at")?,
                resolved_at: row.get("resolved_at")?,
                created_at: row.get("created_at")?,
                updated_at: row.get("updated_at")?,
            },
            plan: Plan::from_row(row)?,
            postmortem: super::postmortems::from_row(row)?,
            shortlink: row.get_or_default("shortlink")?,
            components: Vec::new(),
            incident_updates: Vec::new(),
        })
    }
}

impl FromRow for IncidentUpdate {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let affected: Option<String> = row.get("affected_components")?;
        Ok(Self {
            id: row.get("id")?,
            incident_id: row.get("incident_id")?,
            state: IncidentState::read(&row.get::<String>("status")?),
            body: row.get("body")?,
            deliver_notifications: row.get("deliver_notifications")?,
            // Upstream's odd details are not worth an error.
            affected_components: affected.and_then(|affected| serde_json::from_str(&affected).ok()),
            display_at: row.get("display_at")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}
