//! State: one small record for each home, between runs. It is never needed: a record that is lost, old or unreadable
//! makes a run less informed, and one that cannot be written is written by the next run.

mod file;
mod record;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use shared::id::ComponentId;
use tokio::time::Instant;

pub use self::record::{Finding, Record};
use crate::{
    parameters::{ParameterName, ParameterStore},
    run::Mode,
};

/// How many records are written at once. Parameter Store takes three writes a second; the SDK waits where it is more.
const WRITES_AT_ONCE: usize = 3;

/// How long a warm instance goes by its memory. Another instance may have written since.
const TRUST: Duration = Duration::from_mins(10);

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

/// What was found where a record should be: `None` when there is none that can be read.
type Stored = Result<Option<Record>, String>;

impl State {
    pub fn new(place: StatePlace) -> Self {
        Self { place, remembered: Mutex::default() }
    }

    /// Brings the records up to date with what a run found, reading and writing only what must be; a dry run only
    /// tells what it would write. What was not needed is left out.
    pub async fn update(
        &self,
        store: &ParameterStore,
        findings: &[(&ComponentId, Finding<'_>)],
        mode: Mode,
        until: Instant,
    ) -> HashMap<ComponentId, Kept> {
        let needed: Vec<_> = findings.iter().filter(|(id, finding)| self.needs(id, finding)).collect();
        let ids: Vec<_> = needed.iter().map(|(id, _)| *id).collect();
        let mut stored = self.read(store, &ids, until).await;
        let (mut kept, mut changed) = (HashMap::new(), Vec::new());
        for (id, finding) in needed {
            match stored.remove(*id).unwrap_or(Ok(None)) {
                // What could not be read must not be overwritten.
                Err(error) => drop(kept.insert((*id).clone(), Err(error))),
                Ok(before) => {
                    let after = finding.record(&before.clone().unwrap_or_default());
                    if after != before.unwrap_or_default() && mode == Mode::Publish {
                        changed.push(((*id).clone(), after));
                    } else {
                        kept.insert((*id).clone(), Ok(after));
                    }
                }
            }
        }
        kept.extend(self.write(store, changed, until).await);
        self.remember(&kept, mode);
        kept
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
    use shared::statuspage::ComponentStatus;

    use super::*;
    use crate::verdict::Verdict;

    #[tokio::test(start_paused = true)]
    async fn a_quiet_instance_looks_again_after_ten_minutes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let (state, store) = (State::new(StatePlace::File(path.clone())), ParameterStore::default());
        let id: ComponentId = "8kbf7d35c070".parse().unwrap();
        let quiet = async || {
            let (at, page) = (Timestamp::now(), Some(ComponentStatus::Operational));
            let finding = Finding { at, verdict: Verdict::Up, page, addresses: &[], proven: None };
            let until = Instant::now() + Duration::from_secs(9);
            state.update(&store, &[(&id, finding)], Mode::Publish, until).await
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
