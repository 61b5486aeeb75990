//! Small files: read whole and never waited for, and replaced whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use crate::wrong_setting::WrongSetting;

/// Reads a regular file of at most `max_bytes`. Anything else (a pipe, a device) could keep a reader for ever.
///
/// # Errors
/// When it is something else, longer, or cannot be read.
pub fn read(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(io::Error::other(format!("it has more than {max_bytes} bytes")));
    }
    Ok(bytes)
}

/// Puts `bytes` in the place of a file, or of none: a crash leaves the old ones or the new ones, on disk.
///
/// # Errors
/// When its folder cannot be written; the file is as it was then.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, bytes, File::options().write(true).create(true).truncate(true))
}

/// As [`replace`], and only this user may read the file.
///
/// # Errors
/// As [`replace`].
pub fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, bytes, File::options().write(true).create(true).truncate(true).mode(0o600))
}

fn replace_with(path: &Path, bytes: &[u8], options: &OpenOptions) -> io::Result<()> {
    let draft = path.with_added_extension("new");
    let write = || -> io::Result<()> {
        let mut file = options.open(&draft)?;
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
}
