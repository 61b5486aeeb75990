//! `/healthz`: how the keeper is. It answers 200 for as long as it answers at all: a restart mends neither a full disk nor a
//! refused token.

use axum::{Json, Router, extract::State, routing::get};
use serde::Serialize;
use serde_json::{Value, json};

use super::AppState;
use crate::{
    heartbeat::rounds::Report,
    keeper::{outbox::Backlog, relay},
};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/healthz", get(health))
}

async fn health(State(state): State<AppState>) -> Json<Value> {
    let storage = state.db.failure().await;
    let backlog = state.outbox.backlog(state.clock.wall()).await.ok();
    Json(json!({
        "storage": storage.as_deref().unwrap_or("ok"),
        "clock": if state.clock.is_set() { "ok" } else { "not set" },
        "heartbeat": state.heartbeats.as_ref().map(|rounds| heartbeat(&rounds.report())),
        "relay": state.relay.as_ref().map(|reports| RelayHealth { report: reports.latest(), backlog }),
    }))
}

/// How heartbeats go; without their address, which is a secret.
fn heartbeat(report: &Report) -> Value {
    let failure = report.failing.as_ref().map(|(_, failure)| failure);
    let condition = match (failure, report.last) {
        (Some(_), _) => "failing",
        (None, Some(_)) => "well",
        (None, None) => "starting",
    };
    json!({
        "condition": condition,
        "fault": failure.map(|failure| failure.fault.label()),
        "reason": failure.map(ToString::to_string),
        "last": report.last,
        "several_hosts": report.is_shared,
    })
}

/// The relay as `/healthz` and `/porchlight/v1/relay` report it.
#[derive(Debug, Serialize)]
pub(super) struct RelayHealth {
    #[serde(flatten)]
    pub(super) report: relay::Report,
    #[serde(flatten)]
    pub(super) backlog: Option<Backlog>,
}
