//! What a job needs before its first run, the same for all of them.

use std::process::ExitCode;

use shared::{
    online::{self, OnlineCheck},
    settings::{Settings, WrongSetting},
};

use super::{
    destination::{Destination, Feed},
    memory::Memory,
    settings::{KeeperSettings, RunSettings, StatuspageSettings},
};

/// The settings of a job.
pub(crate) trait JobSettings: Settings {
    /// The name under which the keeper keeps what the job remembers.
    const STATE: &'static str;

    /// How the job is run.
    fn run(&self) -> &RunSettings;

    /// The keeper, and what takes its place as a memory.
    fn keeper(&self) -> &KeeperSettings;

    /// The status page that takes readings without a keeper; `None` for a job whose readings go to no page.
    fn statuspage(&self) -> Option<&StatuspageSettings>;

    /// The metrics of that page, and what each of them shows.
    fn feeds(&self) -> Vec<Feed>;

    /// Whether the settings agree with each other.
    ///
    /// # Errors
    /// When they do not; one sentence that names the setting.
    fn validate(&self) -> Result<(), WrongSetting>;

    /// Logs what is set and cannot be done as set.
    fn warn(&self) {}

    /// What the settings come to, for `--check`.
    fn summary(&self, destination: &Destination) -> String {
        destination.to_string()
    }
}

/// Where a job's readings go, and where it remembers.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) destination: Destination,
    pub(crate) memory: Memory,
}

impl Context {
    /// Validates the settings, and makes the clients that they name. Nothing is called yet.
    ///
    /// # Errors
    /// When the settings cannot work, or a secret that they need is missing.
    pub(crate) fn prepare(settings: &impl JobSettings) -> Result<Self, WrongSetting> {
        settings.validate()?;
        let page = settings.statuspage();
        let keeper = Destination::keeper(settings.keeper())?;
        let memory = Memory::new(keeper.clone(), settings.keeper().state_dir.clone());
        let destination = match page {
            Some(page) => Destination::choose(settings.run(), keeper, page, settings.feeds())?,
            None => keeper.map_or(Destination::Nowhere, Destination::Keeper),
        };
        settings.keeper().warn(page.and_then(|page| page.page_id.as_ref()));
        settings.warn();
        Ok(Self { destination, memory })
    }

    /// The answer to `--check`, and with `--online` whether what readings go to is there, and what else the job asks
    /// for. Without `--check` nothing is answered, and what is set without effect is logged.
    pub(crate) async fn check<S: JobSettings>(
        &self,
        settings: &S,
        more: impl Future<Output = Vec<OnlineCheck>>,
    ) -> Option<ExitCode> {
        let unused = settings.keeper().warnings();
        if !settings.run().check {
            S::log_warnings(&unused);
            return None;
        }
        let code = S::checked(&settings.summary(&self.destination), &unused);
        if !settings.run().online {
            return Some(code);
        }
        let (asked, more) = tokio::join!(self.destination.ask(S::STATE), more);
        Some(online::worse(code, online::report(&[asked, more].concat())))
    }
}
