//! The settings of `node-metrics`.

use std::{fs, net::SocketAddr, path::PathBuf};

use clap::Parser;
use shared::{
    secret::SecretSetting,
    settings::{Settings, WrongSetting, listen_address, log_level},
};
use tracing_subscriber::filter::LevelFilter;

/// Where the kernel has the name of this machine.
const HOSTNAME: &str = "/proc/sys/kernel/hostname";

/// Temperature, throttling and wear of this machine, for Prometheus: read at each scrape, without any privilege.
#[derive(Clone, Debug, Parser)]
#[command(name = "node-metrics", version)]
pub struct NodeSettings {
    /// Address that /metrics listens on
    #[arg(long, env = "NODE_ADDR", value_parser = listen_address, default_value = "127.0.0.1:9111")]
    pub node_addr: SocketAddr,
    /// What this machine is called in the metrics; without it by its host name
    #[arg(long, env = "NODE_NAME", value_name = "NAME", value_parser = node_name)]
    pub node_name: Option<String>,
    /// Where the kernel shows devices and sensors
    #[arg(long, env = "SYS_DIR", value_name = "FOLDER", default_value = "/sys")]
    pub sys_dir: PathBuf,
    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, env = "LOG_LEVEL", value_parser = log_level, default_value = "info")]
    pub log_level: LevelFilter,
    /// Validate the settings and exit
    #[arg(long)]
    pub check: bool,
}

/// A label of each of its metrics.
fn node_name(value: &str) -> Result<String, String> {
    if value.is_empty() || value.len() > 253 || value.chars().any(|it| it.is_control() || it.is_whitespace()) {
        return Err("it is a name of 1 to 253 characters without spaces, like pi4".to_owned());
    }
    Ok(value.to_owned())
}

impl NodeSettings {
    /// Whether there is anything to read.
    ///
    /// # Errors
    /// When `SYS_DIR` is no folder.
    pub fn validate(&self) -> Result<(), WrongSetting> {
        if self.sys_dir.is_dir() {
            return Ok(());
        }
        Err(WrongSetting(format!(
            "SYS_DIR: {} is no folder, or may not be read: leave it out, for /sys, or mount the host's there",
            self.sys_dir.display()
        )))
    }

    /// What this machine is called.
    pub fn name(&self) -> String {
        self.node_name.clone().unwrap_or_else(|| {
            let name = fs::read_to_string(HOSTNAME).unwrap_or_default();
            node_name(name.trim()).unwrap_or_else(|_| "localhost".to_owned())
        })
    }
}

impl Settings for NodeSettings {
    const SECRETS: &'static [SecretSetting] = &[];
}
