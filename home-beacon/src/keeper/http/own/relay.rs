//! `/porchlight/v1/relay`: how the relay is, and what upstream refused. `…/relay/retry` puts that back into the queue.
//! `/porchlight/v1/gaps`: when nothing could be recorded.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::super::{AppState, HttpError, health::RelayHealth};
use crate::keeper::measured::heartbeats::{self, Gap};

/// The most rejected points or gaps of one answer.
const PAGE_SIZE: u32 = 1000;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/relay", get(relay)).route("/relay/retry", post(retry)).route("/gaps", get(gaps))
}

async fn relay(State(state): State<AppState>) -> Result<Json<Value>, HttpError> {
    let reports = state.relay.as_ref().ok_or_else(HttpError::no_relay)?;
    let now = state.clock.wall();
    let backlog = Some(state.outbox.backlog(now).await?);
    let points = state.outbox.rejected(now, PAGE_SIZE).await?;
    Ok(Json(json!({ "relay": RelayHealth { report: reports.latest(), backlog }, "rejected_points": points })))
}

async fn retry(State(state): State<AppState>) -> Result<Json<Value>, HttpError> {
    state.relay.as_ref().ok_or_else(HttpError::no_relay)?;
    Ok(Json(json!({ "requeued": state.outbox.retry_rejected().await? })))
}

async fn gaps(State(state): State<AppState>) -> Result<Json<Vec<Gap>>, HttpError> {
    Ok(Json(heartbeats::gaps(&state.db, None, PAGE_SIZE).await?))
}
