//! Whose the files of a folder are.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, lchown},
    path::Path,
};

use rustix::process::geteuid;

/// Gives a file that root has made to the owner of its folder; nobody else can make one for others.
///
/// # Errors
/// When it cannot be given.
pub(crate) fn give_file(folder: &Path, name: &str) -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let (owner, file) = (fs::metadata(folder)?, folder.join(name));
    match fs::symlink_metadata(&file) {
        Ok(of_file) if (of_file.uid(), of_file.gid()) == (owner.uid(), owner.gid()) => Ok(()),
        // The owner of the folder could have put a link there.
        Ok(_) => lchown(file, Some(owner.uid()), Some(owner.gid())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_root_makes_belongs_to_the_owner_of_the_folder() {
        let outer = tempfile::tempdir().unwrap();
        give_file(outer.path(), "none").unwrap();
        if !geteuid().is_root() {
            return;
        }
        lchown(outer.path(), Some(65_534), Some(65_534)).unwrap();
        fs::write(outer.path().join("key"), "").unwrap();
        give_file(outer.path(), "key").unwrap();
        let file = fs::metadata(outer.path().join("key")).unwrap();
        assert_eq!((file.uid(), file.gid()), (65_534, 65_534));
    }
}
