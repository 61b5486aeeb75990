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
use tokio::time::sleep;
use tower::ServiceExt;

use super::{
    Doors, Ending, Keeper, KeeperConfig, Shared, StartError, api::Refusal, doors::Faces, faces, health, store,
    store::Store,
};
use crate::clock::Host;

/// How often it is tried.
const AGAIN: Duration = Duration::from_secs(5);

/// How much room a disk must have, in bytes: for the log of a database (32 KiB of it an index), and some writes.
const ROOM: usize = 64 << 10;

/// What answers now.
#[derive(Clone, Debug)]
struct Front(Arc<Mutex<Faces>>);

impl Front {
    fn put(&self, faces: Faces) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = faces;
    }

    fn faces(&self) -> Faces {
        Faces { private: self.router(|faces| &faces.private), public: self.router(|faces| &faces.public) }
    }

    fn router(&self, which: fn(&Faces) -> &Router) -> Router {
        let front = self.clone();
        Router::new().fallback(move |request: Request| {
            let now = which(&front.0.lock().unwrap_or_else(PoisonError::into_inner)).clone();
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
    /// What is read until then.
    reading: Option<Store>,
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
    let Some(obstacle) = obstacle(&config.database_url).filter(|_| error.may_pass()) else { return Err(error) };
    tracing::error!(%obstacle, "the database cannot be written: what is there is served, and writers are asked to come again");
    let front = Front(Arc::new(Mutex::new(without_database(&obstacle))));
    let mut waiting = Waiting { config, host, front, reading: None };
    waiting.read(&obstacle).await;
    Ok(Started::Waiting(Box::new(waiting)))
}

impl Started {
    /// Serves until `shutdown`.
    ///
    /// # Errors
    /// When a database that could be written at last turns out to be unusable.
    pub async fn run(self, doors: impl Into<Doors>, shutdown: impl Future<Output = ()>) -> Result<(), StartError> {
        match self {
            Self::Ready(keeper) => {
                keeper.run(doors, shutdown).await;
                Ok(())
            }
            Self::Waiting(mut waiting) => {
                let faces = waiting.front.faces();
                let ending = Ending::default();
                let shutdown = ending.noticing(shutdown);
                let mut keeper = None;
                let ended = tokio::select! {
                    () = doors.into().serve(faces, shutdown) => Ok(()),
                    error = waiting.tend(&mut keeper) => Err(error),
                };
                if let Some(keeper) = keeper {
                    keeper.close(&ending).await;
                }
                ended
            }
        }
    }
}

impl Waiting {
    /// Becomes a keeper once it can, and does what that one does unasked.
    async fn tend(&mut self, keeper: &mut Option<Keeper>) -> StartError {
        let opened = loop {
            sleep(AGAIN).await;
            if obstacle(&self.config.database_url).is_some() {
                continue;
            }
            // SQLite has one view of a database's log for a whole process, and who reads has made it one that cannot be
            // written.
            if let Some(reading) = self.reading.take() {
                reading.close().await;
            }
            let error = match Keeper::open(self.config.clone(), self.host.clone()).await {
                Ok(keeper) => break keeper,
                Err(error) => error,
            };
            // What was free may have been taken meanwhile.
            let Some(obstacle) = obstacle(&self.config.database_url).filter(|_| error.may_pass()) else { return error };
            tracing::debug!(%error, "the database still cannot be written");
            self.read(&obstacle).await;
        };
        tracing::info!(page = %opened.page(), "the database can be written");
        let keeper = keeper.insert(opened);
        self.front.put(faces(&keeper.shared));
        match keeper.tend().await {}
    }

    /// Serves what the database holds, or nothing but how it is.
    async fn read(&mut self, obstacle: &io::Error) {
        let Self { config, host, .. } = self;
        let read = async {
            let store = Store::open_to_read(&config.database_url, host.clone(), obstacle.to_string()).await.ok()?;
            let page = match &config.seed {
                Some(seed) => seed.page.id.clone(),
                None => store.pages().await.ok()?.into_iter().max_by_key(|page| page.created_at)?.id,
            };
            store.page(&page).await.ok()?;
            Some((store, page))
        };
        let (faces, reading) = match read.await {
            Some((store, page)) => (faces(&Shared::new(config.clone(), store.clone(), page, None)), Some(store)),
            None => (without_database(obstacle), None),
        };
        self.front.put(faces);
        self.reading = reading;
    }
}

/// What answers where there is no database yet.
fn without_database(obstacle: &io::Error) -> Faces {
    let health = Json(json!({ "storage": obstacle.to_string(), "clock": null, "relay": null }));
    let later = async || {
        Refusal::unavailable("the keeper's storage cannot be written, and nothing is in it yet; try again later")
    };
    let private = Router::new()
        .route("/healthz", get(async || health))
        .route("/metrics", get(async || health::without_storage()))
        .fallback(later);
    let not_yet = async || (StatusCode::SERVICE_UNAVAILABLE, "There is nothing to show yet. Please try again later.\n");
    let public = Router::new().route("/", get(not_yet)).fallback(async || StatusCode::NOT_FOUND);
    Faces { private, public }
}

/// Why nothing can be written beside the database, if that is for a reason that may pass.
fn obstacle(database_url: &str) -> Option<io::Error> {
    let folder = store::folder(database_url).unwrap_or_else(|| ".".into());
    let path = folder.join(".porchlight-can-write");
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(&path)?;
        // It is gone by its name at once, so that nothing is left of it however this ends.
        fs::remove_file(&path)?;
        file.write_all(&vec![0; ROOM])?;
        file.sync_all()
    };
    let error = write().err();
    let passes = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    };
    error.filter(passes)
}
