//! `GET /porchlight/v1/notices`: who is written to, and what they have not been given. `PUT /porchlight/v1/mutes` (`key`, `until`)
//! and `DELETE …/mutes?key=…`: what nobody is written to about for now.

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::{get, put},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::super::{AppState, HttpError, payload::JsonObject};
use crate::keeper::{
    db::Moment,
    notices::{Mute, Overview, SUBJECTS},
    status::components,
};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/notices", get(overview)).route("/mutes", put(mute).delete(unmute).get(mutes))
}

#[derive(Deserialize)]
struct Wanted {
    key: String,
    until: Timestamp,
}

#[derive(Deserialize)]
struct Named {
    key: String,
}

async fn overview(State(state): State<AppState>) -> Result<Json<Overview>, HttpError> {
    let overview = state.recorder.notices().overview(&state.db, state.clock.wall()).await;
    Ok(Json(overview.map_err(crate::keeper::KeeperError::from)?.ok_or_else(HttpError::no_notices)?))
}

async fn mutes(State(state): State<AppState>) -> Result<Json<Vec<Mute>>, HttpError> {
    Ok(Json(state.recorder.notices().mutes(&state.db, state.clock.wall()).await?))
}

async fn mute(State(state): State<AppState>, JsonObject(body): JsonObject) -> Result<Json<Mute>, HttpError> {
    let wanted: Wanted = serde_json::from_value(Value::Object(body))
        .map_err(|error| HttpError::unprocessable(format!("a mute has a key and an until: {error}")))?;
    let key = resolved(&state, wanted.key).await?;
    state.recorder.notices().mute(&state.db, state.clock.wall(), &key, wanted.until).await?;
    Ok(Json(Mute { key, until: Moment::new(wanted.until) }))
}

async fn unmute(State(state): State<AppState>, Query(named): Query<Named>) -> Result<StatusCode, HttpError> {
    let key = resolved(&state, named.key).await?;
    state.recorder.notices().unmute(&state.db, state.clock.wall(), &key).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The key that is meant: itself, or that of the component of that name or id.
pub(in super::super) async fn resolved(state: &AppState, key: String) -> Result<String, HttpError> {
    let components = components::list(&state.db, &state.page, 0, u32::MAX).await?;
    let is_named = |name: &str, id: &str| id == key || name.eq_ignore_ascii_case(&key);
    if let Some(component) = components.iter().find(|it| is_named(&it.name, it.id.as_str())) {
        return Ok(format!("home/{}", component.id));
    }
    let (first, rest) = key.split_once('/').unwrap_or((&key, "-"));
    if SUBJECTS.contains(&first) && !rest.is_empty() {
        return Ok(key);
    }
    let names: Vec<_> = components.iter().map(|component| component.name.as_str()).collect();
    Err(HttpError::unprocessable(format!(
        "key: `{}` is no component of the page ({}), and nothing that notices are about: {}, or one of these with more behind a slash, \
         like job/ping",
        key.escape_debug(),
        names.join(", "),
        SUBJECTS.join(", ")
    )))
}
