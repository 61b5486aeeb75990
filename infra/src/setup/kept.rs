//! Files that are written anew at each run, until their owner changes them.

use std::{fs, path::Path};

use shared::fingerprint::Fingerprint;

use super::{Outcome, record::Record};

/// Writes one, unless it is by now its owner's: then what it would be is in another one beside it.
///
/// # Errors
/// When it cannot be written.
pub(super) fn keep(record: &mut Record, name: &str, text: &str) -> anyhow::Result<Outcome> {
    let path = record.path(name);
    let is = fs::read(&path).ok();
    let fingerprint = |bytes: &[u8]| Fingerprint::of(bytes).to_string();
    let new = fingerprint(text.as_bytes());
    if is.as_deref() == Some(text.as_bytes()) {
        if record.chosen().written.get(name) != Some(&new) {
            record.choose(|chosen| drop(chosen.written.insert(name.to_owned(), new)))?;
        }
        return Ok(Outcome::Already(format!("{} is as it should be", path.display())));
    }
    let is_ours = is.as_ref().is_none_or(|is| is_as_written(record, name, is));
    if path.exists() && !is_ours {
        let other = beside(name);
        record.write(&other, text)?;
        let other = record.path(&other);
        let said = format!("{} is yours by now, and stays; what it would be is in {}", path.display(), other.display());
        return Ok(Outcome::Skipped(said));
    }
    // Both, until it is written: a run that is killed in between leaves one of them.
    let before = before(name);
    record.choose(|chosen| {
        chosen.written.extend(is.map(|is| (before.clone(), fingerprint(&is))));
        chosen.written.insert(name.to_owned(), new);
    })?;
    let is_done = record.write(name, text)?;
    record.choose(|chosen| drop(chosen.written.remove(&before)))?;
    Ok(Outcome::of(is_done, format!("{} is written", path.display())))
}

/// Whether that is what a setup has written there. A file that is always a setup's is in no such list.
pub(super) fn is_as_written(record: &Record, name: &str, is: &[u8]) -> bool {
    let is = Fingerprint::of(is).to_string();
    let written = &record.chosen().written;
    [name, &before(name)].into_iter().any(|name| written.get(name) == Some(&is))
}

/// Whether a file was written, and is by now its owner's.
pub(super) fn is_owners(record: &Record, name: &str) -> bool {
    let is = fs::read(record.path(name)).ok();
    record.chosen().written.contains_key(name) && is.is_some_and(|is| !is_as_written(record, name, &is))
}

/// Where it is noted what a file was while it is written anew.
fn before(name: &str) -> String {
    format!("{name} before")
}

/// values.new.yaml for values.yaml.
fn beside(name: &str) -> String {
    let path = Path::new(name);
    match (path.file_stem().and_then(|stem| stem.to_str()), path.extension().and_then(|end| end.to_str())) {
        (Some(stem), Some(end)) => format!("{stem}.new.{end}"),
        _ => format!("{name}.new"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_its_owner_has_changed_stays_and_the_other_is_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::of(folder.path(), false).unwrap();
        for (name, other) in [("values.yaml", "values.new.yaml"), (".env", ".env.new")] {
            let there = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(matches!(keep(&mut record, name, "one").unwrap(), Outcome::Done(_)));
            assert!(matches!(keep(&mut record, name, "one").unwrap(), Outcome::Already(_)));
            assert!(matches!(keep(&mut record, name, "two").unwrap(), Outcome::Done(_)), "it is as it was written");
            fs::write(folder.path().join(name), "mine").unwrap();
            let Outcome::Skipped(said) = keep(&mut record, name, "three").unwrap() else { panic!("{name}") };
            assert!(said.contains("is yours by now"), "{said}");
            assert_eq!((there(name), there(other)), ("mine".into(), "three".into()));
            assert!(is_owners(&record, name) && !is_owners(&record, other));
        }
    }

    #[test]
    fn a_run_that_was_killed_while_it_wrote_leaves_no_file_of_an_owner() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::of(folder.path(), false).unwrap();
        let path = folder.path().join("values.yaml");
        assert!(matches!(keep(&mut record, "values.yaml", "one").unwrap(), Outcome::Done(_)));
        // Written, and the note is that of the file before: an older version notes it afterwards.
        fs::write(&path, "two").unwrap();
        assert!(matches!(keep(&mut record, "values.yaml", "two").unwrap(), Outcome::Already(_)));
        assert!(matches!(keep(&mut record, "values.yaml", "three").unwrap(), Outcome::Done(_)));
        // Noted, and not written.
        record
            .choose(|it| {
                it.written.insert("values.yaml before".into(), it.written["values.yaml"].clone());
                it.written.insert("values.yaml".into(), Fingerprint::of(b"four").to_string());
            })
            .unwrap();
        assert!(matches!(keep(&mut record, "values.yaml", "five").unwrap(), Outcome::Done(_)));
        assert_eq!(record.chosen().written.len(), 1);
    }
}
