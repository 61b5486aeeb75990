//! Reading and writing records, cached in the warm instance.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use shared::id::ComponentId;
use tokio::time::Instant;

use super::{
    file,
    finding::Finding,
    prepared::{PreparedRecords, RecordResult},
    record::StateRecord,
};
use crate::{kept::parameters::ParameterStore, mode::Mode, target::ParameterName};

/// How many records are written at once. Parameter Store allows three writes a second; the SDK retries where there are
/// more.
const CONCURRENT_WRITES: usize = 3;

/// How long a warm instance uses its cached records. Another instance may have written since.
const CACHE_LIFETIME: Duration = Duration::from_mins(10);

/// Where the records are.
#[derive(Clone, Debug)]
pub enum StatePlace {
    /// One JSON file for all homes.
    File(PathBuf),
    /// One parameter for each component below this name.
    Parameters(ParameterName),
}

/// Where the records are, and those that this instance has cached.
#[derive(Debug)]
pub struct State {
    place: StatePlace,
    cache: Mutex<HashMap<ComponentId, CachedRecord>>,
}

#[derive(Debug)]
struct CachedRecord {
    record: StateRecord,
    at: Instant,
}

/// A record as it was read: `None` when there is no readable one.
type ReadResult = Result<Option<StateRecord>, String>;

impl State {
    /// Where the records are.
    pub(crate) const fn place(&self) -> &StatePlace {
        &self.place
    }

    /// Reads nothing yet.
    pub fn new(place: StatePlace) -> Self {
        Self { place, cache: Mutex::default() }
    }

    /// The records with what a run found, read only where that is needed. Others are left out.
    pub(crate) async fn prepare(
        &self,
        store: &ParameterStore,
        findings: &[(&ComponentId, Finding<'_>)],
        until: Instant,
    ) -> PreparedRecords {
        let needed: Vec<_> = findings.iter().filter(|(id, finding)| self.needs(id, finding)).collect();
        let ids: Vec<_> = needed.iter().map(|(id, _)| *id).collect();
        let mut read = self.read(store, &ids, until).await;
        let mut prepared = PreparedRecords::default();
        for (id, finding) in needed {
            let before = read.remove(*id).unwrap_or(Ok(None));
            let after = before.map(|before| {
                let after = finding.record(before.as_ref());
                if after != before.unwrap_or_default() {
                    prepared.changed.push(((*id).clone(), after.clone()));
                }
                after
            });
            let effective = after.clone().unwrap_or_else(|_| finding.record(None));
            prepared.effective.insert((*id).clone(), effective);
            // What could not be read must not be overwritten.
            prepared.results.insert((*id).clone(), after);
        }
        prepared
    }

    /// Writes what changed, unless in a dry run.
    pub(crate) async fn commit(
        &self,
        store: &ParameterStore,
        prepared: PreparedRecords,
        mode: Mode,
        until: Instant,
    ) -> HashMap<ComponentId, RecordResult> {
        let PreparedRecords { mut results, changed, .. } = prepared;
        if mode == Mode::Publish {
            results.extend(self.write(store, changed, until).await);
        }
        self.update_cache(&results, mode);
        results
    }

    /// One home's record, from the cache where that is recent. Nothing is changed.
    pub(super) async fn record(&self, store: &ParameterStore, id: &ComponentId, until: Instant) -> Option<StateRecord> {
        let cached = self.cache().get(id).filter(|it| it.at.elapsed() < CACHE_LIFETIME).map(|it| it.record.clone());
        match cached {
            Some(record) => Some(record),
            None => self.read(store, &[id], until).await.remove(id)?.ok().flatten(),
        }
    }

    fn needs(&self, id: &ComponentId, finding: &Finding<'_>) -> bool {
        let cache = self.cache();
        let recent = cache.get(id).filter(|cached| cached.at.elapsed() < CACHE_LIFETIME);
        finding.needs_record(recent.map(|cached| &cached.record))
    }

    async fn read(
        &self,
        store: &ParameterStore,
        ids: &[&ComponentId],
        until: Instant,
    ) -> HashMap<ComponentId, ReadResult> {
        let each = |read: ReadResult| ids.iter().map(|id| (ComponentId::clone(id), read.clone())).collect();
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
                let mut parameters = store.get(&names.iter().collect::<Vec<_>>(), until).await;
                let record = |(id, name): (&&ComponentId, &ParameterName)| {
                    let record = match parameters.remove(name) {
                        Some(Ok(Some(text))) => Ok(parsed(name, text.expose())),
                        Some(Ok(None)) | None => Ok(None),
                        Some(Err(error)) => {
                            tracing::warn!("{error}");
                            Err(error.to_string())
                        }
                    };
                    (ComponentId::clone(id), record)
                };
                ids.iter().zip(&names).map(record).collect()
            }
        }
    }

    async fn write(
        &self,
        store: &ParameterStore,
        changed: Vec<(ComponentId, StateRecord)>,
        until: Instant,
    ) -> Vec<(ComponentId, RecordResult)> {
        let logged = |error: String| {
            tracing::warn!("{error}");
            error
        };
        match &self.place {
            _ if changed.is_empty() => Vec::new(),
            StatePlace::File(path) => {
                let written = file::write(path, &changed, until).await.map_err(logged);
                changed.into_iter().map(|(id, record)| (id, written.clone().map(|()| record))).collect()
            }
            StatePlace::Parameters(prefix) => {
                let writing = changed.into_iter().map(|(id, record)| async move {
                    let put = match serde_json::to_string(&record) {
                        Ok(text) => store.put(&prefix.of(&id), text, until).await.map_err(|error| error.to_string()),
                        Err(error) => Err(error.to_string()),
                    };
                    (id, put.map(|_| record).map_err(logged))
                });
                stream::iter(writing).buffer_unordered(CONCURRENT_WRITES).collect().await
            }
        }
    }

    /// Caches the records as they are now. Where one is not known, the next run reads it.
    fn update_cache(&self, results: &HashMap<ComponentId, RecordResult>, mode: Mode) {
        let (mut cache, at) = (self.cache(), Instant::now());
        for (id, result) in results {
            match result {
                Ok(record) if mode == Mode::Publish => {
                    drop(cache.insert(id.clone(), CachedRecord { record: record.clone(), at }));
                }
                _ => drop(cache.remove(id)),
            }
        }
    }

    fn cache(&self) -> MutexGuard<'_, HashMap<ComponentId, CachedRecord>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parsed(name: &ParameterName, text: &str) -> Option<StateRecord> {
    let record = serde_json::from_str(text);
    record.inspect_err(|error| tracing::warn!("{name} is not a record and is replaced: {error}")).ok()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use shared::statuspage::{Component, ComponentStatus};

    use super::*;
    use crate::{judge::verdict::Verdict, plan::statuses::Statuses};

    #[tokio::test(start_paused = true)]
    async fn a_quiet_instance_reads_its_records_again_after_ten_minutes() {
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
        let statuses = Statuses::default();
        let quiet = async || {
            let finding = Finding {
                at: Timestamp::now(),
                verdict: Verdict::Up,
                page: Some(&page),
                incident: None,
                addresses: &[],
                proven: None,
                start_times: None,
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
        assert!(quiet().await.is_empty(), "what is not needed is not read");
        tokio::time::advance(CACHE_LIFETIME).await;
        let record = quiet().await.remove(&id).unwrap().unwrap();
        assert!(record.down_since.is_some() && record.up_since.is_some(), "{record:?}");
    }
}
