//! What a job must remember between runs: one small document per job, kept by the keeper, else in a folder.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use shared::{api::ApiError, file, retry};
use tokio::time::Instant;

use super::{destination::not_handed_over, keeper::Keeper, settings::KEEPER_TOKEN};

/// The longest document that is read, in bytes.
const LONGEST: u64 = 64 << 10;

#[derive(Clone, Debug)]
pub enum Memory {
    Keeper(Keeper),
    Folder(PathBuf),
    /// Nothing is remembered.
    Nowhere,
}

/// What is remembered cannot be had, or not be changed; the text is for people.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Forgotten(String);

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

    /// What the job remembered; `None` where it never did, or where what there is cannot be understood.
    ///
    /// # Errors
    /// When it cannot be had until `until`.
    pub async fn recall<T: DeserializeOwned>(&self, job: &str, until: Instant) -> Result<Option<T>, Forgotten> {
        match self {
            Self::Nowhere => Ok(None),
            Self::Keeper(keeper) => {
                let state = retry::until(until, || keeper.state(job)).await.map_err(|error| forgotten(&error))?;
                Ok(state.and_then(|state| understood(job, serde_json::from_value(state))))
            }
            Self::Folder(folder) => {
                let path = document(folder, job);
                match file::read(&path, LONGEST) {
                    Ok(text) => Ok(understood(job, serde_json::from_slice(&text))),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(Forgotten(format!("STATE_DIR: {} cannot be read ({error})", path.display()))),
                }
            }
        }
    }

    /// Remembers it in place of what was.
    ///
    /// # Errors
    /// When it cannot be written until `until`.
    pub async fn remember(&self, job: &str, state: &(impl Serialize + Sync), until: Instant) -> Result<(), Forgotten> {
        match self {
            Self::Nowhere => Ok(()),
            Self::Keeper(keeper) => {
                retry::until(until, || keeper.set_state(job, state)).await.map_err(|error| forgotten(&error))
            }
            Self::Folder(folder) => {
                let path = document(folder, job);
                let cannot =
                    |error: io::Error| Forgotten(format!("STATE_DIR: {} cannot be written ({error})", path.display()));
                let text = serde_json::to_vec_pretty(state).map_err(|error| cannot(error.into()))?;
                file::replace(&path, &text).map_err(cannot)
            }
        }
    }
}

fn understood<T>(job: &str, read: serde_json::Result<T>) -> Option<T> {
    read.inspect_err(|error| tracing::warn!("what {job} remembered is not understood, and begun anew: {error}")).ok()
}

fn document(folder: &Path, job: &str) -> PathBuf {
    folder.join(job).with_extension("json")
}

fn forgotten(error: &ApiError) -> Forgotten {
    Forgotten(not_handed_over(error, "KEEPER_URL", KEEPER_TOKEN).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_remembers_and_what_cannot_be_understood_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::new(None, Some(folder.path().to_owned()));
        let soon = Instant::now();
        assert_eq!(memory.recall::<u32>("dns", soon).await.unwrap(), None);
        memory.remember("dns", &7, soon).await.unwrap();
        memory.remember("dns", &8, soon).await.unwrap();
        assert_eq!(memory.recall::<u32>("dns", soon).await.unwrap(), Some(8));
        std::fs::write(folder.path().join("dns.json"), "half a").unwrap();
        assert_eq!(memory.recall::<u32>("dns", soon).await.unwrap(), None);
        let gone = Memory::new(None, Some(folder.path().join("gone")));
        let error = gone.remember("dns", &7, soon).await.unwrap_err().to_string();
        assert!(error.starts_with("STATE_DIR: "), "{error}");
    }
}
