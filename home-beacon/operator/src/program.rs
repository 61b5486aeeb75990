//! The program: from its settings to its end.

use std::{
    future::pending,
    pin::pin,
    process::ExitCode,
    sync::{Arc, PoisonError},
};

use checks::probe::Prober;
use home_beacon::{
    checks::{Engine, Finished, HomeLine, Results, ToKeeper, serve_health},
    job::{
        keeper::{KeeperClient, KnownCheck},
        settings::KeeperSettings,
    },
    serve::listen,
};
use jiff::Timestamp;
use kube::{Client, Config};
use shared::{http::verifier, secret::Secret, settings::WrongSetting};
use tokio::sync::{mpsc, watch};

use crate::{
    channels,
    defining::{Defining, Standings},
    health::Health,
    leader::{Candidate, Leadership},
    mutes,
    objects::crd,
    runs::Runs,
    settings::OperatorSettings,
    statuses, watching,
};

/// Runs the program until `stop`; or prints the definitions.
///
/// # Errors
/// When the settings cannot work.
pub async fn command(settings: &OperatorSettings, stop: impl Future<Output = ()>) -> Result<ExitCode, WrongSetting> {
    if settings.crds {
        print!("{}", crd::yaml());
        return Ok(ExitCode::SUCCESS);
    }
    settings.validate()?;
    let keeper = KeeperSettings { keeper_url: settings.keeper_url.clone(), state_dir: None, token: None };
    let keeper = keeper.client()?.ok_or_else(|| WrongSetting("KEEPER_URL is not set: name the keeper".into()))?;
    let config = Config::infer().await.map_err(|error| {
        WrongSetting(format!(
            "there is no way to the API server ({error}): run this in a pod with a service account, or with KUBECONFIG"
        ))
    })?;
    let client =
        Client::try_from(config).map_err(|error| WrongSetting(format!("the API server cannot be asked: {error}")))?;
    let prober = Prober::new(verifier()).map_err(|error| WrongSetting(error.to_string()))?;
    let listener = match listen(settings.operator_addr) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!("{error}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let metrics = listener.local_addr().ok().map(|address| address.to_string());
    tracing::info!(metrics, namespaces = settings.namespaces.join(","), "started");
    let health = Health::default();
    let (ending, ended) = watch::channel(());
    let serving = serve_health(listener, Arc::new(health.clone()), until_dropped(ended));
    let working = async {
        let code = work(settings, keeper, client, prober, &health, stop).await;
        drop(ending);
        code
    };
    Ok(tokio::join!(working, serving).0)
}

/// Until the other end of it is gone.
async fn until_dropped(mut ended: watch::Receiver<()>) {
    while ended.changed().await.is_ok() {}
}

/// Waits until it leads, where there are several, and runs.
async fn work(
    settings: &OperatorSettings,
    keeper: KeeperClient,
    client: Client,
    prober: Prober,
    health: &Health,
    stop: impl Future<Output = ()>,
) -> ExitCode {
    let mut stop = pin!(stop);
    let lease = settings.operator_lease.as_ref();
    let mut candidate = lease.map(|lease| Candidate::new(client.clone(), &lease.namespace, &lease.name));
    if let Some(candidate) = &mut candidate {
        tokio::select! {
            () = &mut stop => return ExitCode::SUCCESS,
            () = candidate.acquire() => (),
        }
    }
    let leadership = candidate.as_ref().map_or_else(Leadership::alone, Candidate::leadership);
    let (surroundings, bounds) = (settings.surroundings(), settings.bounds());
    let runs = Runs::new(client.clone(), prober, surroundings, bounds, leadership, health.clone(), Timestamp::now);
    health.leads();
    tracing::info!("running");
    let leading = async {
        match &mut candidate {
            Some(candidate) => candidate.keep().await,
            None => pending().await,
        }
    };
    let is_lost = Box::pin(run(settings, keeper, client, runs, health, stop, leading)).await;
    if is_lost {
        tracing::error!(
            "the Lease is lost, so this operator ends: another one goes on, and this one waits when it is started again"
        );
        return ExitCode::FAILURE;
    }
    if let Some(candidate) = candidate {
        candidate.release().await;
    }
    tracing::info!("stopped");
    ExitCode::SUCCESS
}

/// Runs until `stop`, or until it leads no more: whether that is why.
async fn run(
    settings: &OperatorSettings,
    keeper: KeeperClient,
    client: Client,
    runs: Runs,
    health: &Health,
    stop: impl Future<Output = ()>,
    leading: impl Future<Output = ()>,
) -> bool {
    let totals = health.totals();
    let (finished_sender, finished) = mpsc::channel(1024);
    let results = Results::with_listener(Arc::clone(&totals), finished_sender);
    let (home, asking) = HomeLine::of(keeper.clone());
    let (definitions, receiver) = mpsc::channel(1);
    let (worlds, world) = mpsc::channel(1);
    let (channels, written) = watch::channel(None);
    let (handed_over, mut kept) = mpsc::channel::<Vec<Finished>>(16);
    let (refusals, refused) = watch::channel(Vec::new());
    let (to_statuses, resolved) = mpsc::channel(1);
    // What is run at once is bounded by the runs themselves: one that waits for its turn is to keep no other kind from its own.
    let engine = Engine::new(runs.clone(), usize::MAX, home, results.clone(), Arc::clone(&totals));
    let delivery = ToKeeper::new("operator", keeper.clone(), results, totals, refusals).notifying(handed_over);
    let standings = Standings::default();
    let (muting, muted) = watch::channel(mutes::Mutes::new());
    let asking_of_mutes = mutes::follow(keeper.clone(), muting);
    let defining = Defining {
        rules: settings.rules(),
        keeper,
        runs: runs.clone(),
        standings: Arc::clone(&standings),
        definitions,
        to_statuses,
        channels,
        telegram: settings.telegram_server.clone(),
        health: health.clone(),
    };
    let serving = statuses::write(
        client.clone(),
        statuses::Sources { resolved, finished, refused, muted, clock: Timestamp::now },
        health.clone(),
    );
    let (ending, ended) = watch::channel(());
    let working = async {
        let mut is_lost = false;
        tokio::select! {
            () = engine.run(receiver, stop) => (),
            () = asking => (),
            () = asking_of_mutes => (),
            () = watching::watch(client.clone(), settings.namespaces.clone(), runs.clone(), worlds, health.clone()) => (),
            () = defining.follow(world) => (),
            () = serving => (),
            () = keeping_channels(client.clone(), settings.channels_secret.as_deref(), written) => (),
            () = leading => is_lost = true,
        }
        drop(ending);
        is_lost
    };
    let keeping = async {
        while let Some(finished) = kept.recv().await {
            for run in finished {
                runs.kept(&run.check, run.at);
                let now = KnownCheck { standing: run.standing, ran_at: Some(run.at), ..KnownCheck::default() };
                standings.lock().unwrap_or_else(PoisonError::into_inner).insert(run.check.name.clone(), now);
            }
        }
    };
    let (is_lost, (), ()) = tokio::join!(working, delivery.run(until_dropped(ended)), keeping);
    runs.settle().await;
    is_lost
}

/// Writes the channels where that is wanted.
async fn keeping_channels(client: Client, secret: Option<&str>, urls: watch::Receiver<Option<Secret>>) {
    match secret {
        Some(secret) => channels::keep(client, secret, urls).await,
        None => pending().await,
    }
}
