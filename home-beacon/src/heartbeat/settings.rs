//! The settings of heartbeats, of the keeper and of the program.

use std::{path::PathBuf, time::Duration};

use clap::Parser;
use shared::{
    id::ComponentId,
    proof::{Key, WrongKey},
    secret::{SecretSetting, SecretSource},
    settings::{Settings, WrongSetting, duration, log_level},
};
use tracing_subscriber::filter::LevelFilter;
use url::{Host, Url};

use crate::beacon::BEACON_KEY;

/// Where heartbeats go. The address is a secret: it is public, and only nobody's knowing it keeps strangers from it.
pub const HEARTBEAT_URL: SecretSetting = SecretSetting {
    name: "HEARTBEAT_URL",
    help: "Where this home's heartbeats go, for a home that nobody can reach: the address of the stack's heartbeat function",
};

/// The home's key, which signs heartbeats.
pub const HEARTBEAT_KEY: SecretSetting = SecretSetting {
    name: BEACON_KEY.name,
    help: "With HEARTBEAT_URL: the home's key, with which heartbeats are signed",
};

/// How often heartbeats are sent: the function is called for each, and judges a home by their age.
const MOST_OFTEN: Duration = Duration::from_secs(15);
const LEAST_OFTEN: Duration = Duration::from_mins(10);

/// What sends a home's heartbeats is made of.
#[derive(Clone, Debug)]
pub struct HeartbeatConfig {
    url: SecretSource,
    key: SecretSource,
    /// The component of the status page that is this home.
    pub home: ComponentId,
    /// How often.
    pub every: Duration,
}

/// Send a signed heartbeat of this home, once or again and again: for a home that nobody can reach, and that has no keeper.
///
/// A keeper sends them by itself, with what it sees: see `HEARTBEAT_URL` of keeper.
#[derive(Clone, Debug, Parser)]
#[command(name = "heartbeat", version)]
pub struct HeartbeatSettings {
    /// The component of the status page that is this home
    #[arg(long, env = "COMPONENT_ID")]
    pub component_id: Option<ComponentId>,
    /// Stay, and send one at this interval: 15s to 10m
    #[arg(long, value_name = "DURATION", value_parser = every)]
    pub every: Option<Duration>,
    /// The folder that keeps which heartbeats were sent; without it each start is told so by an answer
    #[arg(long, env = "STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, env = "LOG_LEVEL", value_parser = log_level, default_value = "info")]
    pub log_level: LevelFilter,
    /// Validate the settings and exit
    #[arg(long)]
    pub check: bool,
}

impl Settings for HeartbeatSettings {
    const SECRETS: &'static [SecretSetting] = &[HEARTBEAT_URL, HEARTBEAT_KEY];
}

/// Reads how often heartbeats are sent.
///
/// # Errors
/// When that is too often, or too seldom to say anything.
pub fn every(text: &str) -> Result<Duration, String> {
    let every = duration(text)?;
    if (MOST_OFTEN..=LEAST_OFTEN).contains(&every) {
        Ok(every)
    } else {
        Err("heartbeats are sent every 15s to every 10m".into())
    }
}

impl HeartbeatConfig {
    /// What this process is told of heartbeats; `None` where it is to send none. `home` is the component, or how to say which.
    ///
    /// # Errors
    /// When the key or the component is missing, or the address can be none.
    pub fn read(home: Result<ComponentId, &str>, every: Duration) -> Result<Option<Self>, WrongSetting> {
        let Some(url) = HEARTBEAT_URL.read()? else { return Ok(None) };
        let Some(key) = HEARTBEAT_KEY.read()? else {
            return Err(WrongSetting(
                "HEARTBEAT_URL is set, but BEACON_KEY is not: heartbeats are signed with the key that the home's target has, so set \
                 BEACON_KEY, or BEACON_KEY_FILE to a file that holds it"
                    .into(),
            ));
        };
        let home = home.map_err(|how| {
            WrongSetting(format!(
                "HEARTBEAT_URL is set, but nothing says which component of the page this home is: {how}"
            ))
        })?;
        Self::new(url, key, home, every).map(Some)
    }

    /// Those of a home, whose key and address are there.
    ///
    /// # Errors
    /// When one of the two can be none.
    pub fn new(url: SecretSource, key: SecretSource, home: ComponentId, every: Duration) -> Result<Self, WrongSetting> {
        let config = Self { url, key, home, every };
        config.url()?;
        config.key()?;
        Ok(config)
    }

    /// The address as it is now.
    pub(super) fn url(&self) -> Result<Url, WrongSetting> {
        Self::address(&self.url)
    }

    /// The address that a setting holds now.
    ///
    /// # Errors
    /// When it can be none of a function that takes heartbeats; the sentence does not repeat it.
    pub fn address(source: &SecretSource) -> Result<Url, WrongSetting> {
        let name = source.name(HEARTBEAT_URL.name);
        let wrong = |what: &str| Err(WrongSetting(format!("{name}: {what}")));
        let url = match Url::parse(source.current()?.expose()) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            _ => {
                return wrong(
                    "it is no address: copy that of the heartbeat function, which the stack wrote to its parameter heartbeat-url",
                );
            }
        };
        let is_this_machine = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if url.scheme() == "http" && !is_this_machine {
            return wrong("the address is a secret and would travel unencrypted: begin it with https://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("it holds a user name or a password, which the function does not ask for: leave them out");
        }
        Ok(url)
    }

    /// The key as it is now.
    pub(super) fn key(&self) -> Result<Key, WrongSetting> {
        let wrong = |error: WrongKey| WrongSetting(format!("{}: {error}", self.key.name(HEARTBEAT_KEY.name)));
        self.key.current()?.expose().parse().map_err(wrong)
    }
}
