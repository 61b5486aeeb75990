//! The programs that a person can run: each by its own name, and all but the function as a command of `porchlight`.

use std::{ffi::OsString, process::ExitCode};

use clap::{Command, ValueEnum};
use home_beacon::{
    bandwidth::BandwidthSettings, beacon::BeaconSettings, checks::ChecksSettings, dns::DnsSettings,
    heartbeat::HeartbeatSettings, keeper::KeeperSettings, node::NodeSettings, ping::PingSettings, programs,
};
use lambda_prober::{command::command, settings::ProberSettings};
use shared::{secret::SecretSetting, settings::Settings};

/// One of the programs, as `--program` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "each is named as its program is")]
pub enum Program {
    Porchlight,
    Beacon,
    Keeper,
    Ping,
    Bandwidth,
    Dns,
    Checks,
    Heartbeat,
    NodeMetrics,
    LambdaProber,
}

/// A program as a command of `porchlight`.
#[derive(Debug)]
pub struct Entry {
    /// What it is called there.
    pub name: &'static str,
    /// Its secrets.
    pub secrets: &'static [SecretSetting],
    command_line: fn() -> Command,
    program: programs::Program,
}

/// The programs that are commands of `porchlight`.
pub static PROGRAMS: [Entry; 9] = [
    Entry::new::<KeeperSettings>("keeper", programs::keeper::program),
    Entry::new::<BeaconSettings>("beacon", programs::beacon::program),
    Entry::new::<PingSettings>("ping", programs::job::ping),
    Entry::new::<BandwidthSettings>("bandwidth", programs::job::bandwidth),
    Entry::new::<DnsSettings>("dns", programs::job::dns),
    Entry::new::<ChecksSettings>("checks", programs::checks::program),
    Entry::new::<HeartbeatSettings>("heartbeat", programs::job::heartbeat),
    Entry::new::<NodeSettings>("node-metrics", programs::node::program),
    Entry::new::<ProberSettings>("prober", prober),
];

impl Entry {
    const fn new<S: Settings>(name: &'static str, program: programs::Program) -> Self {
        Self { name, secrets: S::SECRETS, command_line: S::full_command, program }
    }

    /// Its command line, for help, completions and man pages.
    pub fn command(&self) -> Command {
        (self.command_line)().name(self.name)
    }
}

/// The program that the arguments of `porchlight` name, and what its arguments are; `None` for a command of the tool.
pub fn of(arguments: &[OsString]) -> Option<(programs::Program, Vec<OsString>)> {
    let mut at = 1;
    // The one flag that the tool takes before a command, and each program has too.
    while let Some(flag) = arguments.get(at).and_then(|argument| argument.to_str()) {
        match flag {
            "--log-level" => at += 2,
            _ if flag.starts_with("--log-level=") => at += 1,
            _ => break,
        }
    }
    let entry = PROGRAMS.iter().find(|entry| arguments.get(at).is_some_and(|name| name == entry.name))?;
    let called = OsString::from(format!("porchlight {}", entry.name));
    Some((entry.program, [&[called], &arguments[1..at], &arguments[at + 1..]].concat()))
}

/// The prober as a command. It is linked without AWS: what needs Parameter Store is refused at start.
#[tokio::main(flavor = "current_thread")]
async fn prober(arguments: Vec<OsString>) -> ExitCode {
    let settings = match ProberSettings::read(arguments) {
        Ok(settings) => settings,
        Err(ending) => return ending.report::<ProberSettings>(),
    };
    shared::telemetry::init(settings.log_level);
    command(&settings).await.unwrap_or_else(|wrong| ProberSettings::refuse(&wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed_on(line: &str) -> Option<Vec<OsString>> {
        let arguments: Vec<_> = line.split(' ').map(OsString::from).collect();
        of(&arguments).map(|(_, arguments)| arguments)
    }

    #[test]
    fn a_program_gets_what_stands_behind_its_name_and_is_called_by_both() {
        for (line, expected) in [
            ("/usr/bin/porchlight keeper", Some(vec!["porchlight keeper"])),
            ("porchlight ping --count 1 ping", Some(vec!["porchlight ping", "--count", "1", "ping"])),
            (
                "porchlight --log-level debug dns --check",
                Some(vec!["porchlight dns", "--log-level", "debug", "--check"]),
            ),
            ("porchlight --log-level=warn prober", Some(vec!["porchlight prober", "--log-level=warn"])),
            ("porchlight", None),
            ("porchlight --log-level", None),
            ("porchlight --log-level debug", None),
            ("porchlight readings ping", None),
            ("porchlight --help keeper", None),
            ("porchlight lambda-prober", None),
        ] {
            let expected = expected.map(|expected| expected.into_iter().map(OsString::from).collect());
            assert_eq!(passed_on(line), expected, "{line}");
        }
    }

    #[test]
    fn each_program_of_the_image_is_a_command_of_the_tool() {
        for entry in &PROGRAMS {
            assert_eq!(programs::named(entry.name).is_some(), entry.name != "prober", "{}", entry.name);
            assert_eq!(entry.command().get_name(), entry.name);
        }
    }
}
