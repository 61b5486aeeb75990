//! The keeper's secrets, and what one must be that opens something here.

use shared::{
    secret::{SecretSetting, SecretSource},
    settings::WrongSetting,
};

use super::KeeperSettings;
use crate::{heartbeat::settings::HeartbeatConfig, keeper::seed::Seed};

/// The keeper's own token.
pub const KEEPER_TOKEN: SecretSetting =
    SecretSetting { name: "KEEPER_TOKEN", help: "What clients must send as Authorization: OAuth …" };

/// The token of the page upstream.
pub const UPSTREAM_TOKEN: SecretSetting = SecretSetting {
    name: "UPSTREAM_TOKEN",
    help: "The API key of the page upstream, at statuspage.io or another keeper",
};

/// The key of Pinglow's clients, which Pinglow itself has in `API_KEY`.
pub const PINGLOW_API_KEY: SecretSetting = SecretSetting {
    name: "PINGLOW_API_KEY",
    help: "What clients of Pinglow must send as x-api-key; without it there is no API as Pinglow's (/checks and others)",
};

/// The fewest characters that a token may have which opens something.
const LEAST: usize = 16;

/// A token that can be guessed guards nothing.
fn long_enough(token: SecretSource, setting: SecretSetting, given_to: &str) -> Result<SecretSource, WrongSetting> {
    let length = token.current()?.expose().len();
    if length < LEAST {
        return Err(WrongSetting(format!(
            "{} has {length} characters, and a token that cannot be guessed has {LEAST} or more: make one with \
             `porchlight keygen --token`, and give it to {given_to} too",
            token.name(setting.name)
        )));
    }
    Ok(token)
}

impl KeeperSettings {
    /// The keeper's own token.
    ///
    /// # Errors
    /// When there is none, or one that can be guessed.
    pub fn token() -> Result<SecretSource, WrongSetting> {
        long_enough(KEEPER_TOKEN.require()?, KEEPER_TOKEN, "the jobs and the prober")
    }

    /// How this home's heartbeats are sent, where it is to send any.
    ///
    /// # Errors
    /// When the key is missing, or what says which component they are about, or the address can be none.
    pub fn heartbeat(&self, seed: Option<&Seed>) -> Result<Option<HeartbeatConfig>, WrongSetting> {
        let home = match seed {
            Some(seed) => seed.home().cloned().ok_or("name it in KEEPER_SEED, with beacon = true"),
            None => Err("set KEEPER_SEED to a seed that has it, by the id that its target has"),
        };
        HeartbeatConfig::read(home, self.heartbeat_every)
    }

    /// The key of Pinglow's clients, where there are any.
    ///
    /// # Errors
    /// When it can be guessed, or is the keeper's token, which opens more.
    pub fn pinglow_key() -> Result<Option<SecretSource>, WrongSetting> {
        let Some(key) = PINGLOW_API_KEY.read()? else { return Ok(None) };
        let key = long_enough(key, PINGLOW_API_KEY, "the clients of Pinglow's API")?;
        if KEEPER_TOKEN.read()?.is_some_and(|token| token.current().ok() == key.current().ok()) {
            return Err(WrongSetting(format!(
                "{} is KEEPER_TOKEN, which opens everything here: make another one with `porchlight keygen --token`",
                key.name(PINGLOW_API_KEY.name)
            )));
        }
        Ok(Some(key))
    }
}
