//! The keeper: the home's private log, and a statuspage.io-compatible server over one embedded database.
//!
//! - [`store`]: what is known, on disk before it is acknowledged
//! - [`seed`]: page and components with the ids that the user already has
//! - `api`: `/v1`, the Manage API, and `/porchlight/v1`, our own; `public`: `/api/v2`, the status API; `page`: `/`, for people
//! - [`form`]: bodies that are forms; [`time`]: times as clients write them; `links`: where the page can be reached
//! - `health`: `/healthz` and `/metrics`
//! - `overall`: what a page as a whole says
//! - [`relay`]: what upstream is told, and what it says
//! - `tending`: what it does without being asked
//! - `doors`: where it listens, and what answers there
//! - `strays`: who writes to what nobody is shown
//! - `start`: the keeper on a disk that cannot be written yet

mod api;
mod doors;
pub mod form;
mod health;
mod links;
mod overall;
mod page;
mod public;
pub mod relay;
pub mod seed;
mod settings;
mod start;
pub mod store;
mod strays;
mod tending;
pub mod time;

use std::{
    convert::Infallible,
    future::pending,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, http::StatusCode};
use shared::{
    chain::deepest,
    http::SetupError,
    id::PageId,
    secret::SecretSource,
    settings::{WrongSetting, without_credentials},
};
use tokio::time::{Instant, timeout};
use tower::{Layer, ServiceExt, util::MapRequestLayer};

use self::{
    api::Limiter,
    doors::Faces,
    page::Audience,
    relay::{Courier, Reports, Upstream},
    seed::Seed,
    store::{OpenError, Store, StoreError},
    strays::Strays,
    tending::{beat, date, tell, tell_of_relay},
};
pub use self::{
    api::NO_RELAY,
    doors::Doors,
    settings::{KEEPER_TOKEN, KeeperCommand, KeeperSettings, RelayCommand, UPSTREAM_TOKEN},
    start::{Started, start},
};
use crate::{clock::Host, serve::Limits};

/// Clients are few and known, but some upload a mebibyte over a slow line.
const LIMITS: Limits = Limits { connections: 256, head: Duration::from_secs(5), total: Duration::from_secs(30) };

/// How long the last write may take at the end.
const SETTLING: Duration = Duration::from_millis(500);

/// How long the whole end may take.
const LONGEST_ENDING: Duration = Duration::from_millis(4800);

/// How often is looked for what there is to tend to, when nothing says so.
const AGAIN: Duration = Duration::from_secs(5);

/// What a keeper is made of.
#[derive(Clone, Debug)]
pub struct KeeperConfig {
    pub database_url: String,
    pub seed: Option<Seed>,
    pub token: SecretSource,
    /// Calls of `/v1` in any 60 seconds; 0 sets no limit.
    pub rate_limit: usize,
    /// Whether points outside the last 28 days are refused, rather than left out.
    pub strict_points: bool,
    /// Whom to relay to, if anybody.
    pub upstream: Option<Upstream>,
}

/// A keeper whose database is open.
#[derive(Debug)]
pub struct Keeper {
    shared: Shared,
    courier: Option<Courier>,
}

/// When the end was asked for: whoever asks waits for 5 seconds.
#[derive(Debug, Default)]
struct Ending(OnceLock<Instant>);

impl Ending {
    async fn noticing(&self, shutdown: impl Future<Output = ()>) {
        shutdown.await;
        let _ = self.0.set(Instant::now());
    }

    /// How long there is still.
    fn left(&self) -> Duration {
        let passed = self.0.get().map_or(Duration::ZERO, Instant::elapsed);
        LONGEST_ENDING.saturating_sub(passed)
    }
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
    /// How the relay is, where there is one.
    relay: Option<Reports>,
    /// Who was met lately at what is not shown.
    strays: Strays,
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
    #[error("DATABASE_URL: {address}: {error}")]
    Database { address: String, error: OpenError },
    #[error("the database cannot be written")]
    Storage(#[source] StoreError),
    #[error(transparent)]
    Client(#[from] SetupError),
}

impl StartError {
    /// Whether it may be a full disk, or one that cannot be written: a trouble that ends by itself.
    fn may_pass(&self) -> bool {
        match self {
            Self::Database { error, .. } => error.may_pass(),
            Self::Storage(_) => true,
            Self::Setting(_) | Self::Client(_) => false,
        }
    }
}

impl Keeper {
    /// Opens the database and applies the seed.
    ///
    /// # Errors
    /// When a setting cannot work, or the disk is in trouble.
    pub async fn open(config: KeeperConfig, host: Host) -> Result<Self, StartError> {
        let told = |error| StartError::Database { address: without_credentials(&config.database_url), error };
        let mut store = Store::open(&config.database_url, host.clone()).await.map_err(told)?;
        if config.upstream.is_some() {
            store = store.relaying();
        }
        let page = match &config.seed {
            Some(seed) => store.seed(seed).await,
            None => store.first_page().await,
        };
        let page = page.map_err(|error| match error {
            StoreError::Storage(_) => StartError::Storage(error),
            _ => WrongSetting(format!("KEEPER_SEED: {error}")).into(),
        })?;
        tell(&store, &page).await.map_err(StartError::Storage)?;
        let courier = if let Some(upstream) = &config.upstream {
            tell_of_relay(&store).await.map_err(StartError::Storage)?;
            Some(Courier::new(store.clone(), host, page.clone(), upstream)?)
        } else {
            store.unmirror().await.map_err(StartError::Storage)?;
            None
        };
        let shared = Shared::new(config, store, page, courier.as_ref().map(Courier::reports));
        Ok(Self { shared, courier })
    }

    /// The page that is shown.
    pub fn page(&self) -> &PageId {
        &self.shared.page
    }

    /// What the keeper knows, for whoever runs it in the same process.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Serves and takes care of what is stored until `shutdown`, finishes what is in hand, and closes the database.
    pub async fn run(mut self, doors: impl Into<Doors>, shutdown: impl Future<Output = ()>) {
        let faces = faces(&self.shared);
        let ending = Ending::default();
        tokio::select! {
            () = doors.into().serve(faces, ending.noticing(shutdown)) => (),
            never = self.tend() => match never {},
        }
        self.close(&ending).await;
    }

    /// Does what is to be done without being asked, for as long as it is polled.
    async fn tend(&mut self) -> Infallible {
        let store = self.shared.store.clone();
        let carry = async {
            if let Some(courier) = &mut self.courier {
                courier.run().await;
            }
        };
        tokio::join!(store.retain(), store.recover(AGAIN), beat(&store), date(&store), carry);
        pending().await
    }

    async fn close(self, ending: &Ending) {
        let store = &self.shared.store;
        // What is not written down now is sent again, which harms nobody.
        if let Ok(Err(error)) = timeout(SETTLING, store.settle()).await {
            tracing::warn!(cause = %deepest(&error), "what upstream has taken could not be written down");
        }
        // What is not closed is as after a power cut: everything acknowledged is there.
        if timeout(ending.left(), store.close()).await.is_err() {
            tracing::warn!("the disk is too slow for the database to be closed");
        }
    }
}

impl Shared {
    fn new(config: KeeperConfig, store: Store, page: PageId, relay: Option<Reports>) -> Self {
        let limiter = Limiter::new(config.rate_limit);
        let KeeperConfig { token, strict_points, .. } = config;
        Self(Arc::new(Inner { store, page, token, limiter, strict_points, relay, strays: Strays::default() }))
    }
}

fn faces(shared: &Shared) -> Faces {
    Faces { private: private(shared), public: public_face(shared) }
}

fn private(shared: &Shared) -> Router {
    let routes = Router::new()
        .nest("/v1", api::router(shared))
        .nest("/porchlight/v1", api::own::router(shared))
        .nest("/api/v2", public::router())
        .merge(page::router(Audience::Private))
        .merge(health::router())
        .with_state(shared.clone());
    // The suffix is taken off before routing, so the whole router sits behind a layer of a router that only wraps it.
    let trimmed = MapRequestLayer::new(api::without_suffix::<Body>).layer(routes.into_service::<Body>());
    Router::new().fallback(move |request: Request| trimmed.clone().oneshot(request))
}

/// What everybody may see: no token opens anything more here.
fn public_face(shared: &Shared) -> Router {
    Router::new()
        .nest("/api/v2", public::router())
        .merge(page::router(Audience::Public))
        .fallback(async || StatusCode::NOT_FOUND)
        .with_state(shared.clone())
}
