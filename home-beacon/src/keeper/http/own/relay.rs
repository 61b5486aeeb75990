//! `/porchlight/v1/relay`: how the relay is, and what upstream refused. `…/relay/retry` puts that back into the queue.
//! `/porchlight/v1/gaps`: when nothing could be recorded.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::super::{HttpError, Shared, health::RelayHealth};
use crate::keeper::measured::heartbeats::{self, Gap};

/// The most rejected points or gaps of one answer.
const PAGE_SIZE: u32 = 1000;

pub(super) fn router() -> Router<Shared> {
    Router::new().route("/relay", get(relay)).route("/relay/retry", post(retry)).route("/gaps", get(gaps))
}

async fn relay(State(shared): State<Shared>) -> Result<Json<Value>, HttpError> {
    let reports = shared.relay.as_ref().ok_or_else(HttpError::no_relay)?;
    let now = shared.clock.wall();
    let backlog = Some(shared.outbox.backlog(now).await?);
    let points = shared.outbox.rejected(now, PAGE_SIZE).await?;
    Ok(Json(json!({ "relay": RelayHealth { report: reports.latest(), backlog }, "rejected_points": points })))
}

async fn retry(State(shared): State<Shared>) -> Result<Json<Value>, HttpError> {
    shared.relay.as_ref().ok_or_else(HttpError::no_relay)?;
    Ok(Json(json!({ "requeued": shared.outbox.retry_rejected().await? })))
}

async fn gaps(State(shared): State<Shared>) -> Result<Json<Vec<Gap>>, HttpError> {
    Ok(Json(heartbeats::gaps(&shared.db, None, PAGE_SIZE).await?))
}
