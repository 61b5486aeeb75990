//! The prober of `up`. It sees the home from within, so what it sees never counts as a look: it writes what the beacon's own
//! machine knows, and the page goes on saying that nobody outside has looked.

use std::time::Duration;

use lambda_prober::{
    kept::{
        secrets::{Places, Secrets},
        state::{State, StatePlace},
    },
    look::vantage::VantageSetting,
    mode::Mode,
    observe::ProbeConfig,
    run::Prober,
    target::{Home, Target, Targets},
    timing::Timing,
};
use shared::{
    id::{ComponentId, PageId},
    secret::SecretSource,
};
use tokio::time::{MissedTickBehavior, interval};
use url::Url;

use super::folder::Folder;

const INTERVAL: Duration = Duration::from_mins(1);

const ATTEMPTS: usize = 3;

/// A prober on the home's own machine.
#[derive(Debug)]
pub(super) struct Inside {
    prober: Prober,
    targets: Targets,
}

impl Inside {
    /// One that probes that beacon, and writes to the keeper beside it.
    ///
    /// # Errors
    /// When the beacon's address is no target.
    pub(super) fn new(
        folder: &Folder,
        (api, token): (Url, SecretSource),
        (beacon, key): (Url, SecretSource),
        (page, component, name): (PageId, ComponentId, String),
    ) -> anyhow::Result<Self> {
        let prober = Prober::new(api, Secrets::new(Places::local(token, Some(key), None)), Mode::Publish)
            .with_state(Some(State::new(StatePlace::File(folder.file("prober.json")))))
            .with_config(ProbeConfig { vantage: VantageSetting::Inside, ..ProbeConfig::default() });
        let home = Home { name, ..Home::at(&beacon) };
        let target = Target { home, page, component, response_metric: None, depends_on: None };
        Ok(Self { prober, targets: Targets::new(vec![target])? })
    }

    /// Probes once a minute, for as long as it is polled.
    pub(super) async fn run(&self) {
        let timing = Timing::every(INTERVAL, ATTEMPTS);
        let mut due = interval(INTERVAL);
        due.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            due.tick().await;
            match self.prober.run(Some(&self.targets), &timing).await {
                Ok(report) => report.targets.iter().for_each(|target| {
                    tracing::debug!(verdict = target.verdict.label(), "seen from inside");
                }),
                Err(error) => tracing::warn!(%error, "the beacon could not be probed from inside"),
            }
        }
    }
}
