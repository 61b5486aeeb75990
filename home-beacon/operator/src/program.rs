//! The program: from its settings to its end.

use std::{
    collections::HashMap,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use checks::{check::CheckName, probe::Prober};
use home_beacon::{
    checks::{Defined, Definitions, Engine, Finished, HomeLine, Results, ToKeeper, Totals},
    job::{
        keeper::{KeeperClient, KnownCheck},
        settings::KeeperSettings,
    },
};
use jiff::Timestamp;
use kube::{Client, Config};
use shared::{http::verifier, settings::WrongSetting};
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

use crate::{
    objects::{Object, crd},
    resolve::{Outcomes, Rules, World, resolve},
    runs::{Runs, Scripted},
    settings::OperatorSettings,
    statuses::{self, News},
    watching,
};

/// How long the keeper is asked at the start for what it knows.
const KNOWN_WITHIN: Duration = Duration::from_secs(60);

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
    let (news, told) = mpsc::channel(1024);
    let runs = Runs::new(client.clone(), prober, settings.surroundings(), news.clone());
    tracing::info!(namespaces = settings.namespaces.join(","), "running");
    let told = statuses::write(client.clone(), told);
    run(settings, keeper, client, runs, news, stop, told).await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

async fn run(
    settings: &OperatorSettings,
    keeper: KeeperClient,
    client: Client,
    runs: Runs,
    news: mpsc::Sender<News>,
    stop: impl Future<Output = ()>,
    telling: impl Future<Output = ()>,
) {
    let totals = Arc::<Totals>::default();
    let results = Results::new(Arc::clone(&totals));
    let (home, asking) = HomeLine::of(keeper.clone());
    let (definitions, receiver) = mpsc::channel(1);
    let (worlds, world) = mpsc::channel(1);
    let (handed_over, mut kept) = mpsc::channel::<Vec<Finished>>(16);
    let (refusals, refused) = watch::channel(Vec::new());
    let engine =
        Engine::new(runs.clone(), settings.checks_concurrency.into(), home, results.clone(), Arc::clone(&totals));
    let delivery = ToKeeper::new("operator", keeper.clone(), results, totals, refusals).telling(handed_over);
    let (rules, standings) = (settings.rules(), Standings::default());
    let (ending, ended) = watch::channel(());
    let until_ended = async move {
        let mut ended = ended;
        while ended.changed().await.is_ok() {}
    };
    let working = async {
        tokio::select! {
            () = engine.run(receiver, stop) => (),
            () = asking => (),
            () = watching::watch(client.clone(), settings.namespaces.clone(), runs.clone(), worlds) => (),
            () = defining(&rules, &keeper, &runs, &standings, world, definitions, news) => (),
            () = telling => (),
        }
        drop((ending, refused));
    };
    let keeping = async {
        while let Some(finished) = kept.recv().await {
            for run in finished {
                runs.kept(&run.check, run.at);
                let now = KnownCheck { standing: run.standing, ran_at: Some(run.at) };
                standings.lock().unwrap_or_else(PoisonError::into_inner).insert(run.check.name.clone(), now);
            }
        }
    };
    tokio::join!(working, delivery.run(until_ended), keeping);
    runs.settle().await;
}

/// What is known of each check, by the keeper at first, and by its runs then.
type Standings = Mutex<HashMap<CheckName, KnownCheck>>;

/// What follows from each world: which checks run, and what objects are told.
async fn defining(
    rules: &Rules,
    keeper: &KeeperClient,
    runs: &Runs,
    standings: &Standings,
    mut worlds: mpsc::Receiver<World>,
    definitions: mpsc::Sender<Definitions>,
    news: mpsc::Sender<News>,
) {
    let mut is_first = true;
    while let Some(world) = worlds.recv().await {
        let outcomes = resolve(&world, rules, Timestamp::now());
        let objects = world.objects.values().map(|object| object.uid.clone()).collect();
        runs.define(scripts(&world, &outcomes), &objects);
        let resolved = || outcomes.values().filter_map(|outcome| outcome.as_ref().ok()?.as_ref());
        if std::mem::take(&mut is_first) {
            let known = known_to(keeper).await;
            for (check, ran_at) in resolved().filter_map(|it| Some((&it.check, known.get(&it.check.name)?.ran_at?))) {
                runs.kept_before(check, ran_at);
            }
            *standings.lock().unwrap_or_else(PoisonError::into_inner) = known;
        }
        let waiting = runs.with_jobs();
        // A script or a channel that is wrong is no check that is missing.
        let is_whole = outcomes.iter().all(|(key, outcome)| !key.kind.is_check() || outcome.is_ok());
        let known = standings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let defined = resolved().map(|it| {
            let check = it.check.clone();
            let KnownCheck { standing, ran_at } = known.get(&check.name).copied().unwrap_or_default();
            // A Job that is there already is waited for at once, whenever the next one is due.
            let is_due = waiting.contains(&check.name);
            Defined { standing, ran_at, is_due, ..Defined::new(check) }
        });
        let new = Definitions::new(defined.collect(), is_whole);
        let told = news.send(News::Resolved(Box::new((world, outcomes)))).await.is_ok();
        if !told || definitions.send(new).await.is_err() {
            return;
        }
    }
}

fn scripts(world: &World, outcomes: &Outcomes) -> HashMap<CheckName, Scripted> {
    let scripted = outcomes.iter().filter_map(|(key, outcome)| {
        let resolved = outcome.as_ref().ok()?.as_ref()?;
        let Object { uid, key, .. } = world.objects.get(key)?;
        let run = resolved.script.clone()?;
        Some((resolved.check.name.clone(), Scripted { uid: uid.clone(), namespace: key.namespace.clone(), run }))
    });
    scripted.collect()
}

/// What the keeper knows of all checks: without it, what ran a moment ago would run again.
async fn known_to(keeper: &KeeperClient) -> HashMap<CheckName, KnownCheck> {
    let asking = async {
        loop {
            match keeper.known_checks().await {
                Ok(known) => return known,
                Err(_) => sleep(Duration::from_secs(1)).await,
            }
        }
    };
    timeout(KNOWN_WITHIN, asking).await.unwrap_or_default()
}
