//! State: one small record for each home, between runs. It is never needed: a record that is lost, old or unreadable
//! makes a run less informed, and one that cannot be written is written by the next run.

mod file;
mod record;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures_util::{StreamExt, stream};
use shared::id::ComponentId;
use tokio::time::Instant;

pub use self::record::{Finding, RESOLVE_AFTER, Record};
use crate::parameters::{ParameterName, ParameterStore};

/// How many records are written at once. Parameter Store takes three writes a second; the SDK waits where it is more.
const WRITES_AT_ONCE: usize = 3;

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
    remembered: Mutex<HashMap<ComponentId, Record>>,
}

/// What became of one home's record: as it is now, or why that is not known. The error is for people.
pub type Kept = Result<Record, String>;

/// Whether records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    Yes,
    /// A dry run only tells what it would write.
    No,
}

impl State {
    pub fn new(place: StatePlace) -> Self {
        Self { place, remembered: Mutex::default() }
    }

    /// Brings the records up to date with what a run found, reading and writing only what must be.
    pub async fn update(
        &self,
        store: &ParameterStore,
        findings: &[(&ComponentId, Finding<'_>)],
        write: Write,
        until: Instant,
    ) -> HashMap<ComponentId, Kept> {
        let needed: Vec<_> = {
            let remembered = self.remembered();
            findings.iter().filter(|(id, finding)| finding.needs_record(remembered.get(id))).collect()
        };
        let read = match self.read(store, needed.iter().map(|(id, _)| *id).collect(), until).await {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!("the state cannot be read: {error}");
                return findings.iter().map(|(id, _)| ((*id).clone(), Err(error.clone()))).collect();
            }
        };
        let mut changed = Vec::new();
        for (id, finding) in needed {
            let before = read.get(*id);
            let after = finding.record(&before.cloned().unwrap_or_default());
            if Some(&after) != before && after != Record::default() {
                changed.push(((*id).clone(), after));
            } else {
                self.remember(id, after);
            }
        }
        let mut kept = self.write(store, changed, write, until).await;
        let remembered = self.remembered();
        for (id, _) in findings {
            if let Some(record) = remembered.get(*id) {
                kept.entry((*id).clone()).or_insert_with(|| Ok(record.clone()));
            }
        }
        kept
    }

    /// The records of those `ids` that have a readable one.
    async fn read(
        &self,
        store: &ParameterStore,
        ids: Vec<&ComponentId>,
        until: Instant,
    ) -> Result<HashMap<ComponentId, Record>, String> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        match &self.place {
            StatePlace::File(path) => file::read(path),
            StatePlace::Parameters(prefix) => {
                let names: Vec<_> = ids.iter().map(|id| prefix.of(id)).collect();
                let found =
                    store.get(&names.iter().collect::<Vec<_>>(), until).await.map_err(|error| error.to_string())?;
                let record = |(id, name)| {
                    let text = found.get(name)?.expose();
                    let record = serde_json::from_str(text);
                    let record =
                        record.inspect_err(|error| tracing::warn!("{name} is no record and is made anew: {error}"));
                    Some((ComponentId::clone(id), record.ok()?))
                };
                Ok(ids.into_iter().zip(&names).filter_map(record).collect())
            }
        }
    }

    /// Writes records, and remembers those that are written.
    async fn write(
        &self,
        store: &ParameterStore,
        changed: Vec<(ComponentId, Record)>,
        write: Write,
        until: Instant,
    ) -> HashMap<ComponentId, Kept> {
        if changed.is_empty() || write == Write::No {
            return changed.into_iter().map(|(id, record)| (id, Ok(record))).collect();
        }
        let written: Vec<(ComponentId, Kept)> = match &self.place {
            StatePlace::File(path) => {
                let written = file::write(path, &changed);
                changed.into_iter().map(|(id, record)| (id, written.clone().map(|()| record))).collect()
            }
            StatePlace::Parameters(prefix) => {
                let writing = changed.into_iter().map(|(id, record)| async move {
                    let put = match serde_json::to_string(&record) {
                        Ok(text) => store.put(&prefix.of(&id), text, until).await.map_err(|error| error.to_string()),
                        Err(error) => Err(error.to_string()),
                    };
                    (id, put.map(|()| record))
                });
                stream::iter(writing).buffer_unordered(WRITES_AT_ONCE).collect().await
            }
        };
        for (id, kept) in &written {
            match kept {
                Ok(record) => self.remember(id, record.clone()),
                // What is on record is not known, so the next run reads it.
                Err(error) => {
                    tracing::warn!("the state cannot be written: {error}");
                    self.remembered().remove(id);
                }
            }
        }
        written.into_iter().collect()
    }

    fn remember(&self, id: &ComponentId, record: Record) {
        self.remembered().insert(id.clone(), record);
    }

    fn remembered(&self) -> MutexGuard<'_, HashMap<ComponentId, Record>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
