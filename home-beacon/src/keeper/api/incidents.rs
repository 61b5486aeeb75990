//! `/v1/pages/{page}/incidents`

use std::collections::HashMap;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, patch as patching},
};
use shared::id::IncidentId;

use super::{
    Refusal,
    fields::Fields,
    listing::Listing,
    pages::page_id,
    path::{InPath, InQuery},
    payload::Payload,
};
use crate::keeper::{
    Shared,
    store::{Incident, IncidentFilter, IncidentPatch, IncidentUpdate, NewIncident, UpdatePatch},
};

/// statuspage.io's limits, in characters.
const LONGEST_NAME: usize = 255;
const LONGEST_BODY: usize = 25_000;

const STATUSES: [&str; 8] =
    ["investigating", "identified", "monitoring", "resolved", "scheduled", "in_progress", "verifying", "completed"];
const IMPACTS: [&str; 5] = ["none", "maintenance", "minor", "major", "critical"];

/// Fields that would make the keeper act later by itself, which it does not.
const AUTOMATIC: [&str; 7] = [
    "scheduled_auto_in_progress",
    "scheduled_auto_completed",
    "scheduled_auto_transition",
    "auto_transition_to_maintenance_state",
    "auto_transition_to_operational_state",
    "auto_transition_deliver_notifications_at_start",
    "auto_transition_deliver_notifications_at_end",
];

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/pages/{page}/incidents", get(all).post(create))
        .route("/pages/{page}/incidents/unresolved", get(unresolved))
        .route("/pages/{page}/incidents/scheduled", get(scheduled))
        .route("/pages/{page}/incidents/upcoming", get(upcoming))
        .route("/pages/{page}/incidents/active_maintenance", get(active))
        .route("/pages/{page}/incidents/{incident}", get(one).patch(update).put(update).delete(remove))
        .route("/pages/{page}/incidents/{incident}/incident_updates/{update}", patching(edit).put(edit))
}

fn incident_id(text: &str) -> Result<IncidentId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found("this incident"))
}

fn patch(fields: &Fields) -> Result<IncidentPatch, Refusal> {
    for name in AUTOMATIC {
        fields.unsupported(name, "this keeper does not move maintenance by itself")?;
    }
    Ok(IncidentPatch {
        name: fields.name(LONGEST_NAME)?,
        status: fields.one_of("status", &STATUSES)?,
        body: fields.text("body", LONGEST_BODY)?,
        impact_override: fields.clearable_one_of("impact_override", &IMPACTS)?,
        component_ids: fields.component_ids("component_ids")?,
        components: fields.component_statuses("components")?,
        metadata: fields.metadata("metadata")?,
        reminder_intervals: fields.clearable_text("reminder_intervals", 100)?,
        scheduled_for: fields.time("scheduled_for")?,
        scheduled_until: fields.time("scheduled_until")?,
        deliver_notifications: fields.boolean("deliver_notifications")?,
    })
}

async fn list(
    shared: &Shared,
    page: &str,
    query: &HashMap<String, String>,
    filter: IncidentFilter,
) -> Result<Json<Vec<Incident>>, Refusal> {
    let listing = Listing::from_query(query)?;
    Ok(Json(shared.store.incidents(&page_id(page)?, &filter, listing.skip, listing.limit).await?))
}

type Asked = (State<Shared>, InPath<String>, InQuery);

async fn all((State(shared), InPath(page), InQuery(query)): Asked) -> Result<Json<Vec<Incident>>, Refusal> {
    let text = query.get("q").filter(|text| !text.is_empty()).cloned();
    list(&shared, &page, &query, IncidentFilter::All(text)).await
}

async fn unresolved((State(shared), InPath(page), InQuery(query)): Asked) -> Result<Json<Vec<Incident>>, Refusal> {
    list(&shared, &page, &query, IncidentFilter::Unresolved).await
}

async fn scheduled((State(shared), InPath(page), InQuery(query)): Asked) -> Result<Json<Vec<Incident>>, Refusal> {
    list(&shared, &page, &query, IncidentFilter::Scheduled).await
}

async fn upcoming((State(shared), InPath(page), InQuery(query)): Asked) -> Result<Json<Vec<Incident>>, Refusal> {
    list(&shared, &page, &query, IncidentFilter::Upcoming).await
}

async fn active((State(shared), InPath(page), InQuery(query)): Asked) -> Result<Json<Vec<Incident>>, Refusal> {
    list(&shared, &page, &query, IncidentFilter::ActiveMaintenance).await
}

async fn create(
    State(shared): State<Shared>,
    InPath(page): InPath<String>,
    payload: Payload,
) -> Result<(StatusCode, Json<Incident>), Refusal> {
    let page = page_id(&page)?;
    let fields = payload.wrapped("incident")?;
    let mut patch = patch(&fields)?;
    let name = patch.name.take().ok_or_else(|| Refusal::unprocessable("name: can't be blank"))?;
    let backfilled = match fields.boolean("backfilled")? {
        Some(true) => {
            let date = fields.time("backfill_date")?.flatten();
            if !patch.components.is_empty() || patch.component_ids.as_ref().is_some_and(|ids| !ids.is_empty()) {
                return Err(Refusal::unprocessable("components: a backfilled incident cannot name components"));
            }
            Some(date.ok_or_else(|| Refusal::unprocessable("backfill_date: a backfilled incident needs one"))?)
        }
        _ => None,
    };
    let incident = shared.store.create_incident(&page, NewIncident { name, patch, backfilled }).await?;
    Ok((StatusCode::CREATED, Json(incident)))
}

async fn one(
    State(shared): State<Shared>,
    InPath((page, incident)): InPath<(String, String)>,
) -> Result<Json<Incident>, Refusal> {
    Ok(Json(shared.store.incident(&page_id(&page)?, &incident_id(&incident)?).await?))
}

async fn update(
    State(shared): State<Shared>,
    InPath((page, incident)): InPath<(String, String)>,
    payload: Payload,
) -> Result<Json<Incident>, Refusal> {
    let (page, incident) = (page_id(&page)?, incident_id(&incident)?);
    let patch = patch(&payload.wrapped("incident")?)?;
    Ok(Json(shared.store.update_incident(&page, &incident, patch).await?))
}

async fn remove(
    State(shared): State<Shared>,
    InPath((page, incident)): InPath<(String, String)>,
) -> Result<Json<Incident>, Refusal> {
    Ok(Json(shared.store.delete_incident(&page_id(&page)?, &incident_id(&incident)?).await?))
}

async fn edit(
    State(shared): State<Shared>,
    InPath((page, incident, update)): InPath<(String, String, String)>,
    payload: Payload,
) -> Result<Json<IncidentUpdate>, Refusal> {
    let (page, incident) = (page_id(&page)?, incident_id(&incident)?);
    let fields = payload.wrapped("incident_update")?;
    let patch = UpdatePatch {
        body: fields.text("body", LONGEST_BODY)?,
        display_at: fields.time("display_at")?.flatten(),
        deliver_notifications: fields.boolean("deliver_notifications")?,
    };
    Ok(Json(shared.store.edit_update(&page, &incident, &update, patch).await?))
}
