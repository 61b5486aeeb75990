//! The files that define checks, and all that they come to at one time.

use std::{
    collections::{HashMap, HashSet},
    os::unix::fs::MetadataExt,
    path::PathBuf,
    time::SystemTime,
};

use checks::{
    check::{Check, CheckName},
    file::{Loaded, Parts, Wrong, change::renames, checks_yml, statping, uptimepulse},
    thresholds::Standing,
};
use shared::settings::WrongSetting;

use super::{
    defined::Defined,
    own_files,
    settings::{ChecksSettings, UptimepulseSettings},
};

/// The most checks of all files together: a keeper takes a few more of one program.
const MAX_CHECKS: usize = 11_000;

/// Where checks are defined.
#[derive(Clone, Debug)]
pub(super) struct Source {
    checks_yml: Option<PathBuf>,
    services_yml: Option<PathBuf>,
    uptimepulse: UptimepulseSettings,
}

/// What the files come to, whatever is wrong with them.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// All that is defined; where single checks are wrong, the others; `None` where a file is wrong as a whole, or nothing is left.
    pub(super) usable: Option<Update>,
    /// All that is wrong with the files.
    pub(super) wrong: Vec<Wrong>,
    /// What checks name and is not there on this machine: they cannot run, and are defined all the same.
    pub(super) missing: Vec<Wrong>,
    /// What the files were known by before they were read.
    pub(super) stamp: Stamp,
}

/// All that is defined at one time.
#[derive(Clone, Debug, Default)]
pub(super) struct Update {
    pub(super) defined: Vec<Defined>,
    /// Whether there are no others, which are wrong.
    pub(super) is_whole: bool,
    /// How many run at once, where the files say so.
    pub(super) concurrency: Option<usize>,
    /// The names of checks that are wrong.
    pub(super) left_out: HashSet<String>,
    /// What is not done as it is written, a sentence each.
    pub(super) notes: Vec<String>,
    /// The files without a list of checks, with what would be said of one that had a list before.
    pub(super) listless: Vec<Wrong>,
}

/// What a file is known by without reading it: while this is the same, so is the content.
pub(super) type Stamp = Vec<Option<(SystemTime, u64, u64)>>;

impl Update {
    /// What is known of them before their first run here.
    pub(super) fn stand(&mut self, known: &HashMap<CheckName, Standing>) {
        let names = self.defined.iter().map(|defined| (&defined.check.name, defined.check.was.as_ref()));
        let formers: HashMap<CheckName, CheckName> = renames(|name| known.contains_key(name), names)
            .into_iter()
            .map(|rename| (rename.to, rename.from))
            .collect();
        for defined in &mut self.defined {
            let name = formers.get(&defined.check.name).unwrap_or(&defined.check.name);
            if let Some(standing) = known.get(name) {
                defined.standing = *standing;
            }
        }
    }

    /// Those that run, and are wrong now, go on as they were.
    pub(super) fn keep(&mut self, running: &[Check]) {
        let is_left_out = |check: &&Check| self.left_out.contains(check.name.as_str());
        let kept: Vec<_> = running.iter().filter(is_left_out).cloned().map(Defined::new).collect();
        self.defined.extend(kept);
    }
}

impl Found {
    /// All that is defined, where all of it is right and can run here.
    ///
    /// # Errors
    /// All that is wrong or missing, a sentence each.
    pub(super) fn in_order(self) -> Result<Update, WrongSetting> {
        match self.usable {
            Some(update) if self.wrong.is_empty() && self.missing.is_empty() => Ok(update),
            _ => Err(self.sentences()),
        }
    }

    /// All that is wrong or missing, a sentence each.
    pub(super) fn sentences(&self) -> WrongSetting {
        let mut all: Vec<&Wrong> = self.wrong.iter().chain(&self.missing).collect();
        all.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
        WrongSetting(all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    /// A file that had a list, and has none now, is being written or was cut off: that is not to say that nothing is to be checked.
    pub(super) fn unless_cut_off(mut self, listless_before: &[Wrong]) -> Self {
        let listless = self.usable.iter().flat_map(|update| &update.listless);
        let cut_off: Vec<Wrong> = listless.filter(|file| !listless_before.contains(file)).cloned().collect();
        if !cut_off.is_empty() {
            self.usable = None;
            self.wrong.extend(cut_off);
        }
        self
    }

    fn take(&mut self, file: &str, parts: Parts, update: &mut Option<Update>, names: &mut HashSet<CheckName>) {
        let Parts { usable, wrong, missing, left_out } = parts;
        self.wrong.extend(wrong);
        self.missing.extend(missing);
        let Some(Loaded { checks, notes, has_list, .. }) = usable else { return *update = None };
        let Some(update) = update else { return };
        for check in checks {
            if names.insert(check.name.clone()) {
                update.defined.push(Defined::new(check));
            } else {
                let sentence = format!("there is a check {} already: give one of them another name", check.name);
                self.wrong.push(Wrong { file: file.to_owned(), line: None, sentence });
            }
        }
        update.notes.extend(notes);
        update.left_out.extend(left_out);
        if !has_list {
            let sentence = "it defines no checks any more: write an empty list ([]) where there are to be none";
            update.listless.push(Wrong { file: file.to_owned(), line: None, sentence: sentence.into() });
        }
    }
}

impl Source {
    pub(super) fn new(settings: &ChecksSettings) -> Self {
        Self {
            checks_yml: settings.file(),
            services_yml: settings.statping_file.clone(),
            uptimepulse: settings.uptimepulse.clone(),
        }
    }

    /// What the files come to now.
    pub(super) fn load(&self) -> Found {
        let stamp = self.stamp();
        let checks_yml = self.checks_yml.as_ref();
        let checks_yml = checks_yml.map(|path| (path.display().to_string(), checks_yml::load_parts(path)));
        let groups = statping::Groups::default();
        let services = self.services_yml.as_ref();
        let services = services.map(|path| (path.display().to_string(), statping::load_parts(path, &groups)));
        let agent = uptimepulse::read(|name| self.uptimepulse.value(name)).transpose();
        let concurrency = agent.as_ref().and_then(|agent| agent.as_ref().ok()).map(|agent| agent.concurrency);
        let has_others = self.checks_yml.is_some() || self.services_yml.is_some();
        let concurrency = concurrency.filter(|_| !has_others).and_then(|it| usize::try_from(it).ok());
        let agent = agent.map(|agent| {
            let parts = match agent {
                Ok(agent) => Parts { usable: Some(agent.loaded), ..Parts::default() },
                Err(wrong) => Parts { wrong, ..Parts::default() },
            };
            ("PING_TARGET_URLS".to_owned(), parts)
        });
        let (mut found, mut names) = (Found { stamp, ..Found::default() }, HashSet::from([own_files::check().name]));
        let mut update = Some(Update { concurrency, ..Update::default() });
        for (file, parts) in [checks_yml, services, agent].into_iter().flatten() {
            found.take(&file, parts, &mut update, &mut names);
        }
        if names.len() > MAX_CHECKS {
            let sentence =
                format!("all files together define more than {MAX_CHECKS} checks: share them between two programs");
            found.wrong.push(Wrong { file: "checks".into(), line: None, sentence });
            update = None;
        }
        let is_whole = found.wrong.is_empty();
        let is_usable = |update: &Update| is_whole || !update.defined.is_empty();
        found.usable = update.map(|update| Update { is_whole, ..update }).filter(is_usable);
        found
    }

    pub(super) fn stamp(&self) -> Stamp {
        let of = |path: &PathBuf| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
        };
        [&self.checks_yml, &self.services_yml].into_iter().flatten().map(of).collect()
    }
}
