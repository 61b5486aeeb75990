//! What the keeper answers over HTTP.
//!
//! - `v1`: `/v1`, the Manage API; `own`: `/porchlight/v1`, our own; `public`: `/api/v2`, the status API; `page`: `/`, the
//!   page; `health`: `/healthz`; `metrics`: `/metrics`
//! - `owner`: `/owner`, what is the owner's alone, behind a login
//! - `ping`: the calls of checks; `summary`: how often what is checked has worked; `check_metrics`: both for a Prometheus
//! - `pinglow`: `/checks` and others, Pinglow's API for who has its clients
//! - `report`: `/report`, a month for the provider's hotline; `evidence`: what the home's own records say of outages;
//!   `inside`: what they were, by both sides
//! - `present`: what is said right now; `elsewhere`: what others show of it
//! - [`front`]: what stands between the page and the world: base path, `ETag`, compression, headers of every answer
//! - `join`: how a home joins, over TLS
//! - `auth`, `limiter`: who may call, and how often; `error`: refusals
//! - `component_past`: what is known of a component's past; `component_rows`: components and groups in `/api/v2`
//! - `path`, `listing`, `payload`, [`form`], `fields`, [`time`]: what a request says
//! - `links`: where the page can be reached; `strays`: clients that use what the page does not show

mod auth;
mod check_metrics;
mod component_past;
mod component_rows;
mod elsewhere;
mod error;
pub(super) mod evidence;
mod fields;
pub mod form;
pub mod front;
mod health;
pub(super) mod inside;
mod join;
mod limiter;
mod links;
mod listing;
pub(super) mod metrics;
mod own;
mod owner;
mod page;
mod path;
mod payload;
mod ping;
mod pinglow;
mod present;
mod public;
mod report;
mod strays;
mod summary;
pub mod time;
#[cfg(test)]
mod truth;
mod v1;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode},
    middleware,
    response::Response,
};
use shared::{
    id::PageId,
    look::{KEEPER_HEADER, KEEPER_HEADER_VALUE},
    secret::SecretSource,
};
use tower::{
    Layer,
    util::{MapRequest, MapRequestLayer},
};

pub(super) use self::error::HttpError;
pub use self::error::{NO_JOINS, NO_NOTICES, NO_RELAY};
use self::{
    front::Front,
    limiter::Limiter,
    page::{Audience, Past},
    strays::Strays,
};
use super::{
    KeeperClock, KeeperConfig,
    db::Db,
    joins::Joins,
    listeners::Routers,
    looks::beacon::AtHome,
    measured::{Recorder, line_quality::Promised},
    outbox::Outbox,
    relay::Reports,
    status::transitions::Plans,
};
use crate::heartbeat::rounds::Rounds;

/// What every handler can reach.
#[derive(Clone, Debug)]
pub(super) struct AppState(Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) db: Db,
    pub(super) clock: KeeperClock,
    pub(super) recorder: Recorder,
    pub(super) outbox: Outbox,
    /// Who moves maintenance by itself.
    pub(super) plans: Plans,
    /// The page that is shown at `/` and `/api/v2`.
    pub(super) page: PageId,
    token: SecretSource,
    /// What clients of Pinglow must send, where there are any.
    pinglow_key: Option<SecretSource>,
    /// The codes of an outside machine's keeper.
    joins: Option<Joins>,
    limiter: Limiter,
    /// Of calls whose secret is none.
    guesses: Limiter,
    requests: check_metrics::Requests,
    strict_points: bool,
    /// The state of the relay, where there is one.
    relay: Option<Reports>,
    strays: Strays,
    past: Past,
    /// What `/metrics` remembers from one scrape to the next.
    scraped: metrics::Past,
    months: report::Months,
    /// Who is logged in at `/owner`.
    sessions: owner::Sessions,
    /// Whether the keeper is at home, and what of the page is this home.
    at_home: Option<AtHome>,
    elsewhere: elsewhere::Kept,
    promised: Promised,
    /// How heartbeats go, where this home sends any.
    pub(super) heartbeats: Option<Rounds>,
    /// Whether upstream is told why it was down.
    pub(super) sends_causes: bool,
    notice: Option<String>,
    without_looks: Option<String>,
    front: Front,
}

impl std::ops::Deref for AppState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl AppState {
    pub(super) fn new(
        config: KeeperConfig,
        db: Db,
        outbox: Outbox,
        recorder: Recorder,
        page: PageId,
        relay: Option<Reports>,
    ) -> Self {
        let limiter = Limiter::new(config.rate_limit);
        let at_home = AtHome::of(&config);
        let heartbeats = config.heartbeat.is_some().then(Rounds::default);
        let sends_causes = config.upstream.as_ref().is_some_and(|upstream| upstream.causes);
        let KeeperConfig { token, pinglow_key, joins, strict_points, promised, front, notice, without_looks, .. } =
            config;
        let (clock, strays, past) = (recorder.clock().clone(), Strays::default(), Past::default());
        Self(Arc::new(Inner {
            db,
            clock,
            recorder,
            outbox,
            plans: Plans::default(),
            page,
            token,
            pinglow_key,
            joins,
            limiter,
            guesses: Limiter::new(ping::MAX_WRONG),
            requests: check_metrics::Requests::default(),
            strict_points,
            relay,
            strays,
            past,
            scraped: metrics::Past::default(),
            months: report::Months::default(),
            sessions: owner::Sessions::default(),
            at_home,
            elsewhere: elsewhere::Kept::default(),
            promised,
            heartbeats,
            sends_causes,
            notice,
            without_looks,
            front,
        }))
    }
}

/// What answers at each of the listeners.
pub(super) fn routers(state: &AppState) -> Routers {
    Routers {
        private: front::private(&state.front, private(state)),
        public: front::public(&state.front, public(state)),
        tls: Router::new().fallback_service(trimmed(front::tls(&state.front, for_homes(state), public(state)))),
    }
}

fn private(state: &AppState) -> Router {
    let routes = Router::new()
        .nest("/v1", v1::router(state))
        .nest("/porchlight/v1", own::router(state))
        .merge(shown(Audience::Private))
        .merge(owner::router(state))
        .merge(health::router())
        .merge(metrics::router())
        .merge(summary::router(state))
        .merge(pinglow::router(state))
        .layer(middleware::from_fn_with_state(state.clone(), check_metrics::count))
        .with_state(state.clone());
    Router::new().fallback_service(trimmed(routes))
}

/// What there is for a home, over TLS alone: the Manage API, and a way to join.
fn for_homes(state: &AppState) -> Router {
    Router::new().nest("/v1", v1::router(state)).merge(join::router()).with_state(state.clone())
}

/// The suffix is taken off before routing, so the whole router sits behind a layer.
fn trimmed(routes: Router) -> Trimmed {
    MapRequestLayer::new(without_suffix::<Body> as fn(Request) -> Request).layer(routes)
}

type Trimmed = MapRequest<Router, fn(Request) -> Request>;

/// What needs no token; a token opens nothing more here.
fn public(state: &AppState) -> Router {
    let mut routes = shown(Audience::Public);
    if state.front.public_ping {
        routes = routes.nest("/porchlight/v1", ping::router());
    }
    routes.fallback(async || StatusCode::NOT_FOUND).with_state(state.clone())
}

/// What takes no token, at either listener.
fn shown(audience: Audience) -> Router<AppState> {
    let routes = Router::new().nest("/api/v2", public::router()).merge(page::router(audience));
    front::shown(routes.merge(elsewhere::router()).merge(report::router()))
}

/// Says in an answer that this is a keeper: a prober may put its looks here.
async fn identified(mut response: Response) -> Response {
    let header = HeaderName::from_static(KEEPER_HEADER);
    response.headers_mut().insert(header, HeaderValue::from_static(KEEPER_HEADER_VALUE));
    response
}

/// `/v1/pages.json` is `/v1/pages`. Applied before routing.
fn without_suffix<B>(mut request: axum::http::Request<B>) -> axum::http::Request<B> {
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
