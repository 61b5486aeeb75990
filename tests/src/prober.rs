//! The prober as a command.

use std::{net::Ipv4Addr, time::Duration};

use serde_json::Value;
use tokio::process::Command;
use url::{Host, Url};

use crate::{
    keeper::{COMPONENT, PAGE, TOKEN},
    process::{ours, run},
};

/// A run ends within 50 s whatever happens; the rest is for a busy machine to start it.
pub const MAX_RUN: Duration = Duration::from_mins(1);

/// What one run came to.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    /// The only target's part of the report.
    pub target: Value,
    pub report: Value,
    pub stderr: String,
}

/// The command of a prober that probes `home` and publishes at `api`.
pub fn prober_command(home: &str, api: &str) -> Command {
    let mut command = ours("lambda-prober");
    command
        .env("CANARY_URL", home)
        .env("STATUSPAGE_URL", api)
        .env("PAGE_ID", PAGE)
        .env("COMPONENT_ID", COMPONENT)
        .env("TOKEN", TOKEN)
        .env("WITNESSES", witnesses(api))
        // Everything is on this machine; what probes plays the cloud.
        .env("VANTAGE", "outside");
    command
}

/// A witness at the address of `api`, and one by name, which every prober needs to have.
///
/// # Panics
/// When it is no address.
pub fn witnesses(api: &str) -> String {
    let api: Url = api.parse().expect("an address");
    let port = api.port_or_known_default().expect("a port");
    let address = match api.host() {
        Some(Host::Ipv4(address)) => address,
        _ => Ipv4Addr::LOCALHOST,
    };
    format!("{address}:{port},localhost:{port}")
}

/// One run.
///
/// # Panics
/// When it prints no report.
pub async fn probe(home: &str, api: &str) -> Run {
    probe_with(prober_command(home, api)).await
}

/// One run of a prepared command.
///
/// # Panics
/// When it prints no report.
pub async fn probe_with(mut command: Command) -> Run {
    command.args(["--once", "--json"]);
    let ended = run(command, MAX_RUN).await;
    let report: Value = serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("a report: {error}: {}{}", ended.stdout, ended.stderr));
    Run { code: ended.code, target: report["targets"][0].clone(), report, stderr: ended.stderr }
}
