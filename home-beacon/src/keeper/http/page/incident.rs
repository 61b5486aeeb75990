//! `/incidents/{id}`: one incident by itself, where the links of the APIs lead.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use shared::id::IncidentId;

use super::{super::AppState, HEADERS, incidents::IncidentView, unavailable};
use crate::keeper::{
    KeeperError,
    status::{incidents, pages},
};

#[derive(Template)]
#[template(path = "incident.html")]
struct IncidentPage {
    /// The page's name.
    page: String,
    incident: IncidentView,
    components: Vec<String>,
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
    Ok(IncidentPage {
        components: incident.components.iter().map(|component| component.name.clone()).collect(),
        incident: IncidentView::new(&incident, &page.zone()),
        page: page.name,
    })
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, HEADERS, "This page has no such incident.\n").into_response()
}
