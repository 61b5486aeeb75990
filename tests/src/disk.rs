//! A small disk of one's own, in memory.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::skip::{program, skip};
use tempfile::TempDir;

const FILLER: &str = "filler";

/// Unmounted when dropped, though files may still be open there.
#[derive(Debug)]
pub struct Disk(TempDir);

impl Disk {
    /// `None`, and a skip noted, where none can be mounted.
    ///
    /// # Panics
    /// Where there is no temporary folder.
    pub fn new(test: &str, kib: u32) -> Option<Self> {
        let disk = Self(tempfile::tempdir().expect("a temporary folder"));
        let mounted = mount(&["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"], disk.path());
        if !mounted {
            skip(test, "a small disk can be mounted by root only");
        }
        mounted.then_some(disk)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where a file of that name on it is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Leaves no byte on it.
    ///
    /// # Panics
    /// When it is not there any more.
    pub fn fill(&self) {
        let mut filler = OpenOptions::new().create(true).append(true).open(self.file(FILLER)).expect("a file");
        loop {
            match filler.write(&[b'x'; 4096]) {
                Ok(_) => (),
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Fills it, and leaves so many bytes.
    ///
    /// # Panics
    /// When it is not there any more.
    pub fn fill_but(&self, bytes: u64) {
        self.fill();
        let filler = File::options().write(true).open(self.file(FILLER)).expect("the filler");
        let length = filler.metadata().expect("its length").len();
        filler.set_len(length - bytes).expect("a file can be cut");
    }

    /// Takes back what fills it.
    ///
    /// # Panics
    /// When nothing does.
    pub fn free(&self) {
        fs::remove_file(self.file(FILLER)).expect("the filler is there");
    }

    /// No process may have a file open for writing there.
    ///
    /// # Panics
    /// When it is not there any more.
    pub fn make_read_only(&self) {
        assert!(mount(&["-o", "remount,ro"], self.path()), "it can be made read-only");
    }

    /// Takes that back.
    ///
    /// # Panics
    /// When it is not there any more.
    pub fn make_writable(&self) {
        assert!(mount(&["-o", "remount,rw"], self.path()), "it can be made writable");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(umount) = program("umount") {
            // Lazily: a program may not have ended yet. Where nothing was mounted it says so.
            let _ = Command::new(umount).arg("-l").arg(self.path()).stderr(Stdio::null()).status();
        }
    }
}

fn mount(how: &[&str], on: &Path) -> bool {
    let Some(mount) = program("mount") else { return false };
    Command::new(mount).args(how).arg(on).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
