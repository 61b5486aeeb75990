//! `/metrics`: what a Prometheus reads of the keeper, by subject. Labels are bounded: components, places that look, channels,
//! what is measured, and closed sets. A counter is there from the first scrape, because a rise from nothing is not seen.
//!
//! - `home`: whether each component is up by the looks at it, since when, and downtime by cause
//! - `jobs`: how the last run of each job ended, and the data that speed tests have used
//! - `readings`: the latest of what is measured; `relay`; `notices`; `heartbeat`

mod heartbeat;
mod home;
mod jobs;
mod notices;
mod readings;
mod relay;

use axum::{Router, extract::State, http::HeaderMap, response::Response, routing::get};
use shared::metrics::Snapshot;

pub(super) use self::home::Past;
use super::AppState;
use crate::{
    exposition,
    keeper::measured::latest::{self, Latest},
};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let mut snapshot = Snapshot::default();
    storage(&mut snapshot, state.db.failure().await.is_none());
    disk(&mut snapshot, &state).await;
    snapshot.gauge("keeper_clock_set", "Whether the host's clock is set.", state.clock.is_set());
    let backlog = state.outbox.backlog(state.clock.wall()).await.ok();
    if let Some(backlog) = &backlog {
        snapshot.gauge("keeper_undated", "Readings that wait for the clock to be set.", backlog.undated);
    }
    home::add(&mut snapshot, &state).await;
    notices::add(&mut snapshot, &state).await;
    if let Some(reports) = &state.relay {
        relay::add(&mut snapshot, &reports.latest(), backlog);
    }
    if let Some(heartbeats) = &state.heartbeats {
        heartbeat::add(&mut snapshot, &heartbeats.report());
    }
    let latest: Vec<Latest> = latest::of_all(&state.db, state.clock.wall()).await.unwrap_or_default();
    readings::add(&mut snapshot, &latest, &state.promised);
    jobs::add(&mut snapshot, &latest, &state).await;
    super::check_metrics::add(&mut snapshot, &state).await;
    exposition::answer(&headers, snapshot)
}

/// The metrics of a keeper that could not open its database yet.
pub(in crate::keeper) fn without_storage(headers: &HeaderMap) -> Response {
    let mut snapshot = Snapshot::default();
    storage(&mut snapshot, false);
    exposition::answer(headers, snapshot)
}

fn storage(snapshot: &mut Snapshot, ok: bool) {
    snapshot.gauge("keeper_storage_ok", "Whether the last write succeeded.", ok);
}

async fn disk(snapshot: &mut Snapshot, state: &AppState) {
    let Some(disk) = state.db.disk().await else { return };
    snapshot.gauge("keeper_disk_free_bytes", "What can still be written to the database's disk.", disk.free);
    snapshot.gauge("keeper_disk_size_bytes", "The size of the database's disk.", disk.size);
    snapshot.gauge("keeper_database_bytes", "The size of the database, its log included.", disk.database);
}
