//! This home's heartbeats to the cloud, with what the home sees of its line. How one is sent is [`heartbeat`](crate::heartbeat)'s
//! business.
//!
//! - `view`: what is told of the line (pure)

mod view;

use std::{convert::Infallible, future::pending, time::Duration};

use serde_json::json;
use shared::{
    heartbeat::{Outage, View},
    settings::WrongSetting,
};
use tokio::time::Instant;

use self::view::{Line, Over, last_over};
use super::{
    KeeperError,
    db::Moment,
    http::{AppState, evidence, inside::observed},
    inside::classify,
    job_states,
    measured::on_the_way,
};
use crate::{
    clock::Host,
    heartbeat::{
        rounds::{Rounds, keep},
        sender::{Sender, Sending},
        settings::HeartbeatConfig,
    },
};

/// What sends a keeper's heartbeats.
pub(super) type HomeSender = Sender<Home>;

/// The name under which the next sequence is remembered, beside what jobs remember.
const STATE: &str = "heartbeat";

/// Sequences that are reserved at once: the disk is written for them each 17 hours.
const BLOCK: u64 = 1024;

/// How much of the past says how the line is now, in milliseconds.
const LATELY: i64 = 2 * HOUR;
/// How much of it is looked through for the last outage: a day, and where none was taken for longer, since then.
const SEARCHED: i64 = 24 * HOUR;
const MOST_SEARCHED: i64 = 7 * 24 * HOUR;
const HOUR: i64 = 60 * 60 * 1000;

/// How often it is looked for while nothing changes, and how long after a change each time: what came back says what was gone.
const SEARCH_EVERY: Duration = Duration::from_mins(10);
const SETTLING: Duration = Duration::from_mins(20);

/// What sends the heartbeats of that keeper.
///
/// # Errors
/// When the address cannot be one any more, or this machine can make no client.
pub(super) fn sender(config: HeartbeatConfig, state: &AppState) -> Result<HomeSender, WrongSetting> {
    let home = Home::new(state.clone(), state.heartbeats.clone().unwrap_or_default());
    Sender::new(config, home, state.clock.host().clone(), BLOCK)
}

/// Sends them for as long as it is polled.
pub(super) async fn run(sender: &mut HomeSender, state: &AppState) {
    if let Some(rounds) = &state.heartbeats {
        match Box::pin(keep(sender, rounds)).await {}
    }
}

/// Sends them for as long as it is polled, of a keeper whose database cannot be written yet: the home is there all the same.
pub(super) async fn run_without_database(config: Option<&HeartbeatConfig>, host: &Host) -> Infallible {
    match config.cloned().map(|config| Sender::new(config, Blind, host.clone(), BLOCK)) {
        Some(Ok(mut sender)) => Box::pin(keep(&mut sender, &Rounds::default())).await,
        Some(Err(_)) | None => pending().await,
    }
}

/// What remembers nothing, and sees nothing.
#[derive(Debug)]
struct Blind;

impl Sending for Blind {
    async fn load(&self) -> Result<Option<u64>, String> {
        Ok(None)
    }

    async fn save(&self, _: u64) -> Result<(), String> {
        Ok(())
    }

    async fn seen(&mut self) -> (View, Option<Outage>) {
        (View::UNKNOWN, None)
    }
}

/// A keeper's home, as its heartbeats tell of it.
#[derive(Debug)]
pub(super) struct Home {
    state: AppState,
    rounds: Rounds,
    line: Line,
    last: Option<Over>,
    searched: Option<Instant>,
    settles: Instant,
}

impl Home {
    fn new(state: AppState, rounds: Rounds) -> Self {
        let settles = Instant::now() + SETTLING;
        Self { state, rounds, line: Line::default(), last: None, searched: None, settles }
    }

    async fn look(&mut self) -> Result<(View, Option<Outage>), KeeperError> {
        // What is measured meanwhile has no time.
        let Some(now) = self.state.clock.trusted_now() else { return Ok((View::UNKNOWN, None)) };
        let now = now.as_millisecond();
        let (probes, _) = on_the_way::read(&self.state.db, now - LATELY..now + 1).await?;
        let (view, has_changed) = self.line.view(&probes, now);
        if has_changed || self.rounds.report().failing.is_some() {
            self.settles = Instant::now() + SETTLING;
        }
        let is_due = self.searched.is_none_or(|at| at.elapsed() >= SEARCH_EVERY || Instant::now() < self.settles);
        if is_due {
            self.searched = Some(Instant::now());
            self.last = self.search(now).await?;
        }
        Ok((view, self.last.map(|last| last.as_of(now))))
    }

    /// The last outage that is over.
    async fn search(&self, now: i64) -> Result<Option<Over>, KeeperError> {
        let taken = self.rounds.report().last.and_then(|at| i64::try_from(at).ok()).map(|second| second * 1000 - HOUR);
        let from = taken.map_or(now - SEARCHED, |taken| taken.min(now - SEARCHED).max(now - MOST_SEARCHED));
        let found = evidence::of_home(&self.state, Moment::try_from(from).ok()).await?;
        let Some((component, records)) = found else { return Ok(None) };
        Ok(last_over(&classify(&observed(&self.state, &component, &records, from..now).await?)))
    }
}

impl Sending for Home {
    async fn load(&self) -> Result<Option<u64>, String> {
        match job_states::get(&self.state.db, STATE).await {
            Ok(document) => Ok(document["next"].as_u64()),
            Err(KeeperError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn save(&self, next: u64) -> Result<(), String> {
        let (storage, now) = ((&self.state.db, self.state.recorder.notices()), self.state.clock.now());
        let saved = job_states::set(storage, now, STATE, &json!({ "next": next }), |_| true).await;
        saved.map_err(|error| error.to_string())
    }

    async fn seen(&mut self) -> (View, Option<Outage>) {
        self.look().await.unwrap_or_else(|error| {
            tracing::debug!(%error, "what the home sees cannot be read for its heartbeat");
            (View::UNKNOWN, None)
        })
    }
}
