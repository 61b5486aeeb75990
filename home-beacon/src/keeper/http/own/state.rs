//! `GET` and `PUT /porchlight/v1/state/{job}`: what a job must remember, a JSON object of its own making. Each version of
//! it has an `ETag`, and a `PUT` with `If-Match` (or `If-None-Match: *`) replaces that version or nothing (RFC 9110,
//! section 13.1).

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    routing::get,
};
use serde_json::Value;

use super::super::{AppState, HttpError, path::InPath, payload::JsonObject};
use crate::keeper::job_states;

/// The longest document, in bytes of JSON.
const MAX_LENGTH: usize = 16 << 10;

/// The longest name, in bytes.
const MAX_NAME: usize = 40;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/state/{job}", get(read).put(replace))
}

fn checked(job: &str) -> Result<&str, HttpError> {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=MAX_NAME).contains(&job.len()) && job.bytes().all(known) {
        Ok(job)
    } else {
        Err(HttpError::unprocessable(format!("job: its name has up to {MAX_NAME} lower-case letters, digits and -")))
    }
}

type Tag = [(header::HeaderName, String); 1];

async fn read(State(state): State<AppState>, InPath(job): InPath<String>) -> Result<(Tag, Json<Value>), HttpError> {
    let document = job_states::get(&state.db, checked(&job)?).await?;
    Ok(([(header::ETAG, tag(&document))], Json(document)))
}

async fn replace(
    State(state): State<AppState>,
    InPath(job): InPath<String>,
    fields: HeaderMap,
    JsonObject(document): JsonObject,
) -> Result<(StatusCode, Tag), HttpError> {
    let document = Value::Object(document);
    if document.to_string().len() > MAX_LENGTH {
        return Err(HttpError::unprocessable(format!("a state may have {MAX_LENGTH} bytes")));
    }
    let may = |now: Option<&Value>| may_replace(now.map(tag).as_deref(), &fields);
    job_states::set((&state.db, state.recorder.notices()), state.clock.now(), checked(&job)?, &document, may).await?;
    Ok((StatusCode::NO_CONTENT, [(header::ETAG, tag(&document))]))
}

/// The entity tag of a document: a hash of it.
fn tag(document: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    document.to_string().hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// Whether the version that there is (`None`: there is none) may be replaced by who sent these fields.
fn may_replace(now: Option<&str>, fields: &HeaderMap) -> bool {
    let names = |field: header::HeaderName| {
        fields.get(field).map(|value| {
            let listed = value.to_str().unwrap_or_default().split(',').map(str::trim);
            now.is_some_and(|now| listed.into_iter().any(|tag| tag == "*" || tag == now))
        })
    };
    names(header::IF_MATCH).unwrap_or(true) && !names(header::IF_NONE_MATCH).unwrap_or(false)
}
