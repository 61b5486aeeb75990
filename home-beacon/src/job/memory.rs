//! What a job must remember between runs: one small document per job, kept by the keeper, else in a folder.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use shared::{
    api::{self, ApiError, Permanent},
    file, retry,
};
use tokio::time::{Instant, sleep};

use super::{destination::not_handed_over, keeper::Keeper, settings::KEEPER_TOKEN};

/// The longest document that is read, in bytes.
const LONGEST: u64 = 64 << 10;

/// How often it is looked whether another program is done with a folder's document.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Clone, Debug)]
pub enum Memory {
    Keeper(Keeper),
    Folder(PathBuf),
    /// Nothing is remembered.
    Nowhere,
}

/// What a job remembered (`None` where it never did), and which version of it this is.
#[derive(Debug)]
pub struct Recalled<T> {
    pub state: Option<T>,
    pub version: Version,
}

/// Tells what was recalled from what somebody else has put in its place since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    Keeper(api::Version),
    /// The document as it was read; `None` of none.
    Folder(Option<Vec<u8>>),
    Nowhere,
}

/// What is remembered cannot be had, or not be changed; the texts are for people.
#[derive(Debug, thiserror::Error)]
pub enum Forgotten {
    #[error("another run has changed it meanwhile")]
    Changed,
    #[error("{0}")]
    Unavailable(String),
}

impl Memory {
    /// The keeper's, else the folder's.
    pub fn new(keeper: Option<Keeper>, folder: Option<PathBuf>) -> Self {
        match (keeper, folder) {
            (Some(keeper), _) => Self::Keeper(keeper),
            (None, Some(folder)) => Self::Folder(folder),
            (None, None) => Self::Nowhere,
        }
    }

    pub fn is_nowhere(&self) -> bool {
        matches!(self, Self::Nowhere)
    }

    /// # Errors
    /// When it cannot be had until `until`, or cannot be understood.
    pub async fn recall<T: DeserializeOwned>(&self, job: &str, until: Instant) -> Result<Recalled<T>, Forgotten> {
        match self {
            Self::Nowhere => Ok(Recalled { state: None, version: Version::Nowhere }),
            Self::Keeper(keeper) => {
                let asked = retry::silently(until, || keeper.state(job)).await;
                let (state, version) = asked.map_err(|error| unavailable(&error))?;
                let wrong =
                    |error| Forgotten::Unavailable(format!("what the keeper has of {job} is not understood: {error}"));
                let state = state.map(serde_json::from_value).transpose().map_err(wrong)?;
                Ok(Recalled { state, version: Version::Keeper(version) })
            }
            Self::Folder(folder) => {
                let path = document(folder, job);
                let text = text_of(&path)?;
                let wrong = |error| {
                    let path = path.display();
                    Forgotten::Unavailable(format!(
                        "STATE_DIR: {path} is not understood ({error}): mend it or remove it"
                    ))
                };
                let state = text.as_deref().map(serde_json::from_slice).transpose().map_err(wrong)?;
                Ok(Recalled { state, version: Version::Folder(text) })
            }
        }
    }

    /// Remembers it, whatever was remembered before.
    ///
    /// # Errors
    /// When it cannot be written until `until`.
    pub async fn remember(&self, job: &str, state: &(impl Serialize + Sync), until: Instant) -> Result<(), Forgotten> {
        self.write(job, state, None, until).await.map(drop)
    }

    /// Remembers it in the place of that version; which version it is now.
    ///
    /// # Errors
    /// [`Forgotten::Changed`] where there is another version by now, or when it cannot be written until `until`.
    pub async fn replace(
        &self,
        job: &str,
        version: &Version,
        state: &(impl Serialize + Sync),
        until: Instant,
    ) -> Result<Version, Forgotten> {
        self.write(job, state, Some(version), until).await
    }

    async fn write(
        &self,
        job: &str,
        state: &(impl Serialize + Sync),
        version: Option<&Version>,
        until: Instant,
    ) -> Result<Version, Forgotten> {
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
                    return Err(Forgotten::Changed);
                }
                file::replace(&path, &text).map_err(cannot)?;
                drop(lock);
                Ok(Version::Folder(Some(text)))
            }
        }
    }
}

/// Whether the keeper has this after all: an answer may have been lost on its way, and the call been made again.
async fn stored(keeper: &Keeper, job: &str, state: &Value, until: Instant) -> Result<Version, Forgotten> {
    match retry::silently(until, || keeper.state(job)).await.map_err(|error| unavailable(&error))? {
        (Some(now), version) if now == *state => Ok(Version::Keeper(version)),
        _ => Err(Forgotten::Changed),
    }
}

/// A document as it is; `None` of none.
fn text_of(path: &Path) -> Result<Option<Vec<u8>>, Forgotten> {
    match file::read(path, LONGEST) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot(path, "read", &error)),
    }
}

/// Keeps others who do the same out until it is dropped, or the process ends.
async fn locked(path: &Path, until: Instant) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= until => {
                return Err(io::Error::other("another program is writing it"));
            }
            Err(TryLockError::WouldBlock) => sleep(LOOK).await,
        }
    }
}

fn document(folder: &Path, job: &str) -> PathBuf {
    folder.join(job).with_extension("json")
}

fn cannot(path: &Path, what: &str, error: &io::Error) -> Forgotten {
    Forgotten::Unavailable(format!("STATE_DIR: {} cannot be {what} ({error})", path.display()))
}

fn unavailable(error: &ApiError) -> Forgotten {
    Forgotten::Unavailable(not_handed_over(error, "KEEPER_URL", KEEPER_TOKEN).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_remembers_and_what_cannot_be_understood_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::new(None, Some(folder.path().to_owned()));
        let soon = Instant::now();
        assert_eq!(memory.recall::<u32>("dns", soon).await.unwrap().state, None);
        memory.remember("dns", &7, soon).await.unwrap();
        memory.remember("dns", &8, soon).await.unwrap();
        assert_eq!(memory.recall::<u32>("dns", soon).await.unwrap().state, Some(8));
        std::fs::write(folder.path().join("dns.json"), "half a").unwrap();
        let error = memory.recall::<u32>("dns", soon).await.unwrap_err().to_string();
        assert!(error.starts_with("STATE_DIR: ") && error.contains("is not understood"), "{error}");
        let gone = Memory::new(None, Some(folder.path().join("gone")));
        let error = gone.remember("dns", &7, soon).await.unwrap_err().to_string();
        assert!(error.starts_with("STATE_DIR: "), "{error}");
    }

    #[tokio::test]
    async fn of_two_who_replace_one_version_one_is_told_that_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::new(None, Some(folder.path().to_owned()));
        let soon = Instant::now();
        for state in [None, Some(1)] {
            let recalled = memory.recall::<u32>("dns", soon).await.unwrap();
            assert_eq!(recalled.state, state);
            let next = memory.replace("dns", &recalled.version, &7, soon).await.unwrap();
            let late = memory.replace("dns", &recalled.version, &8, soon).await;
            assert!(matches!(late, Err(Forgotten::Changed)), "{late:?}");
            memory.replace("dns", &next, &1, soon).await.unwrap();
        }
    }
}
