//! What a job must remember between runs: one small document per job, kept by the keeper, else in a folder.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use shared::{
    api::{self, ApiError, Permanent},
    file,
    lock::{FileLock, LockError},
    retry,
};
use tokio::time::Instant;

use super::{keeper::KeeperClient, settings::KEEPER_API};

/// The longest document that is read, in bytes.
const MAX_BYTES: u64 = 64 << 10;

/// Where a job remembers.
#[derive(Clone, Debug)]
pub(crate) enum Memory {
    /// With the keeper.
    Keeper(KeeperClient),
    /// In a folder of this machine.
    Folder(PathBuf),
    /// Nothing is remembered.
    Nowhere,
}

/// What a job remembered (`None` where it never did), and which version of it this is.
#[derive(Debug)]
pub(crate) struct Loaded<T> {
    /// The document.
    pub(crate) state: Option<T>,
    /// To be handed to [`Memory::replace`].
    pub(crate) version: Version,
}

/// The version that was loaded, to detect that another run has replaced it since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// The keeper's.
    Keeper(api::Version),
    /// The document as it was read; `None` of none.
    Folder(Option<Vec<u8>>),
    /// Nothing is remembered.
    Nowhere,
}

/// What is remembered cannot be read or changed; the texts are for people.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemoryError {
    /// Another run was quicker: load again, or give up.
    #[error("another run has changed it meanwhile")]
    Changed,
    /// The keeper or the folder cannot be used; says why.
    #[error("{0}")]
    Unavailable(String),
}

impl Memory {
    /// The keeper's, else the folder's.
    pub(crate) fn new(keeper: Option<KeeperClient>, folder: Option<PathBuf>) -> Self {
        match (keeper, folder) {
            (Some(keeper), _) => Self::Keeper(keeper),
            (None, Some(folder)) => Self::Folder(folder),
            (None, None) => Self::Nowhere,
        }
    }

    /// Whether nothing is remembered.
    pub(crate) fn is_nowhere(&self) -> bool {
        matches!(self, Self::Nowhere)
    }

    /// What a job remembered.
    ///
    /// # Errors
    /// [`MemoryError::Unavailable`] when it cannot be read until `until`, or cannot be understood.
    pub(crate) async fn load<T: DeserializeOwned>(&self, job: &str, until: Instant) -> Result<Loaded<T>, MemoryError> {
        match self {
            Self::Nowhere => Ok(Loaded { state: None, version: Version::Nowhere }),
            Self::Keeper(keeper) => {
                let asked = retry::silently(until, || keeper.state(job)).await;
                let (state, version) = asked.map_err(|error| unavailable(&error))?;
                let wrong = |error| {
                    MemoryError::Unavailable(format!("what the keeper has of {job} is not understood: {error}"))
                };
                let state = state.map(serde_json::from_value).transpose().map_err(wrong)?;
                Ok(Loaded { state, version: Version::Keeper(version) })
            }
            Self::Folder(folder) => {
                let path = document(folder, job);
                let text = text_of(&path)?;
                let wrong = |error| {
                    let path = path.display();
                    MemoryError::Unavailable(format!(
                        "STATE_DIR: {path} is not understood ({error}): repair it or remove it"
                    ))
                };
                let state = text.as_deref().map(serde_json::from_slice).transpose().map_err(wrong)?;
                Ok(Loaded { state, version: Version::Folder(text) })
            }
        }
    }

    /// Stores it, whatever was there before.
    ///
    /// # Errors
    /// [`MemoryError::Unavailable`] when it cannot be written until `until`.
    pub(crate) async fn save(
        &self,
        job: &str,
        state: &(impl Serialize + Sync),
        until: Instant,
    ) -> Result<(), MemoryError> {
        self.write(job, state, None, until).await.map(drop)
    }

    /// Stores it in the place of that version; returns the new one.
    ///
    /// # Errors
    /// [`MemoryError::Changed`] where there is another version by now, [`MemoryError::Unavailable`] when it cannot be
    /// written until `until`.
    pub(crate) async fn replace(
        &self,
        job: &str,
        version: &Version,
        state: &(impl Serialize + Sync),
        until: Instant,
    ) -> Result<Version, MemoryError> {
        self.write(job, state, Some(version), until).await
    }

    async fn write(
        &self,
        job: &str,
        state: &(impl Serialize + Sync),
        version: Option<&Version>,
        until: Instant,
    ) -> Result<Version, MemoryError> {
        match self {
            Self::Nowhere => Ok(Version::Nowhere),
            Self::Keeper(keeper) => {
                let version = version.and_then(|version| match version {
                    Version::Keeper(version) => Some(version),
                    _ => None,
                });
                match retry::silently(until, || keeper.set_state(job, state, version)).await {
                    Ok(version) => Ok(Version::Keeper(version)),
                    Err(ApiError::Permanent(Permanent { status: 412, .. })) => {
                        stored(keeper, job, &json!(state), until).await
                    }
                    Err(error) => Err(unavailable(&error)),
                }
            }
            Self::Folder(folder) => {
                let path = document(folder, job);
                let cannot = |error: io::Error| cannot(&path, "written", &error);
                let text = serde_json::to_vec_pretty(state).map_err(|error| cannot(error.into()))?;
                let lock = locked(&path.with_extension("lock"), until).await.map_err(cannot)?;
                if let Some(Version::Folder(expected)) = version
                    && *expected != text_of(&path)?
                {
                    return Err(MemoryError::Changed);
                }
                file::replace(&path, &text).map_err(cannot)?;
                drop(lock);
                Ok(Version::Folder(Some(text)))
            }
        }
    }
}

/// Whether the keeper has this after all: an answer may have been lost on its way, and the call been made again.
async fn stored(keeper: &KeeperClient, job: &str, state: &Value, until: Instant) -> Result<Version, MemoryError> {
    match retry::silently(until, || keeper.state(job)).await.map_err(|error| unavailable(&error))? {
        (Some(now), version) if now == *state => Ok(Version::Keeper(version)),
        _ => Err(MemoryError::Changed),
    }
}

/// A document as it is; `None` of none.
fn text_of(path: &Path) -> Result<Option<Vec<u8>>, MemoryError> {
    match file::read(path, MAX_BYTES) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot(path, "read", &error)),
    }
}

async fn locked(path: &Path, until: Instant) -> io::Result<FileLock> {
    FileLock::acquire(path, until).await.map_err(|error| match error {
        LockError::Held => io::Error::other("another program is writing it"),
        LockError::Io(error) => error,
    })
}

fn document(folder: &Path, job: &str) -> PathBuf {
    folder.join(job).with_extension("json")
}

fn cannot(path: &Path, what: &str, error: &io::Error) -> MemoryError {
    MemoryError::Unavailable(format!("STATE_DIR: {} cannot be {what} ({error})", path.display()))
}

fn unavailable(error: &ApiError) -> MemoryError {
    MemoryError::Unavailable(error.hint(&KEEPER_API))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_remembers_and_what_cannot_be_understood_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::new(None, Some(folder.path().to_owned()));
        let soon = Instant::now();
        assert_eq!(memory.load::<u32>("dns", soon).await.unwrap().state, None);
        memory.save("dns", &7, soon).await.unwrap();
        memory.save("dns", &8, soon).await.unwrap();
        assert_eq!(memory.load::<u32>("dns", soon).await.unwrap().state, Some(8));
        std::fs::write(folder.path().join("dns.json"), "half a").unwrap();
        let error = memory.load::<u32>("dns", soon).await.unwrap_err().to_string();
        assert!(error.starts_with("STATE_DIR: ") && error.contains("is not understood"), "{error}");
        let gone = Memory::new(None, Some(folder.path().join("gone")));
        let error = gone.save("dns", &7, soon).await.unwrap_err().to_string();
        assert!(error.starts_with("STATE_DIR: "), "{error}");
    }

    #[tokio::test]
    async fn of_two_that_replace_one_version_the_second_learns_that_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::new(None, Some(folder.path().to_owned()));
        let soon = Instant::now();
        for state in [None, Some(1)] {
            let loaded = memory.load::<u32>("dns", soon).await.unwrap();
            assert_eq!(loaded.state, state);
            let next = memory.replace("dns", &loaded.version, &7, soon).await.unwrap();
            let late = memory.replace("dns", &loaded.version, &8, soon).await;
            assert!(matches!(late, Err(MemoryError::Changed)), "{late:?}");
            memory.replace("dns", &next, &1, soon).await.unwrap();
        }
    }
}
