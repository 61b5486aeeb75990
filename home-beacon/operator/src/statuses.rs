//! What objects are told of themselves: their `status`, written when something has changed, and otherwise once in five minutes. One
//! task owns what is known; each write is a task of its own with a deadline, so that an object that is slow holds up none.
//!
//! - `entry`: what one object is to be told, and when; `events`: what those are told who watch

mod entry;
mod events;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use checks::check::CheckName;
use home_beacon::checks::{Clock, Finished, Refused};
use jiff::Timestamp;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
    core::DynamicObject,
};
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};

pub(crate) use self::entry::SELDOM;
use self::{entry::Entry, events::Turned};
use crate::{
    health::Health,
    mutes::Mutes,
    objects::Key,
    resolve::{Outcomes, World},
};

/// How long one call of the API server may take.
const CALL: Duration = Duration::from_secs(15);

/// How often what has changed is written.
const EVERY: Duration = Duration::from_secs(1);

/// How many statuses are written at once.
const AT_ONCE: usize = 8;

/// All objects were resolved anew.
#[derive(Debug)]
pub(crate) struct Resolved(pub(crate) Box<(World, Outcomes)>);

/// From where what is told comes.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) resolved: mpsc::Receiver<Resolved>,
    /// Each run as it ends.
    pub(crate) finished: mpsc::Receiver<Finished>,
    /// What the keeper does not take.
    pub(crate) refused: watch::Receiver<Vec<Refused>>,
    /// Of which checks nobody is written to.
    pub(crate) muted: watch::Receiver<Mutes>,
    /// What time it is.
    pub(crate) clock: Clock,
}

/// A write that is due.
struct Due {
    key: Key,
    uid: String,
    status: Value,
    turned: Option<Turned>,
}

/// A write that has ended.
struct Written {
    key: Key,
    uid: String,
    status: Value,
    is_there: bool,
}

/// Writes statuses until nothing is resolved any more.
pub(crate) async fn write(client: Client, mut sources: Sources, health: Health) {
    let (mut statuses, mut writing) = (Statuses::default(), JoinSet::<Written>::new());
    let recorder = events::recorder(client.clone());
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            next = sources.resolved.recv() => match next {
                None => return,
                Some(Resolved(resolved)) => {
                    statuses.take(&resolved.0, &resolved.1, (sources.clock)());
                    statuses.refuse(&sources.refused.borrow());
                    statuses.mute(&sources.muted.borrow());
                }
            },
            Some(run) = sources.finished.recv() => statuses.ran(&run),
            Ok(()) = sources.refused.changed() => statuses.refuse(&sources.refused.borrow_and_update()),
            Ok(()) = sources.muted.changed() => statuses.mute(&sources.muted.borrow_and_update()),
            Some(Ok(written)) = writing.join_next(), if !writing.is_empty() => {
                health.wrote_status(written.is_there);
                statuses.written(written, (sources.clock)());
            }
            _ = tick.tick() => (),
        }
        let now = (sources.clock)();
        while writing.len() < AT_ONCE
            && let Some(Due { key, uid, status, turned }) = statuses.next(now)
        {
            let (client, recorder) = (client.clone(), recorder.clone());
            writing.spawn(async move {
                let is_there = put(&client, &key, &status).await;
                if let (true, Some(turned)) = (is_there, turned) {
                    events::publish(&recorder, &key, &uid, &turned).await;
                }
                Written { key, uid, status, is_there }
            });
        }
    }
}

/// Of all objects.
#[derive(Debug, Default)]
struct Statuses {
    entries: BTreeMap<Key, Entry>,
    names: HashMap<CheckName, Key>,
    /// Those that may have something to be told, in this turn.
    turn: Vec<Key>,
    turned_at: Option<Timestamp>,
    writing: HashSet<Key>,
}

impl Statuses {
    fn take(&mut self, world: &World, outcomes: &Outcomes, now: Timestamp) {
        // What is deleted and made again begins anew; of what cannot be seen nothing is forgotten.
        let is_same = |key: &Key, entry: &Entry| world.objects.get(key).is_some_and(|object| object.uid == entry.uid);
        self.entries.retain(|key, entry| is_same(key, entry) || world.unlisted.contains(&key.namespace));
        self.names.clear();
        for (key, outcome) in outcomes {
            let Some(object) = world.objects.get(key) else { continue };
            let entry = self.entries.entry(key.clone()).or_insert_with(|| Entry::new(object, now));
            let outcome = outcome.as_ref().map(Option::as_ref);
            if let Ok(Some(resolved)) = outcome {
                self.names.insert(resolved.check.name.clone(), key.clone());
            }
            entry.resolved(object.generation, outcome, now);
        }
        self.turned_at = None;
    }

    fn ran(&mut self, run: &Finished) {
        if let Some(entry) = self.names.get(&run.check.name).and_then(|key| self.entries.get_mut(key)) {
            entry.ran(run);
        }
    }

    fn refuse(&mut self, refused: &[Refused]) {
        let of_all = refused.iter().find(|it| it.check.is_none()).map(|it| it.sentence.as_str());
        let by_name: HashMap<_, _> =
            refused.iter().filter_map(|it| Some((it.check.as_ref()?, it.sentence.as_str()))).collect();
        for (name, key) in &self.names {
            if let Some(entry) = self.entries.get_mut(key) {
                entry.refused(by_name.get(name).copied().or(of_all));
            }
        }
    }

    fn mute(&mut self, muted: &Mutes) {
        for (name, key) in &self.names {
            if let Some(entry) = self.entries.get_mut(key) {
                entry.muted(muted.get(name).copied());
            }
        }
    }

    fn written(&mut self, Written { key, uid, status, is_there }: Written, now: Timestamp) {
        self.writing.remove(&key);
        if let Some(entry) = self.entries.get_mut(&key).filter(|entry| entry.uid == uid) {
            entry.reported(status, is_there, now);
        }
    }

    /// The next that is to be written, of those that are not being written; each is looked at once in a turn of a second.
    fn next(&mut self, now: Timestamp) -> Option<Due> {
        if self.turned_at.is_none_or(|at| now.duration_since(at).unsigned_abs() >= EVERY) {
            self.turn = self.entries.keys().cloned().collect();
            self.turned_at = Some(now);
        }
        while let Some(key) = self.turn.pop() {
            let Some(entry) = self.entries.get_mut(&key).filter(|_| !self.writing.contains(&key)) else { continue };
            if let Some(status) = entry.due(now) {
                let (uid, turned) = (entry.uid.clone(), events::turned(entry.before(), &status));
                self.writing.insert(key.clone());
                return Some(Due { key, uid, status, turned });
            }
        }
        None
    }
}

async fn put(client: &Client, key: &Key, status: &Value) -> bool {
    let api = Api::<DynamicObject>::namespaced_with(client.clone(), &key.namespace, &key.kind.resource());
    let patch = json!({ "status": status });
    match timeout(CALL, api.patch_status(&key.name, &PatchParams::default(), &Patch::Merge(&patch))).await {
        Ok(Ok(_)) => true,
        // It has gone meanwhile.
        Ok(Err(kube::Error::Api(error))) if error.code == 404 => true,
        Ok(Err(error)) => {
            tracing::warn!(object = %key, %error, "its status cannot be written");
            false
        }
        Err(_) => {
            tracing::warn!(object = %key, "its status was not written within {} s", CALL.as_secs());
            false
        }
    }
}
