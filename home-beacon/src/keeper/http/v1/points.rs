//! Points of metrics: one (`…/metrics/{metric}/data`), or many of several metrics (`…/metrics/data`).
//!
//! Points that are too old or in the future are left out, and the client is answered as if they were not, as statuspage.io is thought to do
//! (tests/FACTS.md S2), or refused where the keeper is strict.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use shared::id::{MetricId, PageId};

use super::super::{
    AppState, HttpError,
    fields::{Fields, items},
    path::{InPath, PathPart},
    payload::Payload,
    strays,
};
use crate::reading::slots::SentPoint;

/// The most points of one call: as many pairs of fields as a form may have.
const MAX_POINTS: usize = 5000;

pub(super) async fn add(
    State(state): State<AppState>,
    InPath((page, metric)): InPath<(PageId, MetricId)>,
    payload: Payload,
) -> Result<Response, HttpError> {
    let point = point(&payload.wrapped("data", &["timestamp", "value"])?)?;
    let kept = in_range(&state, &metric, vec![point])?;
    let sent = [(metric, kept)];
    state.recorder.add_points(&page, &sent).await?;
    let answer = (StatusCode::CREATED, Json(json!({ "data": stored(&point) }))).into_response();
    Ok(strays::of_metrics(&state, &page, &[&sent[0].0], answer).await?)
}

pub(super) async fn add_many(
    State(state): State<AppState>,
    InPath(page): InPath<PageId>,
    payload: Payload,
) -> Result<Response, HttpError> {
    let mut sent = Vec::new();
    let mut answer = Map::new();
    let mut count = 0;
    for (id, points) in payload.wrapped("data", &[])?.into_inner() {
        let metric = MetricId::read(&id)?;
        let Some(points) = items(points) else {
            return Err(HttpError::unprocessable(format!("data.{metric}: must be a list of points")));
        };
        count += points.len();
        if count > MAX_POINTS {
            return Err(HttpError::unprocessable(format!("data: one call may bring {MAX_POINTS} points")));
        }
        let read = |(index, point)| match point {
            Value::Object(fields) => self::point(&Fields::new(fields)).map_err(|wrong| {
                // Which of thousands it is.
                wrong.within(&format!("data.{metric}[{index}]"))
            }),
            _ => Err(HttpError::unprocessable(format!("data.{metric}[{index}]: must be an object"))),
        };
        let points = points.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        answer.insert(id, points.iter().map(stored).collect());
        let kept = in_range(&state, &metric, points)?;
        sent.push((metric, kept));
    }
    state.recorder.add_points(&page, &sent).await?;
    let answer = (StatusCode::ACCEPTED, Json(Value::Object(answer))).into_response();
    let metrics: Vec<_> = sent.iter().map(|(metric, _)| metric).collect();
    Ok(strays::of_metrics(&state, &page, &metrics, answer).await?)
}

fn point(fields: &Fields) -> Result<SentPoint, HttpError> {
    let missing = |name| HttpError::unprocessable(format!("{name}: can't be blank"));
    Ok(SentPoint {
        timestamp: fields.seconds("timestamp")?.ok_or_else(|| missing("timestamp"))?,
        value: fields.number("value")?.ok_or_else(|| missing("value"))?,
    })
}

/// A point as it was stored: at its slot.
fn stored(point: &SentPoint) -> Value {
    json!({ "timestamp": point.slot(), "value": point.value })
}

/// The points that may be stored.
///
/// # Errors
/// When one may not, and the keeper is strict.
fn in_range(state: &AppState, metric: &MetricId, mut points: Vec<SentPoint>) -> Result<Vec<SentPoint>, HttpError> {
    // While the clock is not set, that cannot be known.
    if !state.clock.is_set() {
        return Ok(points);
    }
    let now = state.clock.wall();
    let outside = points.iter().find(|point| !point.in_range(now)).copied();
    let Some(SentPoint { timestamp, .. }) = outside else { return Ok(points) };
    let what =
        format!("timestamp {timestamp} of metric {metric} is in seconds since 1970, and must lie in the last 28 days");
    if state.strict_points {
        return Err(HttpError::unprocessable(format!("timestamp: {what}")));
    }
    tracing::warn!("a point is left out: {what}");
    points.retain(|point| point.in_range(now));
    Ok(points)
}
