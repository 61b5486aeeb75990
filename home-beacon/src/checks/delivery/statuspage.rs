//! Without a keeper: the status of each check's component goes straight to its page, when it turns and once at the start.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use checks::{
    check::{Check, CheckName, Place},
    outcome::State,
};
use shared::{
    api::{ApiError, ApiSettings},
    backoff::{Backoff, Jitter},
    id::{ComponentId, PageId},
    statuspage::{Client, ComponentStatus},
};
use tokio::time::{Instant, sleep, sleep_until};

use super::super::results::{Batch, Finished, Results};

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
    /// By component, what each of its checks says.
    statuses: BTreeMap<ComponentId, BTreeMap<CheckName, ComponentStatus>>,
    open: BTreeSet<ComponentId>,
}

impl Wanted {
    fn learn(&mut self, check: &Arc<Check>, counts: Option<State>) {
        let Place::Component(id) = &check.component else { return };
        let Some(status) = counts.and_then(State::component_status) else { return };
        let before = self.of(id);
        self.statuses.entry(id.clone()).or_default().insert(check.name.clone(), status);
        if self.of(id) != before {
            self.open.insert(id.clone());
        }
    }

    /// The worst that its checks say.
    fn of(&self, id: &ComponentId) -> Option<ComponentStatus> {
        self.statuses.get(id)?.values().copied().max()
    }

    /// Forgets checks that are not defined any more.
    fn keep(&mut self, names: &BTreeSet<&CheckName>) {
        let ids: Vec<ComponentId> = self.statuses.keys().cloned().collect();
        for id in ids {
            let before = self.of(&id);
            if let Some(checks) = self.statuses.get_mut(&id) {
                checks.retain(|name, _| names.contains(name));
            }
            if self.of(&id) != before {
                self.open.insert(id);
            }
        }
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
                Batch { list, runs } = self.results.next(BATCH) => {
                    if let Some(list) = list {
                        wanted.keep(&list.checks.iter().map(|check| &check.name).collect());
                    }
                    for Finished { check, standing, .. } in &runs {
                        wanted.learn(check, standing.counts);
                    }
                    self.results.settle();
                }
                () = sleep_until(again), if !wanted.open.is_empty() => (),
            }
            for id in wanted.open.clone() {
                let is_settled = match wanted.of(&id) {
                    Some(status) => self.settle(&id, status).await,
                    // Nothing is said of it any more.
                    None => true,
                };
                if is_settled {
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
