//! Lock files: an advisory lock (`flock(2)`) that keeps other processes out until it is dropped, or this process ends.

use std::{
    fs::{File, TryLockError},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process,
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::file::ITSELF;

/// How often a lock that another process holds is tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// A lock that this process holds. The file stays when it is dropped: removing it would let two processes lock two files
/// of one name.
#[derive(Debug)]
pub struct FileLock(File);

/// A lock that was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it: try again later.
    #[error("another process holds the lock")]
    Held,
    /// The file cannot be made or locked.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<LockError> for io::Error {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held => io::ErrorKind::WouldBlock.into(),
            LockError::Io(error) => error,
        }
    }
}

impl FileLock {
    /// Takes the lock at once. The file is made where there is none; what is in it stays.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process has it, [`LockError::Io`] when the file cannot be opened.
    pub fn try_acquire(path: &Path) -> Result<Self, LockError> {
        Self::of(File::options().create(true).append(true).custom_flags(ITSELF).open(path)?)
    }

    /// As [`FileLock::try_acquire`], and no other user may open a file that is made for it.
    ///
    /// # Errors
    /// As there.
    pub fn try_acquire_private(path: &Path) -> Result<Self, LockError> {
        Self::of(File::options().create(true).append(true).mode(0o600).custom_flags(ITSELF).open(path)?)
    }

    fn of(file: File) -> Result<Self, LockError> {
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(LockError::Held),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Takes the lock as soon as it is free.
    ///
    /// # Errors
    /// As [`FileLock::try_acquire`]; [`LockError::Held`] only after `until`.
    pub async fn acquire(path: &Path, until: Instant) -> Result<Self, LockError> {
        loop {
            match Self::try_acquire(path) {
                Err(LockError::Held) if Instant::now() < until => sleep(RETRY_INTERVAL).await,
                result => return result,
            }
        }
    }

    /// Writes the number of this process into the file, for processes that find it locked.
    ///
    /// # Errors
    /// When the file cannot be written; the lock holds all the same.
    pub fn write_process_id(&mut self) -> io::Result<()> {
        self.0.set_len(0)?;
        writeln!(self.0, "{}", process::id())
    }

    /// Whether a process holds the lock; no file is made.
    pub fn is_held(path: &Path) -> bool {
        let file = File::options().read(true).custom_flags(ITSELF).open(path);
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn path(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("porchlight-lock-{name}-{}", process::id()))
    }

    #[test]
    fn a_second_try_fails_until_the_first_is_dropped() {
        let path = path("single");
        assert!(!FileLock::is_held(&path) && !path.exists(), "asking makes no file");
        let mut held = FileLock::try_acquire(&path).unwrap();
        held.write_process_id().unwrap();
        assert!(matches!(FileLock::try_acquire(&path), Err(LockError::Held)) && FileLock::is_held(&path));
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", process::id()));
        drop(held);
        assert!(!FileLock::is_held(&path) && FileLock::try_acquire(&path).is_ok());
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn whoever_owns_the_folder_cannot_have_another_file_locked_and_emptied() {
        let (path, other) = (path("link"), path("other"));
        fs::write(&other, "as it was").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(matches!(FileLock::try_acquire(&path), Err(LockError::Io(_))));
        assert_eq!(fs::read_to_string(&other).unwrap(), "as it was");
        fs::remove_file(path).unwrap();
        fs::remove_file(other).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_its_deadline_or_when_the_lock_is_free() {
        let path = path("wait");
        let held = FileLock::try_acquire(&path).unwrap();
        let start = Instant::now();
        let late = FileLock::acquire(&path, start + Duration::from_secs(1)).await;
        assert!(matches!(late, Err(LockError::Held)) && start.elapsed() >= Duration::from_secs(1));
        let (taken, ()) = tokio::join!(FileLock::acquire(&path, start + Duration::from_secs(9)), async {
            sleep(Duration::from_secs(1)).await;
            drop(held);
        });
        assert!(taken.is_ok());
        fs::remove_file(&path).unwrap();
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_no_reason_to_wait() {
        let nowhere = path("nowhere").join("lock");
        let far = Instant::now() + Duration::from_hours(1);
        assert!(matches!(FileLock::acquire(&nowhere, far).await, Err(LockError::Io(_))));
    }
}
