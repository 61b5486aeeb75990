//! What objects are told of themselves: their `status`, written when something has changed, and otherwise once in five minutes.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use checks::{check::CheckName, outcome::Outcome};
use jiff::Timestamp;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
    core::DynamicObject,
};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{interval, timeout},
};

use crate::{
    objects::Key,
    resolve::{Outcomes, Said, World},
};

/// How long one call of the API server may take.
const CALL: Duration = Duration::from_secs(15);

/// How often what has changed is written.
const EVERY: Duration = Duration::from_secs(1);

/// How often the time of the last run is written where nothing else has changed: each write is one on the cluster's disk.
const SELDOM: Duration = Duration::from_secs(300);

/// How many statuses one turn writes: the rest is next.
const MOST: usize = 50;

/// The longest text of a run in a status, in bytes.
const MAX_TEXT: usize = 512;

/// Something to be told.
#[derive(Debug)]
pub(crate) enum News {
    /// All objects were resolved anew.
    Resolved(Box<(World, Outcomes)>),
    /// A check has run.
    Ran {
        /// Which one.
        check: CheckName,
        /// When it began.
        at: Timestamp,
        /// What it came to.
        outcome: Box<Outcome>,
    },
}

/// What an object is to be told, and what it was told.
#[derive(Debug, Default)]
struct Entry {
    generation: i64,
    resolved: Option<Result<Option<CheckName>, Said>>,
    notes: Vec<Said>,
    ran: Option<Ran>,
    told: Option<(Value, Timestamp)>,
    /// What its status said before this program began, for how long it has been so.
    before: Value,
    every: Duration,
}

#[derive(Debug)]
struct Ran {
    outcome: &'static str,
    text: String,
    at: Timestamp,
}

/// Writes statuses until `news` ends.
pub(crate) async fn write(client: Client, mut news: mpsc::Receiver<News>) {
    let mut entries: BTreeMap<Key, Entry> = BTreeMap::new();
    let mut names: HashMap<CheckName, Key> = HashMap::new();
    let mut tick = interval(EVERY);
    loop {
        tokio::select! {
            next = news.recv() => match next {
                None => return,
                Some(News::Resolved(resolved)) => names = take(&mut entries, &resolved.0, resolved.1),
                Some(News::Ran { check, at, outcome }) => {
                    if let Some(entry) = names.get(&check).and_then(|key| entries.get_mut(key)) {
                        let text = outcome.text[..outcome.text.floor_char_boundary(MAX_TEXT)].to_owned();
                        entry.ran = Some(Ran { outcome: outcome.state.label(), text, at });
                    }
                }
            },
            _ = tick.tick() => {
                let now = Timestamp::now();
                let due: Vec<Key> = entries.iter().filter(|(_, entry)| entry.is_due(now)).map(|(key, _)| key.clone()).take(MOST).collect();
                for key in due {
                    let Some(entry) = entries.get_mut(&key) else { continue };
                    let status = entry.status(now);
                    if put(&client, &key, &status).await {
                        entry.told = Some((status, now));
                    }
                }
            }
        }
    }
}

fn take(entries: &mut BTreeMap<Key, Entry>, world: &World, outcomes: Outcomes) -> HashMap<CheckName, Key> {
    entries.retain(|key, _| world.objects.contains_key(key));
    let mut names = HashMap::new();
    for (key, outcome) in outcomes {
        let Some(object) = world.objects.get(&key) else { continue };
        let entry =
            entries.entry(key.clone()).or_insert_with(|| Entry { before: object.status.clone(), ..Entry::default() });
        entry.generation = object.generation;
        entry.notes.clear();
        entry.resolved = Some(match outcome {
            Ok(Some(resolved)) => {
                entry.notes = resolved.notes;
                entry.every = resolved.check.every;
                names.insert(resolved.check.name.clone(), key);
                Ok(Some(resolved.check.name))
            }
            Ok(None) => Ok(None),
            Err(said) => Err(said),
        });
    }
    names
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
        Err(_) => false,
    }
}

impl Entry {
    /// Whether there is something to be told, and whether now.
    fn is_due(&self, now: Timestamp) -> bool {
        if self.resolved.is_none() {
            return false;
        }
        let Some((told, at)) = &self.told else { return true };
        let status = self.status(now);
        if status == *told {
            return false;
        }
        let without = |status: &Value| {
            let mut status = status.clone();
            for key in ["lastRunTime", "nextRunTime", "text"] {
                status[key] = Value::Null;
            }
            status
        };
        without(&status) != without(told) || now.duration_since(*at).unsigned_abs() >= SELDOM
    }

    fn status(&self, now: Timestamp) -> Value {
        let mut status = json!({ "observedGeneration": self.generation, "conditions": self.conditions(now) });
        if let (Some(Ran { outcome, text, at }), Some(Ok(Some(_)))) = (&self.ran, &self.resolved) {
            status["outcome"] = (*outcome).into();
            status["text"] = text.as_str().into();
            status["lastRunTime"] = seconds(*at).into();
            let next = at.checked_add(jiff::SignedDuration::try_from(self.every).unwrap_or_default());
            status["nextRunTime"] = next.map(|next| seconds(next).into()).unwrap_or_default();
        }
        status
    }

    fn conditions(&self, now: Timestamp) -> Vec<Value> {
        let ready = match &self.resolved {
            Some(Err(said)) => ("False", said.reason, said.message.as_str()),
            Some(Ok(Some(_))) => ("True", "Runs", "it runs at its interval"),
            _ => ("True", "Valid", "it can be used"),
        };
        let mut conditions = vec![("Ready", ready)];
        conditions.extend(self.notes.iter().map(|note| (note.reason, ("True", note.reason, note.message.as_str()))));
        conditions
            .into_iter()
            .map(|(kind, (status, reason, message))| {
                let since = self.since(kind, status).unwrap_or_else(|| seconds(now));
                json!({
                    "type": kind, "status": status, "reason": reason, "message": message,
                    "observedGeneration": self.generation, "lastTransitionTime": since,
                })
            })
            .collect()
    }

    /// Since when a condition has had that status, by what the object was told before.
    fn since(&self, kind: &str, status: &str) -> Option<String> {
        let before = self.told.as_ref().map_or(&self.before, |(told, _)| told);
        let conditions = before.get("conditions")?.as_array()?;
        let same = conditions.iter().find(|it| it["type"] == kind && it["status"] == status)?;
        same["lastTransitionTime"].as_str().map(str::to_owned)
    }
}

fn seconds(at: Timestamp) -> String {
    format!("{at:.0}")
}
