//! One way to read settings, and one sentence when they are wrong.
//!
//! Each binary has one `clap` struct whose fields carry `env`; its secrets are [`SecretSetting`]s beside it.
//! Flags, variables, `--help` and the README's tables all come from these.

pub mod nearness;
mod ours;

use std::{env, ffi::OsString, net::SocketAddr, process::ExitCode, time::Duration};

use clap::{
    Command, CommandFactory, FromArgMatches,
    error::{ContextKind, ContextValue, ErrorKind},
};
use jiff::SignedDuration;
use tracing_subscriber::filter::LevelFilter;
use url::Url;

use self::nearness::{Misspelt, misspelt};
pub use self::ours::OURS;
use crate::secret::SecretSetting;

/// The exit code of every binary whose settings are wrong.
pub const EXIT_SETTINGS: u8 = 2;

/// Settings that cannot work, in one sentence that names the setting, the value and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongSetting(pub String);

/// The settings of one binary.
pub trait Settings: CommandFactory + FromArgMatches {
    /// Its secrets, which are variables only.
    const SECRETS: &'static [SecretSetting];

    /// The command, with the secrets told at the end of `--help`.
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
        names.extend(Self::SECRETS.iter().flat_map(|secret| [secret.name.to_owned(), format!("{}_FILE", secret.name)]));
        names
    }

    /// Variables of this process that are nearly ones of this program's.
    fn misspelt() -> Vec<Misspelt> {
        let set: Vec<_> = env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
        misspelt(&Self::variables(), &set)
    }

    /// A wrong setting, with the slip that is perhaps behind it.
    fn with_doubts(wrong: &WrongSetting) -> WrongSetting {
        WrongSetting(Self::misspelt().iter().fold(wrong.0.clone(), |text, misspelt| format!("{text}; {misspelt}")))
    }

    /// Tells a wrong setting on stderr, with the slip that is perhaps behind it; the exit code to end with.
    fn refuse(wrong: &WrongSetting) -> ExitCode {
        refuse(&Self::with_doubts(wrong))
    }

    /// Says at a start what is set and has no effect: slips, and what else the program found.
    fn warn_of_doubts(doubts: &[String]) {
        let slips = Self::misspelt();
        for doubt in slips.iter().map(ToString::to_string).chain(doubts.iter().cloned()) {
            tracing::warn!("{doubt}");
        }
    }

    /// The answer to `--check`: that the settings are in order, and what they come to; or, because whoever asks wants to be
    /// told, what is set and has no effect, though a start would go on.
    fn checked(told: &str, doubts: &[String]) -> ExitCode {
        let doubts: Vec<_> = Self::misspelt().iter().map(ToString::to_string).chain(doubts.iter().cloned()).collect();
        if doubts.is_empty() {
            let told = if told.is_empty() { String::new() } else { format!(": {told}") };
            println!("The settings are in order{told}.");
            return ExitCode::SUCCESS;
        }
        refuse(&WrongSetting(doubts.join("; ")))
    }
}

/// The variables of a command and those below it.
pub fn variables(command: &Command) -> Vec<String> {
    let own = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str().map(ToOwned::to_owned));
    own.chain(command.get_subcommands().flat_map(variables)).collect()
}

/// The command, with the secrets told at the end of its `--help`.
pub fn with_secrets(command: Command, secrets: &[SecretSetting]) -> Command {
    let lines = secrets.iter().fold(String::new(), |text, secret| {
        format!("{text}\n  {0}, or {0}_FILE naming a file that holds it\n          {1}", secret.name, secret.help)
    });
    if lines.is_empty() { command } else { command.after_help(format!("Secrets (variables only):{lines}")) }
}

/// Why a program ends before it begins.
#[derive(Clone, Debug)]
pub enum Ending {
    /// `--help` or `--version` has been answered.
    Answered(ExitCode),
    Wrong(WrongSetting),
}

impl Ending {
    /// Tells a wrong setting of the program on stderr; the exit code to end with.
    pub fn tell<S: Settings>(&self) -> ExitCode {
        match self {
            Self::Answered(code) => *code,
            Self::Wrong(wrong) => S::refuse(wrong),
        }
    }
}

/// Tells the wrong setting on stderr; the exit code to end with.
pub fn refuse(wrong: &WrongSetting) -> ExitCode {
    eprintln!("{wrong}");
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

/// The text with whatever stands between `://` and `@` of an address, or behind its `?`, left out: messages repeat what
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

/// A year: what is longer was mistyped, and cannot be added to every time.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// Reads a duration as people write it: `5s`, `2m`, `1h30m`, `300ms`.
///
/// # Errors
/// When the text is no duration, or not a positive one.
pub fn duration(text: &str) -> Result<Duration, String> {
    let allowed =
        || "a duration is written like 5s, 2m or 1h30m, is more than nothing, and is a year at most".to_owned();
    let parsed: SignedDuration = text.trim().parse().map_err(|_| allowed())?;
    match Duration::try_from(parsed) {
        Ok(duration) if !duration.is_zero() && duration <= LONGEST => Ok(duration),
        _ => Err(allowed()),
    }
}

/// Reads how long to wait before going on: `0s` is not at all, and ten minutes are the most.
///
/// # Errors
/// When the text is no duration, or a longer one.
pub fn delay(text: &str) -> Result<Duration, String> {
    if matches!(text.trim(), "0" | "0s") {
        return Ok(Duration::ZERO);
    }
    match duration(text) {
        Ok(delay) if delay <= Duration::from_mins(10) => Ok(delay),
        _ => Err("a delay is 0s, or written like 5s or 300ms, and is 10m at most".into()),
    }
}

/// Reads how much is logged.
///
/// # Errors
/// When the text is none of the five words.
pub fn log_level(text: &str) -> Result<LevelFilter, String> {
    match text {
        "error" => Ok(LevelFilter::ERROR),
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        "trace" => Ok(LevelFilter::TRACE),
        _ => Err("a level is error, warn, info, debug or trace".into()),
    }
}

/// Reads the address of a web server: http or https, with a host, without a user name or password.
///
/// # Errors
/// When the text is something else.
pub fn web_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|_| "an address is written like https://example.com/path".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("an address begins with http:// or https:// and names a host".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address must not hold a user name or password".into());
    }
    Ok(url)
}

/// Reads an address to listen on.
///
/// # Errors
/// When the text is something else.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.trim().parse().map_err(|_| "an address to listen on is written like 127.0.0.1:8080 or [::1]:8080".to_owned())
}

/// As [`web_address`], for one that paths are appended to.
///
/// # Errors
/// Also when it has a query or a fragment.
pub fn base_address(text: &str) -> Result<Url, String> {
    let url = web_address(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("this address must not have a query (?) or a fragment (#): paths are appended to it".into());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Sample {
        /// How often
        #[arg(long, env = "SAMPLE_EVERY", value_parser = duration)]
        every: Duration,
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [("5s", 5), ("2m", 120), ("1h30m", 5400), (" 60s ", 60)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "5", "-5s", "0s", "soon", "5 parsecs"] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_address_is_http_or_https_without_credentials() {
        assert_eq!(web_address("http://home.duckdns.org:30008").unwrap().port(), Some(30008));
        for wrong in ["", "home.duckdns.org", "ftp://home", "mailto:a@b", "http://", "http://u:p@home/"] {
            assert!(web_address(wrong).is_err(), "{wrong:?}");
        }
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
    fn a_wrong_setting_is_told_in_one_line_with_its_name_and_value() {
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
