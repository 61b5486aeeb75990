//! The settings of `porchlight port`.

use std::{net::IpAddr, num::NonZeroU16, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use home_beacon::dns::{ADDRESS_SOURCES, Families};
use shared::{
    names::Family,
    settings::{WebAddresses, WrongSetting, duration, machine_address, port, web_address},
};
use url::Url;

use super::mapping::Protocol;

/// The port that the router opens where nothing says otherwise: the one that the guides forward.
const EXTERNAL: u16 = 30008;

/// What a lease may be: routers take an hour or two, and a week is the longest that the standards name.
const SHORTEST_LEASE: Duration = Duration::from_mins(2);
const LONGEST_LEASE: Duration = Duration::from_hours(7 * 24);

/// Have the router open a port that leads to the beacon, close it again, or show how that stands.
#[derive(Clone, Debug, Parser)]
pub struct PortSettings {
    #[command(flatten)]
    pub which: WhichSettings,
    #[command(subcommand)]
    pub command: PortCommand,
}

/// Which router, and what is remembered of it.
#[derive(Clone, Debug, Args)]
pub struct WhichSettings {
    /// The router, by its address at home; without it the one that leads out of this machine
    #[arg(long, env = "ROUTER", value_name = "ADDRESS", value_parser = machine_address, global = true)]
    pub router: Option<IpAddr>,
    /// Where what arrives at the router is sent, by the machine's address; without it this machine
    #[arg(long = "to", env = "PORT_TO", value_name = "ADDRESS", value_parser = machine_address, global = true)]
    pub to: Option<IpAddr>,
    /// For which address families: 4, 6 or both. Over IPv6 nothing is translated: the router's firewall lets through
    #[arg(long, env = "IP_VERSION", value_enum, hide_possible_values = true, default_value = "4", global = true)]
    pub ip_version: Families,
    /// Where the prober finds the home: its port is the one to be opened, and its name is used in what is printed
    #[arg(long, env = "CANARY_URL", value_name = "URL…", global = true)]
    pub canary_url: Option<WebAddresses>,
    /// The folder that keeps what is open, so that it can be closed; without it one in this user's state directory
    #[arg(long, env = "STATE_DIR", value_name = "DIR", global = true)]
    pub state_dir: Option<PathBuf>,
    /// Services that tell which IPv4 address the world sees, to compare it with the router's; independent of each other
    #[arg(
        long,
        env = "ADDRESS_SOURCES",
        value_delimiter = ',',
        value_parser = web_address,
        default_value = ADDRESS_SOURCES,
        global = true
    )]
    pub address_sources: Vec<Url>,
    /// Print JSON; what stays (--every) prints lines for people all the same
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub enum PortCommand {
    /// Open the port, and with --every keep it open
    Open(OpenSettings),
    /// Show the router, what it speaks, its address outside, and what is open; nothing is changed
    Status,
    /// Close what was opened, and nothing else
    Close,
}

/// What is to be opened.
#[derive(Clone, Debug, Args)]
pub struct OpenSettings {
    /// The port that the beacon listens at
    #[arg(long, env = "PORT_INTERNAL", value_name = "PORT", value_parser = port::<NonZeroU16>, default_value = "8080")]
    pub internal: NonZeroU16,
    /// The port that the world sees; without it that of `CANARY_URL`, else 30008. Where somebody else has it, one of the next
    /// four is taken
    #[arg(long, env = "PORT_EXTERNAL", value_name = "PORT", value_parser = port::<NonZeroU16>)]
    pub external: Option<NonZeroU16>,
    /// How the router is asked: pcp, nat-pmp or upnp; without it whatever it speaks, in this order
    #[arg(long, env = "PORT_PROTOCOL", value_enum, hide_possible_values = true)]
    pub protocol: Option<Protocol>,
    /// For how long the router is to keep it open where it is not asked again: 2m to a week
    #[arg(long, env = "PORT_LEASE", value_name = "DURATION", value_parser = lease, default_value = "2h")]
    pub lease: Duration,
    /// Stay, and ask the router again at this interval, like 5m: what is open stays open, also after the router was restarted
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub every: Option<Duration>,
    /// With --every: close it when this program is ended. Without it the port stays open until its lease is over
    #[arg(long, requires = "every")]
    pub close_on_stop: bool,
    /// Find the router, and say what would be opened; nothing is changed
    #[arg(long, conflicts_with = "every")]
    pub dry_run: bool,
    /// Validate the settings and exit
    #[arg(long)]
    pub check: bool,
}

impl WhichSettings {
    /// # Errors
    /// When addresses are of other families than are asked for.
    pub fn validate(&self) -> Result<(), WrongSetting> {
        let families = self.families();
        for (name, address) in [("ROUTER", self.router), ("PORT_TO", self.to)] {
            let Some(address) = address else { continue };
            if families.len() > 1 {
                return Err(WrongSetting(format!(
                    "{name} is one address, and IP_VERSION=both needs one of each family: leave {name} out, or run this for each \
                     family by itself"
                )));
            }
            if !families.contains(&Family::of(address)) {
                let version = if address.is_ipv4() { 4 } else { 6 };
                return Err(WrongSetting(format!(
                    "{name} is {address}, and IP_VERSION asks for the other family: set it to {version}, or name another address"
                )));
            }
            if address.is_unspecified() || address.is_multicast() {
                return Err(WrongSetting(format!("{name} is {address}, which is no machine's address")));
            }
        }
        if self.address_sources.is_empty() {
            return Err(WrongSetting("ADDRESS_SOURCES is empty: leave it out, or name services".into()));
        }
        Ok(())
    }

    /// The families that are asked for.
    pub fn families(&self) -> &'static [Family] {
        match self.ip_version {
            Families::V4 => &[Family::V4],
            Families::V6 => &[Family::V6],
            Families::Both => &[Family::V4, Family::V6],
        }
    }
}

impl OpenSettings {
    /// # Errors
    /// When the times contradict each other.
    pub fn validate(&self) -> Result<(), WrongSetting> {
        match self.every {
            Some(every) if every >= self.lease => Err(WrongSetting(format!(
                "--every {every:?} is no shorter than --lease {:?}: the port would be closed in between",
                self.lease
            ))),
            Some(every) if every < Duration::from_secs(1) => {
                Err(WrongSetting("--every is shorter than a second: routers are asked once a second at most".into()))
            }
            _ => Ok(()),
        }
    }

    /// The port that the world is to see.
    pub fn wanted(&self, canary: Option<&WebAddresses>) -> u16 {
        let of_canary = || canary.and_then(|canary| canary.first().port_or_known_default());
        self.external.map(NonZeroU16::get).or_else(of_canary).unwrap_or(EXTERNAL)
    }
}

fn lease(text: &str) -> Result<Duration, String> {
    match duration(text) {
        Ok(lease) if (SHORTEST_LEASE..=LONGEST_LEASE).contains(&lease) => Ok(lease),
        Ok(_) => Err("a lease is 2m to 168h (a week)".into()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &str) -> Result<PortSettings, String> {
        let words = format!("port {arguments}");
        let settings = PortSettings::try_parse_from(words.split_whitespace()).map_err(|error| error.to_string())?;
        settings.which.validate().map_err(|error| error.to_string())?;
        if let PortCommand::Open(open) = &settings.command {
            open.validate().map_err(|error| error.to_string())?;
        }
        Ok(settings)
    }

    fn wanted(arguments: &str) -> u16 {
        let settings = read(&format!("open {arguments}")).unwrap();
        let PortCommand::Open(open) = settings.command else { panic!("it is open") };
        open.wanted(settings.which.canary_url.as_ref())
    }

    #[test]
    fn the_port_is_the_one_that_is_named_or_that_of_the_address_that_the_prober_asks() {
        assert_eq!(wanted(""), 30008);
        assert_eq!(wanted("--canary-url http://home.duckdns.org:31000"), 31000);
        assert_eq!(wanted("--canary-url https://home.duckdns.org"), 443);
        assert_eq!(wanted("--canary-url http://home.duckdns.org:31000 --external 9000"), 9000);
    }

    #[test]
    fn what_cannot_be_is_refused_in_one_sentence() {
        for (arguments, words) in [
            ("open --lease 1m", "a lease is 2m to 168h"),
            ("open --lease 200h", "a lease is 2m to 168h"),
            ("open --every 2h", "--every 7200s is no shorter than --lease 7200s"),
            ("open --every 10ms", "once a second at most"),
            (
                "open --router 2a02:8109::1",
                "ROUTER is 2a02:8109::1, and IP_VERSION asks for the other family: set it to 6",
            ),
            ("open --to 224.0.0.1", "PORT_TO is 224.0.0.1, which is no machine's address"),
            ("status --router 192.168.1.1 --ip-version both", "IP_VERSION=both needs one of each family"),
            ("open --close-on-stop", "--every"),
            ("open --external 0", "'--external <PORT>': a port is a number from 1 to 65535"),
            ("open --internal beacon", "'--internal <PORT>': a port is a number from 1 to 65535"),
            (
                "open --router home",
                "'--router <ADDRESS>': write the address itself, like 192.168.1.1: no name, and no port",
            ),
            ("open --to 192.168.1.7:8080", "'--to <ADDRESS>': write the address itself"),
        ] {
            let error = read(arguments).unwrap_err();
            assert!(error.contains(words), "{arguments}: {error}");
        }
    }
}
