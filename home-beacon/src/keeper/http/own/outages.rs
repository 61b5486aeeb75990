//! `GET /porchlight/v1/outages?from=&to=`, and `/outages.csv`: what kept the home from the world or the world from the home, by
//! what was recorded at home and seen from outside. `from` and `to` are times, the last 30 days if left out: readings are not kept
//! for longer.

use std::collections::HashMap;

use axum::{
    Json, Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::id::ComponentId;

use super::{
    super::{
        AppState, HttpError, evidence,
        inside::{AROUND, observed},
        path::InQuery,
    },
    series::{time, wrong_time},
};
use crate::keeper::{
    db::Moment,
    inside::{self, Detail, Interval, classify},
};

/// The longest time of an answer.
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);

#[derive(Debug, Serialize)]
struct Answer {
    /// The component of the page that is this home.
    component_id: ComponentId,
    from: Moment,
    /// Not part of it.
    to: Moment,
    outages: Vec<Outage>,
}

#[derive(Debug, Serialize)]
struct Outage {
    kind: &'static str,
    began: Between,
    /// `null` where it has not ended.
    ended: Option<Between>,
    /// `low`, `medium`, `high`.
    confidence: &'static str,
    /// Whether a bandwidth test filled the line meanwhile.
    during_test: bool,
    /// What it was, in a sentence.
    text: &'static str,
    /// What it is concluded from.
    evidence: Vec<String>,
}

/// Not before, and not after.
#[derive(Clone, Copy, Debug, Serialize)]
struct Between {
    earliest: Moment,
    latest: Moment,
}

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/outages", get(json)).route("/outages.csv", get(csv))
}

async fn json(State(state): State<AppState>, InQuery(query): InQuery) -> Result<Json<Answer>, HttpError> {
    Ok(Json(outages(&state, &query).await?))
}

async fn csv(State(state): State<AppState>, InQuery(query): InQuery) -> Result<Response, HttpError> {
    let found = outages(&state, &query).await?;
    let mut table = String::from(
        "kind,began_earliest,began_latest,ended_earliest,ended_latest,confidence,during_test,text,evidence\r\n",
    );
    for outage in &found.outages {
        let ended =
            outage.ended.map_or([String::new(), String::new()], |it| [it.earliest, it.latest].map(|it| it.to_string()));
        let fields = [
            outage.kind.to_owned(),
            outage.began.earliest.to_string(),
            outage.began.latest.to_string(),
            ended[0].clone(),
            ended[1].clone(),
            outage.confidence.to_owned(),
            outage.during_test.to_string(),
            outage.text.to_owned(),
            outage.evidence.join("; "),
        ];
        let quoted = fields.map(|field| format!("\"{}\"", field.replace('"', "\"\"")));
        table.push_str(&quoted.join(","));
        table.push_str("\r\n");
    }
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], table).into_response())
}

async fn outages(state: &AppState, query: &HashMap<String, String>) -> Result<Answer, HttpError> {
    let window = window(query, state.clock.wall()).map_err(HttpError::unprocessable)?;
    // What began before, and what came back after it, says what it was.
    let around = window.0.millis() - AROUND..(window.1.millis() + AROUND).min(state.clock.wall().as_millisecond());
    let since = Moment::try_from(around.start).ok();
    let Some((component, records)) = evidence::of_home(state, since).await? else {
        return Err(HttpError::no_home());
    };
    let asked = window.0.millis()..window.1.millis();
    let now = around.end;
    let found = classify(&observed(state, &component, &records, around).await?);
    let touches = |interval: &&Interval| {
        let extent = interval.extent(now);
        extent.start < asked.end && extent.end >= asked.start
    };
    let found = found.iter().filter(touches).filter_map(outage).collect();
    Ok(Answer { component_id: component, from: window.0, to: window.1, outages: found })
}

fn outage(interval: &Interval) -> Option<Outage> {
    let moment = |millis: i64| Moment::try_from(millis).ok();
    let between = |it: inside::Moment| Some(Between { earliest: moment(it.earliest)?, latest: moment(it.latest)? });
    Some(Outage {
        kind: interval.kind.label(),
        began: between(interval.began)?,
        ended: interval.ended.and_then(between),
        confidence: interval.confidence.label(),
        during_test: interval.detail == Some(Detail::DuringTest),
        text: interval.sentence(),
        evidence: interval.evidence.clone(),
    })
}

/// # Errors
/// What is wrong, in words.
fn window(query: &HashMap<String, String>, now: Timestamp) -> Result<(Moment, Moment), String> {
    let asked = |name: &str| query.get(name).map(|text| time(text).ok_or_else(|| wrong_time(name))).transpose();
    let to = asked("to")?.unwrap_or(now).min(now);
    let from = match asked("from")? {
        Some(from) => from,
        None => to.checked_sub(SignedDuration::from_hours(30 * 24)).map_err(|_| wrong_time("to"))?,
    };
    let length = to.duration_since(from);
    if length <= SignedDuration::ZERO {
        return Err("from: must be earlier than to, and than now".into());
    }
    if length > LONGEST {
        return Err("from: up to 31 days can be asked for at once".into());
    }
    Ok((Moment::new(from), Moment::new(to)))
}
