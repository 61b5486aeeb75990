//! The state as one JSON file: an object with a record for each component.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use serde_json::Value;
use shared::id::ComponentId;

use super::Record;

/// The records that can be read. A file that is not there, or is no such object, holds none.
///
/// # Errors
/// When it is there, but cannot be read; the text is for people.
pub(super) fn read(path: &Path) -> Result<HashMap<ComponentId, Record>, String> {
    let whole = whole(path)?;
    let record = |(id, value): (String, Value)| Some((id.parse().ok()?, serde_json::from_value(value).ok()?));
    Ok(whole.into_iter().filter_map(record).collect())
}

/// Writes `changed` beside what else is in the file, which is replaced as a whole: a crash leaves the old one.
///
/// # Errors
/// When it cannot be written; the text is for people.
pub(super) fn write(path: &Path, changed: &[(ComponentId, Record)]) -> Result<(), String> {
    let mut whole = whole(path)?;
    for (id, record) in changed {
        whole.insert(id.to_string(), serde_json::to_value(record).map_err(|error| error.to_string())?);
    }
    let text = serde_json::to_string_pretty(&whole).map_err(|error| error.to_string())?;
    let draft = path.with_added_extension(format!("{}.new", std::process::id()));
    let replace = || -> io::Result<()> {
        let mut file = File::create(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    replace().map_err(|error| {
        // It may never have been made.
        let _ = fs::remove_file(&draft);
        format!("STATE_FILE: {} cannot be written ({error})", path.display())
    })
}

fn whole(path: &Path) -> Result<BTreeMap<String, Value>, String> {
    match fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text).unwrap_or_else(|error| {
            tracing::warn!("{} is no record of state and is made anew: {error}", path.display());
            BTreeMap::new()
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(format!("STATE_FILE: {} cannot be read ({error})", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(cause: &str) -> Record {
        Record { cause: Some(cause.into()), ..Record::default() }
    }

    #[test]
    fn a_record_is_kept_beside_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let (one, two): (ComponentId, ComponentId) = ("8kbf7d35c070".parse().unwrap(), "8kbf7d35c071".parse().unwrap());
        assert_eq!(read(&path), Ok(HashMap::new()));
        write(&path, &[(one.clone(), record("refused"))]).unwrap();
        write(&path, &[(two.clone(), record("reset"))]).unwrap();
        write(&path, &[(one.clone(), record("tls"))]).unwrap();
        let read = read(&path).unwrap();
        assert_eq!((read.get(&one), read.get(&two)), (Some(&record("tls")), Some(&record("reset"))));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_file_that_is_no_record_is_made_anew_and_an_odd_record_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let id: ComponentId = "8kbf7d35c070".parse().unwrap();
        for text in ["", "half a rec", "[]", r#"{"8kbf7d35c070":{"down_since":"yesterday"},"x":1}"#] {
            fs::write(&path, text).unwrap();
            assert_eq!(read(&path), Ok(HashMap::new()), "{text}");
            write(&path, &[(id.clone(), record("name"))]).unwrap();
            assert_eq!(read(&path).unwrap()[&id], record("name"));
        }
    }

    #[test]
    fn what_cannot_be_read_or_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap_err().contains("cannot be read"));
        let nowhere = folder.path().join("nowhere/state.json");
        assert!(write(&nowhere, &[]).unwrap_err().contains("cannot be written"));
    }
}
