//! `/v1`: the part of the statuspage.io Manage API that the keeper serves.
//!
//! Requests are wrapped (`{"component":{…}}`), answers are bare; paths work with and without `.json`; bodies are JSON
//! or forms. A client without the token is refused before the limiter counts its call.

mod component_groups;
mod components;
mod incidents;
mod metrics;
mod metrics_providers;
mod pages;
mod points;
mod postmortems;
mod uptime;

use axum::{Router, middleware};

use super::{AppState, HttpError, auth, identified, limiter, strays};

pub(super) fn router(state: &AppState) -> Router<AppState> {
    Router::new()
        .merge(pages::router())
        .merge(components::router())
        .merge(component_groups::router())
        .merge(uptime::router())
        .merge(incidents::router())
        .merge(postmortems::router())
        .merge(metrics::router())
        .merge(metrics_providers::router())
        .fallback(async || HttpError::not_found("this path"))
        .method_not_allowed_fallback(async || HttpError::method_not_allowed())
        .layer(middleware::from_fn_with_state(state.clone(), strays::notice))
        .layer(middleware::from_fn_with_state(state.clone(), limiter::limit))
        .layer(middleware::from_fn_with_state(state.clone(), auth::authenticate_or_by_key))
        .layer(middleware::map_response(identified))
}
