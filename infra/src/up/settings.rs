//! The settings of `porchlight up`, `down` and `status`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser};
use home_beacon::dns::DUCKDNS_TOKEN;
use shared::{secret::SecretSetting, settings::listen_address};

/// The secrets of `porchlight up`.
pub const SECRETS: &[SecretSetting] = &[DUCKDNS_TOKEN];

/// The folder of `up`.
#[derive(Clone, Debug, Args)]
pub struct DataSettings {
    /// The folder that holds key, token, seed and database; without it a folder in this user's state directory
    #[arg(long, env = "PORCHLIGHT_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Run everything of a home on this machine: page, beacon, and what measures the line.
#[derive(Clone, Debug, Parser)]
pub struct UpSettings {
    #[command(flatten)]
    pub data: DataSettings,
    /// Address of the page and the API; without it 127.0.0.1:8030, or a free port nearby
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address)]
    pub page_addr: Option<SocketAddr>,
    /// Address of the beacon, which the router forwards a port to; without it port 8080 of all addresses, or a free one nearby
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address)]
    pub beacon_addr: Option<SocketAddr>,
    /// Keep the address of this name at `DuckDNS` up to date, like home or home.duckdns.org; off ends that again
    #[arg(long, value_name = "NAME")]
    pub dns: Option<String>,
    /// Run no bandwidth tests
    #[arg(long)]
    pub no_bandwidth: bool,
    /// Run as a unit of systemd from now on: this user's, or the system's where root asks for it
    #[arg(long)]
    pub install: bool,
}

/// End what `porchlight up` runs, and undo what it installed.
#[derive(Clone, Debug, Parser)]
pub struct DownSettings {
    #[command(flatten)]
    pub data: DataSettings,
    /// Delete the folder too: key, token, page and everything measured
    #[arg(long)]
    pub purge: bool,
}

/// Show how everything is that `porchlight up` runs.
#[derive(Clone, Debug, Parser)]
pub struct StatusSettings {
    #[command(flatten)]
    pub data: DataSettings,
}

impl UpSettings {
    /// Whether it asks for more than that everything runs.
    pub(super) fn changes_something(&self) -> bool {
        self.page_addr.is_some()
            || self.beacon_addr.is_some()
            || self.dns.is_some()
            || self.no_bandwidth
            || self.install
    }
}
