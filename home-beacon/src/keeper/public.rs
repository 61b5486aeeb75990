//! `/api/v2`: the public status API, for badges and status readers. No token is needed, as on statuspage.io.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderName, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Shared,
    api::Refusal,
    overall::overall,
    store::{Component, IncidentFilter, Page},
};

/// More than this the summary does not list.
const MOST_INCIDENTS: u32 = 50;

/// Everybody may read it from anywhere, and nobody should keep it.
const HEADERS: [(HeaderName, &str); 2] =
    [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CACHE_CONTROL, "no-store")];

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/summary.json", get(summary))
        .route("/status.json", get(status))
        .route("/components.json", get(components))
        .fallback(async || StatusCode::NOT_FOUND)
}

#[derive(Serialize)]
struct PageHead<'a> {
    id: &'a str,
    name: &'a str,
    url: Option<&'a str>,
    time_zone: &'a str,
    updated_at: super::store::Moment,
}

/// The `page` of every document: it was updated when the last thing on it was.
fn head<'a>(page: &'a Page, components: &[Component]) -> PageHead<'a> {
    let updated_at = components.iter().map(|component| component.updated_at).chain([page.updated_at]).max();
    PageHead {
        id: page.id.as_str(),
        name: &page.name,
        url: page.url.as_deref(),
        time_zone: &page.time_zone,
        updated_at: updated_at.unwrap_or(page.updated_at),
    }
}

async fn read(shared: &Shared) -> Result<(Page, Vec<Component>), Refusal> {
    let page = shared.store.page(&shared.page).await?;
    let components = shared.store.components(&shared.page, 0, u32::MAX).await?;
    Ok((page, components))
}

async fn status(State(shared): State<Shared>) -> Result<impl IntoResponse, Refusal> {
    let (page, components) = read(&shared).await?;
    Ok((HEADERS, Json(json!({ "page": head(&page, &components), "status": overall(&components) }))))
}

async fn components(State(shared): State<Shared>) -> Result<impl IntoResponse, Refusal> {
    let (page, components) = read(&shared).await?;
    Ok((HEADERS, Json(json!({ "page": head(&page, &components), "components": components }))))
}

async fn summary(State(shared): State<Shared>) -> Result<impl IntoResponse, Refusal> {
    let (page, components) = read(&shared).await?;
    let incidents = shared.store.incidents(&shared.page, &IncidentFilter::Unresolved, 0, MOST_INCIDENTS).await?;
    let maintenances = shared.store.incidents(&shared.page, &IncidentFilter::Scheduled, 0, MOST_INCIDENTS).await?;
    let mut told = json!({
        "page": head(&page, &components),
        "status": overall(&components),
        "components": components,
        "incidents": incidents,
        "scheduled_maintenances": maintenances,
    });
    for list in ["incidents", "scheduled_maintenances"] {
        for incident in told[list].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            incident.remove("metadata");
            incident.remove("reminder_intervals");
        }
    }
    Ok((HEADERS, Json(told)))
}
