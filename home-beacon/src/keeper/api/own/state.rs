//! `GET` and `PUT /porchlight/v1/state/{job}`: what a job must remember, a JSON object of its own making.

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde_json::Value;

use super::super::{Refusal, path::InPath, payload::JsonObject};
use crate::keeper::Shared;

/// The longest document, in bytes of JSON.
const LONGEST: usize = 16 << 10;

/// The longest name, in bytes.
const LONGEST_NAME: usize = 40;

pub(super) fn router() -> Router<Shared> {
    Router::new().route("/state/{job}", get(recall).put(remember))
}

fn checked(job: &str) -> Result<&str, Refusal> {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=LONGEST_NAME).contains(&job.len()) && job.bytes().all(known) {
        Ok(job)
    } else {
        Err(Refusal::unprocessable(format!("job: its name has up to {LONGEST_NAME} lower-case letters, digits and -")))
    }
}

async fn recall(State(shared): State<Shared>, InPath(job): InPath<String>) -> Result<Json<Value>, Refusal> {
    Ok(Json(shared.store.job_state(checked(&job)?).await?))
}

async fn remember(
    State(shared): State<Shared>,
    InPath(job): InPath<String>,
    JsonObject(document): JsonObject,
) -> Result<StatusCode, Refusal> {
    let document = Value::Object(document);
    if document.to_string().len() > LONGEST {
        return Err(Refusal::unprocessable(format!("a state may have {LONGEST} bytes")));
    }
    shared.store.set_job_state(checked(&job)?, &document).await?;
    Ok(StatusCode::NO_CONTENT)
}
