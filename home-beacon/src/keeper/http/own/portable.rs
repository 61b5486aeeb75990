//! `GET /porchlight/v1/export?after=`: `{"records": […], "next": …}`, what the keeper knows, page by page, until `next` is null.
//! `POST /porchlight/v1/import`: `{"first_line": 1, "records": […]}` takes it in, all or none, and answers what was added.

use std::num::NonZeroU64;

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::{AppState, HttpError, path::InQuery, payload::LargeJsonObject};
use crate::keeper::portable::{
    Record,
    export::{self, Cursor, Page},
    import::{Added, Importer},
};

const NO_CLOCK: &str = "the clock cannot be trusted yet; try again later";

/// The most records of one call.
const MAX_RECORDS: usize = 5000;

#[derive(Debug, Serialize)]
struct Exported {
    records: Vec<Record>,
    next: Option<String>,
}

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/export", get(hand_out)).route("/import", post(take_in))
}

async fn hand_out(State(state): State<AppState>, InQuery(query): InQuery) -> Result<Json<Exported>, HttpError> {
    let cursor = match query.get("after") {
        None => Cursor::default(),
        Some(after) => after.parse().map_err(|error: export::NoCursor| HttpError::unprocessable(error.to_string()))?,
    };
    // Its own time is in it, by which files get their names.
    if !state.clock.is_set() {
        return Err(HttpError::unavailable(NO_CLOCK));
    }
    if !query.contains_key("after") {
        state.recorder.looks().flush(&state.db, state.clock.now_for_looks()).await?;
    }
    let Page { records, next } = export::page(&state.db, &state.page, cursor, state.clock.wall()).await?;
    Ok(Json(Exported { records, next: next.map(|next| next.to_string()) }))
}

async fn take_in(
    State(state): State<AppState>,
    LargeJsonObject(body): LargeJsonObject,
) -> Result<Json<Added>, HttpError> {
    let records = read(body)?;
    if !state.clock.is_set() {
        return Err(HttpError::unavailable(NO_CLOCK));
    }
    state.recorder.looks().flush(&state.db, state.clock.now_for_looks()).await?;
    let importer =
        Importer { db: &state.db, looks: state.recorder.looks(), page: &state.page, now: state.clock.wall() };
    Ok(Json(importer.take(&records).await?))
}

/// The records, each with its line.
fn read(mut body: Map<String, Value>) -> Result<Vec<(u64, Record)>, HttpError> {
    let Some(Value::Array(records)) = body.remove("records") else {
        return Err(HttpError::bad_request("records is missing: the body is {\"records\":[…]}"));
    };
    if records.len() > MAX_RECORDS {
        return Err(HttpError::unprocessable(format!("records: one call may bring {MAX_RECORDS}")));
    }
    let first = match body.remove("first_line") {
        None => 1,
        Some(line) => serde_json::from_value::<NonZeroU64>(line)
            .map_err(|_| HttpError::unprocessable("first_line: must be a number from 1 on"))?
            .get(),
    };
    let read = |(line, record): (u64, Value)| match serde_json::from_value(record) {
        Ok(record) => Ok((line, record)),
        Err(error) => Err(HttpError::unprocessable(format!("line {line}: {error}"))),
    };
    (first..).zip(records).map(read).collect()
}
