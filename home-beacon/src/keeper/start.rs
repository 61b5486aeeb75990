//! The keeper on a disk that cannot be written yet: a card that the kernel has mounted read-only, or a full one. What is
//! there is served, whoever brings something is asked to come again, and once the disk can be written the keeper begins.

use std::{
    fs,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Json, Router, extract::Request, http::StatusCode, routing::get};
use serde_json::json;
use tokio::{net::TcpListener, time::sleep};
use tower::ServiceExt;

use super::{Keeper, KeeperConfig, LIMITS, Shared, StartError, api::Refusal, router, store, store::Store};
use crate::{clock::Host, serve::serve};

/// How often it is tried.
const AGAIN: Duration = Duration::from_secs(5);

/// What answers now.
#[derive(Clone, Debug)]
struct Front(Arc<Mutex<Router>>);

impl Front {
    fn put(&self, router: Router) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = router;
    }

    fn router(&self) -> Router {
        let front = self.clone();
        Router::new().fallback(move |request: Request| {
            let now = front.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            now.oneshot(request)
        })
    }
}

/// A keeper that can serve.
#[derive(Debug)]
pub enum Started {
    Ready(Box<Keeper>),
    /// Its disk cannot be written yet.
    Waiting(Box<Waiting>),
}

/// What there is until the disk can be written.
#[derive(Debug)]
pub struct Waiting {
    config: KeeperConfig,
    host: Host,
    front: Front,
}

/// Opens the database and applies the seed, or finds out that this must wait.
///
/// # Errors
/// When a setting cannot work, or the disk is in trouble that does not pass.
pub async fn start(config: KeeperConfig, host: Host) -> Result<Started, StartError> {
    let error = match Keeper::open(config.clone(), host.clone()).await {
        Ok(keeper) => return Ok(Started::Ready(Box::new(keeper))),
        Err(error) => error,
    };
    let Some(obstacle) = obstacle(&config.database_url) else { return Err(error) };
    tracing::error!(%obstacle, "the database cannot be written: what is there is served, and writers are asked to come again");
    let front = Front(Arc::new(Mutex::new(until_then(&config, &host, &obstacle).await)));
    Ok(Started::Waiting(Box::new(Waiting { config, host, front })))
}

impl Started {
    /// Serves until `shutdown`.
    ///
    /// # Errors
    /// When a database that could be written at last turns out to be unusable.
    pub async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), StartError> {
        match self {
            Self::Ready(keeper) => {
                keeper.run(listener, shutdown).await;
                Ok(())
            }
            Self::Waiting(waiting) => {
                tokio::select! {
                    () = serve(listener, waiting.front.router(), LIMITS, Arc::default(), shutdown) => Ok(()),
                    ended = waiting.tend() => ended,
                }
            }
        }
    }
}

impl Waiting {
    /// Becomes a keeper once it can.
    async fn tend(&self) -> Result<(), StartError> {
        let mut keeper = loop {
            sleep(AGAIN).await;
            match Keeper::open(self.config.clone(), self.host.clone()).await {
                Ok(keeper) => break keeper,
                Err(error) if obstacle(&self.config.database_url).is_none() => return Err(error),
                Err(error) => tracing::debug!(%error, "the database still cannot be written"),
            }
        };
        tracing::info!(page = %keeper.page(), "the database can be written");
        self.front.put(router(&keeper.shared));
        keeper.tend().await;
        Ok(())
    }
}

/// What answers until then: what the database holds, or nothing but how it is.
async fn until_then(config: &KeeperConfig, host: &Host, obstacle: &io::Error) -> Router {
    let read = async {
        let store = Store::open_to_read(&config.database_url, host.clone(), obstacle.to_string()).await.ok()?;
        let page = match &config.seed {
            Some(seed) => seed.page.id.clone(),
            None => store.pages().await.ok()?.into_iter().max_by_key(|page| page.created_at)?.id,
        };
        store.page(&page).await.ok()?;
        Some(router(&Shared::new(config.clone(), store, page, None)))
    };
    if let Some(router) = read.await {
        return router;
    }
    let health = Json(json!({ "storage": obstacle.to_string(), "clock": null, "relay": null }));
    Router::new().route("/healthz", get(async || (StatusCode::OK, health))).fallback(async || {
        Refusal::unavailable("the keeper's storage cannot be written, and nothing is in it yet; try again later")
    })
}

/// Why nothing can be written beside the database, if that is for a reason that may pass.
fn obstacle(database_url: &str) -> Option<io::Error> {
    let folder = store::folder(database_url).unwrap_or_else(|| ".".into());
    let path = folder.join(".porchlight-can-write");
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(&path)?;
        // As much as SQLite needs to open a database.
        file.write_all(&vec![0; 64 << 10])?;
        file.sync_all()
    };
    let error = write().err();
    // It may never have been made.
    let _ = fs::remove_file(&path);
    let passes = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    };
    error.filter(passes)
}
