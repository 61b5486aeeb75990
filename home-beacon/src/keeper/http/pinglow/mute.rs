//! `PUT /check/CHECK/mute?until=…`: nobody is written to about a check until then, or without an end; what has begun meanwhile and
//! still lasts is told at the end. `DELETE …/mute`: they are again. It is the mute of `check/CHECK` at `/porchlight/v1/mutes`.

use axum::{Router, extract::State, http::StatusCode, routing::put};
use jiff::Timestamp;

use super::{
    super::{
        AppState, HttpError,
        path::{InPath, InQuery},
    },
    MUTE, find,
};
use crate::{
    keeper::{KeeperError, checks::listed::mute_key, notices::mutes::NO_END},
    reading::leap_second::is_leap_second,
};

pub(super) fn router() -> Router<AppState> {
    Router::new().route(MUTE, put(mute).delete(unmute))
}

async fn mute(
    State(state): State<AppState>,
    InPath(name): InPath<String>,
    InQuery(query): InQuery,
) -> Result<StatusCode, HttpError> {
    let known = find(&state, &name).await?;
    let until: Timestamp = match query.get("until") {
        None => NO_END,
        Some(text) => text.parse().ok().filter(|_| !is_leap_second(text)).ok_or_else(|| {
            HttpError::bad_request("until: must be a time like 2026-11-21T04:30:00Z; a + in it is written as %2B")
        })?,
    };
    let muted = state.recorder.notices().mute(&state.db, state.clock.wall(), &mute_key(&known.check.name), until).await;
    muted.map_err(HttpError::from).map_err(HttpError::into_bad_request)?;
    Ok(StatusCode::OK)
}

/// One that is not muted may be unmuted, as at Pinglow.
async fn unmute(State(state): State<AppState>, InPath(name): InPath<String>) -> Result<StatusCode, HttpError> {
    let known = find(&state, &name).await?;
    let key = mute_key(&known.check.name);
    match state.recorder.notices().unmute(&state.db, state.clock.wall(), &key).await {
        Ok(()) | Err(KeeperError::NotFound(_)) => Ok(StatusCode::OK),
        Err(error) => Err(error.into()),
    }
}
