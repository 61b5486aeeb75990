//! The state as one JSON file: an object with a record for each component.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::Path,
    time::Duration,
};

use serde_json::Value;
use shared::{id::ComponentId, lock::FileLock};
use tokio::time::Instant;

use super::record::StateRecord;

/// The longest file that is read, in bytes. A hundred homes take some 20 kB.
const MAX_FILE: u64 = 1 << 20;

/// How long to wait for the lock while another process writes.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Reads the records. A file that does not exist, is empty, or is a broken object holds none.
///
/// # Errors
/// When it exists, but cannot be read, or is not ours; the text is for people.
pub(super) fn read(path: &Path) -> Result<HashMap<ComponentId, StateRecord>, String> {
    let whole = whole(path)?;
    let record = |(id, value): (String, Value)| Some((id.parse().ok()?, serde_json::from_value(value).ok()?));
    Ok(whole.into_iter().filter_map(record).collect())
}

/// Writes `changed` beside what else is in the file, which is replaced as a whole: a crash leaves the old one. A lock
/// on a file beside it keeps other processes out meanwhile.
///
/// # Errors
/// When it cannot be written; the text is for people.
pub(super) async fn write(path: &Path, changed: &[(ComponentId, StateRecord)], until: Instant) -> Result<(), String> {
    let cannot = |error: io::Error| format!("STATE_FILE: {} cannot be written ({error})", path.display());
    // A symbolic link stays: its target is locked and replaced.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let _lock = lock(path, until).await.map_err(cannot)?;
    let mut whole = whole(path)?;
    for (id, record) in changed {
        whole.insert(id.to_string(), serde_json::to_value(record).map_err(|error| error.to_string())?);
    }
    let text = serde_json::to_string_pretty(&whole).map_err(|error| error.to_string())? + "\n";
    shared::file::replace(path, text.as_bytes()).map_err(cannot)
}

async fn lock(path: &Path, until: Instant) -> io::Result<FileLock> {
    let until = until.min(Instant::now() + LOCK_TIMEOUT);
    Ok(FileLock::acquire(&path.with_added_extension("lock"), until).await?)
}

fn whole(path: &Path) -> Result<BTreeMap<String, Value>, String> {
    match shared::file::read(path, MAX_FILE) {
        Ok(text) if text.trim_ascii().is_empty() => Ok(BTreeMap::new()),
        // What does not even begin like an object was never ours, and may be needed.
        Ok(text) if !text.trim_ascii_start().starts_with(b"{") => Err(format!(
            "STATE_FILE: {} holds something else than state: name another file, or remove it",
            path.display()
        )),
        Ok(text) => Ok(serde_json::from_slice(&text).unwrap_or_else(|error| {
            tracing::warn!("{} is not a record of state and is replaced: {error}", path.display());
            BTreeMap::new()
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(format!("STATE_FILE: {} cannot be read ({error})", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    fn record(cause: &str) -> StateRecord {
        StateRecord { cause: Some(cause.into()), ..StateRecord::default() }
    }

    #[tokio::test]
    async fn a_record_is_kept_beside_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let (one, two): (ComponentId, ComponentId) = ("8kbf7d35c070".parse().unwrap(), "8kbf7d35c071".parse().unwrap());
        assert_eq!(read(&path), Ok(HashMap::new()));
        write(&path, &[(one.clone(), record("refused"))], soon()).await.unwrap();
        write(&path, &[(two.clone(), record("reset"))], soon()).await.unwrap();
        write(&path, &[(one.clone(), record("tls"))], soon()).await.unwrap();
        let read = read(&path).unwrap();
        assert_eq!((read.get(&one), read.get(&two)), (Some(&record("tls")), Some(&record("reset"))));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "the file and its lock, and no draft");
    }

    #[tokio::test]
    async fn a_broken_record_is_replaced_and_a_file_that_is_not_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let id: ComponentId = "8kbf7d35c070".parse().unwrap();
        for text in ["", "\n", r#"{"half a rec"#, r#"{"8kbf7d35c070":{"down_since":"yesterday"},"x":1}"#] {
            fs::write(&path, text).unwrap();
            assert_eq!(read(&path), Ok(HashMap::new()), "{text}");
            write(&path, &[(id.clone(), record("name"))], soon()).await.unwrap();
            assert_eq!(read(&path).unwrap()[&id], record("name"));
        }
        for text in ["buy milk", "[]", "7"] {
            fs::write(&path, text).unwrap();
            assert!(read(&path).unwrap_err().contains("holds something else than state"), "{text}");
            assert!(write(&path, &[(id.clone(), record("name"))], soon()).await.is_err());
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[tokio::test]
    async fn two_that_write_at_once_lose_nothing_and_a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("state.json"), folder.path().join("link.json"));
        fs::write(&path, "{}").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let ids: Vec<ComponentId> = (10..40).map(|number| format!("8kbf7d35c0{number}").parse().unwrap()).collect();
        let writing = ids.iter().map(|id| {
            let (link, id) = (link.clone(), id.clone());
            tokio::spawn(async move { write(&link, &[(id, record("refused"))], soon()).await })
        });
        for written in writing.collect::<Vec<_>>() {
            written.await.unwrap().unwrap();
        }
        assert_eq!(read(&path).unwrap().len(), ids.len());
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[tokio::test]
    async fn what_cannot_be_read_or_written_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap_err().contains("cannot be read"));
        let nowhere = folder.path().join("nowhere/state.json");
        assert!(write(&nowhere, &[], soon()).await.unwrap_err().contains("cannot be written"));
    }
}
