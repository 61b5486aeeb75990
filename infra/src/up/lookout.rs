//! The prober of an outside machine, for the home that has joined.

use std::time::Duration;

use anyhow::Context;
use home_beacon::keeper::seed::Seed;
use lambda_prober::{
    kept::{
        secrets::{Places, Secrets},
        state::{State, StatePlace},
    },
    mode::Mode,
    report::{Report, explain::OneLine},
    run::{Prober, RunError},
    target::{Home, Target, Targets},
    timing::Timing,
};
use shared::secret::SecretSource;
use tokio::time::{MissedTickBehavior, interval};
use url::Url;

use super::{choices::JoinedHome, folder::Folder, join::KEY_FILE, say, settings::UpSettings};

/// A prober that looks at one home from here.
#[derive(Debug)]
pub(super) struct Lookout {
    prober: Prober,
    targets: Targets,
    attempts: usize,
}

impl Lookout {
    /// One that writes to the keeper of this machine.
    ///
    /// # Errors
    /// When the key is gone, or the home has no component.
    pub(super) fn new(
        folder: &Folder,
        (api, token): (Url, SecretSource),
        (seed, home): (&Seed, &JoinedHome),
        settings: &UpSettings,
    ) -> anyhow::Result<Self> {
        let key = folder.known_secret("BEACON_KEY", KEY_FILE)?;
        let key = key.context("the home's key is gone: have it join again, by the code of `porchlight code`")?;
        let prober = Prober::new(api, Secrets::new(Places::local(token, Some(key))), Mode::Publish)
            .with_state(Some(State::new(StatePlace::File(folder.file("prober.json")))))
            .with_config(settings.probing.config())
            .with_location(settings.location.clone())
            .asking_for_its_address();
        let component = seed.components.first().context("the home's page has no component")?;
        let target = Target {
            home: Home { name: component.name.clone(), url: home.url.clone(), keys: None },
            page: seed.page.id.clone(),
            component: component.id.clone(),
            response_metric: None,
        };
        Ok(Self { prober, targets: Targets::new(vec![target])?, attempts: settings.probing.attempts.into() })
    }

    /// One run.
    ///
    /// # Errors
    /// When it cannot begin.
    pub(super) async fn run(&self, every: Duration) -> Result<Report, RunError> {
        self.prober.run(Some(&self.targets), &Timing::every(every, self.attempts)).await
    }
}

/// Probes the home that has joined; never returns.
pub(super) async fn keep_looking(lookout: Option<&Lookout>, every: Duration) {
    let Some(lookout) = lookout else { return std::future::pending().await };
    let mut due = interval(every);
    due.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut last = None;
    loop {
        due.tick().await;
        match lookout.run(every).await {
            Ok(report) => {
                for target in &report.targets {
                    // A line for each change, not for each minute.
                    if last.replace(target.verdict) != Some(target.verdict) {
                        say(format_args!("{}", OneLine { at: report.at, target }));
                    }
                }
                if !report.published {
                    tracing::warn!("the page could not be changed as it should be; the next run tries again");
                }
            }
            Err(error) => tracing::warn!(%error, "the probe could not begin"),
        }
    }
}
