//! What the prober at a location saw in its last run, beside the records of homes: each of two writes its own, and reads the
//! other's.

use std::{io, path::Path, time::Duration};

use shared::look::Location;
use tokio::time::Instant;

use super::store::{State, StatePlace};
use crate::{judge::locations::Sighting, kept::parameters::ParameterStore};

/// How long reading or writing one may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The longest that is read, in bytes.
const MAX_FILE: u64 = 16 << 10;

impl State {
    /// What the prober at that location saw last; `None` where there never was one. What cannot be understood is as if there was
    /// none.
    ///
    /// # Errors
    /// When it cannot be read; the text is for people.
    pub(crate) async fn sighting(
        &self,
        store: &ParameterStore,
        location: &Location,
        until: Instant,
    ) -> Result<Option<Sighting>, String> {
        let text = match self.place() {
            StatePlace::File(path) => match shared::file::read(&beside(path, location), MAX_FILE) {
                Ok(text) => Some(text),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(format!("what {location} saw cannot be read: {error}")),
            },
            StatePlace::Parameters(prefix) => {
                let read = store.get_versioned(&prefix.at(location), None, soon(until)).await;
                read.map_err(|error| error.to_string())?.map(|(text, _)| text.into_bytes())
            }
        };
        Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
    }

    /// Writes what this prober saw.
    ///
    /// # Errors
    /// When it cannot be written; the text is for people.
    pub(crate) async fn put_sighting(
        &self,
        store: &ParameterStore,
        location: &Location,
        sighting: &Sighting,
        until: Instant,
    ) -> Result<(), String> {
        let text = serde_json::to_string(sighting).map_err(|error| error.to_string())?;
        match self.place() {
            StatePlace::File(path) => shared::file::replace(&beside(path, location), text.as_bytes())
                .map_err(|error| format!("what was seen cannot be written: {error}")),
            StatePlace::Parameters(prefix) => {
                let put = store.put(&prefix.at(location), text, soon(until)).await;
                put.map(drop).map_err(|error| error.to_string())
            }
        }
    }
}

fn beside(path: &Path, location: &Location) -> std::path::PathBuf {
    path.with_added_extension(format!("at-{location}"))
}

fn soon(until: Instant) -> Instant {
    until.min(Instant::now() + TIMEOUT)
}
