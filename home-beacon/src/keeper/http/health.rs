//! `/healthz` and `/metrics`: how the keeper is. It answers 200 for as long as it answers at all: a restart mends neither a
//! full disk nor a refused token.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use serde_json::{Value, json};
use shared::metrics::{CONTENT_TYPE, Number, Snapshot};

use super::AppState;
use crate::keeper::{
    db::Moment,
    measured::latest::{self, Latest, LatestReading},
    notices::ChannelState,
    outbox::Backlog,
    relay::{Condition, Report},
    status::{Component, components},
};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/healthz", get(health)).route("/metrics", get(metrics))
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

async fn metrics(State(state): State<AppState>) -> Response {
    let mut snapshot = Snapshot::default();
    storage(&mut snapshot, state.db.failure().await.is_none());
    snapshot.gauge("keeper_clock_set", "Whether the host's clock is set.", state.clock.is_set());
    let backlog = state.outbox.backlog(state.clock.wall()).await.ok();
    if let Some(backlog) = &backlog {
        snapshot.gauge("keeper_undated", "Readings that wait for the clock to be set.", backlog.undated);
    }
    looks(&mut snapshot, &state).await;
    notices(&mut snapshot, &state).await;
    if let Some(reports) = &state.relay {
        relay(&mut snapshot, &reports.latest(), backlog);
    }
    if let Ok(latest) = latest::of_all(&state.db, state.clock.wall()).await {
        readings(&mut snapshot, &latest);
    }
    response(snapshot)
}

/// The metrics of a keeper that could not open its database yet.
pub(in crate::keeper) fn without_storage() -> Response {
    let mut snapshot = Snapshot::default();
    storage(&mut snapshot, false);
    response(snapshot)
}

fn response(snapshot: Snapshot) -> Response {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], snapshot.into_text()).into_response()
}

/// How long each component of the page has not been looked at; one without any look has no sample.
async fn looks(snapshot: &mut Snapshot, state: &AppState) {
    let components = components::list(&state.db, &state.page, 0, u32::MAX).await.unwrap_or_default();
    let now = state.clock.now_for_looks();
    let age = |component: Component| {
        let age = state.recorder.looks().at(&component.id, now).age()?;
        Some((component.id.to_string(), age.as_secs_f64().into()))
    };
    let help = "Time since the component was looked at from outside, in seconds.";
    snapshot.labelled_gauge("keeper_look_age_seconds", help, "component", components.into_iter().filter_map(age));
}

/// Where somebody is written to; a channel is named without what is secret of it.
async fn notices(snapshot: &mut Snapshot, state: &AppState) {
    let notices = state.recorder.notices();
    let Ok(channels) = notices.channel_states(&state.db).await else { return };
    if !notices.has_channels() {
        return;
    }
    let sent: u64 = channels.iter().map(|channel| channel.sent).sum();
    snapshot.counter("notices_sent", "Notices that channels have taken.", sent);
    // Two channels of one server may look the same without what is secret of them.
    let by_name = |value: fn(&ChannelState) -> i64| {
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        for channel in &channels {
            *sums.entry(channel.channel.clone()).or_default() += value(channel);
        }
        sums.into_iter().map(|(name, sum)| (name, Number::from(sum))).collect::<Vec<_>>()
    };
    let waiting = by_name(|channel| channel.waiting);
    snapshot.labelled_gauge("notices_waiting", "Notices that wait for the channel.", "channel", waiting);
    let help = "Notices that the channel has not taken, and that are not sent any more.";
    snapshot.labelled_gauge("notices_undelivered", help, "channel", by_name(|channel| channel.undelivered));
}

fn storage(snapshot: &mut Snapshot, ok: bool) {
    snapshot.gauge("keeper_storage_ok", "Whether the last write succeeded.", ok);
}

fn relay(snapshot: &mut Snapshot, report: &Report, backlog: Option<Backlog>) {
    let Report { condition, mirrored_at, calls, failed_calls, points, held_points, skipped, .. } = report;
    snapshot.gauge("relay_up", "Whether the last call upstream went well.", *condition == Condition::Well);
    let paused = *condition == Condition::Paused;
    snapshot.gauge("relay_paused", "Whether upstream refuses everything until a person has mended it.", paused);
    snapshot.gauge("relay_unmatched", "Metrics and components that upstream does not know or take.", skipped.len());
    snapshot.counter("relay_calls", "Calls upstream.", *calls);
    snapshot.counter("relay_failed_calls", "Calls upstream that failed.", *failed_calls);
    snapshot.counter("relay_points", "Points that upstream has taken.", *points);
    snapshot.counter("relay_held_points", "Repetitions of what is measured rarely.", *held_points);
    if let Some(backlog) = backlog {
        snapshot.gauge("relay_queued_points", "Points that upstream has not taken yet.", backlog.waiting);
        let help = "Points that upstream refused, or that are too old for it.";
        snapshot.gauge("relay_rejected_points", help, backlog.rejected);
        if let Some(oldest) = backlog.oldest {
            let help = "The time of the oldest point that waits, since 1970.";
            snapshot.gauge("relay_oldest_timestamp_seconds", help, oldest);
        }
    }
    if let Some(mirrored_at) = mirrored_at {
        let help = "When upstream's page was copied last, since 1970.";
        snapshot.gauge("mirror_timestamp_seconds", help, mirrored_at.as_second());
    }
}

/// What is measured: the latest measurement that was one, with its own time. One that a speed test spoilt, or that was
/// skipped, does not take its place.
fn readings(snapshot: &mut Snapshot, latest: &[Latest]) {
    type Sample<'a> = (&'static str, &'static str, &'a dyn Fn(&Latest) -> Option<Number>);
    let seconds = |at: Moment| Number::from(at.timestamp().as_second());
    let measured = |latest: &Latest, of: fn(&LatestReading) -> Option<f64>| latest.measured.as_ref().and_then(of);
    let gauges: [Sample<'_>; 6] = [
        ("reading", "The value of the latest measurement, in its unit.", &|it| {
            measured(it, |it| it.value).map(Number::from)
        }),
        ("reading_loss_ratio", "The share of packets that the latest measurement lost, from 0 to 1.", &|it| {
            measured(it, |it| it.loss).map(|percent| Number::from(percent / 100.0))
        }),
        ("reading_failed", "Whether the latest measurement failed.", &|it| {
            it.measured.as_ref().map(|it| Number::from(it.failed))
        }),
        ("reading_timestamp_seconds", "When the latest measurement was made, since 1970.", &|it| {
            it.measured.as_ref().map(|it| seconds(it.at))
        }),
        (
            "reading_spoilt_timestamp_seconds",
            "When a measurement was last spoilt by a bandwidth test, since 1970: it is none of the latest.",
            &|it| it.spoilt_at.map(seconds),
        ),
        ("reading_skipped_timestamp_seconds", "When a measurement was last skipped, since 1970.", &|it| {
            it.skipped_at.map(seconds)
        }),
    ];
    for (name, help, value) in gauges {
        let samples = latest.iter().filter_map(|latest| Some((latest.name.clone(), value(latest)?)));
        snapshot.labelled_gauge(name, help, "metric", samples);
    }
}
