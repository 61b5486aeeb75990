//! The settings of `ping`.

use std::{fmt, net::IpAddr, str::FromStr, time::Duration};

use clap::{
    Parser, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use shared::{
    id::MetricId,
    names::Family,
    network::{Kind, is_at_home},
    secret::SecretSetting,
    settings::{Settings, WrongSetting, duration, machine_address, port},
};

use crate::{
    job::{
        context::JobSettings,
        destination::{Feed, HANDING_OVER},
        settings::{KEEPER_TOKEN, KeeperSettings, RunSettings, STATUSPAGE_TOKEN, StatuspageSettings},
    },
    reading::{Field, MetricName},
};

/// How many targets may be set.
const MAX_TARGETS: usize = 16;

/// How long a sample may take; one that takes longer is lost.
pub(super) const SAMPLE_TIMEOUT: Duration = Duration::from_secs(2);

/// The least time that looking up a name gets.
const RESOLVE_TIME: Duration = Duration::from_secs(5);

/// How long a name server may take.
pub(super) const NAMES_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest that asking the way out takes besides: what is remembered of it, the first hop, and finding it again.
const WAY_TIME: Duration = Duration::from_secs(12);

/// Measures round-trip time, jitter and loss, once.
#[derive(Clone, Debug, Parser)]
#[command(name = "ping", version)]
pub struct PingSettings {
    /// Host to ping: a name or an address, or several with commas; the first one feeds the page's metric
    #[arg(long, env = "TARGET_HOST", value_delimiter = ',', default_value = "1.1.1.1")]
    pub target_host: Vec<Target>,
    /// The home's router: its address, or `gateway` where this program is in the home's network itself. With it, the first hop behind
    /// it, which is the provider's, and name servers are asked, too: so an outage gets its cause. Unset: none of that
    #[arg(long, env = "ROUTER_HOST", value_name = "ADDRESS")]
    pub router_host: Option<Router>,
    /// With `ROUTER_HOST`: the name that the home's name servers are asked for
    #[arg(long, env = "CHECKED_NAME", value_name = "NAME", default_value = "example.com")]
    pub checked_name: Target,
    /// With `ROUTER_HOST`: a name server that is not the provider's, which is asked for it too
    #[arg(long, env = "OTHER_NAME_SERVER", value_name = "ADDRESS", value_parser = machine_address, default_value = "9.9.9.9")]
    pub other_name_server: IpAddr,
    /// How many echoes each target is sent: 1 to 1000
    #[arg(long, env = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1000), default_value_t = 5)]
    pub count: u16,
    /// The time from one echo to the next, 10ms or longer
    #[arg(long, env = "INTERVAL", value_parser = interval, default_value = "1s")]
    pub interval: Duration,
    /// How to measure: icmp, tcp (the time of a handshake), or auto: icmp, and tcp where this process may not
    #[arg(long, env = "METHOD", value_enum, hide_possible_values = true, default_value = "auto")]
    pub method: Method,
    /// The port for method tcp
    #[arg(long, env = "TCP_PORT", value_parser = port::<u16>, default_value_t = 443)]
    pub tcp_port: u16,
    /// Which addresses of a name to use: 4 or 6; without it IPv4 where there is one
    #[arg(long, env = "IP_VERSION", hide_possible_values = true, value_parser = family())]
    pub ip_version: Option<Family>,
    /// The keeper.
    #[command(flatten)]
    pub keeper: KeeperSettings,
    /// Without a keeper: the status page.
    #[command(flatten)]
    pub statuspage: StatuspageSettings,
    /// Without a keeper: the metric that gets the loss in percent
    #[arg(long, env = "METRIC_ID_LOSS")]
    pub metric_id_loss: Option<MetricId>,
    /// Without a keeper: the metric that gets the jitter
    #[arg(long, env = "METRIC_ID_JITTER")]
    pub metric_id_jitter: Option<MetricId>,
    /// How long a run may take, handing over included
    #[arg(long, env = "DEADLINE", value_parser = duration, default_value = "50s")]
    pub deadline: Duration,
    /// How it is run.
    #[command(flatten)]
    pub run: RunSettings,
}

impl Settings for PingSettings {
    const SECRETS: &'static [SecretSetting] = &[KEEPER_TOKEN, STATUSPAGE_TOKEN];
}

/// How to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// ICMP, and TCP where this process may not send ICMP.
    Auto,
    /// ICMP echoes.
    Icmp,
    /// The time of a TCP handshake.
    Tcp,
}

fn family() -> impl TypedValueParser<Value = Family> {
    PossibleValuesParser::new(["4", "6"]).map(|version| if version == "4" { Family::V4 } else { Family::V6 })
}

/// Where the home's router is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Router {
    /// The default gateway of this machine.
    Gateway,
    /// There.
    At(IpAddr),
}

impl FromStr for Router {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "gateway" => Ok(Self::Gateway),
            text => text.parse().map(Self::At).map_err(|_| "write the router's address, like 192.168.1.1, or gateway"),
        }
    }
}

/// What to ping: a name or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(String);

impl Target {
    /// The host as it was written, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        let label = |label: &str| {
            (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        let name = bare.trim_end_matches('.');
        // A last label of digits would be a mistyped address.
        let last_is_a_number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        let is_name = name.len() <= 90 && name.split('.').all(label) && !last_is_a_number;
        if bare.parse::<IpAddr>().is_ok() || is_name {
            Ok(Self(name.to_ascii_lowercase()))
        } else {
            Err("a target is a name or an address, like example.com, 1.1.1.1 or 2606:4700:4700::1111")
        }
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        short if short < Duration::from_millis(10) => Err("an interval is 10ms or longer".into()),
        interval => Ok(interval),
    }
}

impl PingSettings {
    /// From the first echo to the last.
    pub(super) fn sending(&self) -> Duration {
        self.interval * u32::from(self.count - 1)
    }

    /// The same with that router, where none is set, where a target is far away, and where the deadline leaves time for it: who pings
    /// hosts at home alone wants nobody else to be asked.
    #[must_use]
    pub fn with_router(self, router: Router) -> Self {
        // Those of documentation stand for hosts that nobody is to ask.
        let is_none = |address: IpAddr| Kind::of(address) == Some(Kind::Documentation);
        let is_far = |target: &Target| {
            target.as_str().parse().is_ok_and(|address: IpAddr| !is_at_home(address) && !is_none(address))
        };
        let with = Self { router_host: self.router_host.or(Some(router)), ..self.clone() };
        if self.target_host.iter().any(is_far) && with.validate().is_ok() { with } else { self }
    }

    /// The longest that sampling takes; name servers are asked beside it.
    pub(super) fn sampling(&self) -> Duration {
        let sampling = self.sending() + SAMPLE_TIMEOUT;
        if self.router_host.is_some() { sampling.max(NAMES_TIMEOUT) } else { sampling }
    }

    /// The longest that the first hop takes after it.
    pub(super) fn way_time(&self) -> Duration {
        if self.router_host.is_some() { WAY_TIME } else { Duration::ZERO }
    }
}

impl JobSettings for PingSettings {
    const STATE: &'static str = "ping";

    fn run(&self) -> &RunSettings {
        &self.run
    }

    fn keeper(&self) -> &KeeperSettings {
        &self.keeper
    }

    fn statuspage(&self) -> Option<&StatuspageSettings> {
        Some(&self.statuspage)
    }

    fn feeds(&self) -> Vec<Feed> {
        let ids = [
            (Field::Value, &self.statuspage.metric_id),
            (Field::Loss, &self.metric_id_loss),
            (Field::Jitter, &self.metric_id_jitter),
        ];
        ids.into_iter()
            .filter_map(|(field, id)| Some(Feed { metric: MetricName::ours("ping"), field, id: id.clone()? }))
            .collect()
    }

    fn warn(&self) {
        self.run.warn(self.sending());
    }

    fn validate(&self) -> Result<(), WrongSetting> {
        self.keeper.refuse_with_keeper(&[
            ("METRIC_ID", self.statuspage.metric_id.is_some()),
            ("METRIC_ID_LOSS", self.metric_id_loss.is_some()),
            ("METRIC_ID_JITTER", self.metric_id_jitter.is_some()),
        ])?;
        self.keeper.validate()?;
        if self.target_host.len() > MAX_TARGETS {
            return Err(WrongSetting(format!("TARGET_HOST: up to {MAX_TARGETS} targets can be pinged at once")));
        }
        let twice = self.target_host.iter().enumerate().find(|(index, host)| self.target_host[..*index].contains(host));
        if let Some((_, host)) = twice {
            return Err(WrongSetting(format!("TARGET_HOST: {host} is there twice")));
        }
        let named = self.target_host.iter().any(|target| target.as_str().parse::<IpAddr>().is_err());
        let longest =
            self.sampling() + self.way_time() + HANDING_OVER + if named { RESOLVE_TIME } else { Duration::ZERO };
        if longest > self.deadline {
            return Err(WrongSetting(format!(
                "COUNT and INTERVAL: {} echoes, {:?} apart, with looking names up and handing over take up to \
                 {longest:?}, and DEADLINE is {:?}",
                self.count, self.interval, self.deadline
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_router_is_asked_by_itself_only_beside_hosts_that_are_far_away() {
        let with = |arguments: &[&str]| {
            let arguments = ["ping"].iter().chain(arguments);
            PingSettings::try_parse_from(arguments).unwrap().with_router(Router::Gateway).router_host
        };
        assert_eq!(with(&["--target-host", "1.1.1.1"]), Some(Router::Gateway));
        assert_eq!(with(&["--target-host", "127.0.0.1,192.168.1.7,nas.lan,192.0.2.1"]), None);
        assert_eq!(with(&["--target-host", "1.1.1.1", "--count", "30"]), None, "there is no time for it");
        let set = Some(Router::At([192, 168, 1, 1].into()));
        assert_eq!(with(&["--target-host", "9.9.9.9", "--router-host", "192.168.1.1"]), set);
    }

    #[test]
    fn a_target_is_a_name_or_an_address() {
        for (text, expected) in [
            ("1.1.1.1", "1.1.1.1"),
            ("Example.COM.", "example.com"),
            ("[2606:4700::1]", "2606:4700::1"),
            ("pi4", "pi4"),
            ("server-01.nas.local1", "server-01.nas.local1"),
            ("_a.b-c.de", "_a.b-c.de"),
        ] {
            assert_eq!(text.parse::<Target>().unwrap().as_str(), expected);
        }
        for wrong in ["", "http://example.com", "1.1.1", "1.1.1.256", "a b", "a..b", "::g", "example.com:443"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }
}
