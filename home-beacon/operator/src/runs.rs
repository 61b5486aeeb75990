//! Runs as Jobs: each is made once, waited for by the watch of Jobs and pods, and removed when its outcome is kept.
//!
//! A Job is the record of its run. One that is there when its check is due was made before this program began, or by another one of
//! it: it is waited for, and no second one is made.
//!
//! - `known`: Jobs and pods as they are; `left`: runs that nobody waits for yet; `making`, `removing`

mod known;
mod left;
mod making;
mod removing;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use checks::{
    cause::Cause,
    check::{Check, CheckName, Kind},
    outcome::Outcome,
    probe::Prober,
};
use home_beacon::checks::{Clock, Left, Try, Turn};
use jiff::Timestamp;
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::{Client, ResourceExt};
use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, timeout_at},
};

pub(crate) use self::known::Scripted;
use self::known::{Known, Place, job_of, place};
use crate::{
    health::Health,
    job::{CHECK_LABEL, STARTING, Surroundings, UID},
    leader::Leadership,
    pods::Progress,
    resolve::World,
};

/// How long one call of the API server may take.
const CALL: Duration = Duration::from_secs(15);

/// How often what waits is judged although nothing new was seen of it: what waits has deadlines.
const LOOK: Duration = Duration::from_secs(5);

/// From one try of a removal to the next, and between two tries to make a Job at most.
const AGAIN: Duration = Duration::from_secs(10);

/// What is known of Jobs and pods, and how checks with a script run.
#[derive(Clone)]
pub(crate) struct Runs {
    client: Client,
    prober: Arc<Prober>,
    surroundings: Arc<Surroundings>,
    known: Arc<Mutex<Known>>,
    seen: watch::Sender<u64>,
    slots: Arc<Slots>,
    leadership: Leadership,
    health: Health,
    clock: Clock,
}

/// How much there is at once. Who waits for its turn is bounded by the number of checks, each of which runs once at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Runs of what is no script.
    pub(crate) probes: usize,
    /// Jobs.
    pub(crate) jobs: usize,
}

/// The turns of each: a Job that waits for a node takes none of a probe.
#[derive(Debug)]
struct Slots {
    bounds: Bounds,
    probes: Semaphore,
    jobs: Semaphore,
}

impl std::fmt::Debug for Runs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runs").finish_non_exhaustive()
    }
}

impl Runs {
    /// Jobs by that client; what is no script is checked from here.
    pub(crate) fn new(
        client: Client,
        prober: Prober,
        surroundings: Surroundings,
        bounds: Bounds,
        leadership: Leadership,
        health: Health,
        clock: Clock,
    ) -> Self {
        let (seen, _) = watch::channel(0);
        let slots = Slots { bounds, probes: Semaphore::new(bounds.probes), jobs: Semaphore::new(bounds.jobs) };
        let (prober, surroundings) = (Arc::new(prober), Arc::new(surroundings));
        Self {
            client,
            prober,
            surroundings,
            known: Arc::default(),
            seen,
            slots: Arc::new(slots),
            leadership,
            health,
            clock,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These are the checks with a script from now on. The Jobs of objects that are gone are removed: one that is wrong just now may be
    /// right in a moment, and its run goes on.
    pub(crate) fn define(&self, scripts: HashMap<CheckName, Scripted>, world: &World) {
        let objects: HashSet<&str> = world.objects.values().map(|object| object.uid.as_str()).collect();
        let mut known = self.known();
        known.scripts = scripts;
        let is_there = |uid: &String| objects.contains(uid.as_str());
        let is_hidden = |job: &Job| job.namespace().is_some_and(|namespace| world.unlisted.contains(&namespace));
        let is_strange = |job: &&Job| !is_hidden(job) && !job.annotations().get(UID).is_some_and(is_there);
        let strange: Vec<Place> = known.jobs.values().filter(is_strange).map(place).collect();
        drop(known);
        self.remove_all(strange);
        self.remove_of_other_scripts();
    }

    /// The keeper has what ran then: the Jobs of these runs are not waited for again.
    pub(crate) fn kept_before(&self, check: &Check, ran_at: Timestamp) {
        let known = self.known();
        let scripted = known.scripts.get(&check.name);
        let over = scripted.map(|scripted| known.kept_before(scripted, ran_at)).unwrap_or_default();
        drop(known);
        self.remove_all(over);
    }

    /// A Job is as it is now.
    pub(crate) fn saw_job(&self, job: Job) {
        self.known().jobs.insert(place(&job), job);
        self.has_changed();
    }

    /// A Job was made for a run that waits for it. The watch may have said more of it already, or that it has gone.
    fn was_made(&self, job: Job) {
        let (mut known, place) = (self.known(), place(&job));
        if known.taken.contains_key(&place) {
            known.jobs.entry(place).or_insert(job);
        }
    }

    fn has_changed(&self) {
        self.seen.send_modify(|count| *count += 1);
    }

    /// A Job has gone.
    pub(crate) fn lost_job(&self, namespace: &str, name: &str) {
        let place = (namespace.to_owned(), name.to_owned());
        let mut known = self.known();
        known.jobs.remove(&place);
        known.taken.remove(&place);
        for ended in known.ended.values_mut() {
            ended.retain(|(_, of)| *of != place);
        }
        known.ended.retain(|_, ended| !ended.is_empty());
        drop(known);
        self.has_changed();
    }

    /// A pod is as it is now. Its Job may not have been seen yet: which of the two watches is first is chance.
    pub(crate) fn saw_pod(&self, pod: Pod) {
        let Some(of) = job_of(&pod) else { return };
        let mut known = self.known();
        let is_older = known.pods.get(&of).is_some_and(|other| other.creation_timestamp() > pod.creation_timestamp());
        if !is_older {
            known.pods.insert(of, pod);
        }
        drop(known);
        self.has_changed();
    }

    /// A pod has gone.
    pub(crate) fn lost_pod(&self, namespace: &str, name: &str) {
        let is_it = |pod: &Pod| pod.namespace().as_deref() == Some(namespace) && pod.name_any() == name;
        self.known().pods.retain(|_, pod| !is_it(pod));
        self.has_changed();
    }

    /// The outcome of the run that began then is kept: its Jobs, one for each try, have nothing more to say.
    pub(crate) fn kept(&self, check: &Check, at: Timestamp) {
        let mut known = self.known();
        let Some(ended) = known.ended.get_mut(&check.name) else { return };
        let (over, rest): (Vec<_>, Vec<_>) = ended.drain(..).partition(|(began, _)| *began <= at);
        *ended = rest;
        drop(known);
        self.remove_all(over.into_iter().map(|(_, place)| place));
    }

    /// The names of the checks that have a run to be told of: one that was left, or one that goes on.
    pub(crate) fn with_jobs(&self) -> Vec<CheckName> {
        let known = self.known();
        known.scripts.iter().filter(|(_, scripted)| known.is_untold(scripted)).map(|(name, _)| name.clone()).collect()
    }

    async fn run(&self, check: &Check, turn: Turn) -> Outcome {
        let (asked, until) = (Instant::now(), turn.until);
        let Ok(Ok(_turn)) = timeout_at(until + STARTING, self.slots.jobs.acquire()).await else {
            let text =
                format!("{} Jobs are there already, and more may not be (JOBS_CONCURRENCY)", self.slots.bounds.jobs);
            return Outcome::because(Cause::NotStarted, text);
        };
        // The time that it waited for its turn is not the script's.
        let until = until + asked.elapsed() + STARTING;
        let Some(scripted) = self.known().scripts.get(&check.name).cloned() else {
            return Outcome::because(Cause::Local, "its object has gone");
        };
        let (job, waited) = match self.begin(check, &scripted, turn, until).await {
            Ok(begun) => begun,
            Err(outcome) => return outcome,
        };
        let outcome = self.wait(&job, until).await;
        waited.over(&check.name, turn.at);
        self.end_what_goes_on(&job);
        outcome
    }

    async fn probe(&self, kind: &Kind, until: Instant) -> Outcome {
        let asked = Instant::now();
        let _turn = self.slots.probes.acquire().await;
        self.prober.run(kind, until + asked.elapsed()).await
    }

    async fn wait(&self, job: &Job, until: Instant) -> Outcome {
        let mut seen = self.seen.subscribe();
        let began = Instant::now();
        let mut why = None;
        let mut is_seen = false;
        loop {
            let now = self.known().now(job, began.elapsed());
            match now {
                Some(Progress::Ended(outcome)) => return *outcome,
                Some(Progress::Waiting(reason)) => {
                    is_seen = true;
                    why = reason.or(why);
                }
                None if is_seen => {
                    return Outcome::because(Cause::NotStarted, "its Job was deleted before it had ended");
                }
                None => (),
            }
            let next = until.min(Instant::now() + LOOK);
            if timeout_at(next, seen.changed()).await.is_err() && Instant::now() >= until {
                let why = why.map(|why| format!(": {why}")).unwrap_or_default();
                return Outcome::because(
                    Cause::NotStarted,
                    format!("it had not ended {} s after its Job was made{why}", began.elapsed().as_secs()),
                );
            }
        }
    }
}

/// Jobs and pods of ours, for a watch.
pub(crate) fn selector() -> String {
    format!("app.kubernetes.io/managed-by=porchlight-operator,{CHECK_LABEL}")
}

impl Try for Runs {
    async fn left(&self, check: &Check, until: Instant) -> Option<Left> {
        if matches!(check.kind, Kind::Script(_)) { self.report_left(check, until).await } else { None }
    }

    async fn once(&self, check: &Check, turn: Turn) -> Outcome {
        match &check.kind {
            Kind::Script(_) => self.run(check, turn).await,
            kind => self.probe(kind, turn.until).await,
        }
    }
}
