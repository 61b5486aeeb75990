//! The program: from its settings to its end.

use std::{collections::HashMap, process::ExitCode, sync::Arc, time::Duration};

use checks::{
    check::{Check, CheckName, Kind},
    outcome::{Outcome, State},
    probe::Prober,
    thresholds::Standing,
};
use jiff::Timestamp;
use shared::{
    api::ApiSettings,
    http::{Deadlines, SetupError, client_for, verifier},
    keeper_token,
    settings::{Settings, WrongSetting},
    statuspage::Client,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    time::timeout,
};

use super::{
    delivery::{ToKeeper, ToStatuspage},
    engine::Engine,
    home::HomeLine,
    listener, own_files,
    results::Results,
    settings::ChecksSettings,
    shown,
    source::{Found, Source},
    totals::Totals,
    trial::{self, Try, Turn},
    watching::Outlets,
};
use crate::{
    job::{destination::Destination, keeper::KeeperClient, settings::STATUSPAGE_TOKEN},
    programs::manager::Manager,
    serve::listen,
};

/// How long the keeper is asked at the start for what counts so far.
const KNOWN_WITHIN: Duration = Duration::from_secs(5);

/// The exit codes of `--once`: it does not work; it could not be checked.
const DOES_NOT_WORK: u8 = 1;
const NOT_CHECKED: u8 = 3;

impl Try for Arc<Prober> {
    async fn once(&self, check: &Check, turn: Turn) -> Outcome {
        self.run(&check.kind, turn.until).await
    }
}

/// Where results go.
enum Destined {
    Keeper(KeeperClient),
    Statuspage(Client, shared::id::PageId),
}

/// Runs the program until `stop`; or answers `--check`, `--once` or `--schema`.
///
/// # Errors
/// When the settings cannot work, or a file that they name.
pub async fn command(settings: &ChecksSettings, stop: impl Future<Output = ()>) -> Result<ExitCode, WrongSetting> {
    if settings.schema {
        println!("{:#}", checks::file::checks_yml::schema());
        return Ok(ExitCode::SUCCESS);
    }
    let source = Source::new(settings);
    let first = source.load();
    // Before anything runs: scripts must not read what this process was started with.
    if let Err(error) = checks::probe::script::protect_this_process(settings.secret_files()) {
        tracing::warn!(%error, "scripts may be able to read what this process was started with");
    }
    if let Some(name) = &settings.once {
        return once(&first, name).await;
    }
    if settings.check.is_some() {
        let first = first.in_order()?;
        if settings.check == Some(None) {
            settings.validate()?;
            destined(settings)?;
        }
        // What another program's file asks for and is not done is no fault of the file.
        first.notes.iter().for_each(|note| println!("note: {note}"));
        let warnings = settings.keeper().warnings();
        return Ok(ChecksSettings::checked(&own_files::counted(first.defined.len()), &warnings));
    }
    // Beside the page of a home, that is worth more than the file, which is read again.
    if first.usable.is_none() && !settings.is_within {
        return Err(first.sentences());
    }
    settings.validate()?;
    let destined = destined(settings)?;
    settings.keeper().warn(settings.statuspage.page_id.as_ref());
    let notes = first.usable.as_ref().map(|first| first.notes.clone()).unwrap_or_default();
    ChecksSettings::log_warnings(&[settings.keeper().warnings(), notes].concat());
    let address = Some(settings.checks_addr).filter(|_| !settings.is_within);
    let listener = match address.map(listen).transpose() {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!("{error}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let probe = Arc::new(prober()?);
    run(settings, source, first, destined, listener, probe, stop).await;
    Ok(ExitCode::SUCCESS)
}

fn prober() -> Result<Prober, WrongSetting> {
    Prober::new(verifier()).map_err(|error: SetupError| WrongSetting(error.to_string()))
}

fn destined(settings: &ChecksSettings) -> Result<Destined, WrongSetting> {
    if let Some(keeper) = Destination::keeper(&settings.keeper())? {
        return Ok(Destined::Keeper(keeper));
    }
    let page = &settings.statuspage;
    let id = page.page_id.clone().ok_or_else(|| WrongSetting("PAGE_ID is not set, nor is KEEPER_URL".into()))?;
    let token = STATUSPAGE_TOKEN.require()?;
    let name = token.name(STATUSPAGE_TOKEN.name_in_use());
    keeper_token::at_start(&token, &name, &page.statuspage_url, "STATUSPAGE_URL")?;
    let http = client_for([&page.statuspage_url], Deadlines::default());
    let http = http.map_err(|error| WrongSetting(error.to_string()))?;
    Ok(Destined::Statuspage(Client::new(http, &page.statuspage_url, token), id))
}

/// Of a file with which something is wrong, what is not may run.
async fn once(found: &Found, name: &str) -> Result<ExitCode, WrongSetting> {
    let defined = found.usable.iter().flat_map(|update| &update.defined);
    let names = defined.clone().map(|defined| defined.check.name.as_str());
    let Some(defined) = defined.clone().find(|defined| defined.check.name.as_str() == name) else {
        if !found.wrong.is_empty() {
            return Err(found.sentences());
        }
        let question = shared::settings::nearness::question(name, names);
        return Err(WrongSetting(format!("--once: there is no check {name}{question}")));
    };
    if matches!(defined.check.kind, Kind::Passive(_)) {
        return Err(WrongSetting(format!("--once: {name} is passive: it calls the keeper, and is not run")));
    }
    let outcome = trial::run(&defined.check, &Arc::new(prober()?), Timestamp::now).await.outcome;
    println!("{}", shown::outcome(&defined.check, &outcome));
    Ok(match outcome.state {
        State::Ok | State::Warning => ExitCode::SUCCESS,
        State::Critical => DOES_NOT_WORK.into(),
        State::Unknown => NOT_CHECKED.into(),
    })
}

async fn run(
    settings: &ChecksSettings,
    source: Source,
    first: Found,
    destined: Destined,
    listener: Option<TcpListener>,
    probe: Arc<Prober>,
    stop: impl Future<Output = ()>,
) {
    let totals = Arc::<Totals>::default();
    let results = Results::new(Arc::clone(&totals));
    let (definitions, receiver) = mpsc::channel(1);
    let mut standings = HashMap::new();
    let (home, asking) = match &destined {
        Destined::Keeper(keeper) => {
            standings = known(keeper).await;
            let (home, asking) = HomeLine::of(keeper.clone());
            (home, Some(asking))
        }
        Destined::Statuspage(..) => (HomeLine::unknown(), None),
    };
    let asking = async move {
        match asking {
            Some(asking) => asking.await,
            None => std::future::pending().await,
        }
    };
    let metrics = listener.as_ref().and_then(|listener| listener.local_addr().ok()).map(|address| address.to_string());
    let (checks, limit) = first.usable.as_ref().map_or((0, None), |first| (first.defined.len(), first.concurrency));
    tracing::info!(checks, metrics, "running");
    // That of UpTimePulse counts where nothing but its targets is checked.
    let limit = limit.unwrap_or_else(|| settings.checks_concurrency.into());
    let engine = Engine::new(probe, limit, home, results.clone(), Arc::clone(&totals));
    let (refusals, refused) = watch::channel(Vec::new());
    let (counted, waiting) = (Arc::clone(&totals), results.clone());
    let outlets = Outlets { definitions, refused, results: waiting, totals: counted };
    let reading = source.watch(first, standings, outlets);
    let manager = if settings.is_within { Manager::none() } else { Manager::of_environment() };
    manager.ready();
    let (has_ended, ended) = watch::channel(());
    let until_ended = || {
        let mut ended = ended.clone();
        // The end of the sender is what is waited for.
        async move { while ended.changed().await.is_ok() {} }
    };
    let working = async {
        tokio::select! {
            () = engine.run(receiver, manager.passing_on(stop)) => (),
            () = reading => (),
            () = asking => (),
        }
        drop(has_ended);
    };
    let counted = Arc::clone(&totals);
    let delivering = async {
        match destined {
            Destined::Keeper(keeper) => {
                let delivery = ToKeeper::new("checks", keeper, results, counted, refusals);
                delivery.with_own(own_files::check()).run(until_ended()).await;
            }
            Destined::Statuspage(client, page) => {
                let api = ApiSettings {
                    address: "STATUSPAGE_URL",
                    token: STATUSPAGE_TOKEN.name_in_use(),
                    ids: Some("PAGE_ID"),
                };
                ToStatuspage { client, page, results, api }.run(until_ended()).await;
            }
        }
    };
    let serving = async {
        if let Some(listener) = listener {
            listener::serve_health(listener, totals, until_ended()).await;
        }
    };
    manager.watching(async { tokio::join!(working, delivering, serving) }).await;
    tracing::info!("stopped");
}

/// What counted before this program began.
async fn known(keeper: &KeeperClient) -> HashMap<CheckName, Standing> {
    match timeout(KNOWN_WITHIN, keeper.known_checks()).await {
        Ok(Ok(known)) => known.into_iter().map(|(name, known)| (name, known.standing)).collect(),
        // Then what counts is learnt from the runs to come.
        Ok(Err(_)) | Err(_) => HashMap::new(),
    }
}
