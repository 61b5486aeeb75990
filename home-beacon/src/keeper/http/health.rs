//! `/healthz` and `/metrics`: how the keeper is. It answers 200 for as long as it answers at all: a restart mends neither a
//! full disk nor a refused token.

use std::fmt::Write;

use axum::{
    Json, Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::Shared;
use crate::keeper::{
    db::Moment,
    measured::latest::{self, Latest, LatestReading},
    outbox::Backlog,
    relay::{Condition, Report},
};

pub(super) fn router() -> Router<Shared> {
    Router::new().route("/healthz", get(health)).route("/metrics", get(metrics))
}

async fn health(State(shared): State<Shared>) -> Json<Value> {
    let storage = shared.db.failure().await;
    let backlog = shared.outbox.backlog(shared.clock.wall()).await.ok();
    Json(json!({
        "storage": storage.as_deref().unwrap_or("ok"),
        "clock": if shared.clock.is_set() { "ok" } else { "not set" },
        "relay": shared.relay.as_ref().map(|reports| RelayHealth { report: reports.latest(), backlog }),
    }))
}

/// The relay as `/healthz` and `/porchlight/v1/relay` tell it.
#[derive(Debug, Serialize)]
pub(super) struct RelayHealth {
    #[serde(flatten)]
    pub(super) report: Report,
    #[serde(flatten)]
    pub(super) backlog: Option<Backlog>,
}

async fn metrics(State(shared): State<Shared>) -> Response {
    let mut text = Exposition::default();
    text.storage(shared.db.failure().await.is_none());
    text.gauge("keeper_clock_set", "Whether the host's clock is set.", u8::from(shared.clock.is_set()));
    let backlog = shared.outbox.backlog(shared.clock.wall()).await.ok();
    if let Some(backlog) = &backlog {
        text.gauge("keeper_undated", "Readings that wait for the clock to be set.", backlog.undated);
    }
    if let Some(reports) = &shared.relay {
        relay(&mut text, &reports.latest(), backlog);
    }
    if let Ok(latest) = latest::of_all(&shared.db, shared.clock.wall()).await {
        readings(&mut text, &latest);
    }
    text.into_response()
}

/// What there is to tell where no database could be opened yet.
pub(in crate::keeper) fn without_storage() -> Response {
    let mut text = Exposition::default();
    text.storage(false);
    text.into_response()
}

fn relay(text: &mut Exposition, report: &Report, backlog: Option<Backlog>) {
    let Report { condition, looked_at, calls, failed_calls, points, held_points, left, .. } = report;
    text.gauge("relay_up", "Whether the last call upstream went well.", u8::from(*condition == Condition::Well));
    let paused = u8::from(*condition == Condition::Paused);
    text.gauge("relay_paused", "Whether upstream refuses everything until a person has mended it.", paused);
    text.gauge("relay_unmatched", "Metrics and components that upstream does not know or take.", left.len());
    text.counter("relay_calls_total", "Calls upstream.", calls);
    text.counter("relay_failed_calls_total", "Calls upstream that failed.", failed_calls);
    text.counter("relay_points_total", "Points that upstream has taken.", points);
    text.counter("relay_held_points_total", "Repetitions of what is measured rarely.", held_points);
    if let Some(backlog) = backlog {
        text.gauge("relay_queued_points", "Points that upstream has not taken yet.", backlog.waiting);
        text.gauge(
            "relay_rejected_points",
            "Points that upstream refused, or that are too old for it.",
            backlog.set_aside,
        );
        if let Some(oldest) = backlog.oldest {
            text.gauge(
                "relay_oldest_timestamp_seconds",
                "The time of the oldest point that waits, since 1970.",
                oldest,
            );
        }
    }
    if let Some(looked_at) = looked_at {
        let looked_at = looked_at.as_second();
        text.gauge("mirror_timestamp_seconds", "When upstream's page was copied last, since 1970.", looked_at);
    }
}

/// What is measured: the latest measurement that was one, with its own time. One that a speed test spoilt, or that was
/// skipped, takes nobody's place.
fn readings(text: &mut Exposition, latest: &[Latest]) {
    type Told<'a> = (&'a str, &'a str, &'a dyn Fn(&Latest) -> Option<f64>);
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact in it")]
    let seconds = |at: Moment| at.timestamp().as_second() as f64;
    let measured = |latest: &Latest, of: fn(&LatestReading) -> Option<f64>| latest.measured.as_ref().and_then(of);
    let told: [Told<'_>; 6] = [
        ("reading", "The value of the latest measurement, in its unit.", &|it| measured(it, |it| it.value)),
        ("reading_loss_ratio", "The share of packets that the latest measurement lost, from 0 to 1.", &|it| {
            measured(it, |it| it.loss).map(|percent| percent / 100.0)
        }),
        ("reading_failed", "Whether the latest measurement failed.", &|it| {
            measured(it, |it| Some(f64::from(u8::from(it.failed))))
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
    for (name, help, value) in told {
        text.head(name, "gauge", help);
        for latest in latest {
            // A name has no character that would have to be escaped.
            if let Some(value) = value(latest) {
                let _ = writeln!(text.0, "porchlight_{name}{{metric=\"{}\"}} {value}", latest.name);
            }
        }
    }
}

/// The text that Prometheus reads.
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn storage(&mut self, ok: bool) {
        self.gauge("keeper_storage_ok", "Whether the last write succeeded.", u8::from(ok));
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP porchlight_{name} {help}\n# TYPE porchlight_{name} {kind}\n");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, "gauge", help);
        let _ = writeln!(self.0, "porchlight_{name} {value}");
    }

    fn counter(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, "counter", help);
        let _ = writeln!(self.0, "porchlight_{name} {value}");
    }
}

impl IntoResponse for Exposition {
    fn into_response(self) -> Response {
        const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
        ([(header::CONTENT_TYPE, TEXT)], self.0).into_response()
    }
}
