//! The settings of `dns`.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use clap::{Parser, ValueEnum};
use shared::{
    names::Family,
    secret::{SecretSetting, SecretSource},
    settings::{Settings, WrongSetting, base_address, duration, web_address},
};
use url::Url;

use super::{decide::How, keep_second::DYNDNS_PASSWORD, name::SubName, token::DUCKDNS_TOKEN};
use crate::job::{
    context::JobSettings,
    destination::{Destination, Feed, HANDING_OVER},
    settings::{KEEPER_TOKEN, KeeperSettings, RunSettings, StatuspageSettings},
};

/// How many names one call may set. Accounts have fewer; the address of a call must not grow without end.
const MAX_NAMES: usize = 20;

/// The least time that a run needs beside handing over and jitter.
const LEAST: Duration = Duration::from_secs(4);

/// Services that tell who asks them its IPv4 address, run by different people.
pub const ADDRESS_SOURCES: &str =
    "https://api.ipify.org,https://checkip.amazonaws.com,https://www.cloudflare.com/cdn-cgi/trace";

/// The host that a token must never travel to unencrypted.
const DUCKDNS: &str = "duckdns.org";

/// Updates the home's address at DuckDNS when it changed, and checks that public DNS then agrees, once.
#[derive(Clone, Debug, Parser)]
#[command(name = "dns", version)]
pub struct DnsSettings {
    /// The home's name at DuckDNS, like home or home.duckdns.org, or several with commas
    #[arg(long, env = "DOMAIN", value_delimiter = ',')]
    pub domain: Vec<SubName>,
    /// How our IPv4 address becomes known: server (DuckDNS takes the one that it sees) or detect (two sources must agree).
    /// IPv6 is always detected, because DuckDNS never sees it
    #[arg(long, env = "ADDRESS", value_enum, hide_possible_values = true, default_value = "server")]
    pub address: Address,
    /// Which records are kept: 4, 6 or both. The record of a family that is left out is never touched
    #[arg(long, env = "IP_VERSION", value_enum, hide_possible_values = true, default_value = "4")]
    pub ip_version: Families,
    /// DuckDNS's address
    #[arg(long, env = "DUCKDNS_URL", value_parser = base_address, default_value = "https://www.duckdns.org")]
    pub duckdns_url: Url,
    /// A second name of the home, for when DuckDNS fails: the update address of a service that speaks dyndns2 (No-IP, deSEC, dynv6
    /// and most others), with the name in it, like `https://dynupdate.no-ip.com/nic/update?hostname=home.ddns.net`
    #[arg(long, env = "DYNDNS_URL", value_parser = web_address)]
    pub dyndns_url: Option<Url>,
    /// The user at that service
    #[arg(long, env = "DYNDNS_USER")]
    pub dyndns_user: Option<String>,
    /// Services that report our public IPv4 address; independent of each other
    #[arg(
        long,
        env = "ADDRESS_SOURCES",
        value_delimiter = ',',
        value_parser = web_address,
        default_value = ADDRESS_SOURCES
    )]
    pub address_sources: Vec<Url>,
    /// The same, over IPv6
    // icanhazip.com is Cloudflare's, so its trace cannot stand beside it.
    #[arg(
        long,
        env = "ADDRESS_SOURCES_V6",
        value_delimiter = ',',
        value_parser = web_address,
        default_value = "https://api6.ipify.org,https://ipv6.icanhazip.com,https://v6.ident.me"
    )]
    pub address_sources_v6: Vec<Url>,
    /// The public name servers that must agree: addresses, with a port where it is not 53
    #[arg(
        long,
        env = "PUBLIC_DNS",
        value_delimiter = ',',
        value_parser = name_server,
        default_value = "1.1.1.1,8.8.8.8,9.9.9.9"
    )]
    pub public_dns: Vec<SocketAddr>,
    /// Random delay of up to this long before DuckDNS is called, because every home's clock strikes :00 and :05 at once; 0s
    /// is none, and so is a terminal
    #[arg(long, env = "JITTER", value_parser = duration_or_none, default_value = "15s")]
    pub jitter: Duration,
    /// The keeper.
    #[command(flatten)]
    pub keeper: KeeperSettings,
    /// How long a run may take, checking public DNS (up to 90s) and handing over included
    #[arg(long, env = "DEADLINE", value_parser = duration, default_value = "150s")]
    pub deadline: Duration,
    /// How it is run.
    #[command(flatten)]
    pub run: RunSettings,
    /// `DuckDNS`'s token, where it is not in a variable: of a job within another program.
    #[arg(skip)]
    pub token: Option<SecretSource>,
}

impl Settings for DnsSettings {
    const SECRETS: &'static [SecretSetting] = &[DUCKDNS_TOKEN, DYNDNS_PASSWORD, KEEPER_TOKEN];
}

/// How our IPv4 address becomes known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Address {
    /// DuckDNS takes the one that it sees.
    Server,
    /// Two sources must agree.
    Detect,
}

/// Which records are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Families {
    /// IPv4 alone.
    #[value(name = "4")]
    V4,
    /// IPv6 alone.
    #[value(name = "6")]
    V6,
    /// Both records.
    Both,
}

impl Families {
    pub(super) fn each(self) -> &'static [Family] {
        match self {
            Self::V4 => &[Family::V4],
            Self::V6 => &[Family::V6],
            Self::Both => &[Family::V4, Family::V6],
        }
    }
}

fn name_server(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    let address = address.or_else(|_| text.parse());
    address.map_err(|_| "a name server is an address, with or without a port, like 1.1.1.1 or [2620:fe::fe]:53".into())
}

fn duration_or_none(text: &str) -> Result<Duration, String> {
    if text.trim() == "0s" { Ok(Duration::ZERO) } else { duration(text).map_err(|error| format!("{error}, or is 0s")) }
}

impl DnsSettings {
    /// In words.
    pub(super) fn names(&self) -> String {
        self.domain.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn how(&self, family: Family) -> How {
        match (family, self.address) {
            (Family::V4, Address::Server) => How::Server,
            _ => How::Detect,
        }
    }

    /// How the addresses are found out, in a word; where it is not the same of both families, with these.
    pub(super) fn method(&self) -> String {
        let hows: Vec<_> = self.ip_version.each().iter().map(|family| (*family, self.how(*family))).collect();
        match &hows[..] {
            [(_, how), rest @ ..] if rest.iter().all(|(_, other)| other == how) => how.to_string(),
            _ => hows.iter().map(|(family, how)| format!("{how} ({family})")).collect::<Vec<_>>().join(", "),
        }
    }

    pub(super) fn sources(&self, family: Family) -> &[Url] {
        match family {
            Family::V4 => &self.address_sources,
            Family::V6 => &self.address_sources_v6,
        }
    }
}

impl JobSettings for DnsSettings {
    const STATE: &'static str = "dns";

    fn run(&self) -> &RunSettings {
        &self.run
    }

    fn keeper(&self) -> &KeeperSettings {
        &self.keeper
    }

    fn statuspage(&self) -> Option<&StatuspageSettings> {
        None
    }

    fn feeds(&self) -> Vec<Feed> {
        Vec::new()
    }

    fn summary(&self, destination: &Destination) -> String {
        format!("the address of {} is kept at DuckDNS, and {destination}", self.names())
    }

    fn validate(&self) -> Result<(), WrongSetting> {
        let wrong = |text: String| Err(WrongSetting(text));
        if self.domain.is_empty() {
            return wrong("DOMAIN is not set: set it to the home's name at DuckDNS, like home".into());
        }
        if self.domain.len() > MAX_NAMES {
            return wrong(format!("DOMAIN: up to {MAX_NAMES} names can be set at once"));
        }
        if let Some(name) = twice(&self.domain) {
            return wrong(format!("DOMAIN: {name} is there twice"));
        }
        let host = self.duckdns_url.host_str().unwrap_or_default().trim_end_matches('.');
        if self.duckdns_url.scheme() == "http" && (host == DUCKDNS || host.ends_with(&format!(".{DUCKDNS}"))) {
            return wrong("DUCKDNS_URL: the token would travel unencrypted: use https://www.duckdns.org".into());
        }
        if self.duckdns_url.path().trim_end_matches('/').ends_with("/update") {
            return wrong("DUCKDNS_URL: leave /update out, because it is added to the address".into());
        }
        self.validate_second()?;
        for (family, name) in [(Family::V4, "ADDRESS_SOURCES"), (Family::V6, "ADDRESS_SOURCES_V6")] {
            let places: Vec<_> = self.sources(family).iter().map(|url| (url.host(), url.port())).collect();
            if twice(&places).is_some() {
                return wrong(format!("{name}: two of the sources are one host, so their agreement would say nothing"));
            }
            let asked = self.ip_version.each().contains(&family) && self.how(family) == How::Detect;
            if asked && places.len() < 2 {
                return wrong(format!("{name}: two sources must agree on an address, so name two or more"));
            }
        }
        if let Some(server) = twice(&self.public_dns) {
            return wrong(format!("PUBLIC_DNS: {server} is there twice"));
        }
        let least = self.jitter + HANDING_OVER + LEAST;
        if least > self.deadline {
            return wrong(format!(
                "DEADLINE is {:?}, and with JITTER {:?} and {HANDING_OVER:?} to hand over a run takes {least:?} or more",
                self.deadline, self.jitter
            ));
        }
        self.keeper.validate()
    }
}

/// The first thing that is there twice.
fn twice<T: PartialEq>(things: &[T]) -> Option<&T> {
    things.iter().enumerate().find(|(index, thing)| things[..*index].contains(thing)).map(|(_, thing)| thing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_server_is_an_address_with_or_without_a_port() {
        for (text, expected) in [
            ("1.1.1.1", "1.1.1.1:53"),
            (" 127.0.0.1:5353 ", "127.0.0.1:5353"),
            ("2620:fe::fe", "[2620:fe::fe]:53"),
            ("[2620:fe::fe]", "[2620:fe::fe]:53"),
            ("[2620:fe::fe]:54", "[2620:fe::fe]:54"),
        ] {
            assert_eq!(name_server(text), Ok(expected.parse().unwrap()), "{text}");
        }
        for wrong in ["", "dns.google", "1.1.1.1:", "1.1.1", "udp://1.1.1.1"] {
            assert!(name_server(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_jitter_may_be_none() {
        assert_eq!(duration_or_none("0s"), Ok(Duration::ZERO));
        assert_eq!(duration_or_none("2m"), Ok(Duration::from_secs(120)));
        assert!(duration_or_none("0").is_err() && duration_or_none("").is_err());
    }
}
