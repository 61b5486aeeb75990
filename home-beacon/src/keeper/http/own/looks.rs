//! `POST /porchlight/v1/looks`: what a prober's run saw of the components of a page. See [`shared::look::PostedLooks`].

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};
use shared::look::PostedLooks;

use super::super::{AppState, HttpError, payload::JsonObject};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/looks", post(take))
}

async fn take(
    State(state): State<AppState>,
    JsonObject(body): JsonObject,
) -> Result<(StatusCode, Json<Value>), HttpError> {
    let posted = serde_json::from_value(Value::Object(body));
    let posted: PostedLooks = posted.map_err(|error| HttpError::unprocessable(format!("looks: {error}")))?;
    let accepted = state.recorder.add_looks(&posted).await?;
    // The next run looks again, so nothing waits for the clock.
    let not_set = || HttpError::unavailable("this keeper's clock is not set yet, so it takes no looks");
    let accepted = accepted.ok_or_else(not_set)?;
    let components = posted.looks.iter().map(|look| &look.component_id);
    let muted = state.recorder.notices().muted(&state.db, components, state.clock.wall()).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "accepted": accepted, "muted": muted }))))
}
