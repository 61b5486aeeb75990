//! The settings of `porchlight health`.

use std::net::SocketAddr;

use clap::Parser;
use shared::settings::{listen_address, web_address};
use url::Url;

/// Ask the program in this container, or on this machine, how it is: exit code 0 where it is well, 1 where it is not.
#[derive(Clone, Debug, Parser)]
pub struct HealthSettings {
    /// Ask the beacon, whatever else is here
    #[arg(long, conflicts_with = "url")]
    pub beacon: bool,
    /// Ask at this address, instead of the keeper's or the beacon's
    #[arg(long, value_name = "URL", value_parser = web_address)]
    pub url: Option<Url>,
    /// Where the keeper listens, as it was told
    #[arg(long, env = "KEEPER_ADDR", value_parser = listen_address, default_value = "127.0.0.1:8030")]
    pub keeper_addr: SocketAddr,
    /// Where the beacon listens, as it was told
    #[arg(long, env = "PUBLIC_ADDR", value_parser = listen_address, default_value = "127.0.0.1:8080")]
    pub public_addr: SocketAddr,
    /// Where node-metrics listens, as it was told
    #[arg(long, env = "NODE_ADDR", value_parser = listen_address, default_value = "127.0.0.1:9111")]
    pub node_addr: SocketAddr,
    /// Where checks listens, as it was told
    #[arg(long, env = "CHECKS_ADDR", value_parser = listen_address, default_value = "127.0.0.1:9095")]
    pub checks_addr: SocketAddr,
}
