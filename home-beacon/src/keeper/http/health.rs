//! `/healthz`: how the keeper is. It answers 200 for as long as it answers at all: a restart mends neither a full disk nor a
//! refused token.

use axum::{Json, Router, extract::State, routing::get};
use serde::Serialize;
use serde_json::{Value, json};

use super::AppState;
use crate::keeper::{outbox::Backlog, relay::Report};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/healthz", get(health))
}

async fn health(State(state): State<AppState>) -> Json<Value> {
    let storage = state.db.failure().await;
    let backlog = state.outbox.backlog(state.clock.wall()).await.ok();
    Json(json!({
        "storage": storage.as_deref().unwrap_or("ok"),
        "clock": if state.clock.is_set() { "ok" } else { "not set" },
        "relay": state.relay.as_ref().map(|reports| RelayHealth { report: reports.latest(), backlog }),
    }))
}

/// The relay as `/healthz` and `/porchlight/v1/relay` report it.
#[derive(Debug, Serialize)]
pub(super) struct RelayHealth {
    #[serde(flatten)]
    pub(super) report: Report,
    #[serde(flatten)]
    pub(super) backlog: Option<Backlog>,
}
