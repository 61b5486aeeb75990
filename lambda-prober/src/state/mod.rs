//! State: one small record for each home, between runs. It is never needed: a record that is lost, old or unreadable
//! makes a run less informed, and one that cannot be written is written by the next run.

mod file;
mod record;

use std::{
    collections::HashMap,
    net::IpAddr,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use shared::id::ComponentId;
use tokio::time::Instant;

pub use self::record::{Finding, Record};
use crate::{
    mode::Mode,
    parameters::{ParameterName, ParameterStore},
};

/// How many records are written at once. Parameter Store takes three writes a second; the SDK waits where it is more.
const WRITES_AT_ONCE: usize = 3;

/// How long a warm instance goes by its memory. Another instance may have written since.
const TRUST: Duration = Duration::from_mins(10);

/// How long a record may take that would only help.
const LONGEST_LOOK: Duration = Duration::from_secs(3);

/// Where the records are.
#[derive(Clone, Debug)]
pub enum StatePlace {
    /// One JSON file for all homes.
    File(PathBuf),
    /// One parameter for each component below this name.
    Parameters(ParameterName),
}

/// The records, and what this instance remembers of them.
#[derive(Debug)]
pub struct State {
    place: StatePlace,
    remembered: Mutex<HashMap<ComponentId, Remembered>>,
}

#[derive(Debug)]
struct Remembered {
    record: Record,
    at: Instant,
}

/// What became of one home's record: as it is now, or why that is not known. The error is for people.
pub type Kept = Result<Record, String>;

/// The records as they should be after a run, and which of them are to be written.
#[derive(Debug, Default)]
pub struct Prepared {
    /// What a run goes by, whether it could be read or not.
    informed: HashMap<ComponentId, Record>,
    kept: HashMap<ComponentId, Kept>,
    changed: Vec<(ComponentId, Record)>,
}

impl Prepared {
    /// Where no state is kept, a run goes by what the page tells.
    pub fn without_state(findings: &[(&ComponentId, Finding<'_>)]) -> Self {
        let informed = findings.iter().map(|(id, finding)| ((*id).clone(), finding.record(None))).collect();
        Self { informed, ..Self::default() }
    }

    /// A home's record after this run, as far as anything is known; an empty one where nothing had to be.
    pub fn record(&self, id: &ComponentId) -> Record {
        self.informed.get(id).cloned().unwrap_or_default()
    }
}

/// What is remembered of one home, for those who look at it.
#[derive(Clone, Copy, Debug)]
pub struct Recall<'run> {
    /// The state, where it is, and whose record; `None` where nothing is remembered.
    pub from: Option<(&'run State, &'run ParameterStore, &'run ComponentId)>,
}

impl Recall<'_> {
    /// Where the home last proved itself.
    pub async fn last_proven_address(&self, until: Instant) -> Option<IpAddr> {
        let (state, store, id) = self.from?;
        let until = until.min(Instant::now() + LONGEST_LOOK);
        state.look_up(store, id, until).await?.last_proven_address
    }
}

/// What was found where a record should be: `None` when there is none that can be read.
type Stored = Result<Option<Record>, String>;

impl State {
    pub fn new(place: StatePlace) -> Self {
        Self { place, remembered: Mutex::default() }
    }

    /// What the records come to with what a run found, read only where they must be. What is not needed is left out.
    pub async fn prepare(
        &self,
        store: &ParameterStore,
        findings: &[(&ComponentId, Finding<'_>)],
        until: Instant,
    ) -> Prepared {
        let needed: Vec<_> = findings.iter().filter(|(id, finding)| self.needs(id, finding)).collect();
        let ids: Vec<_> = needed.iter().map(|(id, _)| *id).collect();
        let mut stored = self.read(store, &ids, until).await;
        let mut prepared = Prepared::default();
        for (id, finding) in needed {
            let before = stored.remove(*id).unwrap_or(Ok(None));
            let after = before.map(|before| {
                let after = finding.record(before.as_ref());
                if after != before.unwrap_or_default() {
                    prepared.changed.push(((*id).clone(), after.clone()));
                }
                after
            });
            let informed = after.clone().unwrap_or_else(|_| finding.record(None));
            prepared.informed.insert((*id).clone(), informed);
            // What could not be read must not be overwritten.
            prepared.kept.insert((*id).clone(), after);
        }
        prepared
    }

    /// Writes what changed; a dry run writes nothing.
    pub async fn commit(
        &self,
        store: &ParameterStore,
        prepared: Prepared,
        mode: Mode,
        until: Instant,
    ) -> HashMap<ComponentId, Kept> {
        let Prepared { mut kept, changed, .. } = prepared;
        if mode == Mode::Publish {
            kept.extend(self.write(store, changed, until).await);
        }
        self.remember(&kept, mode);
        kept
    }

    /// What is on record of one home, from memory where that is recent. Nothing is changed.
    async fn look_up(&self, store: &ParameterStore, id: &ComponentId, until: Instant) -> Option<Record> {
        let remembered = self.remembered().get(id).filter(|it| it.at.elapsed() < TRUST).map(|it| it.record.clone());
        match remembered {
            Some(record) => Some(record),
            None => self.read(store, &[id], until).await.remove(id)?.ok().flatten(),
        }
    }

    fn needs(&self, id: &ComponentId, finding: &Finding<'_>) -> bool {
        let remembered = self.remembered();
        let recent = remembered.get(id).filter(|remembered| remembered.at.elapsed() < TRUST);
        finding.needs_record(recent.map(|remembered| &remembered.record))
    }

    async fn read(&self, store: &ParameterStore, ids: &[&ComponentId], until: Instant) -> HashMap<ComponentId, Stored> {
        let each = |stored: Stored| ids.iter().map(|id| (ComponentId::clone(id), stored.clone())).collect();
        match &self.place {
            _ if ids.is_empty() => HashMap::new(),
            StatePlace::File(path) => match file::read(path) {
                Ok(records) => records.into_iter().map(|(id, record)| (id, Ok(Some(record)))).collect(),
                Err(error) => {
                    tracing::warn!("{error}");
                    each(Err(error))
                }
            },
            StatePlace::Parameters(prefix) => {
                let names: Vec<_> = ids.iter().map(|id| prefix.of(id)).collect();
                let mut found = store.get(&names.iter().collect::<Vec<_>>(), until).await;
                let stored = |(id, name): (&&ComponentId, &ParameterName)| {
                    let stored = match found.remove(name) {
                        Some(Ok(Some(text))) => Ok(parsed(name, text.expose())),
                        Some(Ok(None)) | None => Ok(None),
                        Some(Err(error)) => {
                            tracing::warn!("{error}");
                            Err(error.to_string())
                        }
                    };
                    (ComponentId::clone(id), stored)
                };
                ids.iter().zip(&names).map(stored).collect()
            }
        }
    }

    async fn write(
        &self,
        store: &ParameterStore,
        changed: Vec<(ComponentId, Record)>,
        until: Instant,
    ) -> Vec<(ComponentId, Kept)> {
        let told = |error: String| {
            tracing::warn!("{error}");
            error
        };
        match &self.place {
            _ if changed.is_empty() => Vec::new(),
            StatePlace::File(path) => {
                let written = file::write(path, &changed, until).await.map_err(told);
                changed.into_iter().map(|(id, record)| (id, written.clone().map(|()| record))).collect()
            }
            StatePlace::Parameters(prefix) => {
                let writing = changed.into_iter().map(|(id, record)| async move {
                    let put = match serde_json::to_string(&record) {
                        Ok(text) => store.put(&prefix.of(&id), text, until).await.map_err(|error| error.to_string()),
                        Err(error) => Err(error.to_string()),
                    };
                    (id, put.map(|()| record).map_err(told))
                });
                stream::iter(writing).buffer_unordered(WRITES_AT_ONCE).collect().await
            }
        }
    }

    /// Remembers what is on record. Where that is not known, the next run reads it.
    fn remember(&self, kept: &HashMap<ComponentId, Kept>, mode: Mode) {
        let (mut remembered, at) = (self.remembered(), Instant::now());
        for (id, kept) in kept {
            match kept {
                Ok(record) if mode == Mode::Publish => {
                    drop(remembered.insert(id.clone(), Remembered { record: record.clone(), at }));
                }
                _ => drop(remembered.remove(id)),
            }
        }
    }

    fn remembered(&self) -> MutexGuard<'_, HashMap<ComponentId, Remembered>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parsed(name: &ParameterName, text: &str) -> Option<Record> {
    let record = serde_json::from_str(text);
    record.inspect_err(|error| tracing::warn!("{name} is no record and is made anew: {error}")).ok()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use shared::statuspage::{Component, ComponentStatus};

    use super::*;
    use crate::verdict::Verdict;

    #[tokio::test(start_paused = true)]
    async fn a_quiet_instance_looks_again_after_ten_minutes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let (state, store) = (State::new(StatePlace::File(path.clone())), ParameterStore::default());
        let id: ComponentId = "8kbf7d35c070".parse().unwrap();
        let page = Component {
            id: id.clone(),
            name: String::new(),
            status: Some(ComponentStatus::Operational),
            updated_at: "2026-11-21T04:30:00Z".into(),
        };
        let statuses = crate::statuses::Statuses::default();
        let quiet = async || {
            let finding = Finding {
                at: Timestamp::now(),
                verdict: Verdict::Up,
                page: Some(&page),
                incident: None,
                addresses: &[],
                proven: None,
                began: None,
                statuses: &statuses,
                new_key: "",
                resolve_after: Duration::from_mins(2),
            };
            let until = Instant::now() + Duration::from_secs(9);
            let prepared = state.prepare(&store, &[(&id, finding)], until).await;
            state.commit(&store, prepared, Mode::Publish, until).await
        };
        assert!(quiet().await.contains_key(&id), "a cold start reads it");
        // Another instance saw an outage.
        std::fs::write(&path, r#"{"8kbf7d35c070":{"down_since":"2026-11-21T08:00:00Z"}}"#).unwrap();
        assert!(quiet().await.is_empty(), "what is not needed is not read, nor told");
        tokio::time::advance(TRUST).await;
        let kept = quiet().await.remove(&id).unwrap().unwrap();
        assert!(kept.down_since.is_some() && kept.up_since.is_some(), "{kept:?}");
    }
}
