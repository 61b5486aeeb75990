//! One operator, from its start until it is killed: all of it but watches and calls of the keeper.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use checks::probe::Prober;
use home_beacon::checks::{Definitions, Engine, Finished, HomeLine, Results, Totals};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::sleep,
};

use super::{
    clock,
    cluster::{Cluster, Seen},
    keeper::Keeper,
    moment,
};
use crate::{
    defining::{defined, scripts},
    health::Health,
    job::{Limits, Surroundings},
    leader::Leadership,
    resolve::{Rules, resolve},
    runs::{Bounds, Runs},
    statuses,
};

pub(super) struct Life {
    is_alive: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.is_alive.store(false, Ordering::Relaxed);
        self.task.abort();
    }
}

impl Life {
    pub(super) fn begin(cluster: &Cluster, keeper: &Keeper, random: &mut fastrand::Rng) -> Self {
        let is_alive = Arc::new(AtomicBool::new(true));
        let living = live(cluster.clone(), keeper.clone(), Arc::clone(&is_alive), random.fork());
        Self { is_alive, task: tokio::spawn(living) }
    }
}

async fn live(cluster: Cluster, keeper: Keeper, is_alive: Arc<AtomicBool>, mut random: fastrand::Rng) {
    let client = cluster.client(is_alive);
    let limits = Limits { memory: "128Mi".into(), cpu: "500m".into() };
    let surroundings = Surroundings { runner_image: "runner".into(), packages_claim: None, limits };
    let bounds = Bounds { probes: 10, jobs: 10 };
    let prober = Prober::new(None).unwrap();
    let health = Health::default();
    let runs = Runs::new(client.clone(), prober, surroundings, bounds, Leadership::alone(), health.clone(), clock);
    // Which of the two lists is there first is chance.
    let (mut listed, mut changes) = cluster.watch();
    random.shuffle(&mut listed);
    for seen in listed {
        see(&runs, seen);
    }
    sleep(moment(&mut random, 0.5)).await;
    let world = cluster.world();
    let outcomes = resolve(&world, &Rules::default(), clock());
    runs.define(scripts(&world, &outcomes), &world);
    // One that is away is asked for as long as an operator asks.
    let mut known = keeper.known();
    if !keeper.is_there() {
        sleep(Duration::from_secs(60)).await;
        known = keeper.known();
    }
    for resolved in outcomes.values().filter_map(|outcome| outcome.as_ref().ok()?.as_ref()) {
        if let Some(ran_at) = known.get(&resolved.check.name).and_then(|known| known.ran_at) {
            runs.kept_before(&resolved.check, ran_at);
        }
    }
    let world = cluster.world();
    let defined = defined((&world, &outcomes), &known, &runs, &HashSet::new(), clock());
    let (definitions, receiver) = mpsc::channel(1);
    definitions.send(Definitions::new(defined, true)).await.unwrap();
    let totals = Arc::<Totals>::default();
    let (finished_sender, finished) = mpsc::channel(1024);
    let results = Results::with_listener(Arc::clone(&totals), finished_sender);
    let engine = Engine::new(runs.clone(), usize::MAX, HomeLine::unknown(), results, totals).by(clock, random.fork());
    let ((to_statuses, resolved), (runs_sender, ran)) = (mpsc::channel(1), mpsc::channel(1024));
    to_statuses.send(statuses::Resolved(Box::new((world, outcomes)))).await.unwrap();
    let ((_refusing, refused), (_muting, muted)) = (watch::channel(Vec::new()), watch::channel(HashMap::new()));
    let sources = statuses::Sources { resolved, finished: ran, refused, muted, clock };
    let watching = async {
        while let Some(seen) = changes.recv().await {
            sleep(moment(&mut random, 0.4)).await;
            see(&runs, seen);
        }
    };
    tokio::join!(
        engine.run(receiver, pending()),
        watching,
        hand_over(&keeper, &runs, finished, runs_sender),
        statuses::write(client, sources, health),
    );
}

fn see(runs: &Runs, seen: Seen) {
    match seen {
        Seen::Job(job) => runs.saw_job(*job),
        Seen::NoJob(name) => runs.lost_job("checks", &name),
        Seen::Pod(pod) => runs.saw_pod(*pod),
        Seen::NoPod(name) => runs.lost_pod("checks", &name),
    }
}

/// Hands results over within half a minute, in their order, and tells objects.
async fn hand_over(
    keeper: &Keeper,
    runs: &Runs,
    mut finished: mpsc::Receiver<Finished>,
    runs_sender: mpsc::Sender<Finished>,
) {
    let mut waiting: VecDeque<Finished> = VecDeque::new();
    loop {
        while let Ok(run) = finished.try_recv() {
            let _ = runs_sender.try_send(run.clone());
            waiting.push_back(run);
        }
        while let Some(run) = waiting.front() {
            if !keeper.take(run) {
                break;
            }
            sleep(Duration::from_millis(20)).await;
            runs.kept(&run.check, run.at);
            waiting.pop_front();
        }
        sleep(Duration::from_secs_f64(keeper.random().powi(3) * 30.0)).await;
    }
}
