//! `/v1`: the part of the statuspage.io Manage API that the keeper serves.
//!
//! Requests are wrapped (`{"component":{…}}`), answers are bare; paths work with and without `.json`; bodies are JSON
//! or forms. Who has no token is told so before the limiter counts. [`own`] is the keeper's own API beside it.

mod auth;
mod components;
mod error;
mod fields;
mod incidents;
mod limiter;
mod listing;
mod metrics;
mod metrics_providers;
pub(super) mod own;
mod pages;
mod path;
mod payload;
mod points;

use axum::{Router, middleware};

pub use self::error::NO_RELAY;
pub(super) use self::error::Refusal;
pub(super) use self::limiter::Limiter;
use super::{Shared, strays};

pub(super) fn router(shared: &Shared) -> Router<Shared> {
    let metrics = Router::new().merge(metrics::router()).merge(metrics_providers::router());
    let pages =
        Router::new().merge(pages::router()).merge(components::router()).merge(incidents::router()).merge(metrics);
    pages
        .fallback(async || Refusal::not_found("this path"))
        .method_not_allowed_fallback(async || Refusal::method_not_allowed())
        .layer(middleware::from_fn_with_state(shared.clone(), strays::notice))
        .layer(middleware::from_fn_with_state(shared.clone(), limiter::limit))
        .layer(middleware::from_fn_with_state(shared.clone(), auth::authenticate_or_by_key))
}

/// `/v1/pages.json` is `/v1/pages`. Applied before routing.
pub(super) fn without_suffix<B>(mut request: axum::http::Request<B>) -> axum::http::Request<B> {
    let uri = request.uri();
    let Some(path) = uri.path().strip_suffix(".json").filter(|path| path.starts_with("/v1/")) else { return request };
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    // A part of a valid path is one too.
    if let Ok(uri) = path_and_query.parse() {
        *request.uri_mut() = uri;
    }
    request
}
