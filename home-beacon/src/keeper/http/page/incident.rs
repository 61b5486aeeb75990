//! `/incidents/{id}`: one incident by itself, where the links of the APIs lead.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use shared::id::IncidentId;

use super::{
    super::{AppState, links::Links},
    HEADERS,
    incidents::IncidentView,
    unavailable,
};
use crate::keeper::{
    KeeperError,
    status::{incidents, pages},
};

/// How much of an update is said to who shows a link to it, in characters.
const MAX_SAID: usize = 300;

#[derive(Template)]
#[template(path = "incident.html")]
struct IncidentPage {
    /// The page's name.
    page: String,
    incident: IncidentView,
    components: Vec<String>,
    /// Where it stands, with its newest update.
    said: String,
    /// Where the page says that this can be reached.
    address: Option<String>,
}

pub(super) async fn draw(State(state): State<AppState>, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse() else { return not_found() };
    match read(&state, &id).await.map(|page| page.render()) {
        Ok(Ok(html)) => (HEADERS, Html(html)).into_response(),
        Ok(Err(error)) => unavailable(&error),
        Err(KeeperError::NotFound(_)) => not_found(),
        Err(error) => unavailable(&error),
    }
}

async fn read(state: &AppState, id: &IncidentId) -> Result<IncidentPage, KeeperError> {
    let page = pages::get(&state.db, &state.page).await?;
    let incident = incidents::get(&state.db, &state.page, id).await?;
    let zone = page.zone();
    let view = IncidentView::new(&incident, &zone);
    Ok(IncidentPage {
        said: said(&view),
        components: incident.components.iter().map(|component| component.name.clone()).collect(),
        address: Links::stated(&page).map(|links| links.incident(&incident.id)),
        incident: view,
        page: page.name,
    })
}

/// `Monitoring (28 Nov 2026, 12:03:00 UTC): The line is back`
fn said(incident: &IncidentView) -> String {
    let Some(newest) = incident.updates.first() else { return incident.status.clone() };
    let body: String = newest.body.chars().take(MAX_SAID).collect();
    let colon = if body.is_empty() { "" } else { ": " };
    format!("{} ({}){colon}{body}", incident.status, newest.at.words)
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, HEADERS, "This page has no such incident.\n").into_response()
}
