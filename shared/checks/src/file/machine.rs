//! What a file may refer to on the machine that runs its checks.

use std::{env, ffi::OsString, fs, io, os::unix::fs::PermissionsExt, path::Path};

/// Asked while a file is read, and never later.
pub trait Machine {
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<OsString>;

    /// Whether a program is there, and may be executed.
    ///
    /// # Errors
    /// Why not, in a few words.
    fn program(&self, path: &Path) -> Result<(), String>;

    /// Whether that is a folder.
    fn is_folder(&self, path: &Path) -> bool;
}

/// The machine that this runs on.
#[derive(Clone, Copy, Debug)]
pub struct ThisMachine;

impl Machine for ThisMachine {
    fn variable(&self, name: &str) -> Option<OsString> {
        env::var_os(name)
    }

    fn program(&self, path: &Path) -> Result<(), String> {
        let of = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => "is not there".to_owned(),
            _ => format!("cannot be seen ({error})"),
        };
        let metadata = fs::metadata(path).map_err(of)?;
        if !metadata.is_file() {
            return Err("is no file".into());
        }
        // Whose bit it is depends on who runs it, which is known only then.
        if metadata.permissions().mode() & 0o111 == 0 {
            return Err("may not be executed (chmod +x)".into());
        }
        Ok(())
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }
}
