//! Without a keeper: the status of each check's component goes straight to its page, when it turns and once at the start.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use checks::{
    check::{Check, Place},
    outcome::State,
};
use shared::{
    api::{ApiError, ApiSettings},
    backoff::{Backoff, Jitter},
    id::{ComponentId, PageId},
    statuspage::{Client, ComponentStatus},
};
use tokio::time::{Instant, sleep, sleep_until};

use super::super::results::{Finished, Results};

/// How many results are looked through at once.
const BATCH: usize = 500;

/// From one call to the next: statuspage.io takes 60 a minute of all clients of a token.
const PACE: Duration = Duration::from_secs(2);

/// When a component is looked at again that is under maintenance.
const MAINTENANCE: Duration = Duration::from_secs(60);

/// The pauses while the page takes nothing.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(120), Jitter::Equal);

/// Writes statuses.
#[derive(Debug)]
pub(in super::super) struct ToStatuspage {
    pub(in super::super) client: Client,
    pub(in super::super) page: PageId,
    pub(in super::super) results: Results,
    pub(in super::super) api: ApiSettings<'static>,
}

/// What the components should be, and which of them may not be.
#[derive(Debug, Default)]
struct Wanted {
    statuses: BTreeMap<ComponentId, ComponentStatus>,
    open: BTreeSet<ComponentId>,
}

impl Wanted {
    fn learn(&mut self, check: &Arc<Check>, counts: Option<State>) {
        let Place::Component(id) = &check.component else { return };
        let Some(status) = counts.and_then(status_of) else { return };
        if self.statuses.insert(id.clone(), status) != Some(status) {
            self.open.insert(id.clone());
        }
    }
}

/// The status of a component whose check counts so; `None`: it stays.
pub(in super::super) const fn status_of(counts: State) -> Option<ComponentStatus> {
    match counts {
        State::Ok => Some(ComponentStatus::Operational),
        State::Warning => Some(ComponentStatus::DegradedPerformance),
        State::Critical => Some(ComponentStatus::MajorOutage),
        State::Unknown => None,
    }
}

impl ToStatuspage {
    /// Writes until `stop`.
    pub(in super::super) async fn run(self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = stop => (),
            () = self.go_on() => (),
        }
    }

    async fn go_on(&self) {
        let mut wanted = Wanted::default();
        let mut again = Instant::now();
        loop {
            tokio::select! {
                batch = self.results.next(BATCH) => {
                    for Finished { check, standing, .. } in &batch {
                        wanted.learn(check, standing.counts);
                    }
                    self.results.settle();
                }
                () = sleep_until(again), if !wanted.open.is_empty() => (),
            }
            for id in wanted.open.clone() {
                let status = wanted.statuses[&id];
                if self.settle(&id, status).await {
                    wanted.open.remove(&id);
                }
                sleep(PACE).await;
            }
            again = Instant::now() + MAINTENANCE;
        }
    }

    /// Whether the component is as it should be now; it is not while a person has it under maintenance.
    async fn settle(&self, id: &ComponentId, status: ComponentStatus) -> bool {
        for failures in 0..3 {
            match self.write(id, status).await {
                Ok(is_done) => return is_done,
                Err(error @ ApiError::Passing(_)) => {
                    tracing::warn!(component = %id, "not written yet: {}", error.advice(&self.api));
                    sleep(BACKOFF.pause(failures, fastrand::f64())).await;
                }
                Err(error) => {
                    tracing::error!(component = %id, "not written: {}", error.advice(&self.api));
                    return false;
                }
            }
        }
        false
    }

    async fn write(&self, id: &ComponentId, status: ComponentStatus) -> Result<bool, ApiError> {
        let now = self.client.component(&self.page, id).await?.status;
        if now == Some(ComponentStatus::UnderMaintenance) {
            return Ok(false);
        }
        if now != Some(status) {
            self.client.set_status(&self.page, id, status).await?;
            tracing::info!(component = %id, status = status.as_str(), "written");
        }
        Ok(true)
    }
}
