//! Files that programs do not get to read although their user may: those of secrets. The kernel's Landlock knows what is allowed
//! alone, so everything beside them is.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use landlock::{
    AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr,
};

/// How long what was beside them when it was looked at stands for what is there now.
const FRESH: Duration = Duration::from_secs(10);

/// The files of this process, once they are known.
static HIDDEN: OnceLock<Hidden> = OnceLock::new();

/// Files, and what else there is.
#[derive(Debug)]
struct Hidden {
    files: BTreeSet<PathBuf>,
    rules: Mutex<Option<(Instant, RulesetCreated)>>,
}

/// Hides these files from every program that is started from now on. The first call counts.
pub(super) fn hide(files: impl IntoIterator<Item = PathBuf>) {
    let hidden = Hidden { files: files.into_iter().filter_map(|file| real(&file)).collect(), rules: Mutex::default() };
    // A second call has nothing to add: what is secret is known before anything runs.
    let _ = HIDDEN.set(hidden);
}

/// Hides them from this thread and from what it starts, as far as the kernel can.
pub(super) fn from_this_thread() -> io::Result<()> {
    match HIDDEN.get().filter(|hidden| !hidden.files.is_empty()) {
        Some(hidden) => hidden.rules()?.restrict_self().map(drop).map_err(io::Error::other),
        None => Ok(()),
    }
}

/// Whether this kernel can.
#[cfg(test)]
pub(super) fn is_possible() -> bool {
    let strict = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    strict.handle_access(AccessFs::ReadFile).and_then(Ruleset::create).is_ok()
}

impl Hidden {
    fn rules(&self) -> io::Result<RulesetCreated> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        match rules.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            Some((_, fresh)) => fresh.try_clone(),
            None => rules.insert((Instant::now(), self.made()?)).1.try_clone(),
        }
    }

    fn made(&self) -> io::Result<RulesetCreated> {
        let mut beside = Vec::new();
        self.beside(Path::new("/"), &mut beside)?;
        // What cannot be opened cannot be read either.
        let opened = beside.iter().filter_map(|path| PathFd::new(path).ok());
        let rules = Ruleset::default().set_compatibility(CompatLevel::BestEffort);
        let rules = rules.handle_access(AccessFs::ReadFile).and_then(Ruleset::create).map_err(io::Error::other)?;
        let allowed = opened.map(|path| Ok::<_, landlock::RulesetError>(PathBeneath::new(path, AccessFs::ReadFile)));
        rules.add_rules(allowed).map_err(io::Error::other)
    }

    /// All that is neither one of them nor on the way to one.
    fn beside(&self, folder: &Path, beside: &mut Vec<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let is_on_the_way = self.files.iter().any(|file| file.starts_with(&path));
            match entry.file_type()? {
                // What a link leads to is met where it is.
                kind if kind.is_symlink() || self.files.contains(&path) => (),
                kind if kind.is_dir() && is_on_the_way => self.beside(&path, beside)?,
                _ => beside.push(path),
            }
        }
        Ok(())
    }
}

/// Where a file is without links, even before it is there.
fn real(file: &Path) -> Option<PathBuf> {
    let folder = |file: &Path| Some(file.parent()?.canonicalize().ok()?.join(file.file_name()?));
    file.canonicalize().ok().or_else(|| folder(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_beside_but_the_files_and_the_folders_that_lead_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let data = root.join("..2026_11_30");
        fs::create_dir_all(data.join("deeper")).unwrap();
        fs::create_dir(root.join("beside")).unwrap();
        for name in ["token", "other", "deeper/key"] {
            fs::write(data.join(name), "x").unwrap();
        }
        // As Kubernetes has its secrets.
        std::os::unix::fs::symlink("..2026_11_30", root.join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/token", root.join("token")).unwrap();
        let files = [root.join("token"), root.join("later"), data.join("deeper/key"), root.join("no/such/folder")];
        let files = files.into_iter().filter_map(|file| real(&file)).collect::<BTreeSet<_>>();
        assert_eq!(files.len(), 3, "{files:?}");
        let (hidden, mut beside) = (Hidden { files, rules: Mutex::default() }, Vec::new());
        hidden.beside(&root, &mut beside).unwrap();
        beside.sort();
        assert_eq!(beside, [data.join("other"), root.join("beside")]);
    }
}
