//! `GET /checks`: all of them. `GET /check-status/CHECK`: how one is. `GET /performance-data/CHECK`: its figures, the newest runs;
//! `limit` is how many at most, and `before` a time that they are older than, which the header `link` has of the next page.

use axum::{
    Json, Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    super::{
        AppState, HttpError,
        path::{InPath, InQuery},
    },
    CHECKS, FIGURES, STATUS, find,
};
use crate::keeper::{
    checks::{
        definition::Kind,
        figures_past,
        known::Known,
        listed::{self, Muted},
        pinglow,
    },
    db::Moment,
    notices::Mute,
};

/// How many runs one page of figures has at most, and without being told.
pub(super) const MAX_RUNS: u32 = 1000;

/// A check, in a list of them.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    check_name: &'a str,
    passive: bool,
    /// How often it runs, in seconds; null of one that calls.
    interval: Option<u32>,
}

/// How a check is.
#[derive(Debug, Serialize)]
struct CheckStatus<'a> {
    check_name: &'a str,
    passive: bool,
    output: String,
    status: &'static str,
    timestamp: Option<Moment>,
    notifications_muted: bool,
    /// Null where they are not, and where they are without an end.
    notifications_muted_until: Option<Moment>,
    /// Whether something should have come since, which Pinglow does not say: `status` is no good one then.
    stale: bool,
}

impl<'a> Listed<'a> {
    fn of(known: &'a Known) -> Self {
        let passive = known.check.kind == Kind::Passive;
        let interval = (!passive).then_some(known.check.every_seconds);
        Self { check_name: known.check.name.as_str(), passive, interval }
    }
}

impl<'a> CheckStatus<'a> {
    fn of(known: &'a Known, mutes: &[Mute], now: Timestamp) -> Self {
        let shown = pinglow::shown(known, now);
        let Muted { is_muted, until } = Muted::of(known, mutes, now);
        Self {
            check_name: known.check.name.as_str(),
            passive: known.check.kind == Kind::Passive,
            output: shown.output,
            status: shown.status.label(),
            timestamp: shown.at,
            notifications_muted: is_muted,
            notifications_muted_until: until,
            stale: shown.is_stale,
        }
    }
}

pub(super) fn router() -> Router<AppState> {
    Router::new().route(CHECKS, get(list)).route(STATUS, get(status)).route(FIGURES, get(figures))
}

async fn list(State(state): State<AppState>) -> Result<Response, HttpError> {
    let known = listed::known(&state.db).await?;
    Ok(Json(known.iter().map(Listed::of).collect::<Vec<_>>()).into_response())
}

async fn status(State(state): State<AppState>, InPath(name): InPath<String>) -> Result<Response, HttpError> {
    let known = find(&state, &name).await?;
    let now = state.clock.wall();
    let mutes = state.recorder.notices().mutes(&state.db, now).await?;
    Ok(Json(CheckStatus::of(&known, &mutes, now)).into_response())
}

async fn figures(
    State(state): State<AppState>,
    InPath(name): InPath<String>,
    InQuery(query): InQuery,
) -> Result<Response, HttpError> {
    let known = find(&state, &name).await?;
    let limit = match query.get("limit") {
        None => MAX_RUNS,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=MAX_RUNS).contains(limit))
            .ok_or_else(|| HttpError::bad_request(format!("limit: must be a number from 1 to {MAX_RUNS}")))?,
    };
    let before = match query.get("before") {
        None => Moment::new(Timestamp::MAX),
        Some(text) => text.parse().map(Moment::new).map_err(|_| {
            HttpError::bad_request("before: must be a time like 2026-11-21T04:30:00Z; a + in it is written as %2B")
        })?,
    };
    let (past, has_more) = figures_past::newest(&state.db, &known, before, limit).await?;
    let older = past.keys().next().filter(|_| has_more).copied();
    let by_time: Map<String, Value> = past.iter().filter_map(|(at, run)| Some((written(*at)?, run_of(run)))).collect();
    let mut answer = Json(Value::Object(by_time)).into_response();
    if let Some(link) = older.and_then(written).and_then(|at| {
        format!("</performance-data/{}?before={at}&limit={limit}>; rel=\"next\"", known.check.name).parse().ok()
    }) {
        answer.headers_mut().insert(header::LINK, link);
    }
    Ok(answer)
}

fn run_of(run: &std::collections::BTreeMap<String, f64>) -> Value {
    run.iter().map(|(label, value)| (label.clone(), Value::from(*value))).collect::<Map<_, _>>().into()
}

/// A time as answers have it.
fn written(at: Moment) -> Option<String> {
    serde_json::to_value(at).ok()?.as_str().map(str::to_owned)
}

/// An answer of each kind, all its fields set.
#[cfg(test)]
pub(super) fn samples() -> (Value, Value) {
    let at = Some(Moment::new(Timestamp::UNIX_EPOCH));
    let listed = Listed { check_name: "nas", passive: false, interval: Some(60) };
    let status = CheckStatus {
        check_name: "nas",
        passive: false,
        output: "As said.".into(),
        status: "Ok",
        timestamp: at,
        notifications_muted: true,
        notifications_muted_until: at,
        stale: false,
    };
    (serde_json::to_value(listed).unwrap(), serde_json::to_value(status).unwrap())
}
