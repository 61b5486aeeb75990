//! The beacon's settings.

use std::{
    net::{Ipv6Addr, SocketAddr},
    time::Duration,
};

use clap::Parser;
use shared::{
    secret::SecretSetting,
    settings::{Settings, WrongSetting, delay, listen_address, log_level},
};
use tracing_subscriber::filter::LevelFilter;

use crate::serve::collides;

/// The port of the public listener where none is set.
pub const PUBLIC_PORT: u16 = 8080;

/// The home's key. Without it the beacon answers, but proves nothing.
pub const BEACON_KEY: SecretSetting = SecretSetting {
    name: "BEACON_KEY",
    help: "The home's key, as porchlight keygen writes it, with which answers are proven",
};

/// The home's public face: answers any GET or HEAD with a few bytes, and offers nothing else.
#[derive(Clone, Debug, Parser)]
#[command(name = "beacon", version)]
pub struct BeaconSettings {
    /// Public address to listen on, over IPv4 and IPv6: the router forwards a port to this one, and the home network
    /// sees it too; without it `[::]:8080`, or `0.0.0.0:8080` where there is no IPv6
    #[arg(long, env = "PUBLIC_ADDR", value_parser = listen_address)]
    pub public_addr: Option<SocketAddr>,
    /// Address that /metrics, for Prometheus, and /looks, for the keeper, listen on
    #[arg(long, env = "PRIVATE_ADDR", value_parser = listen_address, default_value = "127.0.0.1:9090")]
    pub private_addr: SocketAddr,
    /// How many public connections may be open at once
    #[arg(long, env = "MAX_CONNECTIONS", default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..=16384))]
    pub max_connections: u16,
    /// Time to keep answering after SIGTERM, while clients are still sent here; 0s: none, 60s at most
    #[arg(long, env = "STOP_DELAY", value_name = "DURATION", value_parser = delay, default_value = "0s")]
    pub stop_delay: Duration,
    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, env = "LOG_LEVEL", value_parser = log_level, default_value = "info")]
    pub log_level: LevelFilter,
    /// Validate the settings and exit
    #[arg(long)]
    pub check: bool,
}

impl BeaconSettings {
    /// Whether the settings agree with each other.
    ///
    /// # Errors
    /// When both listeners want one address.
    pub fn validate(&self) -> Result<(), WrongSetting> {
        let public = self.public_addr.unwrap_or((Ipv6Addr::UNSPECIFIED, PUBLIC_PORT).into());
        if collides(public, self.private_addr) {
            return Err(WrongSetting(format!(
                "PRIVATE_ADDR: {} is where the world asks, too (PUBLIC_ADDR: {public}): give one of them a port of its own",
                self.private_addr
            )));
        }
        Ok(())
    }
}

impl Settings for BeaconSettings {
    const SECRETS: &'static [SecretSetting] = &[BEACON_KEY];
}
