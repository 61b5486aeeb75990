//! The keeper: the home's private log, and a statuspage.io-compatible server over one embedded database.
//!
//! It is cut by subject; each knows those above it, and none below.
//!
//! - [`db`]: the database; nothing else names sqlx
//! - [`error`](KeeperError): why a call fails; [`clock`](KeeperClock): the time, and whether it can be trusted
//! - [`outbox`]: what waits to be sent upstream
//! - [`status`]: pages, components, incidents
//! - [`history`]: what a component's time was, by looks and statuses
//! - [`looks`]: when somebody looked at a component, and what they saw
//! - [`notices`]: what is worth writing to people about, and to whom; [`checks`]: what else is looked at
//! - [`measured`]: readings, metrics, series, heartbeats; [`job_states`]: what jobs remember
//! - [`tokens`]: what opens one page; [`joins`]: codes by which a home gets one; [`tls`]: how it knows this keeper
//! - [`seed`]: page and components with the ids that the user already has; [`portable`]: records for another keeper
//! - [`relay`]: sends what is queued upstream, and copies what is said there
//! - `causes`: why it was down, for upstream
//! - `heartbeat`: what the home tells the cloud of itself, where nobody can reach it
//! - `watch`: what is worth a notice though no reading says so
//! - [`http`]: everything that is answered; `listeners`: where
//! - `background`: what runs besides; `start`: the keeper on a disk that cannot be written yet; `settings`, `config`

mod background;
mod causes;
pub mod checks;
mod clock;
mod config;
pub mod db;
mod error;
mod heartbeat;
pub mod history;
pub mod http;
pub mod inside;
pub mod job_states;
pub mod joins;
mod length;
mod listeners;
pub mod looks;
pub mod measured;
pub mod notices;
pub mod outbox;
pub mod portable;
pub mod relay;
pub mod seed;
mod settings;
mod start;
pub mod status;
pub mod tls;
pub mod tokens;
mod watch;
#[cfg(test)]
mod write_errors;

use std::{convert::Infallible, future::pending, sync::OnceLock, time::Duration};

use shared::{
    chain::root_cause,
    http::SetupError,
    id::PageId,
    settings::{WrongSetting, without_credentials},
};
use tokio::time::{Instant, timeout};

use self::{
    background::{RETRY_INTERVAL, alive, ask_beacon, date, keep_calls, keep_plans, log_backlog, log_pages},
    db::{Db, OpenError},
    heartbeat::HomeSender,
    http::{AppState, routers},
    looks::beacon::{AtHome, BeaconPoller},
    measured::{Recorder, line_quality::Promised, retention},
    notices::Notices,
    outbox::Outbox,
    relay::{RelayWorker, copies},
    status::pages,
    watch::Watched,
};
pub use self::{
    clock::KeeperClock,
    config::KeeperConfig,
    error::KeeperError,
    http::{NO_JOINS, NO_NOTICES, NO_RELAY},
    joins::{Joining, Joins},
    listeners::{Listeners, TlsListener},
    settings::{KEEPER_TOKEN, KeeperCommand, KeeperSettings, PINGLOW_API_KEY, RelayCommand, UPSTREAM_TOKEN},
    start::{Started, Waiting, start},
    tls::{Tls, TlsSettings},
};
use crate::{clock::Host, serve::Limits};

/// Clients are few and known, but some upload a mebibyte over a slow line.
const LIMITS: Limits = Limits { connections: 256, head: Duration::from_secs(5), total: Duration::from_secs(30) };

/// How long the last write may take at the end.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// How long the whole end may take: a supervisor kills after 5 s.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(4800);

/// A keeper whose database is open.
#[derive(Debug)]
pub struct Keeper {
    state: AppState,
    relay: Option<RelayWorker>,
    beacon: Option<BeaconPoller>,
    heartbeat: Option<HomeSender>,
    watched: Watched,
}

/// When the shutdown was requested.
#[derive(Debug, Default)]
struct Ending(OnceLock<Instant>);

impl Ending {
    /// Returns with the request, and records when that was.
    async fn record(&self, shutdown: impl Future<Output = ()>) {
        shutdown.await;
        let _ = self.0.set(Instant::now());
    }

    fn time_left(&self) -> Duration {
        let passed = self.0.get().map_or(Duration::ZERO, Instant::elapsed);
        SHUTDOWN_TIMEOUT.saturating_sub(passed)
    }
}

/// Why a keeper cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot work.
    #[error(transparent)]
    Setting(#[from] WrongSetting),
    /// The database cannot be opened.
    #[error("DATABASE_URL: {address}: {error}")]
    Database {
        /// As it was set, without credentials.
        address: String,
        /// Why.
        error: OpenError,
    },
    /// The database is open, and cannot be written.
    #[error("the database cannot be written")]
    Storage(#[source] KeeperError),
    /// The TLS library refuses its configuration.
    #[error(transparent)]
    Client(#[from] SetupError),
}

impl StartError {
    /// The sentence for an operator, with a link to what else to do where that is not about settings.
    pub fn advice(&self) -> String {
        let fault = if let Self::Database { error, .. } = self { error.fault() } else { None };
        fault.map_or_else(|| self.to_string(), |fault| fault.entry().ending(&self.to_string()))
    }

    /// Whether it may be a full or read-only disk, which ends without a change of settings.
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
    /// When a setting cannot work, or the storage fails.
    pub async fn open(config: KeeperConfig, host: Host) -> Result<Self, StartError> {
        let database = |error| StartError::Database { address: without_credentials(&config.database_url), error };
        let storage = |error: KeeperError| StartError::Storage(error);
        let db = Db::open(&config.database_url).await.map_err(database)?;
        let outbox = Outbox::new(db.clone(), config.upstream.is_some());
        let recorder = Recorder::new(db.clone(), host, outbox.clone()).await;
        let recorder = recorder.map_err(|error| StartError::Storage(error.into()))?;
        let clock = recorder.clock().clone();
        let Promised { down, up } = config.promised;
        let notices = Notices::new(config.notices.as_ref(), (down, up), &db, clock.wall()).await;
        let notices = notices.map_err(|error| StartError::Storage(error.into()))?;
        let recorder = recorder.with_notices(notices);
        let page = match &config.seed {
            Some(seed) => seed::apply(&db, clock.now(), seed).await,
            None => seed::first_page(&db, clock.now()).await,
        };
        let page = page.map_err(|error| match error {
            KeeperError::Storage(_) => StartError::Storage(error),
            _ => WrongSetting(format!("KEEPER_SEED: {error}")).into(),
        })?;
        let zone = pages::find(&mut db.read().await.map_err(|error| storage(error.into()))?, &page).await;
        recorder.notices().set_zone(&zone.map_err(storage)?.time_zone);
        log_pages(&db, &page).await.map_err(storage)?;
        let relay = if let Some(upstream) = &config.upstream {
            log_backlog(&outbox, clock.wall()).await.map_err(storage)?;
            Some(RelayWorker::new(db.clone(), clock, outbox.clone(), page.clone(), upstream)?)
        } else {
            copies::release(&db).await.map_err(storage)?;
            None
        };
        let seeded = config.seed.iter().flat_map(|seed| &seed.components).find(|component| component.beacon);
        let component = seeded.map(|component| component.id.clone());
        let beacon = config.beacon.clone().map(|url| BeaconPoller::new(url, page.clone(), component)).transpose()?;
        let reports = relay.as_ref().map(RelayWorker::reports);
        let at_home = AtHome::of(&config);
        let (seen, asked) = (reports.clone(), beacon.as_ref().map(BeaconPoller::state));
        let heartbeat = config.heartbeat.clone();
        let state = AppState::new(config, db, outbox, recorder, page, reports);
        let watched = Watched::of(&state, seen, asked, at_home);
        let heartbeat = heartbeat.map(|config| heartbeat::sender(config, &state)).transpose()?;
        Ok(Self { state, relay, beacon, heartbeat, watched })
    }

    /// The page that is shown.
    pub fn page(&self) -> &PageId {
        &self.state.page
    }

    /// What records readings, for a program that measures in the same process.
    pub fn recorder(&self) -> &Recorder {
        &self.state.recorder
    }

    /// Its database, for a program that runs it in the same process.
    pub fn db(&self) -> &Db {
        &self.state.db
    }

    /// Serves until `shutdown`, with its background tasks; finishes the requests under way, and closes the database.
    pub async fn run(mut self, listeners: impl Into<Listeners>, shutdown: impl Future<Output = ()>) {
        let routers = routers(&self.state);
        let ending = Ending::default();
        tokio::select! {
            () = listeners.into().serve(routers, ending.record(shutdown)) => (),
            never = Box::pin(self.run_background()) => match never {},
        }
        self.close(&ending).await;
    }

    /// Runs the background tasks for as long as it is polled.
    async fn run_background(&mut self) -> Infallible {
        let state = self.state.clone();
        let relay = async {
            if let Some(worker) = &mut self.relay {
                worker.run().await;
            }
        };
        let sends_causes = state.sends_causes;
        let causes = async {
            if sends_causes {
                causes::run(&state).await;
            }
        };
        let beacon = async {
            if let Some(beacon) = &mut self.beacon {
                ask_beacon(beacon, &state).await;
            }
        };
        let heartbeats = async {
            if let Some(sender) = &mut self.heartbeat {
                heartbeat::run(sender, &state).await;
            }
        };
        tokio::join!(
            retention::run(&state.db, || state.clock.wall()),
            state.db.retry_writes(RETRY_INTERVAL),
            alive(&state.recorder),
            date(&state.recorder),
            keep_plans(&state),
            keep_calls(&state),
            watch::run(&self.watched),
            state.recorder.notices().run(&state.db, &state.clock),
            relay,
            causes,
            beacon,
            heartbeats,
        );
        pending().await
    }

    async fn close(self, ending: &Ending) {
        let Self { state, .. } = self;
        // What is not written down now is sent again, which changes nothing upstream.
        if let Ok(Err(error)) = timeout(FLUSH_TIMEOUT, state.outbox.flush_delivered()).await {
            tracing::warn!(cause = %root_cause(&error), "what upstream has taken could not be written down");
        }
        if let Ok(Err(error)) =
            timeout(FLUSH_TIMEOUT, state.recorder.looks().flush(&state.db, state.clock.now_for_looks())).await
        {
            tracing::warn!(cause = %root_cause(&error), "the latest looks could not be written down");
        }
        // What is not closed is as after a power cut: everything acknowledged is there.
        if timeout(ending.time_left(), state.db.close()).await.is_err() {
            tracing::warn!("the disk is too slow for the database to be closed");
        }
    }
}
