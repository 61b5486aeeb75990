//! Where the record is, and how a run claims it. A claim holds only where what was written is the successor of what was read.
//!
//! In a file that is decided under its lock. Parameter Store has no condition: every write succeeds, and only the version that it
//! returns shows whether another one came between. So each record names the version that its writer had read: where that is not the
//! one just before its own, the write was lost, and who reads it goes back to the last that was not.

use std::{fs, io, path::Path, time::Duration};

use serde::{Deserialize, Serialize};
use shared::lock::FileLock;
use tokio::time::Instant;

use super::record::NoticeRecord;
use crate::{
    kept::{parameters::ParameterStore, state::StatePlace},
    target::ParameterName,
};

/// The longest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// How long to wait for the lock while another process writes.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// How many lost writes are passed over: as many as runs overlap.
const MAX_LOST: i64 = 10;

/// A record as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReadRecord {
    pub(super) record: NoticeRecord,
    /// 0 where there is none.
    pub(super) version: i64,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It is the successor of what was read.
    Held,
    /// Another run came between, and what it wrote stands.
    Lost,
}

/// A record as it is kept.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// The version that was read before this one was written.
    base: i64,
    #[serde(flatten)]
    record: NoticeRecord,
}

/// Reads the record.
///
/// # Errors
/// When it cannot be read; the text is for people.
pub(super) async fn read(place: &StatePlace, store: &ParameterStore, until: Instant) -> Result<ReadRecord, String> {
    match place {
        StatePlace::File(state) => {
            let (record, version) = file(&beside(state))?;
            Ok(ReadRecord { record, version })
        }
        StatePlace::Parameters(prefix) => {
            let name = prefix.notices();
            read_versions(&Parameter { name: &name, store, until }, name.as_str()).await
        }
    }
}

/// A text of which every write is a version of its own, and each of the last is still there.
pub(super) trait Versions {
    /// That version, or the newest, with its number; `None` where there is none.
    async fn get(&self, version: Option<i64>) -> Result<Option<(String, i64)>, String>;

    /// Writes, whatever is there; returns the number of what was written.
    async fn put(&self, text: String) -> Result<i64, String>;
}

struct Parameter<'a> {
    name: &'a ParameterName,
    store: &'a ParameterStore,
    until: Instant,
}

impl Versions for Parameter<'_> {
    async fn get(&self, version: Option<i64>) -> Result<Option<(String, i64)>, String> {
        let read = self.store.get_versioned(self.name, version, self.until).await;
        read.map_err(|error| error.to_string())
    }

    async fn put(&self, text: String) -> Result<i64, String> {
        self.store.put(self.name, text, self.until).await.map_err(|error| error.to_string())
    }
}

pub(super) async fn read_versions(of: &impl Versions, name: &str) -> Result<ReadRecord, String> {
    let Some((mut text, newest)) = of.get(None).await? else { return Ok(ReadRecord::default()) };
    for version in (newest - MAX_LOST..=newest).rev() {
        let Kept { base, record } = parsed(name, &text);
        if base == version - 1 {
            return Ok(ReadRecord { record, version: newest });
        }
        if version <= 1 {
            break;
        }
        // Taken for an empty record, it would have everything sent again.
        let before = of.get(Some(version - 1)).await?;
        (text, _) = before.ok_or_else(|| format!("{name} has no version {}", version - 1))?;
    }
    tracing::warn!("{name} holds no record of notices that counts, and is replaced");
    Ok(ReadRecord { record: NoticeRecord::default(), version: newest })
}

/// Writes the record in the place of the one that was read as `version`.
///
/// # Errors
/// When it cannot be written; the text is for people. In Parameter Store it may have been all the same.
pub(super) async fn write(
    place: &StatePlace,
    store: &ParameterStore,
    record: &NoticeRecord,
    version: i64,
    until: Instant,
) -> Result<Written, String> {
    match place {
        StatePlace::File(state) => write_file(&beside(state), record, version, until).await,
        StatePlace::Parameters(prefix) => {
            let name = prefix.notices();
            write_version(&Parameter { name: &name, store, until }, record, version).await
        }
    }
}

pub(super) async fn write_version(of: &impl Versions, record: &NoticeRecord, version: i64) -> Result<Written, String> {
    let written = of.put(text(record, version)).await?;
    Ok(if written == version + 1 { Written::Held } else { Written::Lost })
}

async fn write_file(path: &Path, record: &NoticeRecord, version: i64, until: Instant) -> Result<Written, String> {
    let cannot = |error: &dyn std::fmt::Display| format!("{} cannot be written ({error})", path.display());
    let until = until.min(Instant::now() + LOCK_TIMEOUT);
    let _lock = FileLock::acquire(&path.with_added_extension("lock"), until).await.map_err(|error| cannot(&error))?;
    if file(path)?.1 != version {
        return Ok(Written::Lost);
    }
    shared::file::replace(path, (text(record, version) + "\n").as_bytes()).map_err(|error| cannot(&error))?;
    Ok(Written::Held)
}

fn text(record: &NoticeRecord, base: i64) -> String {
    serde_json::to_string(&Kept { base, record: record.fitting().compact() }).unwrap_or_default()
}

/// The file of notices, beside that of the state.
fn beside(state: &Path) -> std::path::PathBuf {
    let state = fs::canonicalize(state).unwrap_or_else(|_| state.to_owned());
    state.with_added_extension("notices")
}

/// The record of a file, and its version, of which there is only the newest.
fn file(path: &Path) -> Result<(NoticeRecord, i64), String> {
    match shared::file::read(path, MAX_FILE) {
        Ok(text) => {
            let Kept { base, record } = parsed(&path.display().to_string(), &String::from_utf8_lossy(&text));
            Ok((record, base + 1))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((NoticeRecord::default(), 0)),
        Err(error) => Err(format!("{} cannot be read ({error})", path.display())),
    }
}

fn parsed(name: &str, text: &str) -> Kept {
    let kept = serde_json::from_str(text).map(|Kept { base, record }| Kept { base, record: record.whole() });
    kept.unwrap_or_else(|error| {
        tracing::warn!("{name} is not a record of notices and is replaced: {error}");
        Kept::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notices::record::Outage;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    fn record(since: i64) -> NoticeRecord {
        let homes = vec!["8kbf7d35c070".parse().unwrap()];
        NoticeRecord {
            outages: vec![Outage { since, last: since, homes, group: None, cause: "tls".into(), count: 0, up: 0 }],
            ..NoticeRecord::default()
        }
    }

    #[tokio::test]
    async fn of_many_that_read_the_same_file_one_writes_it() {
        let folder = tempfile::tempdir().unwrap();
        let place = StatePlace::File(folder.path().join("state.json"));
        let store = ParameterStore::default();
        assert_eq!(read(&place, &store, soon()).await, Ok(ReadRecord::default()));
        for round in 0..20 {
            let ReadRecord { version, .. } = read(&place, &store, soon()).await.unwrap();
            let writing = (0..8).map(|since| {
                let (place, record) = (place.clone(), record(since + round * 100));
                tokio::spawn(async move { write(&place, &ParameterStore::default(), &record, version, soon()).await })
            });
            let mut held = 0;
            for written in writing.collect::<Vec<_>>() {
                held += usize::from(written.await.unwrap().unwrap() == Written::Held);
            }
            assert_eq!(held, 1);
            assert_eq!(read(&place, &store, soon()).await.unwrap().version, version + 1);
        }
    }

    #[tokio::test]
    async fn a_broken_file_is_replaced_and_one_that_cannot_be_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (state, store) = (folder.path().join("state.json"), ParameterStore::default());
        let place = StatePlace::File(state.clone());
        fs::write(beside(&state), "{\"outages\":7").unwrap();
        let ReadRecord { record: nothing, version } = read(&place, &store, soon()).await.unwrap();
        assert!(nothing.is_empty());
        assert_eq!(write(&place, &store, &record(1), version, soon()).await, Ok(Written::Held));
        assert_eq!(read(&place, &store, soon()).await.unwrap().record, record(1));
        fs::remove_file(beside(&state)).unwrap();
        fs::create_dir(beside(&state)).unwrap();
        assert!(read(&place, &store, soon()).await.unwrap_err().contains("cannot be read"));
    }
}
