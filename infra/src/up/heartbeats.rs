//! Heartbeats of a home that nobody can reach. They are chosen by a flag; the address, a secret, is given once and kept in the folder.

use std::time::Duration;

use home_beacon::heartbeat::settings::{HEARTBEAT_URL, HeartbeatConfig};
use shared::{secret::SecretSource, settings::WrongSetting};

use super::{choices::Choices, files::HEARTBEAT_FILE, folder::Folder, settings::UpSettings};

/// How often one is sent, as the keeper's own default is.
const EVERY: Duration = Duration::from_secs(60);

/// What sends them, where they were chosen.
pub(super) type Chosen = Option<HeartbeatConfig>;

/// Keeps the address that comes with them.
///
/// # Errors
/// When there is none, or it can be none, or the folder cannot be written.
pub(super) fn keep_address(choices: &Choices, settings: &UpSettings, folder: &Folder) -> Result<(), WrongSetting> {
    if choices.heartbeats.is_none() {
        return folder.delete(HEARTBEAT_FILE).map_err(|error| folder.cannot(&error));
    }
    // Without the flag, the variable may be anybody's.
    let given = if settings.heartbeats.is_some() { HEARTBEAT_URL.read()? } else { None };
    let Some(source) = given else { return address(folder).map(drop) };
    HeartbeatConfig::address(&source)?;
    folder.keep(HEARTBEAT_FILE, &source.current()?)
}

/// What sends them, where they were chosen. `key` is the home's.
///
/// # Errors
/// When the address is gone, or can be none any more.
pub(super) fn config(folder: &Folder, choices: &Choices, key: &SecretSource) -> Result<Chosen, WrongSetting> {
    let Some(component) = &choices.heartbeats else { return Ok(None) };
    HeartbeatConfig::new(address(folder)?, key.clone(), component.clone(), EVERY).map(Some)
}

fn address(folder: &Folder) -> Result<SecretSource, WrongSetting> {
    folder.known_secret(HEARTBEAT_URL.name, HEARTBEAT_FILE)?.ok_or_else(|| {
        WrongSetting(format!(
            "--heartbeats needs the address that takes them: set {0}, or {0}_FILE to a file that holds it, for this one start; it is \
             kept in {1}",
            HEARTBEAT_URL.name,
            folder.path().display()
        ))
    })
}
