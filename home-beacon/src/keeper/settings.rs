//! The keeper's settings.

use std::{net::SocketAddr, path::PathBuf};

use clap::Parser;
use shared::{
    secret::SecretSetting,
    settings::{Settings, WrongSetting, listen_address, log_level},
};
use tracing_subscriber::filter::LevelFilter;

use super::{
    seed::Seed,
    store::{check_address, folder},
};

pub const KEEPER_TOKEN: SecretSetting =
    SecretSetting { name: "KEEPER_TOKEN", help: "What clients must send as Authorization: OAuth …" };

/// The home's private log: a statuspage.io-compatible server over one embedded database.
#[derive(Clone, Debug, Parser)]
#[command(name = "keeper", version)]
pub struct KeeperSettings {
    /// Where page and API are served
    #[arg(long, env = "KEEPER_ADDR", value_parser = listen_address, default_value = "127.0.0.1:8030")]
    pub keeper_addr: SocketAddr,
    /// The database: an SQLite file, made where it is missing
    #[arg(long, env = "DATABASE_URL", value_parser = database, default_value = "sqlite:porchlight.db")]
    pub database_url: String,
    /// A TOML file with the page, its components and metrics; without it a page is made with one component
    #[arg(long, env = "KEEPER_SEED")]
    pub keeper_seed: Option<PathBuf>,
    /// How many calls of /v1 may come in any 60 seconds; 0 sets no limit
    #[arg(long, env = "KEEPER_RATE_LIMIT", default_value_t = 60)]
    pub keeper_rate_limit: u16,
    /// Refuse points of metrics outside the last 28 days, rather than leave them out without a word
    #[arg(long, env = "KEEPER_STRICT_POINTS")]
    pub keeper_strict_points: bool,
    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, env = "LOG_LEVEL", value_parser = log_level, default_value = "info")]
    pub log_level: LevelFilter,
    /// Only look whether the settings are in order
    #[arg(long)]
    pub check: bool,
}

impl Settings for KeeperSettings {
    const SECRETS: &'static [SecretSetting] = &[KEEPER_TOKEN];
}

fn database(text: &str) -> Result<String, String> {
    match check_address(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl KeeperSettings {
    /// # Errors
    /// When the database has no folder to be in.
    pub fn look(&self) -> Result<(), WrongSetting> {
        match folder(&self.database_url) {
            Some(folder) if !folder.is_dir() => {
                let folder = folder.display();
                Err(WrongSetting(format!("DATABASE_URL: {folder} is no folder: make it, or name another place")))
            }
            _ => Ok(()),
        }
    }

    /// The seed, read and checked.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn seed(&self) -> Result<Option<Seed>, WrongSetting> {
        self.keeper_seed.as_deref().map(Seed::read).transpose()
    }
}
