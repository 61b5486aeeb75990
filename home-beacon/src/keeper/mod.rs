//! The keeper: the home's private log, and a statuspage.io-compatible server over one embedded database.
//!
//! - [`store`]: what is known, on disk before it is acknowledged
//! - [`seed`]: page and components with the ids that the user already has
//! - `api`: `/v1`, the Manage API, and `/porchlight/v1`, our own; `public`: `/api/v2`, the status API; `page`: `/`, for people
//! - [`form`]: bodies that are forms
//! - `overall`: what a page as a whole says

mod api;
pub mod form;
mod overall;
mod page;
mod public;
pub mod seed;
mod settings;
pub mod store;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    routing::get,
};
use shared::{
    id::PageId,
    secret::SecretSource,
    settings::{WrongSetting, without_credentials},
};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, util::MapRequestLayer};

pub use self::settings::{KEEPER_TOKEN, KeeperSettings};
use self::{
    api::Limiter,
    seed::Seed,
    store::{Store, StoreError},
};
use crate::{
    clock::Clock,
    serve::{Limits, serve},
};

/// Clients are few and known, but some upload a mebibyte over a slow line.
const LIMITS: Limits = Limits { connections: 256, head: Duration::from_secs(5), total: Duration::from_secs(30) };

/// What a keeper is made of.
#[derive(Debug)]
pub struct KeeperConfig {
    pub database_url: String,
    pub seed: Option<Seed>,
    pub token: SecretSource,
    /// Calls of `/v1` in any 60 seconds; 0 sets no limit.
    pub rate_limit: usize,
    /// Whether points outside the last 28 days are refused, rather than left out.
    pub strict_points: bool,
}

/// A keeper whose database is open.
#[derive(Debug)]
pub struct Keeper {
    shared: Shared,
}

/// What every handler can reach.
#[derive(Clone, Debug)]
struct Shared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    /// The page that is shown at `/` and told at `/api/v2`.
    page: PageId,
    token: SecretSource,
    limiter: Limiter,
    strict_points: bool,
    clock: Clock,
}

impl std::ops::Deref for Shared {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Why a keeper cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Setting(#[from] WrongSetting),
    #[error("the database cannot be written")]
    Storage(#[source] StoreError),
}

impl Keeper {
    /// Opens the database and applies the seed.
    ///
    /// # Errors
    /// When a setting cannot work, or the disk is in trouble.
    pub async fn open(config: KeeperConfig, clock: Clock) -> Result<Self, StartError> {
        let told =
            |error| WrongSetting(format!("DATABASE_URL: {}: {error}", without_credentials(&config.database_url)));
        let store = Store::open(&config.database_url, clock.clone()).await.map_err(told)?;
        let page = match &config.seed {
            Some(seed) => store.seed(seed).await,
            None => store.first_page().await,
        };
        let page = page.map_err(|error| match error {
            StoreError::Storage(_) => StartError::Storage(error),
            _ => WrongSetting(format!("KEEPER_SEED: {error}")).into(),
        })?;
        tell(&store, &page).await.map_err(StartError::Storage)?;
        let limiter = Limiter::new(config.rate_limit);
        let KeeperConfig { token, strict_points, .. } = config;
        Ok(Self { shared: Shared(Arc::new(Inner { store, page, token, limiter, strict_points, clock })) })
    }

    /// The page that is shown.
    pub fn page(&self) -> &PageId {
        &self.shared.page
    }

    /// What the keeper knows, for whoever runs it in the same process.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Serves and takes care of old readings until `shutdown`, finishes what is in hand, and closes the database.
    pub async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            () = serve(listener, router(&self.shared), LIMITS, Arc::default(), shutdown) => (),
            () = self.shared.store.retain() => (),
        }
        self.shared.store.close().await;
    }
}

/// Tells what is shown, with the ids that a prober needs, and what is kept but not shown.
async fn tell(store: &Store, shown: &PageId) -> Result<(), StoreError> {
    for page in store.pages().await? {
        if page.id != *shown {
            tracing::warn!(page = %page.id, name = page.name, "this page is kept, but another one is shown");
            continue;
        }
        for component in store.components(shown, 0, u32::MAX).await? {
            tracing::info!(page = %shown, component = %component.id, name = component.name, "shown");
        }
    }
    Ok(())
}

fn router(shared: &Shared) -> Router {
    let routes = Router::new()
        .nest("/v1", api::router(shared))
        .nest("/porchlight/v1", api::own::router(shared))
        .nest("/api/v2", public::router())
        .merge(page::router())
        .route("/healthz", get(health))
        .with_state(shared.clone());
    // The suffix is taken off before routing, so the whole router sits behind a layer of a router that only wraps it.
    let trimmed = MapRequestLayer::new(api::without_suffix::<Body>).layer(routes.into_service::<Body>());
    Router::new().fallback(move |request: Request| trimmed.clone().oneshot(request))
}

async fn health(State(shared): State<Shared>) -> (StatusCode, &'static str) {
    match shared.store.check().await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}
