//! `POST /check/CHECK/result`: what a passive check says of itself.

use axum::{Router, extract::State, http::StatusCode, routing::post};

use super::{
    super::{AppState, HttpError, path::InPath, payload::JsonObjectWithPicture},
    RESULT, find,
};
use crate::keeper::checks::{calls, definition::Kind, posted::Posted};

pub(super) fn router() -> Router<AppState> {
    Router::new().route(RESULT, post(take))
}

async fn take(
    State(state): State<AppState>,
    InPath(name): InPath<String>,
    body: Result<JsonObjectWithPicture, HttpError>,
) -> Result<StatusCode, HttpError> {
    let known = find(&state, &name).await?;
    if known.check.kind != Kind::Passive {
        return Err(HttpError::not_passive(known.check.name.as_str()));
    }
    let JsonObjectWithPicture(body) = body.map_err(HttpError::into_bad_request)?;
    let posted = Posted::read(body).map_err(HttpError::bad_request)?;
    calls::take_result(&state.recorder, &known, &posted).await?;
    Ok(StatusCode::OK)
}
