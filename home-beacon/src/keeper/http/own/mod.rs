//! `/porchlight/v1`: what the Manage API has no word for. Only for who has the token, and not counted by the limiter.

mod address;
mod checks;
mod joins;
mod looks;
pub(super) mod notices;
mod outages;
mod portable;
mod readings;
mod relay;
mod series;
mod state;
mod tokens;

use axum::{Router, middleware};

use super::{AppState, HttpError, auth, identified};

pub(super) fn router(state: &AppState) -> Router<AppState> {
    Router::new()
        .merge(address::router())
        .merge(checks::router())
        .merge(joins::router())
        .merge(looks::router())
        .merge(notices::router())
        .merge(outages::router())
        .merge(portable::router())
        .merge(readings::router())
        .merge(relay::router())
        .merge(series::router())
        .merge(state::router())
        .merge(tokens::router())
        .fallback(async || HttpError::not_found("this path"))
        .method_not_allowed_fallback(async || HttpError::method_not_allowed())
        .layer(middleware::from_fn_with_state(state.clone(), auth::authenticate))
        .layer(middleware::map_response(identified))
        // The secret in its address is its permission.
        .merge(super::ping::router())
}
