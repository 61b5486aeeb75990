//! `POST /porchlight/v1/looks`: what a prober's run saw of the components of a page. See [`shared::look::PostedLooks`].

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};

use super::super::{AppState, HttpError, payload::JsonObject};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/looks", post(take))
}

async fn take(
    State(state): State<AppState>,
    JsonObject(body): JsonObject,
) -> Result<(StatusCode, Json<Value>), HttpError> {
    let posted = serde_json::from_value(Value::Object(body));
    let posted = posted.map_err(|error| HttpError::unprocessable(format!("looks: {error}")))?;
    // The next run looks again, so nothing waits for the clock.
    let now = state.clock.now_for_looks();
    let now = now.ok_or_else(|| HttpError::unavailable("this keeper's clock is not set yet, so it takes no looks"))?;
    let accepted = state.recorder.looks().take(&state.db, now, &posted).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "accepted": accepted }))))
}
