//! The settings of `checks`.

use std::{
    env,
    ffi::OsStr,
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use clap::{CommandFactory, FromArgMatches, Parser};
use shared::{
    keeper_token::keeper_address,
    secret::{SecretSetting, SecretSource},
    settings::{Settings, WrongSetting, listen_address, log_level},
};
use tracing_subscriber::filter::LevelFilter;
use url::Url;

use crate::job::settings::{KEEPER_TOKEN, KeeperSettings, STATUSPAGE_TOKEN};

/// Where the checks are where nothing else is named.
const DEFAULT_FILE: &str = "checks.yml";

/// The variables that name files without secrets.
const PLAIN: &[&str] = &["CHECKS_FILE", "STATPING_FILE", "STATE_FILE", "SSL_CERT_FILE", "NIX_SSL_CERT_FILE"];

/// Where `porchlight up` has the secrets that an import brought.
const BROUGHT: &str = "checks.yml.secrets";

/// Runs what checks.yml defines, each check at its interval.
#[derive(Clone, Debug, Parser)]
#[command(name = "checks", version)]
pub struct ChecksSettings {
    /// The file that defines the checks; a change of it is taken up at once
    #[arg(long, env = "CHECKS_FILE", value_name = "FILE")]
    pub checks_file: Option<PathBuf>,
    /// Statping's services.yml, whose services are run beside them
    #[arg(long, env = "STATPING_FILE", value_name = "FILE")]
    pub statping_file: Option<PathBuf>,
    /// How many checks run at once
    #[arg(long, env = "CHECKS_CONCURRENCY", value_parser = clap::value_parser!(u16).range(1..=5000), default_value_t = 200)]
    pub checks_concurrency: u16,
    /// Address of the listener for /metrics and /healthz
    #[arg(long, env = "CHECKS_ADDR", value_parser = listen_address, default_value = "127.0.0.1:9095")]
    pub checks_addr: SocketAddr,
    /// Targets as UpTimePulse has them.
    #[command(flatten)]
    pub uptimepulse: UptimepulseSettings,
    /// The keeper that results go to
    #[arg(long, env = "KEEPER_URL", value_parser = keeper_address)]
    pub keeper_url: Option<Url>,
    /// Without a keeper: the status page.
    #[command(flatten)]
    pub statuspage: PageSettings,
    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, env = "LOG_LEVEL", value_parser = log_level, default_value = "info")]
    pub log_level: LevelFilter,
    /// Validate the settings and the files, or FILE instead of `CHECKS_FILE`, and exit
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub check: Option<Option<PathBuf>>,
    /// Run the check of that name once, print what came of it, and exit: 0 it works, 1 it does not, 3 it could not be checked
    #[arg(long, value_name = "NAME", conflicts_with = "check")]
    pub once: Option<String>,
    /// Print the JSON Schema of checks.yml, and exit
    #[arg(long, conflicts_with_all = ["check", "once"])]
    pub schema: bool,
    /// Of a program within another one: it has no listener, and the service manager is the other's business.
    #[arg(skip)]
    pub is_within: bool,
    /// The keeper's token, where it is not in a variable: of a program within another one.
    #[arg(skip)]
    pub token: Option<SecretSource>,
}

/// What UpTimePulse's agent was set up by, with the same meaning.
#[derive(Clone, Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "they are what its variables are called")]
pub struct UptimepulseSettings {
    /// Addresses to be asked over HTTP, with commas, as UpTimePulse has them
    #[arg(long, env = "PING_TARGET_URLS", value_name = "URLS")]
    pub ping_target_urls: Option<String>,
    /// From one request to the next of each of them, in seconds
    #[arg(long, env = "PING_INTERVAL_SECONDS", value_name = "SECONDS")]
    pub ping_interval_seconds: Option<String>,
    /// How many of them are asked at once
    #[arg(long, env = "PING_CONCURRENCY", value_name = "NUMBER")]
    pub ping_concurrency: Option<String>,
    /// How much of a body is read, in bytes
    #[arg(long, env = "PING_BODY_MAX_BYTES", value_name = "BYTES")]
    pub ping_body_max_bytes: Option<String>,
    /// By which method they are asked
    #[arg(long, env = "PING_HTTP_METHOD", value_name = "METHOD")]
    pub ping_http_method: Option<String>,
    /// Whether one byte is asked for alone (Range: bytes=0-0)
    #[arg(long, env = "PING_RANGE_REQUEST", value_name = "BOOL")]
    pub ping_range_request: Option<String>,
}

/// A status page that takes the statuses of components.
#[derive(Clone, Debug, clap::Args)]
pub struct PageSettings {
    /// Without a keeper: where the status page's API is
    #[arg(long, env = "STATUSPAGE_URL", value_parser = shared::settings::api_address, default_value = shared::statuspage::STATUSPAGE_IO)]
    pub statuspage_url: Url,
    /// Without a keeper: the status page whose components are set
    #[arg(long, env = "PAGE_ID")]
    pub page_id: Option<shared::id::PageId>,
}

impl UptimepulseSettings {
    /// What is set of that variable.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        match name {
            "PING_TARGET_URLS" => self.ping_target_urls.clone(),
            "PING_INTERVAL_SECONDS" => self.ping_interval_seconds.clone(),
            "PING_CONCURRENCY" => self.ping_concurrency.clone(),
            "PING_BODY_MAX_BYTES" => self.ping_body_max_bytes.clone(),
            "PING_HTTP_METHOD" => self.ping_http_method.clone(),
            "PING_RANGE_REQUEST" => self.ping_range_request.clone(),
            _ => None,
        }
    }
}

impl Settings for ChecksSettings {
    const SECRETS: &'static [SecretSetting] = &[KEEPER_TOKEN, STATUSPAGE_TOKEN];
}

impl ChecksSettings {
    /// Of the checks of one file, for a keeper, within another program: whatever the environment sets is meant for others.
    ///
    /// # Errors
    /// When the keeper's address is none.
    pub fn within(file: &Path, keeper: &Url, token: SecretSource) -> Result<Self, WrongSetting> {
        let command = Self::command().mut_args(|argument| argument.env(None::<&str>));
        let arguments = ["checks", "--keeper-url", keeper.as_str(), "--checks-file"].map(OsStr::new);
        let matches = command.try_get_matches_from(arguments.into_iter().chain([file.as_os_str()]));
        let settings = matches.and_then(|matches| Self::from_arg_matches(&matches));
        let settings = settings.map_err(|error| WrongSetting(error.to_string()))?;
        Ok(Self { is_within: true, token: Some(token), ..settings })
    }

    /// The keeper, as jobs have it.
    pub(super) fn keeper(&self) -> KeeperSettings {
        KeeperSettings { keeper_url: self.keeper_url.clone(), state_dir: None, token: self.token.clone() }
    }

    /// The file of the checks: the one that is named, or the one that is in this folder where nothing else defines any.
    pub(super) fn file(&self) -> Option<PathBuf> {
        let named = self.check.clone().flatten().or_else(|| self.checks_file.clone());
        let has_others = self.statping_file.is_some() || self.uptimepulse.ping_target_urls.is_some();
        named.or_else(|| (!has_others).then(|| DEFAULT_FILE.into()))
    }

    /// The files that hold secrets of this process, and that its scripts have no business with: those that the environment names as
    /// `…_FILE`; and within another program, beside `checks.yml`, what nobody but its owner may read.
    pub(super) fn secret_files(&self) -> Vec<PathBuf> {
        let is_secret =
            |name: &OsStr| name.to_str().is_some_and(|name| name.ends_with("_FILE") && !PLAIN.contains(&name));
        let named = env::vars_os().filter(|(name, _)| is_secret(name)).map(|(_, path)| PathBuf::from(path));
        let folder = self.checks_file.as_deref().and_then(Path::parent).filter(|_| self.is_within);
        let beside = folder.and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
        // A script may be its owner's alone, too.
        let is_owners = |it: &fs::Metadata| it.is_file() && it.permissions().mode().trailing_zeros() >= 7;
        let is_kept =
            |entry: &fs::DirEntry| entry.file_name() == BROUGHT || entry.metadata().is_ok_and(|it| is_owners(&it));
        let beside = beside.filter(is_kept).map(|entry| entry.path());
        named.chain(beside.filter(|path| self.checks_file.as_ref() != Some(path))).collect()
    }

    /// # Errors
    /// When results have nowhere to go, or in two directions.
    pub(super) fn validate(&self) -> Result<(), WrongSetting> {
        self.keeper().refuse_with_keeper(&[("PAGE_ID", self.statuspage.page_id.is_some())])?;
        if self.keeper_url.is_none() && self.statuspage.page_id.is_none() {
            return Err(WrongSetting(
                "there is nowhere for results to go: set KEEPER_URL, or PAGE_ID for a page at statuspage.io".into(),
            ));
        }
        Ok(())
    }
}
