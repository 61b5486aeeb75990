//! The keeper's settings.

mod addresses;
mod secrets;
mod values;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{ArgAction, Parser, Subcommand};
use notify::settings::NOTIFY_URLS;
use shared::{
    fingerprint::Fingerprint,
    keeper_token,
    secret::{SecretSetting, SecretSource},
    settings::{Settings, WrongSetting, api_address, base_address, listen_address, log_level},
};
use tracing_subscriber::filter::LevelFilter;
use url::Url;

pub use self::secrets::{KEEPER_TOKEN, PINGLOW_API_KEY, UPSTREAM_TOKEN};
use self::{
    addresses::{is_at_home, is_here},
    values::{database, hold, promised},
};
use super::{
    db::{check_place, holder_of},
    http::front::{Front, base_path::BasePath, robots::Robots},
    notices::NoticeSettings,
    relay::Upstream,
    seed::{Branding, Seed},
    tls::TlsSettings,
};
use crate::{
    heartbeat::settings::{HEARTBEAT_KEY, HEARTBEAT_URL, every},
    serve::collides,
};

/// What HOLD is without being set.
const DEFAULT_HOLD: Duration = Duration::from_hours(3);

/// The home's private log: a statuspage.io-compatible server over one embedded database.
#[derive(Clone, Debug, Parser)]
#[command(name = "keeper", version)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct KeeperSettings {
    /// Address that the page and the API listen on
    #[arg(long, env = "KEEPER_ADDR", value_parser = listen_address, default_value = "127.0.0.1:8030")]
    pub keeper_addr: SocketAddr,
    /// Address of a second, public listener: the page, what others show of it and /api/v2, and nothing that takes a token; unset: none
    #[arg(long, env = "KEEPER_PUBLIC_ADDR", value_name = "ADDRESS", value_parser = listen_address)]
    pub keeper_public_addr: Option<SocketAddr>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the help is that of its fields")]
    pub tls: TlsSettings,
    /// The database: an SQLite file, made where it is missing
    #[arg(long, env = "DATABASE_URL", value_parser = database, default_value = "sqlite:porchlight.db")]
    pub database_url: String,
    /// A TOML file with the page, its components and metrics; without it a page is made with one component
    #[arg(long, env = "KEEPER_SEED")]
    pub keeper_seed: Option<PathBuf>,
    /// How many calls of /v1 may come in any 60 seconds; 0 sets no limit
    #[arg(long, env = "KEEPER_RATE_LIMIT", default_value_t = 60)]
    pub keeper_rate_limit: u16,
    /// Refuse points of metrics outside the last 28 days, rather than leave them out without a word
    #[arg(long, env = "KEEPER_STRICT_POINTS")]
    pub keeper_strict_points: bool,
    /// Where the seed's page is public, like `https://api.statuspage.io/v1`: what is marked with `relay` is sent there, and what
    /// is said there is copied
    #[arg(long, env = "UPSTREAM_URL", value_parser = api_address)]
    pub upstream_url: Option<Url>,
    /// The fingerprint of the certificate at `UPSTREAM_URL`, where no authority vouches for it: 64 hexadecimal digits, as an
    /// outside machine's join code carries them
    #[arg(long, env = "UPSTREAM_FINGERPRINT", value_name = "SHA256")]
    pub upstream_fingerprint: Option<Fingerprint>,
    /// For how long the last value of a bandwidth test is sent upstream again, every five minutes; 0s: never
    #[arg(long, env = "HOLD", value_name = "DURATION", value_parser = hold, default_value = "3h")]
    pub hold: Duration,
    /// Whether an incident upstream that the prober has resolved is told why it was down, as seen from home: one update, which
    /// notifies nobody
    #[arg(long, env = "UPSTREAM_CAUSES", value_name = "BOOL", default_value = "true", action = ArgAction::Set)]
    pub upstream_causes: bool,
    /// What the contract promises towards the home, in Mbit/s: the page shows it, and how many tests reached it
    #[arg(long, env = "PROMISED_DOWN_MBPS", value_name = "MBPS", value_parser = promised)]
    pub promised_down_mbps: Option<f64>,
    /// What it promises from the home, in Mbit/s
    #[arg(long, env = "PROMISED_UP_MBPS", value_name = "MBPS", value_parser = promised)]
    pub promised_up_mbps: Option<f64>,
    /// Where the home's beacon tells which requests the prober signed, like `http://127.0.0.1:9090`: its `PRIVATE_ADDR`; unset: the
    /// keeper reads none
    #[arg(long, env = "BEACON_PRIVATE_URL", value_parser = base_address)]
    pub beacon_private_url: Option<Url>,
    /// With `HEARTBEAT_URL`: how often a heartbeat is sent, 15s to 10m
    #[arg(long, env = "HEARTBEAT_EVERY", value_name = "DURATION", value_parser = every, default_value = "60s")]
    pub heartbeat_every: Duration,
    /// Take the calls of passive checks at the public listener, too: `/porchlight/v1/ping/` and nothing else of that API
    #[arg(long, env = "PUBLIC_PING")]
    pub public_ping: bool,
    /// Show /targets, /uptime-summary and /uptime-summary-windowed at `KEEPER_ADDR` to whoever asks, without the token: they name
    /// addresses of the home network, as its /metrics does anyway
    #[arg(long, env = "KEEPER_OPEN_SUMMARY")]
    pub keeper_open_summary: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the help is that of its fields")]
    pub notices: NoticeSettings,
    /// The path below which a reverse proxy shows the public listener, like `/status`, whether it takes the path off or not;
    /// unset: none
    #[arg(long, env = "KEEPER_BASE_PATH", value_name = "PATH")]
    pub keeper_base_path: Option<BasePath>,
    /// Whether search engines are told to list the page: index or noindex
    #[arg(long, env = "KEEPER_ROBOTS", value_enum, hide_possible_values = true, default_value = "noindex")]
    pub keeper_robots: Robots,
    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, env = "LOG_LEVEL", value_parser = log_level, default_value = "info")]
    pub log_level: LevelFilter,
    /// Validate the settings and exit
    #[arg(long)]
    pub check: bool,
    /// With --check: also verify online that page, components and metrics exist upstream
    #[arg(long, requires = "check")]
    pub online: bool,
    #[command(subcommand)]
    #[expect(missing_docs, reason = "the help is the subcommand's")]
    pub command: Option<KeeperCommand>,
}

/// Commands to a keeper that is running.
#[derive(Clone, Debug, Subcommand)]
pub enum KeeperCommand {
    /// Show the state of the relay of the keeper at `KEEPER_ADDR`, and the points that upstream refused
    Relay {
        #[command(subcommand)]
        #[expect(missing_docs, reason = "the help is the subcommand's")]
        command: Option<RelayCommand>,
    },
}

/// What to change of the relay.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum RelayCommand {
    /// Queue the points again that upstream refused
    Retry,
}

impl Settings for KeeperSettings {
    const SECRETS: &'static [SecretSetting] =
        &[KEEPER_TOKEN, UPSTREAM_TOKEN, PINGLOW_API_KEY, NOTIFY_URLS, HEARTBEAT_URL, HEARTBEAT_KEY];
}

const SHARED_TOKEN: &str = "UPSTREAM_TOKEN is KEEPER_TOKEN: this keeper's own token is not to leave for another host, so set \
                            UPSTREAM_TOKEN to the key of the page at UPSTREAM_URL";

impl KeeperSettings {
    /// # Errors
    /// When there can be no database where it is said to be, both listeners have one address, or the beacon's is one of them.
    pub fn validate(&self) -> Result<(), WrongSetting> {
        if let Some(public) = self.keeper_public_addr.filter(|public| collides(*public, self.keeper_addr)) {
            return Err(WrongSetting(format!(
                "KEEPER_PUBLIC_ADDR: {public} is where KEEPER_ADDR is, too: give the public page a port of its own"
            )));
        }
        let others: Vec<_> = [("KEEPER_ADDR", Some(self.keeper_addr)), ("KEEPER_PUBLIC_ADDR", self.keeper_public_addr)]
            .into_iter()
            .filter_map(|(setting, address)| Some((setting, address?)))
            .collect();
        self.tls.validate(&others)?;
        if self.beacon_private_url.as_ref().is_some_and(|url| self.is_own(url)) {
            return Err(WrongSetting(
                "BEACON_PRIVATE_URL is this keeper itself: name the beacon's private address (its PRIVATE_ADDR)".into(),
            ));
        }
        check_place(&self.database_url).map_err(|error| WrongSetting(format!("DATABASE_URL: {error}")))
    }

    /// Whether an address is one of this keeper's.
    fn is_own(&self, url: &Url) -> bool {
        let addresses = [Some(self.keeper_addr), self.keeper_public_addr, self.tls.keeper_tls_addr];
        addresses.into_iter().flatten().any(|address| is_here(url, address))
    }

    /// How the page presents itself to the world.
    pub fn front(&self, branding: Branding) -> Front {
        Front {
            base_path: self.keeper_base_path.clone(),
            robots: self.keeper_robots,
            branding,
            public_ping: self.public_ping,
            open_summary: self.keeper_open_summary,
        }
    }

    /// The page upstream, where there is one.
    ///
    /// # Errors
    /// When the address comes without a token, or the other way round, or is this keeper's own.
    pub fn upstream(&self) -> Result<Option<Upstream>, WrongSetting> {
        let wrong = |what: &str| Err(WrongSetting(what.into()));
        if self.upstream_fingerprint.is_some() && self.upstream_url.as_ref().is_none_or(|url| url.scheme() != "https") {
            return wrong(
                "UPSTREAM_FINGERPRINT is set, but UPSTREAM_URL is no https address: only there is a certificate to compare it with",
            );
        }
        match (&self.upstream_url, UPSTREAM_TOKEN.read()?) {
            (None, None) => Ok(None),
            (Some(_), None) => wrong("UPSTREAM_TOKEN is not set: the page at UPSTREAM_URL takes nothing without it"),
            (None, Some(_)) => {
                wrong("UPSTREAM_URL is not set, and UPSTREAM_TOKEN is: name the page's API, or leave out the token")
            }
            (Some(url), Some(token)) => {
                if self.is_own(url) {
                    return wrong("UPSTREAM_URL is this keeper itself: name the page that is to be relayed to");
                }
                keeper_token::at_start(&token, &token.name(UPSTREAM_TOKEN.name), url, "UPSTREAM_URL")?;
                if Self::shares_its_token()? && !is_at_home(url) {
                    return wrong(SHARED_TOKEN);
                }
                let fingerprint = self.upstream_fingerprint;
                let (hold, causes) = (self.hold, self.upstream_causes);
                Ok(Some(Upstream { url: url.clone(), token, fingerprint, hold, causes }))
            }
        }
    }

    /// Whether the page upstream is sent this keeper's own token.
    fn shares_its_token() -> Result<bool, WrongSetting> {
        let current = |secret: SecretSetting| secret.read()?.as_ref().map(SecretSource::current).transpose();
        let (own, upstream) = (current(KEEPER_TOKEN)?, current(UPSTREAM_TOKEN)?);
        Ok(own.is_some() && own == upstream)
    }

    /// What is set and has no effect, or not the one that was wanted.
    pub fn warnings(&self, seed: Option<&Seed>) -> Vec<String> {
        let relays = self.upstream_url.is_some();
        let mut warnings = seed.map(|seed| seed.warnings(relays)).unwrap_or_default();
        warnings.extend(self.tls.warning());
        warnings.extend(self.notices.warning());
        if self.keeper_base_path.is_some() && self.keeper_public_addr.is_none() && self.tls.keeper_tls_addr.is_none() {
            warnings
                .push("KEEPER_BASE_PATH is set, but KEEPER_PUBLIC_ADDR is not: only the public listener has it".into());
        }
        if self.public_ping && self.keeper_public_addr.is_none() && self.tls.keeper_tls_addr.is_none() {
            warnings
                .push("PUBLIC_PING is set, but KEEPER_PUBLIC_ADDR is not: there is no public listener to call".into());
        }
        if relays {
            // A seed that marks nothing is fine: upstream's page is copied all the same.
            if seed.is_none() {
                warnings.push(
                    "UPSTREAM_URL is set, but KEEPER_SEED is not: nothing says what is sent there, nor which page it is; name a \
                     seed with the ids that upstream has, and relay = true"
                        .into(),
                );
            }
            if Self::shares_its_token().unwrap_or_default() {
                warnings.push(SHARED_TOKEN.into());
            }
        } else if self.hold != DEFAULT_HOLD {
            warnings.push("HOLD is set, but UPSTREAM_URL is not: nothing is sent upstream".into());
        }
        warnings
    }

    /// What a check adds: that a keeper has the database now, so that a second one would not start. That is no fault of the
    /// settings, which may well be that keeper's.
    pub fn note(&self) -> String {
        let Some(holder) = holder_of(&self.database_url) else { return String::new() };
        let process = holder.map(|id| format!(" (process {id})")).unwrap_or_default();
        format!(
            "a keeper has {} open now{process}, so another one does not start until that one ends",
            self.database_url
        )
    }

    /// The seed, read and checked, and how the page looks by it.
    ///
    /// # Errors
    /// When the file cannot be used, or one that it names.
    pub fn seed(&self) -> Result<(Option<Seed>, Branding), WrongSetting> {
        let read = self.keeper_seed.as_deref().map(Seed::read).transpose()?;
        Ok(read.map_or_else(Default::default, |(seed, branding)| (Some(seed), branding)))
    }
}
