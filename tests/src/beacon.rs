//! A beacon.

use std::net::SocketAddr;

use crate::process::{Process, ours};

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
        Self::start_at("127.0.0.1:0").await
    }

    /// # Panics
    /// When it does not start.
    pub async fn start_at(public: &str) -> Self {
        let mut command = ours("beacon");
        command.env("PUBLIC_ADDR", public).env("PRIVATE_ADDR", "127.0.0.1:0");
        let mut process = Process::start(command);
        let line = process.told("listening").await;
        let address = |name: &str| line[name].as_str().and_then(|text| text.parse().ok()).expect("an address");
        Self { public: address("public"), private: address("private"), process }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.public)
    }
}
