//! Whether there can be a database where an address says, and if not, why: SQLite has one sentence for all of that.

use std::{
    fs::{self, FileType},
    io::{self, ErrorKind},
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, access},
    io::Errno,
    process::{getegid, geteuid},
};

use super::OpenError;

/// Checks the place without changing anything. A failure that may pass, like a read-only disk, is left to opening it.
///
/// # Errors
/// What is in the way.
pub(super) fn check(database: &Path) -> Result<(), OpenError> {
    let names_a_folder = database.as_os_str().as_encoded_bytes().ends_with(b"/");
    match fs::metadata(database) {
        Ok(there) if there.is_dir() => return Err(OpenError::Folder(database.to_owned())),
        Ok(there) if !there.is_file() => {
            return Err(OpenError::NoFile { path: database.to_owned(), kind: kind(there.file_type()) });
        }
        Ok(_) => may(database, Access::READ_OK | Access::WRITE_OK)?,
        Err(error) if error.kind() == ErrorKind::NotFound && names_a_folder => {
            return Err(OpenError::Folder(database.to_owned()));
        }
        Err(_) => (),
    }
    // The log lies beside the file itself, wherever a link to that may be.
    let real = match (fs::canonicalize(database), fs::read_link(database)) {
        (Ok(real), _) => real,
        (Err(_), Ok(target)) => folder(database).join(target),
        (Err(_), Err(_)) => database.to_owned(),
    };
    let folder = folder(&real);
    match fs::metadata(&folder) {
        Ok(there) if there.is_dir() => may(&folder, Access::WRITE_OK | Access::EXEC_OK),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(forbidden(closed(&folder))),
        Ok(_) => Err(OpenError::NoFolder(folder)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(OpenError::NoFolder(folder))
        }
        Err(_) => Ok(()),
    }
}

fn folder(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

fn may(path: &Path, what: Access) -> Result<(), OpenError> {
    match access(path, what) {
        Err(Errno::ACCESS | Errno::PERM) => Err(forbidden(path)),
        _ => Ok(()),
    }
}

/// The folder on the way to another that this user may not enter.
fn closed(folder: &Path) -> &Path {
    let is_seen = |path: &&Path| fs::metadata(path).is_ok();
    folder.ancestors().find(is_seen).unwrap_or(folder)
}

fn forbidden(path: &Path) -> OpenError {
    let owner = |there: io::Result<fs::Metadata>| {
        there.map_or_else(
            |error| error.to_string(),
            |there| format!("owner {}:{}, mode {:o}", there.uid(), there.gid(), there.mode() & 0o7777),
        )
    };
    OpenError::Forbidden {
        path: path.to_owned(),
        owner: owner(fs::metadata(path)),
        user: geteuid().as_raw(),
        group: getegid().as_raw(),
    }
}

fn kind(of: FileType) -> &'static str {
    if of.is_socket() {
        "socket"
    } else if of.is_fifo() {
        "pipe"
    } else {
        "device"
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixListener};

    use super::*;

    #[test]
    fn what_is_in_the_way_is_told_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let inside = |name: &str| folder.path().join(name);
        fs::write(inside("file"), "").unwrap();
        let _listener = UnixListener::bind(inside("socket")).unwrap();
        symlink("gone/keeper.db", inside("link")).unwrap();
        for (path, words) in [
            (folder.path().to_owned(), "is a folder: name a file in it, like"),
            (inside("new/"), "is a folder"),
            (inside("socket"), "is a socket, and no file"),
            ("/dev/null".into(), "is a device, and no file"),
            (inside("gone/keeper.db"), "gone is no folder: make it"),
            (inside("file/keeper.db"), "file is no folder: make it"),
            (inside("link"), "gone is no folder"),
        ] {
            let error = check(&path).unwrap_err().to_string();
            assert!(error.contains(words), "{}: {error}", path.display());
        }
        for path in [inside("file"), inside("new"), "keeper.db".into()] {
            assert!(check(&path).is_ok(), "{}", path.display());
        }
    }
}
