//! Which process runs a folder, and what it said when it began.

use std::{path::PathBuf, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{
    lock::{FileLock, LockError},
    settings::WrongSetting,
};
use tokio::time::{Instant, sleep};
use url::Url;

use super::folder::Folder;

pub(super) const LOCK: &str = "up.lock";

const FILE: &str = "running.json";

const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// What is known of a start once everything listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Running {
    /// The process.
    pub(super) process: u32,
    /// Since when.
    pub(super) since: Timestamp,
    /// The page, as a browser on this machine finds it.
    pub(super) page: Url,
    /// The beacon, as this machine finds it.
    pub(super) beacon: Option<Url>,
    /// The page of an outside machine, as everybody finds it.
    #[serde(default)]
    pub(super) shown: Option<Url>,
}

/// Takes the folder for this process; `None` where another one has it.
///
/// # Errors
/// When the lock cannot be made.
pub(super) fn take(folder: &Folder) -> Result<Option<FileLock>, WrongSetting> {
    match FileLock::try_acquire(&lock(folder)) {
        Ok(mut lock) => {
            // For `down`, from now on.
            lock.write_process_id().map_err(|error| folder.cannot(&error))?;
            Ok(Some(lock))
        }
        Err(LockError::Held) => Ok(None),
        Err(LockError::Io(error)) => Err(folder.cannot(&error)),
    }
}

/// Whether a process has the folder.
pub(super) fn is_held(folder: &Folder) -> bool {
    FileLock::is_held(&lock(folder))
}

/// The process that has the folder, as it wrote itself down.
pub(super) fn holder(folder: &Folder) -> Option<i32> {
    folder.read(LOCK).ok()??.trim().parse().ok()
}

/// [`holder`], for who sends it a signal: one that has just taken the folder has not written itself over the one before yet,
/// whose number may be anybody's by now.
pub(super) async fn settled_holder(folder: &Folder) -> Option<i32> {
    sleep(POLL_INTERVAL).await;
    let first = holder(folder);
    sleep(POLL_INTERVAL).await;
    holder(folder).filter(|process| is_held(folder) && first == Some(*process))
}

/// What the process said that has the folder, where it has begun.
pub(super) fn of(folder: &Folder) -> Option<Running> {
    let running: Running = serde_json::from_str(&folder.read(FILE).ok()??).ok()?;
    // One that was killed could not take it back.
    (is_held(folder) && holder(folder) == i32::try_from(running.process).ok()).then_some(running)
}

/// Waits until a process that has the folder has begun.
pub(super) async fn begun(folder: &Folder, until: Instant) -> Option<Running> {
    loop {
        match of(folder) {
            None if Instant::now() < until => sleep(POLL_INTERVAL).await,
            found => return found,
        }
    }
}

/// Waits until no process has the folder; `false` where one still has.
pub(super) async fn ended(folder: &Folder, until: Instant) -> bool {
    while is_held(folder) {
        if Instant::now() >= until {
            return false;
        }
        sleep(POLL_INTERVAL).await;
    }
    true
}

impl Running {
    /// Writes it down.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(super) fn write(&self, folder: &Folder) -> Result<(), WrongSetting> {
        let text = serde_json::to_string(self).map_err(|error| WrongSetting(error.to_string()))?;
        folder.write(FILE, text.as_bytes())
    }
}

fn lock(folder: &Folder) -> PathBuf {
    folder.file(LOCK)
}
