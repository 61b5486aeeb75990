//! The tool's commands and their settings.

use std::{path::PathBuf, time::Duration};

use ::notify::settings::NOTIFY_URLS;
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use home_beacon::{
    job::settings::{KEEPER_TOKEN, STATUSPAGE_TOKEN},
    reading::MetricName,
};
use lambda_prober::settings::{BEACON_KEY, BEACON_KEY_OLD, ProbingSettings};
use shared::{
    id::MetricId,
    keeper_token::keeper_address,
    secret::SecretSetting,
    settings::{Settings, WebAddresses, WrongSetting, duration, log_level, variables, with_secrets},
};
use tracing_subscriber::filter::LevelFilter;
use url::Url;

use crate::{
    cost::CostSettings,
    doctor::{self, DoctorSettings},
    export::ExportSettings,
    health::HealthSettings,
    import::ImportSettings,
    notify::{MuteSettings, NotifySettings},
    port::PortSettings,
    program::{self, PROGRAMS, Program},
    setup::{self, SetupSettings, TeardownSettings},
    tokens::{CodeSettings, TokensSettings},
    up::{self, DownSettings, StatusSettings, UpSettings},
};

/// Shows whether your home internet is up.
#[derive(Clone, Debug, Parser)]
#[command(name = "porchlight", version)]
pub struct PorchlightSettings {
    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, global = true, env = "LOG_LEVEL", value_parser = log_level, default_value = "warn")]
    pub log_level: LevelFilter,
    #[command(subcommand)]
    pub command: Command,
}

impl Settings for PorchlightSettings {
    const SECRETS: &'static [SecretSetting] = &[];

    fn variables() -> Vec<String> {
        let secrets = [BEACON_KEY, BEACON_KEY_OLD, KEEPER_TOKEN, NOTIFY_URLS];
        let known = [up::SECRETS, setup::settings::SECRETS, doctor::SECRETS].concat();
        let secrets = secrets.iter().chain(&known).flat_map(SecretSetting::variables);
        variables(&Self::command()).into_iter().chain(secrets).collect()
    }

    fn full_command() -> clap::Command {
        let names = [
            "code", "demo", "doctor", "export", "import", "mute", "notify", "probe", "readings", "setup", "teardown",
            "tokens", "up",
        ];
        let tool = names.into_iter().fold(Self::command(), |command, name| {
            command.mut_subcommand(name, |command| with_secrets(command, secrets(name)))
        });
        tool.subcommands(PROGRAMS.iter().map(program::Entry::command))
    }
}

/// The secrets of a command of the tool.
pub fn secrets(command: &str) -> &'static [SecretSetting] {
    match command {
        "probe" => &[BEACON_KEY, BEACON_KEY_OLD],
        "code" | "export" | "import" | "mute" | "readings" | "tokens" => &[KEEPER_TOKEN],
        "demo" => &[NOTIFY_URLS],
        "doctor" => doctor::SECRETS,
        "notify" => &[KEEPER_TOKEN, NOTIFY_URLS],
        "setup" => setup::settings::SECRETS,
        "teardown" => &[STATUSPAGE_TOKEN],
        "up" => up::SECRETS,
        name => PROGRAMS.iter().find(|entry| entry.name == name).map_or(&[], |entry| entry.secrets),
    }
}

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Set up a home and what looks at it from the cloud, step by step
    Setup(Box<SetupSettings>),
    /// Remove what `porchlight setup` made
    Teardown(TeardownSettings),
    /// Run everything of a home on this machine: page, beacon, and what measures the line
    Up(Box<UpSettings>),
    /// End what `porchlight up` runs, and undo what it installed
    Down(DownSettings),
    /// Show how everything is that `porchlight up` runs
    Status(StatusSettings),
    /// Look at every link between a home and its page, and name the first that is broken
    Doctor(Box<DoctorSettings>),
    /// Run keeper, beacon and prober on this machine and watch a line being cut
    Demo(DemoSettings),
    /// Write a new key for a home and its prober to stdout
    Keygen(KeygenSettings),
    /// Probe a home from here, and say whether it is up
    Probe(ProbeSettings),
    /// Show the latest readings of a keeper
    Readings(ReadingsSettings),
    /// List the tokens that open one page of a keeper, or revoke one
    Tokens(TokensSettings),
    /// Have the router open a port that leads to the beacon, close it again, or show how that stands
    Port(Box<PortSettings>),
    /// Show what homes cost in the cloud each month, beside what others charge; nothing is asked of anybody
    Cost(CostSettings),
    /// Print a new join code of an outside machine
    Code(CodeSettings),
    /// Show what people are written to about, and try the channels
    Notify(NotifySettings),
    /// Have nobody written to about something for a while
    Mute(MuteSettings),
    /// Write a checks.yml of what another program's file has it check, or bring its past to the keeper
    Import(ImportSettings),
    /// Write what a keeper knows to a file
    Export(ExportSettings),
    /// Copy this program, with every program of the home side in it, into a folder
    Copy(CopySettings),
    /// Ask the program in this container how it is
    Health(HealthSettings),
    /// Print a shell's completions for this program, or for another one of Porchlight's
    Completions(CompletionsSettings),
    /// Write a man page for each of Porchlight's programs
    Man(ManSettings),
}

/// Copy this program into a folder: for a container whose image has what checks need, and not this.
#[derive(Clone, Debug, Parser)]
pub struct CopySettings {
    /// Where the file `porchlight` is written
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}

/// Probe a home from here, as the prober does, and say whether it is up.
#[derive(Clone, Debug, Parser)]
pub struct ProbeSettings {
    /// The address to probe: http or https, the home's name, and the forwarded port; or up to four with commas between them
    #[arg(env = "CANARY_URL")]
    pub url: WebAddresses,
    #[command(flatten)]
    pub probing: ProbingSettings,
}

/// Show the latest readings of a keeper.
#[derive(Clone, Debug, Parser)]
pub struct ReadingsSettings {
    /// Metric to show: `ping`, `bandwidth`, …, or @ and the id of a page's metric
    #[arg(default_value = "ping", value_parser = readings_of)]
    pub metric: String,
    /// Time range: this far back from now
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1h")]
    pub within: Duration,
    /// Wait up to this long for a first reading
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub wait: Option<Duration>,
    /// The address of the keeper
    #[arg(long, env = "KEEPER_URL", value_parser = keeper_address, default_value = "http://127.0.0.1:8030")]
    pub keeper_url: Url,
}

/// The name of a reading, or of one of a page's metrics.
fn readings_of(text: &str) -> Result<String, String> {
    if let Some(id) = text.strip_prefix('@') {
        return id.parse::<MetricId>().map(|_| text.to_owned()).map_err(|error| error.to_string());
    }
    match text.parse::<MetricName>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("{error}{}", MetricName::question(text))),
    }
}

/// Write a new key for a home and its prober to stdout: 32 random bytes as 43 characters.
#[derive(Clone, Copy, Debug, Parser)]
pub struct KeygenSettings {
    /// Write a keeper's token instead: its prefix keeps every program from sending it to statuspage.io
    #[arg(long)]
    pub token: bool,
}

/// Print a shell's completions for this program, or for another one of Porchlight's.
#[derive(Clone, Copy, Debug, Parser)]
pub struct CompletionsSettings {
    /// The shell
    pub shell: Shell,
    /// The program
    #[arg(long, default_value = "porchlight")]
    pub program: Program,
}

/// Write a man page for each of Porchlight's programs.
#[derive(Clone, Debug, Parser)]
pub struct ManSettings {
    /// The folder that gets the pages; it is created where it is missing
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Run keeper, beacon and prober on this machine and watch a line being cut.
#[derive(Clone, Debug, Parser)]
pub struct DemoSettings {
    /// Cut the line after this long
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub cut_after: Option<Duration>,
    /// Restore the line this long after the start
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub restore_after: Option<Duration>,
    /// Quit this long after the start
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub run_for: Option<Duration>,
    /// Keep the database in this folder instead of a temporary one
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl DemoSettings {
    /// # Errors
    /// When the times are not in order.
    pub fn check(&self) -> Result<(), WrongSetting> {
        match (self.cut_after, self.restore_after, self.run_for) {
            (None, Some(_), _) => Err(WrongSetting("--restore-after needs --cut-after: nothing would be cut".into())),
            (Some(cut), Some(restore), _) if restore <= cut => {
                Err(WrongSetting("--restore-after must be later than --cut-after; both count from the start".into()))
            }
            (cut, restore, Some(end)) if cut.max(restore).is_some_and(|last| last >= end) => {
                Err(WrongSetting("--for must be later than --cut-after and --restore-after".into()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(times: &str) -> Result<(), String> {
        let arguments = format!("demo {times}");
        let settings = DemoSettings::try_parse_from(arguments.split_whitespace()).unwrap();
        settings.check().map_err(|error| error.to_string())
    }

    #[test]
    fn the_times_of_a_script_are_in_order() {
        assert_eq!(check(""), Ok(()));
        assert_eq!(check("--cut-after 10s --restore-after 30s --for 50s"), Ok(()));
        assert_eq!(check("--for 5s"), Ok(()));
        for wrong in ["--restore-after 5s", "--cut-after 9s --restore-after 5s", "--cut-after 9s --for 5s"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
