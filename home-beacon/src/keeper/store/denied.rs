//! Why a file could not be made or written: whose its folder is, and who asks.

use std::{
    fs::Metadata,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::process::{getegid, geteuid};

/// Says who asked for `file`, whose it or its folder is, and what to do: one sentence without its start.
pub(super) fn denied(file: &Path) -> String {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let told = |path: &Path, found: &Metadata| {
        format!("{} is {}:{}'s, mode {:04o}", path.display(), found.uid(), found.gid(), found.mode() & 0o7777)
    };
    // A file that is there is what was denied, or else its folder, in which it and its log are made.
    let there: Vec<_> =
        [file, folder.as_path()].into_iter().filter_map(|path| Some(told(path, &path.metadata().ok()?))).collect();
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    format!(
        "this program runs as user {uid}:{gid}, and {}: give the folder to it (chown -R {uid}:{gid} {}, as root on the \
         machine where it is), or name a file elsewhere",
        if there.is_empty() { "may not look into the folder".to_owned() } else { there.join(", ") },
        folder.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_and_whose_the_folder_is_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let found = folder.path().metadata().unwrap();
        let said = denied(&folder.path().join("k.db"));
        let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
        for part in [
            format!("runs as user {uid}:{gid}"),
            format!("{} is {}:{}'s, mode 0700", folder.path().display(), found.uid(), found.gid()),
            format!("chown -R {uid}:{gid} {}", folder.path().display()),
        ] {
            assert!(said.contains(&part), "{said}");
        }
    }
}
