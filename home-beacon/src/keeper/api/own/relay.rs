//! `/porchlight/v1/relay`: how the relay is, and what upstream refused. `…/relay/retry` puts that back into the queue.
//! `/porchlight/v1/gaps`: when nothing could be recorded.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::super::Refusal;
use crate::keeper::{Shared, health::RelayHealth, store::Gap};

/// How many are listed.
const MOST: u32 = 1000;

pub(super) fn router() -> Router<Shared> {
    Router::new().route("/relay", get(relay)).route("/relay/retry", post(retry)).route("/gaps", get(gaps))
}

async fn relay(State(shared): State<Shared>) -> Result<Json<Value>, Refusal> {
    let reports = shared.relay.as_ref().ok_or_else(Refusal::no_relay)?;
    let backlog = Some(shared.store.backlog().await?);
    let points = shared.store.points_set_aside(MOST).await?;
    Ok(Json(json!({ "relay": RelayHealth { report: reports.latest(), backlog }, "points_set_aside": points })))
}

async fn retry(State(shared): State<Shared>) -> Result<Json<Value>, Refusal> {
    shared.relay.as_ref().ok_or_else(Refusal::no_relay)?;
    Ok(Json(json!({ "put_back": shared.store.retry_set_aside().await? })))
}

async fn gaps(State(shared): State<Shared>) -> Result<Json<Vec<Gap>>, Refusal> {
    Ok(Json(shared.store.gaps(None, MOST).await?))
}
