//! Pinglow's API, for who has its clients: `/checks`, `/check-status/CHECK`, `/performance-data/CHECK`, `/check/CHECK/result` and
//! `/check/CHECK/mute`, with `x-api-key`. At the private listener alone, and only where `PINGLOW_API_KEY` is set.
//!
//! Answers have the form that Pinglow's server gives them, which its published description does not have right in two places: a
//! status is one object, and performance data is one object by time, where it says lists of such.
//!
//! - `read`: what is known; `result`: what a passive check says; `mute`: of what nobody is written to for now; `openapi`: all of
//!   it, described

mod mute;
mod openapi;
mod read;
mod result;

use axum::{
    Router,
    extract::{Request, State},
    http::HeaderValue,
    middleware::{self, Next},
    response::Response,
};
use checks::check::CheckName;
use subtle::ConstantTimeEq;

use super::{AppState, HttpError};
use crate::keeper::checks::{known::Known, listed};

/// The header with the key.
const KEY: &str = "x-api-key";

const CHECKS: &str = "/checks";
const STATUS: &str = "/check-status/{target_check}";
const FIGURES: &str = "/performance-data/{target_check}";
const RESULT: &str = "/check/{target_check}/result";
const MUTE: &str = "/check/{target_check}/mute";
const OPENAPI: &str = "/openapi.json";

/// All routes, with the methods that they take.
#[cfg(test)]
const ROUTES: [(&str, &[&str]); 6] = [
    (CHECKS, &["get"]),
    (STATUS, &["get"]),
    (FIGURES, &["get"]),
    (RESULT, &["post"]),
    (MUTE, &["put", "delete"]),
    (OPENAPI, &["get"]),
];

/// Nothing where no key is set.
pub(super) fn router(state: &AppState) -> Router<AppState> {
    if state.pinglow_key.is_none() {
        return Router::new();
    }
    Router::new()
        .merge(mute::router())
        .merge(openapi::router())
        .merge(read::router())
        .merge(result::router())
        .method_not_allowed_fallback(async || HttpError::method_not_allowed())
        .route_layer(middleware::from_fn_with_state(state.clone(), authenticate))
}

async fn authenticate(State(state): State<AppState>, request: Request, next: Next) -> Result<Response, HttpError> {
    let Some(key) = &state.pinglow_key else { return Err(HttpError::not_found("this path")) };
    let key = key.current().map_err(|error| {
        // Every call is refused, but it is not the client's key that is wrong.
        tracing::error!(%error, "the key of Pinglow's clients cannot be read");
        HttpError::unavailable("the keeper's PINGLOW_API_KEY cannot be read; try again later")
    })?;
    let sent: Vec<&HeaderValue> = request.headers().get_all(KEY).iter().collect();
    match sent.as_slice() {
        [sent] if bool::from(sent.as_bytes().ct_eq(key.expose().as_bytes())) => Ok(next.run(request).await),
        [_] => Err(HttpError::wrong_key("the key is not this keeper's")),
        [] => Err(HttpError::wrong_key("there is no header x-api-key")),
        _ => Err(HttpError::wrong_key("there is more than one header x-api-key")),
    }
}

/// The check of that name.
async fn find(state: &AppState, name: &str) -> Result<Known, HttpError> {
    let known = match name.parse::<CheckName>() {
        Ok(name) => listed::find(&state.db, &name).await?,
        Err(_) => None,
    };
    let short: String = name.chars().take(60).collect();
    known.ok_or_else(|| HttpError::no_check(&short.escape_debug().to_string()))
}
