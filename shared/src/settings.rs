//! One way to read settings, and one sentence when they are wrong.
//!
//! Each binary has one `clap` struct whose fields carry `env`; its secrets are [`SecretSetting`]s beside it.
//! Flags, variables, `--help` and the README's tables all come from these.

mod addresses;
pub mod nearness;
mod ours;
mod values;

use std::{env, ffi::OsString, process::ExitCode};

use clap::{
    Command, CommandFactory, FromArgMatches,
    error::{ContextKind, ContextValue, ErrorKind},
};

use self::nearness::{Misspelt, misspelt};
pub use self::{
    addresses::WebAddresses,
    ours::OURS,
    values::{
        api_address, base_address, delay, duration, listen_address, log_level, machine_address, port, server_address,
        web_address,
    },
};
pub use crate::wrong_setting::WrongSetting;
use crate::{message::StartFault, secret::SecretSetting};

/// The exit code of every binary whose settings are wrong.
pub const EXIT_SETTINGS: u8 = 2;

/// The settings of one binary.
pub trait Settings: CommandFactory + FromArgMatches {
    /// Its secrets, which are variables only.
    const SECRETS: &'static [SecretSetting];

    /// The command, with the secrets listed at the end of `--help`.
    fn full_command() -> Command {
        with_secrets(Self::command(), Self::SECRETS)
    }

    /// Reads flags and variables.
    ///
    /// # Errors
    /// When the program is to end before it begins.
    fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Ending> {
        let parsed = Self::full_command().try_get_matches_from(arguments).and_then(|m| Self::from_arg_matches(&m));
        parsed.map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                let _ = error.print();
                Ending::Answered(ExitCode::SUCCESS)
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let _ = error.print();
                Ending::Answered(ExitCode::from(EXIT_SETTINGS))
            }
            _ => Ending::Wrong(WrongSetting(sentence(&error))),
        })
    }

    /// The names of its variables, those of the secrets included.
    fn variables() -> Vec<String> {
        let mut names = variables(&Self::full_command());
        names.extend(Self::SECRETS.iter().flat_map(SecretSetting::variables));
        names
    }

    /// Variables of this process that are nearly ones of this program's.
    fn misspelt() -> Vec<Misspelt> {
        let set: Vec<_> = env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
        misspelt(&Self::variables(), &set)
    }

    /// A wrong setting, with the slip that is perhaps behind it.
    fn with_warnings(wrong: &WrongSetting) -> WrongSetting {
        WrongSetting(Self::misspelt().iter().fold(wrong.0.clone(), |text, misspelt| format!("{text}; {misspelt}")))
    }

    /// Prints a wrong setting to stderr, with the slip that is perhaps behind it; returns the exit code to end with.
    fn refuse(wrong: &WrongSetting) -> ExitCode {
        refuse(&Self::with_warnings(wrong))
    }

    /// Logs at a start what is set and has no effect: slips, and what else the program found.
    fn log_warnings(warnings: &[String]) {
        let slips = Self::misspelt();
        for warning in slips.iter().map(ToString::to_string).chain(warnings.iter().cloned()) {
            tracing::warn!("{warning}");
        }
    }

    /// The answer to `--check`: that the settings are in order, and what they come to; or what is set and has no effect,
    /// although a start would go on.
    fn checked(summary: &str, warnings: &[String]) -> ExitCode {
        let warnings: Vec<_> =
            Self::misspelt().iter().map(ToString::to_string).chain(warnings.iter().cloned()).collect();
        if warnings.is_empty() {
            let summary = if summary.is_empty() { String::new() } else { format!(": {summary}") };
            println!("The settings are in order{summary}.");
            return ExitCode::SUCCESS;
        }
        refuse(&WrongSetting(warnings.join("; ")))
    }
}

/// The variables of a command and those below it.
pub fn variables(command: &Command) -> Vec<String> {
    let own = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str().map(ToOwned::to_owned));
    own.chain(command.get_subcommands().flat_map(variables)).collect()
}

/// The command, with the secrets listed at the end of its `--help`.
pub fn with_secrets(command: Command, secrets: &[SecretSetting]) -> Command {
    let lines = secrets.iter().fold(String::new(), |text, secret| {
        format!(
            "{text}\n  {0}, or {0}_FILE naming a file that holds it\n          {1}",
            secret.name,
            secret.description()
        )
    });
    if lines.is_empty() { command } else { command.after_help(format!("Secrets (variables only):{lines}")) }
}

/// Why a program ends before it begins.
#[derive(Clone, Debug)]
pub enum Ending {
    /// `--help` or `--version` has been answered.
    Answered(ExitCode),
    /// The settings are wrong.
    Wrong(WrongSetting),
}

impl Ending {
    /// Prints a wrong setting of the program to stderr; returns the exit code to end with.
    pub fn report<S: Settings>(&self) -> ExitCode {
        match self {
            Self::Answered(code) => *code,
            Self::Wrong(wrong) => S::refuse(wrong),
        }
    }
}

/// Prints the wrong setting to stderr, with a link to what to do; returns the exit code to end with.
pub fn refuse(wrong: &WrongSetting) -> ExitCode {
    eprintln!("{}", StartFault::Settings.entry().ending(&wrong.to_string()));
    ExitCode::from(EXIT_SETTINGS)
}

/// clap's message without usage and hints, on one line.
fn sentence(error: &clap::Error) -> String {
    let text = error.to_string();
    let paragraph = text.split("\n\n").next().unwrap_or(&text);
    let words = paragraph.trim_start_matches("error:").split_whitespace().collect::<Vec<_>>().join(" ");
    if matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand) {
        let end = meant(error).map_or("; try --help".into(), |meant| format!(": was {meant} meant?"));
        return format!("{}{end}", without_credentials(&words));
    }
    match (words.is_empty(), meant(error)) {
        (true, _) => "the settings are wrong; try --help".into(),
        (false, None) => without_credentials(&words),
        (false, Some(meant)) => format!("{}: was {meant} meant?", without_credentials(&words)),
    }
}

/// The flag, subcommand or value that was perhaps meant.
fn meant(error: &clap::Error) -> Option<String> {
    let suggested = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    suggested.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(meant) => Some(meant.clone()),
        // The most alike is the last one.
        ContextValue::Strings(meant) => meant.last().cloned(),
        _ => None,
    })
}

/// The text with what stands between `://` and `@` of an address, or behind its `?`, left out: messages repeat what
/// was set, but never a password, nor a token in an address that was copied from a browser.
pub fn without_credentials(text: &str) -> String {
    let mut parts = text.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end =
            part.find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '\'' | '"')).unwrap_or(part.len());
        let host = part[..end].rfind('@').map_or(0, |at| at + 1);
        shown += "://";
        shown += if host > 0 { "…@" } else { "" };
        let address = part.find(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`')).unwrap_or(part.len());
        match part[end..address.max(end)].find('?') {
            None => shown += &part[host..],
            Some(query) => {
                shown += &part[host..=end + query];
                shown += "…";
                shown += &part[address..];
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Sample {
        /// How often
        #[arg(long, env = "SAMPLE_EVERY", value_parser = duration)]
        every: Duration,
    }

    #[test]
    fn a_message_never_repeats_a_password() {
        for (text, shown) in [
            ("invalid value 'http://u:p@home/' for x", "invalid value 'http://…@home/' for x"),
            ("postgres://u:p@ss@db:5432/x: no", "postgres://…@db:5432/x: no"),
            ("https://home/@x and http://b", "https://home/@x and http://b"),
            ("value 'https://d/update?domains=h&token=t' for x", "value 'https://d/update?…' for x"),
            ("http://u:p@h?a=b c?d", "http://…@h?… c?d"),
            ("no address", "no address"),
        ] {
            assert_eq!(without_credentials(text), shown);
        }
    }

    #[test]
    fn a_wrong_setting_is_one_line_with_its_name_and_value() {
        let error = Sample::try_parse_from(["sample", "--every", "soon"]).unwrap_err();
        assert_eq!(
            sentence(&error),
            "invalid value 'soon' for '--every <EVERY>': a duration is written like 5s, 2m or 1h30m, is more than nothing, and \
             is a year at most"
        );
        let error = Sample::try_parse_from(["sample"]).unwrap_err();
        assert_eq!(sentence(&error), "the following required arguments were not provided: --every <EVERY>");
    }
}
