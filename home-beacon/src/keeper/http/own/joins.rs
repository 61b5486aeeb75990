//! `POST /porchlight/v1/join_codes`: makes a new join code, where homes can join.

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};

use super::super::{AppState, HttpError};
use crate::keeper::joins::VALID;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/join_codes", post(make))
}

async fn make(State(state): State<AppState>) -> Result<(StatusCode, Json<Value>), HttpError> {
    let joins = state.joins.as_ref().ok_or_else(HttpError::no_joins)?;
    let code = joins.code().map_err(|error| HttpError::unavailable(&error.to_string()))?;
    let answer = json!({ "code": code.to_text(), "address": code.address, "valid_seconds": VALID.as_secs() });
    Ok((StatusCode::CREATED, Json(answer)))
}
