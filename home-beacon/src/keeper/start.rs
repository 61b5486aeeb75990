//! The keeper on a disk that cannot be written yet: a card that the kernel has mounted read-only, or a full one. What is
//! there is served, clients that write are asked to retry, and once the disk can be written the keeper begins.

use std::{
    fs,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    extract::Request,
    http::{HeaderMap, StatusCode},
    routing::{any, get},
};
use serde_json::json;
use shared::message::StorageFault;
use tokio::time::sleep;
use tower::ServiceExt;

use super::{
    Ending, Keeper, KeeperConfig, Listeners, StartError,
    background::RETRY_INTERVAL,
    db::{self, Db},
    heartbeat,
    http::{self, AppState, HttpError, front::Front, metrics},
    listeners::Routers,
    measured::Recorder,
    notices::Notices,
    outbox::Outbox,
    status::pages,
    watch::storage,
};
use crate::clock::Host;

/// How much free space a disk must have, in bytes: for the log of a database (32 KiB of it an index), and some writes.
const MIN_FREE: usize = 64 << 10;

/// What answers now.
#[derive(Clone, Debug)]
struct CurrentRouters(Arc<Mutex<Routers>>);

impl CurrentRouters {
    fn put(&self, routers: Routers) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = routers;
    }

    fn routers(&self) -> Routers {
        Routers {
            private: self.router(|routers| &routers.private),
            public: self.router(|routers| &routers.public),
            tls: self.router(|routers| &routers.tls),
        }
    }

    fn router(&self, which: fn(&Routers) -> &Router) -> Router {
        let current = self.clone();
        Router::new().fallback(move |request: Request| {
            let now = which(&current.0.lock().unwrap_or_else(PoisonError::into_inner)).clone();
            now.oneshot(request)
        })
    }
}

/// A keeper that can serve.
#[derive(Debug)]
pub enum Started {
    /// It can be written.
    Ready(Box<Keeper>),
    /// Its disk cannot be written yet.
    Waiting(Box<Waiting>),
}

/// What there is until the disk can be written.
#[derive(Debug)]
pub struct Waiting {
    config: KeeperConfig,
    host: Host,
    current: CurrentRouters,
    /// What is read until then.
    reading: Option<Db>,
}

/// Opens the database and applies the seed, or finds out that this must wait.
///
/// # Errors
/// When a setting cannot work, or the disk fails in a way that does not pass.
pub async fn start(config: KeeperConfig, host: Host) -> Result<Started, StartError> {
    let error = match Keeper::open(config.clone(), host.clone()).await {
        Ok(keeper) => return Ok(Started::Ready(Box::new(keeper))),
        Err(error) => error,
    };
    let Some(obstacle) = obstacle(&config.database_url).filter(|_| error.may_pass()) else { return Err(error) };
    let (words, more) = (StorageFault::CannotBeWritten.words(), StorageFault::CannotBeWritten.entry().link());
    tracing::error!(%obstacle, more, "the database cannot be written: {words}");
    let current = CurrentRouters(Arc::new(Mutex::new(without_database(&obstacle, &config.front))));
    let mut waiting = Waiting { config, host, current, reading: None };
    waiting.read(&obstacle).await;
    Ok(Started::Waiting(Box::new(waiting)))
}

impl Started {
    /// Serves until `shutdown`.
    ///
    /// # Errors
    /// When a database that could be written at last turns out to be unusable.
    pub async fn run(
        self,
        listeners: impl Into<Listeners>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), StartError> {
        match self {
            Self::Ready(keeper) => {
                keeper.run(listeners, shutdown).await;
                Ok(())
            }
            Self::Waiting(mut waiting) => {
                let routers = waiting.current.routers();
                let ending = Ending::default();
                let shutdown = ending.record(shutdown);
                let mut keeper = None;
                let ended = tokio::select! {
                    () = listeners.into().serve(routers, shutdown) => Ok(()),
                    error = waiting.wait_and_run(&mut keeper) => Err(error),
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
    /// Becomes a keeper once the disk can be written, and runs its background tasks.
    async fn wait_and_run(&mut self, keeper: &mut Option<Keeper>) -> StartError {
        let notices = Notices::without_database(self.config.notices.as_ref());
        let (wall, host, heartbeats) = (self.host.wall.clone(), self.host.clone(), self.config.heartbeat.clone());
        let why = StorageFault::CannotBeWritten.words();
        let opened = tokio::select! {
            opened = self.open() => opened,
            never = heartbeat::run_without_database(heartbeats.as_ref(), &host) => match never {},
            never = notices.send_alone(|| wall.now(), |now| storage(Some(why), now)) => match never {},
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => return error,
        };
        opened.state.recorder.notices().take_over(&notices);
        tracing::info!(page = %opened.page(), "the database can be written");
        let keeper = keeper.insert(opened);
        self.current.put(http::routers(&keeper.state));
        match Box::pin(keeper.run_background()).await {}
    }

    /// Opens the database once it can be written.
    async fn open(&mut self) -> Result<Keeper, StartError> {
        loop {
            sleep(RETRY_INTERVAL).await;
            if obstacle(&self.config.database_url).is_some() {
                continue;
            }
            // SQLite has one view of a database's log for a whole process, and the reader's is one that cannot be written.
            if let Some(reading) = self.reading.take() {
                reading.close().await;
            }
            let error = match Keeper::open(self.config.clone(), self.host.clone()).await {
                Ok(keeper) => return Ok(keeper),
                Err(error) => error,
            };
            // What was free may have been taken meanwhile.
            let Some(obstacle) = obstacle(&self.config.database_url).filter(|_| error.may_pass()) else {
                return Err(error);
            };
            tracing::debug!(%error, "the database still cannot be written");
            self.read(&obstacle).await;
        }
    }

    /// Serves what the database holds, or nothing but how it is.
    async fn read(&mut self, obstacle: &io::Error) {
        let Self { config, host, .. } = self;
        let read = async {
            let db = Db::open_read_only(&config.database_url, obstacle.to_string()).await.ok()?;
            let outbox = Outbox::new(db.clone(), false);
            let recorder = Recorder::read_only(db.clone(), host.clone(), outbox.clone()).await;
            let page = match &config.seed {
                Some(seed) => seed.page.id.clone(),
                None => pages::list(&db).await.ok()?.into_iter().max_by_key(|page| page.created_at)?.id,
            };
            pages::get(&db, &page).await.ok()?;
            Some((db.clone(), AppState::new(config.clone(), db, outbox, recorder, page, None)))
        };
        let (routers, reading) = match read.await {
            Some((db, state)) => (http::routers(&state), Some(db)),
            None => (without_database(obstacle, &config.front), None),
        };
        self.current.put(routers);
        self.reading = reading;
    }
}

/// What answers where there is no database yet.
fn without_database(obstacle: &io::Error, front: &Front) -> Routers {
    let health = Json(json!({ "storage": obstacle.to_string(), "clock": null, "relay": null }));
    let later = async || {
        HttpError::unavailable("the keeper's storage cannot be written, and nothing is in it yet; try again later")
    };
    let private = Router::new()
        .route("/healthz", get(async || health))
        .route("/metrics", get(async |headers: HeaderMap| metrics::without_storage(&headers)))
        .fallback(later);
    let not_yet = async || (StatusCode::SERVICE_UNAVAILABLE, "There is nothing to show yet. Please try again later.\n");
    let shown = Router::new().route("/", get(not_yet)).fallback(async || StatusCode::NOT_FOUND);
    let api = Router::new().route("/v1/{*path}", any(later));
    Routers {
        private: http::front::private(front, private),
        public: http::front::public(front, shown.clone()),
        tls: http::front::tls(front, api, shown),
    }
}

/// Why nothing can be written beside the database, if that is for a reason that may pass.
fn obstacle(database_url: &str) -> Option<io::Error> {
    let folder = db::folder(database_url).unwrap_or_else(|| ".".into());
    let path = folder.join(".porchlight-can-write");
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(&path)?;
        // It is gone by its name at once, so that nothing is left of it however this ends.
        fs::remove_file(&path)?;
        file.write_all(&vec![0; MIN_FREE])?;
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
