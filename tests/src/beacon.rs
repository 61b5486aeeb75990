//! A beacon.

use std::net::SocketAddr;

use tokio::process::Command;

use crate::process::{Process, ours, own_address};

/// Stands for a free port of an address of our own.
const ANYWHERE: &str = "127.0.0.1:0";

#[derive(Debug)]
pub struct Beacon {
    pub process: Process,
    pub public: SocketAddr,
    pub private: SocketAddr,
}

impl Beacon {
    /// On free ports.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Self {
        Self::start_at(ANYWHERE).await
    }

    /// With a key.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn with_key(public: &str, key: &str) -> Self {
        let mut command = ours("beacon");
        command.env("BEACON_KEY", key);
        Self::run(command, public).await
    }

    /// # Panics
    /// When it does not start.
    pub async fn start_at(public: &str) -> Self {
        Self::run(ours("beacon"), public).await
    }

    /// A command of the caller's making.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn run(mut command: Command, public: &str) -> Self {
        let public = if public == ANYWHERE { format!("{}:0", own_address()) } else { public.to_owned() };
        command.env("PUBLIC_ADDR", public).env("PRIVATE_ADDR", format!("{}:0", own_address()));
        let mut process = Process::start(command);
        let line = process.wait_for_message("listening").await;
        let address = |name: &str| line[name].as_str().and_then(|text| text.parse().ok()).expect("an address");
        Self { public: address("public"), private: address("private"), process }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.public)
    }
}

/// How long this machine has been running, in seconds, by the kernel's count.
///
/// # Panics
/// Outside Linux.
pub fn host_uptime() -> f64 {
    let text = std::fs::read_to_string("/proc/uptime").expect("Linux has it");
    text.split(' ').next().and_then(|seconds| seconds.parse().ok()).expect("a number")
}
