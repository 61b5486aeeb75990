//! The folder that `up` keeps everything in. Each file is made whole and only where it is missing, so that a start that was
//! killed, or found a full disk, is mended by the next one.

use std::{
    env, fs,
    fs::Permissions,
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::process::geteuid;
use shared::{
    file,
    message::UpFault,
    secret::{Secret, SecretSource},
    settings::WrongSetting,
};

use super::{
    files::{CHECKS_SECRETS, DATABASE, LAYOUT_FILE, OURS, SYSTEM_FOLDER, WAITING},
    owner,
};

/// The layout of the folder that this version makes and understands.
const LAYOUT: u32 = 1;

/// The longest file of ours but the database, in bytes.
const MAX_FILE: u64 = 64 << 10;

/// A folder that holds, or is to hold, what `up` needs.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folder that is named, or this user's own.
    ///
    /// # Errors
    /// When none is named, and the environment names no home folder.
    pub(crate) fn named(data: Option<&Path>) -> Result<Self, WrongSetting> {
        if let Some(data) = data {
            let absolute = std::path::absolute(data);
            return absolute.map(Self).map_err(|error| WrongSetting(format!("--data {}: {error}", data.display())));
        }
        if geteuid().is_root() {
            return Ok(Self(SYSTEM_FOLDER.into()));
        }
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
        state
            .map(|state| Self(state.join("porchlight")))
            .ok_or_else(|| WrongSetting("neither XDG_STATE_HOME nor HOME names a folder: name one with --data".into()))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Where a file of that name is.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The address of the database in it.
    pub(crate) fn database_url(&self) -> String {
        format!("sqlite:{}", self.file(DATABASE).display())
    }

    /// The address of the database of an outside machine that no home has joined yet: its page is nobody's.
    pub(crate) fn waiting_database_url(&self) -> String {
        format!("sqlite:{}", self.file(WAITING).display())
    }

    /// Whether there is a database.
    pub(crate) fn has_database(&self) -> bool {
        self.file(DATABASE).exists()
    }

    /// Makes the folder where it is missing, for this user alone, and marks it as ours.
    ///
    /// # Errors
    /// When it cannot be made or written, is somebody else's, or was made by a newer version; one sentence.
    pub(crate) fn prepare(&self) -> Result<(), WrongSetting> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(|error| self.cannot(&error))?;
        let is_ours = self.is_ours()?;
        if !is_ours {
            self.refuse_strangers()?;
        }
        let mode = fs::metadata(&self.0).map_err(|error| self.cannot(&error))?.permissions().mode();
        if mode & 0o077 != 0 {
            // Also where somebody has opened it to others since.
            fs::set_permissions(&self.0, Permissions::from_mode(0o700)).map_err(|error| self.cannot(&error))?;
        }
        if !is_ours {
            self.write(LAYOUT_FILE, format!("{LAYOUT}\n").as_bytes())?;
        }
        Ok(())
    }

    /// Whether `up` has made the folder.
    ///
    /// # Errors
    /// When a newer version has, or it cannot be read.
    pub(crate) fn is_ours(&self) -> Result<bool, WrongSetting> {
        let Some(layout) = self.read(LAYOUT_FILE)? else { return Ok(false) };
        match layout.trim().parse::<u32>() {
            Ok(LAYOUT) => Ok(true),
            Ok(newer) => {
                let made = "a newer version of Porchlight made this folder";
                let what = format!("{made} (its layout is {newer}, and this version knows {LAYOUT})");
                Err(self.fault(UpFault::Newer, &what))
            }
            Err(_) => {
                Err(self.wrong("the file `layout` holds no number: restore it, or name another folder with --data"))
            }
        }
    }

    /// The text of a file; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read(&self, name: &str) -> Result<Option<String>, WrongSetting> {
        let wrong = |error: &dyn std::fmt::Display| WrongSetting(format!("{}: {error}", self.file(name).display()));
        match file::read(&self.file(name), MAX_FILE) {
            Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| wrong(&"it is not text")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(self.cannot(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(self.fault(UpFault::CannotBeWritten, "it is a file, and no folder"))
            }
            Err(error) => Err(wrong(&error)),
        }
    }

    /// Puts a file in the place of one of that name, or of none, readable for this user alone.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), WrongSetting> {
        file::replace_private(&self.file(name), bytes).map_err(|error| self.cannot(&error))?;
        owner::give_file(&self.0, name).map_err(|error| self.cannot(&error))
    }

    /// Has all in the folder belong to its owner: a unit runs as a user of its own, and root changes the folder beside it.
    ///
    /// # Errors
    /// When a file cannot be given.
    pub(crate) fn give_all_to_owner(&self) -> Result<(), WrongSetting> {
        OURS.iter().try_for_each(|name| owner::give_file(&self.0, name)).map_err(|error| self.cannot(&error))
    }

    /// Deletes a file that may be there.
    ///
    /// # Errors
    /// When it is, and cannot be deleted.
    pub(crate) fn delete(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// A secret, made where there is none yet.
    ///
    /// # Errors
    /// When it can neither be read nor made.
    pub(crate) fn secret<E: std::fmt::Display>(
        &self,
        setting: &'static str,
        name: &str,
        make: impl FnOnce() -> Result<String, E>,
    ) -> Result<SecretSource, WrongSetting> {
        if self.read(name)?.is_none() {
            let text = make().map_err(|error| WrongSetting(error.to_string()))?;
            self.write(name, format!("{text}\n").as_bytes())?;
        }
        let source = SecretSource::File { setting, path: self.file(name) };
        source.current()?;
        Ok(source)
    }

    /// A secret that may be there.
    ///
    /// # Errors
    /// When it is there and cannot be used.
    pub(crate) fn known_secret(&self, setting: &'static str, name: &str) -> Result<Option<SecretSource>, WrongSetting> {
        if self.read(name)?.is_none() {
            return Ok(None);
        }
        let source = SecretSource::File { setting, path: self.file(name) };
        source.current().map(|_| Some(source))
    }

    /// Keeps a secret.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn keep(&self, name: &str, secret: &Secret) -> Result<(), WrongSetting> {
        self.write(name, format!("{}\n", secret.expose()).as_bytes())
    }

    /// Deletes the database of an outside machine that has a home now.
    pub(crate) fn forget_waiting(&self) {
        for name in OURS.iter().filter(|name| name.starts_with(WAITING)) {
            // Most of them are not there.
            let _ = fs::remove_file(self.file(name));
        }
    }

    /// Deletes what is ours, and the folder where nothing else is in it.
    ///
    /// # Errors
    /// When something cannot be deleted.
    pub(crate) fn purge(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.file(CHECKS_SECRETS)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => (),
        }
        // The mark goes last: what is left of a purge that was cut off can be purged again.
        for name in OURS.iter().skip(1).chain(&OURS[..1]) {
            self.delete(name)?;
            self.delete(&format!("{name}.new"))?;
        }
        // Where systemd keeps it for a user that comes and goes, the folder is a link to the real one.
        match fs::remove_dir(fs::canonicalize(&self.0)?) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => return Ok(()),
            done => done?,
        }
        if self.0.is_symlink() { fs::remove_file(&self.0) } else { Ok(()) }
    }

    /// A folder that is not marked yet is empty, or holds a keeper's database.
    fn refuse_strangers(&self) -> Result<(), WrongSetting> {
        for entry in fs::read_dir(&self.0).map_err(|error| self.cannot(&error))? {
            let name = entry.map_err(|error| self.cannot(&error))?.file_name();
            let name = name.to_string_lossy();
            if name != CHECKS_SECRETS && !OURS.contains(&name.trim_end_matches(".new")) {
                let what = format!("the folder holds {name}, which is not Porchlight's");
                return Err(self.fault(UpFault::Foreign, &what));
            }
        }
        Ok(())
    }

    /// Why the folder cannot be used, and what to do.
    pub(crate) fn cannot(&self, error: &io::Error) -> WrongSetting {
        let fault = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => UpFault::DiskFull,
            io::ErrorKind::ReadOnlyFilesystem => UpFault::DiskReadOnly,
            io::ErrorKind::PermissionDenied => UpFault::Forbidden,
            _ => UpFault::CannotBeWritten,
        };
        self.fault(fault, &error.to_string())
    }

    /// What is wrong with the folder, what to do, and where there is more about it.
    pub(super) fn fault(&self, fault: UpFault, what: &str) -> WrongSetting {
        let sentence = format!("{}: {what}: {}", self.0.display(), fault.words());
        WrongSetting(fault.entry().ending(&sentence))
    }

    fn wrong(&self, what: &str) -> WrongSetting {
        WrongSetting(format!("{}: {what}", self.0.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::named(Some(&outer.path().join("new/porchlight"))).unwrap();
        (outer, folder)
    }

    #[test]
    fn a_new_folder_is_for_this_user_alone_and_its_secrets_stay() {
        let (_outer, folder) = folder();
        assert!(!folder.is_ours().unwrap());
        folder.prepare().unwrap();
        folder.prepare().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let kept = |text: &'static str| folder.secret("BEACON_KEY", "beacon.key", || Ok::<_, io::Error>(text.into()));
        assert_eq!(kept("first").unwrap().current().unwrap().expose(), "first");
        assert_eq!(kept("second").unwrap().current().unwrap().expose(), "first", "it is made once");
        assert_eq!((mode(folder.path()), mode(&folder.file("beacon.key"))), (0o700, 0o600));
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        folder.prepare().unwrap();
        assert_eq!(mode(folder.path()), 0o700, "it is closed again");
        folder.purge().unwrap();
        assert!(!folder.path().exists());
    }
}
