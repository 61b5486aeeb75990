//! What outlives a run, and probing one home without a page.

use std::sync::{OnceLock, atomic::AtomicBool};

use shared::{
    certificates::Certificates,
    http::{self, Deadlines, SetupError},
    look::Location,
};
use tokio::time::Instant;
use url::Url;

use crate::{
    heartbeat::Watch,
    judge::judge,
    kept::{
        secrets::{RunSecrets, Secrets},
        state::{State, StateSession},
    },
    look::{Memory, OutsideAddresses},
    mode::Mode,
    notices::Notices,
    observe::{Checker, Observer, ProbeConfig, Progress, WitnessCheck, witness::WrongWitnesses},
    plan::Rules,
    report::Probed,
    target::{Home, Target, Targets},
    timing::Timing,
};

/// Everything that outlives a run. No connection is kept.
#[derive(Debug)]
pub struct Prober {
    pub(super) statuspage: Url,
    pub(super) secrets: Secrets,
    pub(super) mode: Mode,
    pub(super) state: Option<State>,
    pub(super) config: ProbeConfig,
    pub(super) rules: Rules,
    /// `None` where no home sends heartbeats.
    pub(super) heartbeats: Option<Watch>,
    pub(super) location: Location,
    /// That of a second prober of the same homes, which has a say.
    pub(super) other_location: Option<Location>,
    /// `None` where they are not asked for.
    pub(super) outside: Option<OutsideAddresses>,
    /// `None` where nobody is written to.
    pub(super) notices: Option<Notices>,
    /// What the run before concluded.
    pub(super) memory: Memory,
    /// Whether it was said that the keeper takes no looks.
    pub(super) is_refusal_logged: AtomicBool,
    progress: Option<Progress>,
    clients: OnceLock<Clients>,
}

/// A run that could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No TLS client can be made.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The list of targets cannot be read or used; the next run may try again.
    #[error("there are no targets: {0}")]
    Targets(String),
    /// A witness is a target.
    #[error("WITNESSES: {0}")]
    Witnesses(#[from] WrongWitnesses),
    /// Neither settings nor parameters nor the event name a target.
    #[error(
        "there is nothing to probe: set CANARY_URL, PAGE_ID and COMPONENT_ID, or TARGETS, or TARGETS_PARAMETER, or give \
         the schedule an input with targets"
    )]
    NothingToProbe,
}

/// Made at the first run: reading the machine's certificates is kept out of a function's start.
#[derive(Debug)]
pub(super) struct Clients {
    certificates: Certificates,
    /// The client of the page's API.
    pub(super) http: http::Client,
}

impl Prober {
    /// A prober without state, with the default configuration and rules.
    pub fn new(statuspage: Url, secrets: Secrets, mode: Mode) -> Self {
        let (config, rules) = (ProbeConfig::default(), Rules::default());
        Self {
            statuspage,
            secrets,
            mode,
            state: None,
            config,
            rules,
            heartbeats: None,
            location: Location::local(),
            other_location: None,
            outside: None,
            notices: None,
            memory: Memory::default(),
            is_refusal_logged: AtomicBool::new(false),
            progress: None,
            clients: OnceLock::new(),
        }
    }

    /// Where it is, as homes read it in what it signs.
    #[must_use]
    pub fn with_location(self, location: Location) -> Self {
        Self { location, ..self }
    }

    /// Goes by what the prober at that location sees, too.
    #[must_use]
    pub fn with_other_location(self, other_location: Option<Location>) -> Self {
        Self { other_location, ..self }
    }

    /// Lets it ask the world which address it comes from, so that it knows a home of its own network by that.
    #[must_use]
    pub fn asking_for_its_address(self) -> Self {
        Self { outside: Some(OutsideAddresses::default()), ..self }
    }

    /// Keeps state between runs, or none.
    #[must_use]
    pub fn with_state(self, state: Option<State>) -> Self {
        Self { state, ..self }
    }

    /// Writes to people, too.
    #[must_use]
    pub fn with_notices(self, notices: Option<Notices>) -> Self {
        Self { notices, ..self }
    }

    /// How homes are probed.
    #[must_use]
    pub fn with_config(self, config: ProbeConfig) -> Self {
        Self { config, ..self }
    }

    /// What the operator wants of the pages.
    #[must_use]
    pub fn with_rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// Where the heartbeats of homes are.
    #[must_use]
    pub fn with_heartbeats(self, heartbeats: Option<Watch>) -> Self {
        Self { heartbeats, ..self }
    }

    /// What is called with each attempt as it ends.
    #[must_use]
    pub fn with_progress(self, progress: Option<Progress>) -> Self {
        Self { progress, ..self }
    }

    /// Probes one home, whatever its page says.
    ///
    /// # Errors
    /// When a witness is the target, or this machine cannot make a TLS client at all.
    pub async fn probe(&self, home: &Home, timing: &Timing) -> Result<Probed, RunError> {
        let began = Instant::now();
        self.config.witnesses.check_against(&home.addresses)?;
        let secrets = RunSecrets::new(&self.secrets, vec![home], began + timing.budget);
        let witness_check = WitnessCheck::new(&self.config.witnesses, timing);
        let session = StateSession { record: None };
        let observer = self.observer(
            Checker { secrets: &secrets, home, signer: None },
            self.clients()?,
            &witness_check,
            session,
            began,
        );
        let attempts = observer.observe().await;
        Ok(Probed { home: home.clone(), verdict: judge(&attempts, self.config.degraded_above), attempts })
    }

    /// Whether this target's answers must be proven.
    pub(crate) fn expects_proof(&self, target: &Target) -> bool {
        self.secrets.has_key(&target.home)
    }

    /// The targets that Parameter Store lists.
    pub(super) async fn listed_targets(&self, until: Instant) -> Result<Targets, RunError> {
        self.secrets.targets(until).await.map_err(RunError::Targets)?.ok_or(RunError::NothingToProbe)
    }

    pub(super) fn observer<'run>(
        &self,
        checker: Checker<'run>,
        clients: &'run Clients,
        witness_check: &'run WitnessCheck<'run>,
        session: StateSession<'run>,
        began: Instant,
    ) -> Observer<'run> {
        Observer {
            checker,
            certificates: &clients.certificates,
            timing: witness_check.timing,
            witness_check,
            session,
            degraded_above: self.config.degraded_above,
            began,
            progress: self.progress,
            always_check_witnesses: self.mode == Mode::DryRun,
        }
    }

    pub(super) fn clients(&self) -> Result<&Clients, SetupError> {
        if let Some(clients) = self.clients.get() {
            return Ok(clients);
        }
        let verifier = http::verifier();
        let http = http::client(&http::tls_config_by(verifier.clone())?, Deadlines::default());
        let certificates = Certificates::new(verifier)?;
        Ok(self.clients.get_or_init(|| Clients { certificates, http }))
    }
}
