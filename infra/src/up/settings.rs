//! The settings of `porchlight up`, `down` and `status`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser};
use home_beacon::{
    dns::{DUCKDNS_TOKEN, SubName, name::NoSubName},
    heartbeat::settings::HEARTBEAT_URL,
    keeper::TlsSettings,
};
use notify::settings::NOTIFY_URLS;
use shared::{
    id::{ComponentId, WrongShape},
    secret::SecretSetting,
    settings::{WrongSetting, listen_address, port, web_address},
};
use url::Url;

use super::{join::JOIN_CODE, looking::LookingSettings, writing::WritingSettings};

/// The secrets of `porchlight up`.
pub const SECRETS: &[SecretSetting] = &[DUCKDNS_TOKEN, HEARTBEAT_URL, JOIN_CODE];

/// The folder of `up`.
#[derive(Clone, Debug, Args)]
pub struct DataSettings {
    /// The folder that holds key, token, seed and database; without it a folder in this user's state directory
    #[arg(long, env = "PORCHLIGHT_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Run everything of a home on this machine: page, beacon, and what measures the line.
#[derive(Clone, Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "these are the flags of a command line")]
pub struct UpSettings {
    #[command(flatten)]
    pub data: DataSettings,
    /// Address of the page and the API; without it 127.0.0.1:8030, or a free port nearby. With --outside of the public page:
    /// port 8031 of all addresses
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address)]
    pub page_addr: Option<SocketAddr>,
    /// Address of the beacon, which the router forwards a port to; without it port 8080 of all addresses, or a free one nearby
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address)]
    pub beacon_addr: Option<SocketAddr>,
    /// Keep the address of this name at `DuckDNS` up to date, like home or home.duckdns.org; off ends that again
    #[arg(long, value_name = "NAME", value_parser = name_or_off)]
    pub dns: Option<OrOff<SubName>>,
    /// Have the router open this port for the beacon, and keep it open, like 30008; off closes it, and ends that again
    #[arg(long, value_name = "PORT", value_parser = port_or_off)]
    pub router_port: Option<OrOff<u16>>,
    /// Tell the cloud that this home is there, for one that nobody can reach: sends heartbeats to `HEARTBEAT_URL`, as this component
    /// of the page elsewhere; off ends that again
    #[arg(long, value_name = "COMPONENT_ID", value_parser = component_or_off)]
    pub heartbeats: Option<OrOff<ComponentId>>,
    /// Join an outside machine: asks for the code that it printed
    #[arg(long, conflicts_with = "outside")]
    pub join: bool,
    /// With --join: where the world finds this home's beacon, like `http://myhome.duckdns.org:30008`; without it the name of
    /// --dns, or the address from which this machine is seen to come
    #[arg(long, value_name = "URL", value_parser = web_address, requires = "join",
        conflicts_with = "outside")]
    pub home_url: Option<Url>,
    /// Be the outside machine: a prober, and a public page, for a home that joins by a code
    #[arg(long, conflicts_with_all = ["dns", "no_bandwidth", "beacon_addr", "router_port", "heartbeats"])]
    pub outside: bool,
    /// With --outside: where the world finds this machine, a name or an address, with a port where it is not the listener's
    #[arg(long, value_name = "HOST", value_parser = host, requires = "outside")]
    pub address: Option<String>,
    #[command(flatten)]
    pub looking: LookingSettings,
    #[command(flatten)]
    pub writing: WritingSettings,
    #[command(flatten)]
    pub tls: TlsSettings,
    /// Run no bandwidth tests
    #[arg(long)]
    pub no_bandwidth: bool,
    /// Run as a unit of systemd from now on: this user's, or the system's where root asks for it
    #[arg(long)]
    pub install: bool,
    /// What is typed after --join; refused, and not repeated.
    #[arg(hide = true, value_parser = |_: &str| Ok::<_, String>(Unread))]
    pub code: Option<Unread>,
}

/// An argument of which nothing is kept.
#[derive(Clone, Copy, Debug)]
pub struct Unread;

impl UpSettings {
    /// Refuses a code in the arguments, which every user of the machine can read.
    ///
    /// # Errors
    /// When there is one.
    pub(super) fn check(&self) -> Result<(), WrongSetting> {
        if self.code.is_some() {
            return Err(WrongSetting(
                "up takes no code as an argument, where others could read it: run `porchlight up --join`, and paste it when \
                 asked"
                    .into(),
            ));
        }
        if !self.join && JOIN_CODE.read()?.is_some() {
            tracing::warn!("JOIN_CODE is set, but --join is not: no machine is joined");
        }
        if NOTIFY_URLS.read()?.is_some() {
            tracing::warn!(
                "NOTIFY_URLS is set, and up does not read it: write the addresses to notify.urls in its folder"
            );
        }
        Ok(())
    }
}

/// Something that stays as it was chosen until it is switched off.
#[derive(Clone, Debug)]
pub enum OrOff<T> {
    /// Not any more.
    Off,
    /// From now on.
    Is(T),
}

fn name_or_off(text: &str) -> Result<OrOff<SubName>, NoSubName> {
    if text == "off" { Ok(OrOff::Off) } else { text.parse().map(OrOff::Is) }
}

fn component_or_off(text: &str) -> Result<OrOff<ComponentId>, String> {
    let wrong = |why: WrongShape| format!("{why}, or off");
    if text == "off" { Ok(OrOff::Off) } else { text.parse().map(OrOff::Is).map_err(wrong) }
}

fn port_or_off(text: &str) -> Result<OrOff<u16>, String> {
    if text == "off" { Ok(OrOff::Off) } else { port(text).map(OrOff::Is).map_err(|why| format!("{why}, or off")) }
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

/// A name or an address of this machine, with or without a port.
fn host(text: &str) -> Result<String, String> {
    let url = Url::parse(&format!("https://{text}")).ok();
    let is_host = url.is_some_and(|url| url.host().is_some() && url.path() == "/" && url.username().is_empty());
    if is_host && !text.contains(['/', '?', '#', '@']) {
        return Ok(text.to_owned());
    }
    Err("it is a name or an address, like vps.example.com, 203.0.113.7 or [2001:db8::7]:9443".into())
}
