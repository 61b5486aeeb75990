//! What was chosen and what was made, without any secret: `setup.toml`. A thing is noted before it is made, so that what a setup
//! that was ended halfway has made is known, too.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use shared::{
    file,
    lock::{FileLock, LockError},
    settings::WrongSetting,
};

pub(super) use super::chosen::{Account, Chosen, WayIn};
use super::made::{Intent, Made};

pub(super) const FILE: &str = "setup.toml";
const LOCK: &str = "setup.lock";

/// More than any has, in bytes.
const MOST: u64 = 64 << 10;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    chosen: Chosen,
    made: Vec<Made>,
    making: Vec<Intent>,
}

/// A folder of a setup.
#[derive(Debug)]
pub(super) struct Record {
    folder: PathBuf,
    written: Written,
    is_dry: bool,
    /// Keeps another setup out, once something is written.
    lock: Option<FileLock>,
}

impl Record {
    /// The one of that folder; an empty one where there is none. Where it is only looked at, nothing is made.
    ///
    /// # Errors
    /// When the folder cannot be used, or its record is none.
    pub(super) fn of(folder: &Path, is_dry: bool) -> anyhow::Result<Self> {
        let mut record = Self { folder: folder.to_owned(), written: Written::default(), is_dry, lock: None };
        let path = folder.join(FILE);
        if path.exists() && !is_dry {
            // First: what another run is writing is not to be read halfway, and written back.
            record.lock()?;
        }
        record.written = match file::read(&path, MOST) {
            Ok(bytes) => {
                let text =
                    String::from_utf8(bytes).map_err(|_| WrongSetting(format!("{}: it is no text", path.display())))?;
                toml::from_str(&text).map_err(|error| {
                    let why = error.message();
                    WrongSetting(format!("{}: {why}: correct it, or take another --folder", path.display()))
                })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Written::default(),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        Ok(record)
    }

    fn lock(&mut self) -> anyhow::Result<()> {
        if self.lock.is_none() {
            let path = self.path(LOCK);
            let lock = FileLock::try_acquire_private(&path).map_err(|error| match error {
                LockError::Held => {
                    WrongSetting(format!("another setup or teardown uses {}: wait for it", self.folder.display()))
                }
                LockError::Io(error) => WrongSetting(format!("{}: {error}", path.display())),
            })?;
            self.lock = Some(lock);
        }
        Ok(())
    }

    /// Whether nothing was ever chosen or made here.
    pub(super) fn is_empty(&self) -> bool {
        self.written.made.is_empty() && self.written.making.is_empty() && self.written.chosen == Chosen::default()
    }

    pub(super) fn chosen(&self) -> &Chosen {
        &self.written.chosen
    }

    pub(super) fn is_dry(&self) -> bool {
        self.is_dry
    }

    /// Where a file of that name is.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn choose(&mut self, choose: impl FnOnce(&mut Chosen)) -> anyhow::Result<()> {
        choose(&mut self.written.chosen);
        self.save()
    }

    /// Notes something that is about to be made; whether it was not noted before.
    pub(super) fn note(&mut self, made: Made) -> anyhow::Result<bool> {
        let is_new = !self.written.made.contains(&made);
        if is_new {
            self.written.made.push(made);
        }
        self.save()?;
        Ok(is_new)
    }

    /// Notes something that a call is about to make, which then gives it its id.
    pub(super) fn intend(&mut self, intent: Intent) -> anyhow::Result<()> {
        if !self.written.making.contains(&intent) {
            self.written.making.push(intent);
        }
        self.save()
    }

    /// Notes what became of it: something, or nothing.
    pub(super) fn became(&mut self, intent: &Intent, made: Option<Made>) -> anyhow::Result<()> {
        self.written.making.retain(|it| it != intent);
        self.written.made.extend(made.filter(|made| !self.written.made.contains(made)));
        self.save()
    }

    /// What was about to be made when a run was ended.
    pub(super) fn intents(&self) -> Vec<Intent> {
        self.written.making.clone()
    }

    pub(super) fn has_made(&self, made: &Made) -> bool {
        self.written.made.contains(made)
    }

    /// What was made, the last first.
    pub(super) fn made(&self) -> Vec<Made> {
        self.written.made.iter().rev().cloned().collect()
    }

    /// Forgets what was removed.
    pub(super) fn forget(&mut self, made: &Made) -> anyhow::Result<()> {
        self.written.made.retain(|it| it != made);
        self.save()
    }

    /// Writes a file that this user alone may read; `false` where nothing is to be changed.
    pub(super) fn write(&mut self, name: &str, text: &str) -> anyhow::Result<bool> {
        self.note(Made::File(name.to_owned()))?;
        if self.is_dry {
            return Ok(false);
        }
        let path = self.path(name);
        file::replace_private(&path, text.as_bytes()).with_context(|| path.display().to_string())?;
        Ok(true)
    }

    /// Makes a folder in there that this user alone may enter.
    pub(super) fn folder(&self, name: &str) -> anyhow::Result<()> {
        if self.is_dry {
            return Ok(());
        }
        let path = self.path(name);
        make_private(&path).with_context(|| path.display().to_string())
    }

    /// Removes the folder with the record; where something else is in it, that stays.
    pub(super) fn end(self) -> anyhow::Result<()> {
        if self.is_dry {
            return Ok(());
        }
        let path = self.path(FILE);
        fs::remove_file(&path).with_context(|| path.display().to_string())?;
        // It may be gone already.
        let _ = fs::remove_file(self.path(LOCK));
        // A user's own file is no fault.
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }

    fn save(&mut self) -> anyhow::Result<()> {
        if self.is_dry {
            return Ok(());
        }
        make_private(&self.folder).with_context(|| self.folder.display().to_string())?;
        if self.lock.is_none() {
            self.lock()?;
            // Another run may have begun and ended since this one has looked.
            if self.path(FILE).exists() {
                let folder = self.folder.display();
                return Err(WrongSetting(format!("another setup has just used {folder}: run this again")).into());
            }
        }
        let text = toml::to_string(&self.written).context("the record cannot be written")?;
        let path = self.path(FILE);
        file::replace_private(&path, text.as_bytes()).with_context(|| path.display().to_string())
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_and_made_is_known_to_the_next_run() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("setup");
        let mut record = Record::of(&folder, false).unwrap();
        assert!(record.is_empty() && !folder.exists(), "who looks makes nothing");
        record.choose(|chosen| chosen.home = Some("myhome".parse().unwrap())).unwrap();
        record.note(Made::Stack("porchlight-base".into())).unwrap();
        record.write("beacon.key", "x").unwrap();
        record.note(Made::Stack("porchlight-base".into())).unwrap();
        assert!(Record::of(&folder, false).unwrap_err().to_string().contains("another setup or teardown uses"));
        drop(record);
        // One that has looked before anything was there.
        let late = parent.path().join("late");
        let mut first = Record::of(&late, false).unwrap();
        Record::of(&late, false).unwrap().note(Made::Stack("porchlight-base".into())).unwrap();
        let error = first.choose(|_| ()).unwrap_err().to_string();
        assert!(error.contains("another setup has just used"), "{error}");
        let mut again = Record::of(&folder, false).unwrap();
        assert_eq!(again.chosen().home, Some("myhome".parse().unwrap()));
        assert_eq!(again.made(), [Made::File("beacon.key".into()), Made::Stack("porchlight-base".into())]);
        for made in again.made() {
            again.forget(&made).unwrap();
        }
        fs::remove_file(folder.join("beacon.key")).unwrap();
        again.end().unwrap();
        assert!(!folder.exists());
    }

    #[test]
    fn a_dry_run_writes_nothing_and_a_wrong_record_is_one_sentence() {
        let parent = tempfile::tempdir().unwrap();
        let mut dry = Record::of(&parent.path().join("dry"), true).unwrap();
        dry.write("values.yaml", "x").unwrap();
        assert!(dry.made() == [Made::File("values.yaml".into())] && !parent.path().join("dry").exists());
        fs::write(parent.path().join(FILE), "[chosen]\nhome = 'my_home'\n").unwrap();
        let error = Record::of(parent.path(), false).unwrap_err().to_string();
        assert!(error.contains("setup.toml: a name at DuckDNS has letters") && !error.contains('\n'), "{error}");
    }
}
