//! What stands between the page and the world: which answers are kept and for which client, and below which path the page is.
//!
//! - `conditional`: `ETag`, and 304 for who has the answer already; `compression`: gzip; `headers`: what every answer asks of browsers
//! - [`base_path`]: the page below a path; [`robots`]: whether search engines list it

pub mod base_path;
mod compression;
mod conditional;
mod headers;
pub mod robots;

use axum::{Router, middleware};

use self::{base_path::BasePath, compression::Compressor, robots::Robots};
use super::AppState;
use crate::keeper::seed::Branding;

/// No answer is as long as this, in bytes: all of them are made in memory.
const MAX_BODY: usize = 16 << 20;

/// How the page presents itself to the world.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// The path below which the public listener answers, besides at `/`.
    pub base_path: Option<BasePath>,
    /// Whether search engines list the page.
    pub robots: Robots,
    /// Its logo and its colours.
    pub branding: Branding,
    /// Whether the public listener takes the calls of checks that call us.
    pub public_ping: bool,
    /// Whether the summary of checks takes no token, at the private one.
    pub open_summary: bool,
}

/// What anybody may read: answered from what the reader has where that is still right, and compressed for who asks for it.
pub(super) fn shown(routes: Router<AppState>) -> Router<AppState> {
    routes
        .merge(robots::router())
        .layer(middleware::from_fn(conditional::conditional))
        .layer(middleware::from_fn_with_state(Compressor::default(), compression::compressed))
}

/// What answers at the private listener.
pub(in crate::keeper) fn private(front: &Front, routes: Router) -> Router {
    headers::added(front.robots, routes)
}

/// What answers at the public listener.
pub(in crate::keeper) fn public(front: &Front, routes: Router) -> Router {
    headers::added(front.robots, below_base(front, routes))
}

/// What answers at the listener with TLS: the API at its own addresses, and all else as at the public one.
pub(in crate::keeper) fn tls(front: &Front, api: Router, shown: Router) -> Router {
    headers::added(front.robots, api.fallback_service(below_base(front, shown)))
}

fn below_base(front: &Front, routes: Router) -> Router {
    match &front.base_path {
        Some(base) => base_path::below(base.clone(), routes),
        None => routes,
    }
}
