//! `porchlight health`: how the program beside it is, for the health check of a container. It asks as anybody could, and
//! without any secret. What it says is about the program alone: a line that is cut is what a keeper is there to tell, and no
//! fault of it.

mod beside;
mod settings;

use std::{
    fmt::Display,
    fs,
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use serde::Deserialize;
use shared::{
    chain::root_cause,
    http::{Deadlines, client_for},
};
use url::Url;

use self::beside::{Beside, beside};
pub use self::settings::HealthSettings;

/// Whoever does not answer within this long is not well: both servers answer within milliseconds.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The longest answer that is read, in bytes; a keeper's has some hundred.
const MAX_ANSWER: u64 = 64 << 10;

/// The container's, and elsewhere the machine's, first process.
const FIRST_PROCESS: &str = "/proc/1/cmdline";

/// What the keeper's `/healthz` says that a container's health depends on.
#[derive(Debug, Deserialize)]
struct Health {
    storage: Option<String>,
}

/// Whom to ask.
#[derive(Debug)]
struct Asked {
    name: &'static str,
    url: Url,
    /// Whether the answer is to be the keeper's, which tells more by its text.
    is_keeper: bool,
}

/// Asks, and prints the answer as one sentence.
///
/// # Errors
/// When stdout cannot be written, or no client can be made.
pub async fn health(settings: &HealthSettings) -> anyhow::Result<ExitCode> {
    let first = fs::read(FIRST_PROCESS).unwrap_or_default();
    let asked = match settings.asked(&beside(&first))? {
        Ok(asked) => asked,
        Err(portless) => {
            writeln!(io::stdout(), "{portless} has no port to be asked at: it is well for as long as it runs")?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let mut well = Vec::new();
    for asked in asked {
        match asked.answer().await? {
            Ok(()) => well.push(format!("the {} at {}", asked.name, asked.url)),
            Err(trouble) => {
                writeln!(io::stdout(), "the {} at {} {trouble}", asked.name, asked.url)?;
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    let are = if well.len() == 1 { "is" } else { "are" };
    writeln!(io::stdout(), "{} {are} well", well.join(" and "))?;
    Ok(ExitCode::SUCCESS)
}

impl HealthSettings {
    /// Whom to ask, or the name of the program that cannot be asked.
    fn asked(&self, here: &Beside) -> anyhow::Result<Result<Vec<Asked>, String>> {
        let keeper = || -> anyhow::Result<Asked> {
            let url = Url::parse(&format!("http://{}/healthz", reachable(self.keeper_addr)))?;
            Ok(Asked { name: "keeper", url, is_keeper: true })
        };
        let other = |name, address| -> anyhow::Result<Asked> {
            let url = Url::parse(&format!("http://{}/healthz", reachable(address)))?;
            Ok(Asked { name, url, is_keeper: false })
        };
        let beacon = || other("beacon", self.public_addr);
        if let Some(url) = &self.url {
            return Ok(Ok(vec![Asked { name: "server", url: url.clone(), is_keeper: false }]));
        }
        Ok(Ok(match here {
            _ if self.beacon => vec![beacon()?],
            Beside::Keeper => vec![keeper()?],
            Beside::Beacon => vec![beacon()?],
            Beside::Node => vec![other("node-metrics", self.node_addr)?],
            Beside::Checks => vec![other("checks", self.checks_addr)?],
            Beside::Both => vec![keeper()?, beacon()?],
            Beside::Portless(name) => return Ok(Err(name.clone())),
        }))
    }
}

impl Asked {
    /// What is the matter, if anything is.
    async fn answer(&self) -> anyhow::Result<Result<(), String>> {
        let deadlines = Deadlines { connect: TIMEOUT, read: TIMEOUT, total: TIMEOUT };
        let client = client_for([&self.url], deadlines)?;
        let silent = |error: &dyn Display| format!("does not answer: {error}");
        let response = match client.get(&self.url).send().await {
            Ok(response) => response,
            Err(error) => return Ok(Err(silent(&root_cause(&error)))),
        };
        if !response.status().is_success() {
            return Ok(Err(format!("answers with HTTP {}", response.status().as_u16())));
        }
        if !self.is_keeper {
            return Ok(Ok(()));
        }
        let stranger = || Err("answers, but not as a keeper does: another program has its port".to_owned());
        if response.content_length().is_none_or(|length| length > MAX_ANSWER) {
            return Ok(stranger());
        }
        let said = tokio::time::timeout(TIMEOUT, response.json::<Health>()).await;
        Ok(match said {
            Err(late) => Err(silent(&late)),
            Ok(Ok(Health { storage: Some(storage) })) if storage == "ok" => Ok(()),
            Ok(Ok(Health { storage: Some(storage) })) => Err(format!("cannot write to its storage: {storage}")),
            Ok(Ok(Health { storage: None }) | Err(_)) => stranger(),
        })
    }
}

/// Where a server on all addresses can be reached from its own machine.
fn reachable(mut server: SocketAddr) -> SocketAddr {
    match server.ip() {
        IpAddr::V4(address) if address.is_unspecified() => server.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(address) if address.is_unspecified() => server.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => (),
    }
    server
}
