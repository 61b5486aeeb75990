//! The settings that all jobs have.

use std::{env, io, path::PathBuf, time::Duration};

use clap::Args;
use shared::{
    api::ApiSettings,
    id::{MetricId, PageId},
    keeper_token::keeper_address,
    secret::{SecretSetting, SecretSource},
    settings::{WrongSetting, api_address, delay, duration, log_level},
    statuspage::STATUSPAGE_IO,
    telemetry::Reader,
};
use tracing_subscriber::filter::LevelFilter;
use url::Url;

/// The token of a keeper.
pub const KEEPER_TOKEN: SecretSetting = SecretSetting { name: "KEEPER_TOKEN", help: "The keeper's token" };

/// What a person checks where the keeper does not answer as it should.
pub const KEEPER_API: ApiSettings<'_> = ApiSettings { address: "KEEPER_URL", token: KEEPER_TOKEN.name, ids: None };

/// The token of statuspage.io.
pub const STATUSPAGE_TOKEN: SecretSetting =
    SecretSetting { name: "STATUSPAGE_TOKEN", help: "Without a keeper: the API key of statuspage.io" };

/// How a job is run.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "these are the flags of a command line")]
pub struct RunSettings {
    /// Repeat at this interval
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub every: Option<Duration>,
    /// Print each run as a JSON line, also on a terminal
    #[arg(long)]
    pub json: bool,
    /// Measure, but hand nothing over and remember nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Delay before the first run, to keep out of another job's way; 60s at most
    #[arg(long, env = "START_DELAY", value_name = "DURATION", value_parser = delay, default_value = "0s")]
    pub start_delay: Duration,
    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, env = "LOG_LEVEL", value_parser = log_level, default_value = "info")]
    pub log_level: LevelFilter,
    /// Validate the settings and exit
    #[arg(long)]
    pub check: bool,
    /// With --check: also verify online that keeper, page and metrics exist
    #[arg(long, requires = "check")]
    pub online: bool,
    /// Of a job within another program: runs print nothing, and what goes wrong is logged.
    #[arg(skip)]
    pub quiet: bool,
}

impl RunSettings {
    /// Whether runs are printed as JSON lines: when asked for, and in a repeating job whose output a machine reads.
    pub fn prints_json(&self) -> bool {
        !self.quiet && (self.json || (self.every.is_some() && Reader::of(&io::stdout()) == Reader::Machine))
    }

    /// Logs that runs are asked for more often than they can be made.
    pub fn warn(&self, least: Duration) {
        if let Some(every) = self.every.filter(|every| *every < least) {
            tracing::warn!("--every {every:?} is shorter than a run, which takes {least:?} or more: runs are left out");
        }
    }
}

/// The keeper, and what takes its place as a memory.
#[derive(Clone, Debug, Args)]
pub struct KeeperSettings {
    /// The keeper that readings go to
    #[arg(long, env = "KEEPER_URL", value_parser = keeper_address)]
    pub keeper_url: Option<Url>,
    /// Without a keeper: the folder that keeps what must be remembered between runs
    #[arg(long, env = "STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// The keeper's token, where it is not in a variable: of a job within another program.
    #[arg(skip)]
    pub token: Option<SecretSource>,
}

/// statuspage.io itself, without a keeper.
#[derive(Clone, Debug, Args)]
pub struct StatuspageSettings {
    /// Without a keeper: where the status page's API is
    #[arg(long, env = "STATUSPAGE_URL", value_parser = api_address, default_value = STATUSPAGE_IO)]
    pub statuspage_url: Url,
    /// Without a keeper: the status page
    #[arg(long, env = "PAGE_ID")]
    pub page_id: Option<PageId>,
    /// Without a keeper: the metric that gets the measured value
    #[arg(long, env = "METRIC_ID")]
    pub metric_id: Option<MetricId>,
}

/// Reads a number of bytes as people write it: `500MB`, `60 GB`, `1GiB`.
///
/// # Errors
/// When the text is none, or is nothing.
pub fn bytes(text: &str) -> Result<u64, String> {
    let allowed =
        || "an amount of data is written like 500MB or 60GB (or MiB, GiB), and is more than nothing".to_owned();
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().map_err(|_| allowed())?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return Err(allowed()),
    };
    let bytes = number * unit;
    // Up to a petabyte a whole number of bytes is exact.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 1 and 10^15")]
    if (1.0..=1e15).contains(&bytes) { Ok(bytes as u64) } else { Err(allowed()) }
}

impl KeeperSettings {
    /// Refuses settings that only make sense without a keeper where one is set.
    ///
    /// # Errors
    /// When one is; one sentence that names it.
    pub fn refuse_with_keeper(&self, others: &[(&str, bool)]) -> Result<(), WrongSetting> {
        match others.iter().find(|(_, set)| *set) {
            Some((name, _)) if self.keeper_url.is_some() => Err(WrongSetting(format!(
                "{name} and KEEPER_URL are both set: a keeper knows from its seed which metric a reading feeds, so leave \
                 {name} out"
            ))),
            _ => Ok(()),
        }
    }

    /// Whether the folder can be used.
    ///
    /// # Errors
    /// When there is no such folder to remember in.
    pub fn validate(&self) -> Result<(), WrongSetting> {
        match &self.state_dir {
            Some(folder) if self.keeper_url.is_none() && !folder.is_dir() => {
                let folder = folder.display();
                Err(WrongSetting(format!("STATE_DIR: {folder} is no folder: make it, or name one that is there")))
            }
            _ => Ok(()),
        }
    }

    /// What is set and has no effect.
    pub fn warnings(&self) -> Vec<String> {
        let token = ["KEEPER_TOKEN", "KEEPER_TOKEN_FILE"].into_iter().find(|name| env::var_os(name).is_some());
        let token = token.filter(|_| self.keeper_url.is_none());
        token
            .map(|name| format!("{name} is set, but KEEPER_URL is not: nothing is sent to a keeper"))
            .into_iter()
            .collect()
    }

    /// Logs what is set and has no effect beside a keeper.
    pub fn warn(&self, page: Option<&PageId>) {
        let without = [
            ("STATE_DIR", self.state_dir.is_some()),
            ("PAGE_ID", page.is_some()),
            ("STATUSPAGE_URL", env::var_os("STATUSPAGE_URL").is_some()),
        ];
        for (name, _) in without.iter().filter(|(_, set)| *set && self.keeper_url.is_some()) {
            tracing::warn!("{name} has no effect, because KEEPER_URL is set too");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_data_are_read_as_people_write_them() {
        for (text, expected) in [
            ("500MB", 500_000_000),
            ("60 GB", 60_000_000_000),
            ("1.5gb", 1_500_000_000),
            ("1MiB", 1 << 20),
            ("9000000", 9_000_000),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for wrong in ["", "MB", "-1MB", "0", "5 apples", "1e3", "9999999TB", "1.2.3MB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
