//! Small files: read whole and never waited for, and replaced whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::fs::OFlags;

use crate::wrong_setting::WrongSetting;

/// Opens what is at that name itself: where whoever owns the folder has put a link there, nothing, so that root writes no file that
/// another user chose. Of a pipe nobody is waited for.
#[expect(clippy::cast_possible_wrap, reason = "the flags of open(2) are a C int")]
pub(crate) const ITSELF: i32 = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).bits() as i32;

/// Reads a regular file of at most `max_bytes`. Anything else (a pipe, a device) could keep a reader for ever.
///
/// # Errors
/// When it is something else, longer, or cannot be read.
pub fn read(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    bounded(File::open(path)?, max_bytes)
}

fn bounded(file: File, max_bytes: u64) -> io::Result<Vec<u8>> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(io::Error::other(format!("it has more than {max_bytes} bytes")));
    }
    Ok(bytes)
}

/// As [`read`], where it is in a folder of a user who is perhaps less trusted than this process: what a link leads to is not read.
///
/// # Errors
/// As [`read`], and when it is a link.
pub fn read_itself(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let file = File::options().read(true).custom_flags(ITSELF).open(path)?;
    bounded(file, max_bytes)
}

/// Puts `bytes` in the place of a file, or of none: a crash leaves the old ones or the new ones, on disk.
///
/// # Errors
/// When its folder cannot be written; the file is as it was then.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, bytes, File::options().write(true).create(true).truncate(true).custom_flags(ITSELF))
}

/// As [`replace`], and only this user may read the file.
///
/// # Errors
/// As [`replace`].
pub fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, bytes, File::options().write(true).create(true).truncate(true).mode(0o600).custom_flags(ITSELF))
}

fn replace_with(path: &Path, bytes: &[u8], options: &OpenOptions) -> io::Result<()> {
    let draft = path.with_added_extension("new");
    let write = || -> io::Result<()> {
        let mut file = options.open(&draft)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("its draft is no regular file"));
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        // The folder knows the new name only once it is on disk itself.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    write().inspect_err(|_| {
        // It may never have been made.
        let _ = fs::remove_file(&draft);
    })
}

/// Checks, at a start, that a file can be where a setting names it: its folder is there, and it is no folder itself.
///
/// # Errors
/// When it cannot; one sentence that names the setting.
pub fn check_place(setting: &str, path: &Path) -> Result<(), WrongSetting> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(WrongSetting(format!(
            "{setting}: {} is no folder: make it, or name another place",
            folder.display()
        )));
    }
    if path.is_dir() {
        return Err(WrongSetting(format!("{setting}: {} is a folder: name a file in it", path.display())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_short_regular_file_is_read() {
        let path = std::env::temp_dir().join(format!("porchlight-file-{}", std::process::id()));
        fs::write(&path, "12345678").unwrap();
        assert_eq!(read(&path, 8).unwrap(), b"12345678");
        assert!(read(&path, 7).unwrap_err().to_string().contains("more than 7 bytes"));
        fs::remove_file(&path).unwrap();
        assert_eq!(read(&path, 8).unwrap_err().kind(), io::ErrorKind::NotFound);
        for other in ["/dev/zero", "/dev/null", "/"] {
            assert_eq!(read(Path::new(other), 8).unwrap_err().to_string(), "it is no regular file");
        }
    }
    #[test]
    fn whoever_owns_the_folder_cannot_have_another_file_written_or_read() {
        let folder = std::env::temp_dir().join(format!("porchlight-links-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let (other, path) = (folder.join("other"), folder.join("record"));
        fs::write(&other, "as it was").unwrap();
        for draft in [true, false] {
            let link = if draft { path.with_added_extension("new") } else { path.clone() };
            std::os::unix::fs::symlink(&other, &link).unwrap();
            if draft {
                assert!(replace(&path, b"new").is_err());
                // The link is gone with that; it is refused again where it is put there again.
                std::os::unix::fs::symlink(&other, &link).unwrap();
                assert!(replace_private(&path, b"new").is_err());
            } else {
                assert!(read_itself(&path, 99).is_err());
                assert_eq!(read(&path, 99).unwrap(), b"as it was", "what Kubernetes mounts are links");
                // The link is replaced, and not what it leads to.
                replace(&path, b"new").unwrap();
                assert_eq!(read_itself(&path, 99).unwrap(), b"new");
            }
            assert_eq!(fs::read_to_string(&other).unwrap(), "as it was");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
