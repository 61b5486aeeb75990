//! The prober of an outside machine, for the home that has joined.

use anyhow::Context;
use home_beacon::keeper::seed::Seed;
use lambda_prober::{
    judge::identity::{Identity, WhichKey},
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
use shared::{message::cause, secret::SecretSource};
use tokio::time::{MissedTickBehavior, interval};
use url::Url;

use super::{
    choices::JoinedHome, files::OLD_KEY_FILE, folder::Folder, join::KEY_FILE, looking::LookingSettings, say,
    writing::WritingSettings,
};

/// A prober that looks at one home from here.
#[derive(Debug)]
pub(super) struct Lookout {
    prober: Prober,
    targets: Targets,
    looking: LookingSettings,
    writing: WritingSettings,
    folder: Folder,
    api: (Url, SecretSource),
}

impl Lookout {
    /// One that writes to the keeper of this machine.
    ///
    /// # Errors
    /// When the key is gone, or the home has no component.
    pub(super) fn new(
        folder: &Folder,
        api: (Url, SecretSource),
        (seed, home): (&Seed, &JoinedHome),
        (looking, writing): (&LookingSettings, &WritingSettings),
    ) -> anyhow::Result<Self> {
        let prober = prober(folder, &api, (looking, writing))?;
        let component = seed.components.first().context("the home's page has no component")?;
        let target = Target {
            home: Home { name: component.name.clone(), ..Home::at(&home.url) },
            page: seed.page.id.clone(),
            component: component.id.clone(),
            response_metric: None,
            depends_on: None,
        };
        let (looking, writing, targets) = (looking.clone(), writing.clone(), Targets::new(vec![target])?);
        Ok(Self { prober, targets, looking, writing, folder: folder.clone(), api })
    }

    /// One run.
    ///
    /// # Errors
    /// When it cannot begin.
    async fn run(&self) -> Result<Report, RunError> {
        let timing = Timing::every(self.looking.interval(), self.looking.most_attempts());
        self.prober.run(Some(&self.targets), &timing).await
    }

    /// Forgets the key before this one, once the home has proven itself by this one.
    fn forget_old_key(&mut self, report: &Report) {
        if !self.folder.file(OLD_KEY_FILE).exists() || !is_proven_by_current_key(report) {
            return;
        }
        let forgotten = self.folder.delete(OLD_KEY_FILE).map_err(anyhow::Error::from);
        match forgotten.and_then(|()| prober(&self.folder, &self.api, (&self.looking, &self.writing))) {
            Ok(prober) => self.prober = prober,
            Err(error) => tracing::warn!("the home's old key counts for another while: {error:#}"),
        }
    }
}

/// A prober with the keys as they are now.
fn prober(
    folder: &Folder,
    (api, token): &(Url, SecretSource),
    (looking, writing): (&LookingSettings, &WritingSettings),
) -> anyhow::Result<Prober> {
    let key = folder.known_secret("BEACON_KEY", KEY_FILE)?;
    let key = key.context("the home's key is gone: have it join again, by the code of `porchlight code`")?;
    let places = Places::local(token.clone(), Some(key), folder.known_secret("BEACON_KEY_OLD", OLD_KEY_FILE)?);
    let place = StatePlace::File(folder.file("prober.json"));
    Ok(Prober::new(api.clone(), Secrets::new(places), Mode::Publish)
        .with_notices(writing.prober(folder, &place)?)
        .with_state(Some(State::new(place)))
        .with_config(looking.config()?)
        .with_location(looking.place())
        .asking_for_its_address())
}

fn is_proven_by_current_key(report: &Report) -> bool {
    let attempts = report.targets.iter().flat_map(|target| &target.attempts);
    let mut answers =
        attempts.flat_map(|attempt| &attempt.exchanges).filter_map(|exchange| exchange.outcome.as_ref().ok());
    answers.any(|answer| matches!(answer.identity, Identity::Proven { with: WhichKey::Current, .. }))
}

/// Probes the home that has joined; never returns.
pub(super) async fn keep_looking(lookout: Option<Lookout>) {
    let Some(mut lookout) = lookout else { return std::future::pending().await };
    let mut due = interval(lookout.looking.interval());
    due.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut last = None;
    loop {
        due.tick().await;
        match lookout.run().await {
            Ok(report) => {
                lookout.forget_old_key(&report);
                for target in &report.targets {
                    // A line for each change, not for each minute.
                    if last.replace(target.verdict) != Some(target.verdict) {
                        say(format_args!("{}", OneLine { at: report.at, target }));
                        if let Some(entry) = cause(target.verdict) {
                            say(format_args!("          more: {}", entry.link()));
                        }
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
