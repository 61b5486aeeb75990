//! What follows from each world: which checks run, what the keeper is told of the others, and what objects are told.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use checks::check::CheckName;
use home_beacon::{
    checks::{Defined, Definitions},
    job::keeper::{KeeperClient, KnownCheck},
};
use jiff::Timestamp;
use shared::secret::Secret;
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use url::Url;

use crate::{
    channels,
    due::Traces,
    health::{Health, Objects},
    objects::Object,
    resolve::{Outcomes, Resolved, Rules, World, likely_names, resolve},
    runs::{Runs, Scripted},
    statuses,
};

/// How long the keeper is asked at the start for what it knows.
const KNOWN_WITHIN: Duration = Duration::from_secs(60);

/// What is known of each check, by the keeper at first, and by its runs then.
pub(crate) type Standings = Arc<Mutex<HashMap<CheckName, KnownCheck>>>;

/// Takes up each world.
#[derive(Debug)]
pub(crate) struct Defining {
    pub(crate) rules: Rules,
    pub(crate) keeper: KeeperClient,
    pub(crate) runs: Runs,
    pub(crate) standings: Standings,
    /// Who runs what is defined.
    pub(crate) definitions: mpsc::Sender<Definitions>,
    /// Who tells objects.
    pub(crate) to_statuses: mpsc::Sender<statuses::Resolved>,
    /// Who writes the channels.
    pub(crate) channels: watch::Sender<Option<Secret>>,
    /// The Bot API server of Telegram channels, where it is one of one's own.
    pub(crate) telegram: Option<Url>,
    pub(crate) health: Health,
}

impl Defining {
    /// Until no more worlds come.
    pub(crate) async fn follow(self, mut worlds: mpsc::Receiver<World>) {
        let (mut is_first, mut learned, mut names) = (true, HashSet::new(), Names::default());
        while let Some(world) = worlds.recv().await {
            let outcomes = resolve(&world, &self.rules, Timestamp::now());
            let wrong = outcomes.values().filter(|outcome| outcome.is_err()).count();
            self.health.objects(Objects { right: outcomes.len() - wrong, wrong });
            self.runs.define(scripts(&world, &outcomes), &world);
            if is_first {
                self.learn().await;
            }
            // Who applies an object wants to see what comes of it; those that are there at the start are spread.
            let is_new = |name: &CheckName| !is_first && !learned.contains(name);
            let added: HashSet<CheckName> =
                resolved(&outcomes).map(|it| it.check.name.clone()).filter(is_new).collect();
            is_first = false;
            self.forget_kept(&outcomes, &mut learned);
            let known = self.known().clone();
            let defined = defined((&world, &outcomes), &known, &self.runs, &added, Timestamp::now());
            let wrong = names.of_wrong(&world, &outcomes);
            let new = if world.unlisted.is_empty() {
                Definitions::beside(defined, wrong)
            } else {
                Definitions::new(defined, false)
            };
            // Of a namespace that cannot be listed the channels are not gone.
            let is_whole = world.unlisted.is_empty();
            self.channels.send_if_modified(|known| {
                if !is_whole && known.is_some() {
                    return false;
                }
                let urls = Some(channels::urls(&world, &outcomes, self.telegram.as_ref()));
                let is_new = *known != urls;
                *known = urls;
                is_new
            });
            let to_statuses = self.to_statuses.send(statuses::Resolved(Box::new((world, outcomes)))).await.is_ok();
            if !to_statuses || self.definitions.send(new).await.is_err() {
                return;
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<CheckName, KnownCheck>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the keeper knows of all checks: without it, what ran a moment ago would run again.
    async fn learn(&self) {
        let asking = async {
            loop {
                match self.keeper.known_checks().await {
                    Ok(known) => return known,
                    Err(_) => sleep(Duration::from_secs(1)).await,
                }
            }
        };
        let known = timeout(KNOWN_WITHIN, asking).await.unwrap_or_default();
        *self.known() = known;
    }

    /// Of each check that is seen for the first time: what the keeper has of it is not waited for again.
    fn forget_kept(&self, outcomes: &Outcomes, learned: &mut HashSet<CheckName>) {
        let known = self.known().clone();
        for resolved in resolved(outcomes).filter(|it| !learned.contains(&it.check.name)) {
            if let Some(ran_at) = known.get(&resolved.check.name).and_then(|known| known.ran_at) {
                self.runs.kept_before(&resolved.check, ran_at);
            }
        }
        *learned = resolved(outcomes).map(|it| it.check.name.clone()).collect();
    }
}

/// The checks that are right, with what is known of each: by `known` it stands, and ran last; `added` are new to who looks at them.
pub(crate) fn defined(
    (world, outcomes): (&World, &Outcomes),
    known: &HashMap<CheckName, KnownCheck>,
    runs: &Runs,
    added: &HashSet<CheckName>,
    now: Timestamp,
) -> Vec<Defined> {
    let waiting = runs.with_jobs();
    let right = outcomes.iter().filter_map(|(key, outcome)| Some((key, outcome.as_ref().ok()?.as_ref()?)));
    let defined = right.map(|(key, it)| {
        let check = it.check.clone();
        let KnownCheck { standing, ran_at: kept, .. } = known.get(&check.name).copied().unwrap_or_default();
        let traces = world.objects.get(key).map(Traces::of).unwrap_or_default();
        let traces = Traces { job: runs.newest(&check.name), kept, ..traces };
        let ran_at = traces.ran_at(check.every, now);
        // A Job that is there already is waited for at once, whenever the next one is due.
        let is_due = waiting.contains(&check.name) || (added.contains(&check.name) && ran_at.is_none());
        Defined { standing, ran_at, is_due, ..Defined::new(check) }
    });
    defined.collect()
}

fn resolved(outcomes: &Outcomes) -> impl Iterator<Item = &Resolved> {
    outcomes.values().filter_map(|outcome| outcome.as_ref().ok()?.as_ref())
}

pub(crate) fn scripts(world: &World, outcomes: &Outcomes) -> HashMap<CheckName, Scripted> {
    let scripted = outcomes.iter().filter_map(|(key, outcome)| {
        let resolved = outcome.as_ref().ok()?.as_ref()?;
        let Object { uid, key, .. } = world.objects.get(key)?;
        let run = resolved.script.clone()?;
        Some((resolved.check.name.clone(), Scripted { uid: uid.clone(), namespace: key.namespace.clone(), run }))
    });
    scripted.collect()
}

/// What checks are called that are wrong now: the keeper keeps what it knows of them.
#[derive(Debug, Default)]
struct Names {
    /// By the object's UID, what it was called when it was right.
    before: HashMap<String, CheckName>,
}

impl Names {
    /// Of each object of a check that is wrong, what it was called when it was right, and what it may be called.
    fn of_wrong(&mut self, world: &World, outcomes: &Outcomes) -> Vec<CheckName> {
        let (mut right, mut wrong) = (HashSet::new(), HashSet::new());
        let uids: HashSet<&str> = world.objects.values().map(|object| object.uid.as_str()).collect();
        self.before.retain(|uid, _| uids.contains(uid.as_str()));
        for (key, outcome) in outcomes.iter().filter(|(key, _)| key.kind.is_check()) {
            let Some(object) = world.objects.get(key) else { continue };
            match outcome {
                Ok(Some(resolved)) => {
                    let name = &resolved.check.name;
                    self.before.insert(object.uid.clone(), name.clone());
                    right.insert(name.clone());
                    // What it goes on from is not kept beside it.
                    right.extend(resolved.check.was.clone());
                }
                Ok(None) => (),
                Err(_) => wrong.extend(self.before.get(&object.uid).cloned().into_iter().chain(likely_names(object))),
            }
        }
        let mut wrong: Vec<CheckName> = wrong.into_iter().filter(|name| !right.contains(name)).collect();
        wrong.sort();
        wrong
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::objects::{Key, ObjectKind};

    fn object(name: &str, spec: Value) -> (Key, Object) {
        let key = Key { kind: ObjectKind::Check, namespace: "checks".into(), name: name.into() };
        let uid = format!("uid-of-{name}");
        let object = Object { key: key.clone(), uid, generation: 1, created: None, spec, status: Value::Null };
        (key, object)
    }

    fn wrong(names: &mut Names, objects: Vec<(Key, Object)>) -> Vec<String> {
        let world = World { objects: objects.into_iter().collect(), ..World::default() };
        let outcomes = resolve(&world, &Rules::default(), Timestamp::UNIX_EPOCH);
        names.of_wrong(&world, &outcomes).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_wrong_is_kept_by_the_names_it_has_and_had_and_nothing_else_is() {
        let mut names = Names::default();
        let tcp = |more: Value| {
            let mut spec = json!({"tcp": {"host": "nas.lan", "port": 22}});
            spec.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            spec
        };
        let right = object("ssh", tcp(json!({})));
        assert!(wrong(&mut names, vec![right.clone(), object("nas", tcp(json!({"name": "nas-ssh"})))]).is_empty());
        // Its name is what is wrong with it.
        let broken = object("nas", tcp(json!({"name": "Not A Name"})));
        assert_eq!(wrong(&mut names, vec![right.clone(), broken]), ["nas", "nas-ssh"]);
        let broken = object("nas", json!({"name": "nas-22", "was": "nas-ssh", "tcp": 5}));
        assert_eq!(wrong(&mut names, vec![right.clone(), broken]), ["nas-22", "nas-ssh"]);
        assert!(wrong(&mut names, vec![right]).is_empty(), "what has gone is not kept");
    }
}
