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
    if is.as_deref() == Some(text.as_bytes()) {
        return Ok(Outcome::Already(format!("{} is as it should be", path.display())));
    }
    let is_ours = is.is_none_or(|is| record.chosen().written.get(name) == Some(&Fingerprint::of(&is).to_string()));
    if path.exists() && !is_ours {
        let other = beside(name);
        record.write(&other, text)?;
        let other = record.path(&other);
        let said = format!("{} is yours by now, and stays; what it would be is in {}", path.display(), other.display());
        return Ok(Outcome::Skipped(said));
    }
    let is_done = record.write(name, text)?;
    record
        .choose(|chosen| drop(chosen.written.insert(name.to_owned(), Fingerprint::of(text.as_bytes()).to_string())))?;
    Ok(Outcome::of(is_done, format!("{} is written", path.display())))
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
        }
    }
}
