//! Files that programs do not get to read although their user may: those of secrets. The kernel's Landlock knows what is allowed
//! alone, so everything beside them is. That keeps a program from reading them, and not one that means harm from everything: what
//! it may write to, it may rename.

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

/// Files as they were named: where they are may change, as in a volume of Kubernetes.
#[derive(Debug)]
struct Hidden {
    named: Vec<PathBuf>,
    rules: Mutex<Option<(Instant, RulesetCreated)>>,
}

/// Hides these files from every program that is started from now on. The first call counts.
pub(super) fn hide(files: impl IntoIterator<Item = PathBuf>) {
    let hidden = Hidden { named: files.into_iter().collect(), rules: Mutex::default() };
    // A second call has nothing to add: what is secret is known before anything runs.
    let _ = HIDDEN.set(hidden);
}

/// Hides them from this thread and from what it starts, as far as the kernel can.
pub(super) fn from_this_thread() -> io::Result<()> {
    match HIDDEN.get().filter(|hidden| !hidden.named.is_empty()) {
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
        let files: BTreeSet<PathBuf> = self.named.iter().filter_map(|file| real(file)).collect();
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            // Moving from folder to folder is refused by every set of rules that does not allow it.
            .handle_access(AccessFs::ReadFile | AccessFs::Refer)
            .and_then(Ruleset::create)
            .map_err(io::Error::other)?;
        for (path, is_folder) in beside(Path::new("/"), &files) {
            let may = if is_folder { AccessFs::ReadFile | AccessFs::Refer } else { AccessFs::ReadFile.into() };
            // What cannot be opened cannot be read either.
            if let Ok(opened) = PathFd::new(&path) {
                rules = rules.add_rule(PathBeneath::new(opened, may)).map_err(io::Error::other)?;
            }
        }
        Ok(rules)
    }
}

/// All that is neither one of these files nor on the way to one, and whether it is a folder.
fn beside(folder: &Path, files: &BTreeSet<PathBuf>) -> Vec<(PathBuf, bool)> {
    // One that cannot be listed can be entered, perhaps, and programs need what is in it: better a secret less hidden than no check.
    let Ok(entries) = fs::read_dir(folder) else { return vec![(folder.to_owned(), true)] };
    let mut all = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        let is_on_the_way = files.iter().any(|file| file.starts_with(&path));
        match entry.file_type() {
            // What a link leads to is met where it is.
            Ok(kind) if kind.is_symlink() || files.contains(&path) => (),
            Ok(kind) if kind.is_dir() && is_on_the_way => all.extend(beside(&path, files)),
            Ok(kind) => all.push((path, kind.is_dir())),
            // It has gone.
            Err(_) => (),
        }
    }
    all
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
        let mut found = beside(&root, &files);
        found.sort();
        assert_eq!(found, [(data.join("other"), false), (root.join("beside"), true)]);
        // The volume is another one now, by the same name.
        fs::rename(&data, root.join("..2026_12_01")).unwrap();
        fs::remove_file(root.join("..data")).unwrap();
        std::os::unix::fs::symlink("..2026_12_01", root.join("..data")).unwrap();
        assert_eq!(real(&root.join("token")), Some(root.join("..2026_12_01/token")));
    }
}
