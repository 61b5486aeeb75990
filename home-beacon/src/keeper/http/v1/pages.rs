//! `/v1/pages`

use axum::{Json, Router, extract::State, routing::get};
use jiff::tz::TimeZone;
use shared::id::PageId;

use super::super::{AppState, HttpError, path::InPath, payload::Payload};
use crate::keeper::status::{
    Page,
    pages::{self, PagePatch},
};

/// The longest name and description, as statuspage.io's.
const MAX_LENGTH: usize = 255;

/// What says something only inside the wrapper.
const INSIDE: [&str; 6] = ["domain", "name", "page_description", "subdomain", "time_zone", "url"];

/// Fields that a page is sent with, and that cannot be set.
const READ_ONLY: [&str; 3] = ["created_at", "id", "updated_at"];

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/pages", get(list)).route("/pages/{page}", get(one).patch(update).put(update))
}

async fn list(State(state): State<AppState>) -> Result<Json<Vec<Page>>, HttpError> {
    Ok(Json(pages::list(&state.db).await?))
}

async fn one(State(state): State<AppState>, InPath(page): InPath<PageId>) -> Result<Json<Page>, HttpError> {
    Ok(Json(pages::get(&state.db, &page).await?))
}

async fn update(
    State(state): State<AppState>,
    InPath(page): InPath<PageId>,
    payload: Payload,
) -> Result<Json<Page>, HttpError> {
    let fields = payload.wrapped("page", &INSIDE)?;
    let time_zone = fields.text("time_zone", MAX_LENGTH)?;
    if time_zone.as_ref().is_some_and(|zone| TimeZone::get(zone).is_err()) {
        return Err(HttpError::unprocessable("time_zone: must be an IANA name like Europe/Berlin"));
    }
    let patch = PagePatch {
        name: fields.name(MAX_LENGTH)?,
        description: fields.clearable_text("page_description", 25_000)?,
        url: fields.clearable_text("url", MAX_LENGTH)?,
        domain: fields.clearable_text("domain", MAX_LENGTH)?,
        subdomain: fields.clearable_text("subdomain", MAX_LENGTH)?,
        time_zone,
    };
    fields.nothing_is_lost(&READ_ONLY)?;
    Ok(Json(pages::update(&state.db, state.clock.now(), &page, patch).await?))
}
