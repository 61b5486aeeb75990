//! `POST /porchlight/v1/readings`: `{"readings": […]}`, stored all or none, on disk when it is answered.

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};

use super::super::{AppState, HttpError, payload::JsonObject};
use crate::reading::{MAX_READINGS, Reading};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/readings", post(add))
}

async fn add(State(state): State<AppState>, body: JsonObject) -> Result<(StatusCode, Json<Value>), HttpError> {
    let readings = read(body)?;
    state.recorder.add_readings(&readings).await?;
    Ok((StatusCode::CREATED, Json(json!({ "stored": readings.len() }))))
}

fn read(JsonObject(mut body): JsonObject) -> Result<Vec<Reading>, HttpError> {
    let Some(Value::Array(readings)) = body.remove("readings") else {
        return Err(HttpError::bad_request("readings is missing: the body is {\"readings\":[…]}"));
    };
    if readings.len() > MAX_READINGS {
        return Err(HttpError::unprocessable(format!("readings: one call may bring {MAX_READINGS}")));
    }
    let read = |(index, reading): (usize, Value)| {
        if !reading.is_object() {
            return Err(HttpError::unprocessable(format!("readings[{index}]: must be an object")));
        }
        serde_json::from_value(reading).map_err(|error| HttpError::unprocessable(format!("readings[{index}]: {error}")))
    };
    readings.into_iter().enumerate().map(read).collect()
}
