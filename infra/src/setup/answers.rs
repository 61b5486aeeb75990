//! Answers from a file (`--answers`): what a flag says, a line each; of the secrets the names of their files alone. A flag wins.

use std::{error::Error, path::PathBuf};

use clap::{Parser, error::ContextKind};
use shared::{file, settings::WrongSetting};
use toml::{Table, Value};

use super::settings::SetupSettings;

/// More than any has, in bytes.
const MOST: u64 = 64 << 10;

/// The flags that it stands for: with a value, or alone.
const VALUES: [&str; 14] = [
    "home",
    "port",
    "beacon-port",
    "page-port",
    "page",
    "component",
    "component-name",
    "metrics",
    "alarm-email",
    "runs-on",
    "apply",
    "function",
    "router-port",
    "router",
];
const ALONE: [&str; 2] = ["no-router", "without-aws"];

/// Files that hold the secrets.
const STATUSPAGE: &str = "statuspage-token-file";
const DUCKDNS: &str = "duckdns-token-file";

/// What a key is called whose value would be a secret.
const SECRET: [&str; 4] = ["token", "key", "secret", "password"];

/// The files that hold the secrets, where the answers name them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenFiles {
    pub(super) statuspage: Option<PathBuf>,
    pub(super) duckdns: Option<PathBuf>,
}

/// The settings, with the answers of their file below them.
///
/// # Errors
/// When the file is none, or has a wrong answer; no message repeats a value, which may be a secret in the wrong place.
pub(super) fn with_answers(settings: &SetupSettings) -> Result<SetupSettings, WrongSetting> {
    let Some(path) = &settings.answers else { return Ok(settings.clone()) };
    let wrong = |why: String| WrongSetting(format!("--answers: {}: {why}", path.display()));
    let bytes =
        file::read(path, MOST).map_err(|error| wrong(format!("{error}: name a file of answers (infra/SETUP.md)")))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is no text".into()))?;
    let table: Table = toml::from_str(&text).map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        wrong(format!("line {} is no TOML: write answers like home = \"myhome\"", before.matches('\n').count() + 1))
    })?;
    let said = said(&table).map_err(wrong)?;
    Ok(below(settings, said))
}

/// What a file says, as the flags would.
fn said(table: &Table) -> Result<SetupSettings, String> {
    let mut words = vec!["porchlight setup".to_owned()];
    let mut tokens = TokenFiles::default();
    for (name, value) in table {
        match (name.as_str(), value) {
            (STATUSPAGE, Value::String(path)) => tokens.statuspage = Some(path.into()),
            (DUCKDNS, Value::String(path)) => tokens.duckdns = Some(path.into()),
            (name, Value::Boolean(is_set)) if ALONE.contains(&name) => {
                words.extend(is_set.then(|| format!("--{name}")));
            }
            (name, _) if ALONE.contains(&name) => return Err(format!("{name}: write true or false")),
            (name, value) if VALUES.contains(&name) => {
                let value = match value {
                    Value::String(text) => text.clone(),
                    Value::Integer(number) => number.to_string(),
                    Value::Boolean(is_so) => is_so.to_string(),
                    _ => return Err(format!("{name}: write one text or number")),
                };
                let word = format!("--{name}={value}");
                // Alone, so that it is known which one is wrong.
                SetupSettings::try_parse_from(["porchlight setup", &word]).map_err(|error| why(name, &error))?;
                words.push(word);
            }
            (STATUSPAGE | DUCKDNS, _) => return Err(format!("{name}: write the name of a file")),
            (name, _) => return Err(unknown(name)),
        }
    }
    let mut settings = SetupSettings::try_parse_from(&words)
        .map_err(|_| "component and component-name contradict each other: keep one".to_owned())?;
    settings.tokens = tokens;
    Ok(settings)
}

/// Why a value is refused, without the value.
fn why(name: &str, error: &clap::Error) -> String {
    let reason = match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(source), _) => source.to_string(),
        (None, Some(allowed)) => format!("write one of: {allowed}"),
        (None, None) => format!("that is nothing that --{name} takes"),
    };
    format!("{name}: {reason}")
}

fn unknown(name: &str) -> String {
    let plain = name.to_lowercase().replace('_', "-");
    if SECRET.iter().any(|word| plain.contains(word)) {
        return format!(
            "{plain} would hold a secret: write the secret into a file of its own, and name that as {STATUSPAGE} or {DUCKDNS}"
        );
    }
    // A secret may stand at the wrong side.
    let is_word = plain.len() <= 20 && plain.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let plain = if is_word { &plain } else { "a key of it" };
    format!("{plain} is no answer: there are {}, {}, {STATUSPAGE} and {DUCKDNS}", VALUES.join(", "), ALONE.join(", "))
}

/// What the command line says, and below it the file.
fn below(line: &SetupSettings, file: SetupSettings) -> SetupSettings {
    let line = line.clone();
    // Each is the other one's contradiction: what the command line says of either counts.
    let is_named = line.component.is_some() || line.component_name.is_some();
    let (component, component_name) =
        if is_named { (line.component, line.component_name) } else { (file.component, file.component_name) };
    SetupSettings {
        home: line.home.or(file.home),
        port: line.port.or(file.port),
        beacon_port: line.beacon_port.or(file.beacon_port),
        page_port: line.page_port.or(file.page_port),
        page: line.page.or(file.page),
        component,
        component_name,
        metrics: line.metrics.or(file.metrics),
        alarm_email: line.alarm_email.or(file.alarm_email),
        runs_on: line.runs_on.or(file.runs_on),
        apply: line.apply.or(file.apply),
        function: line.function.or(file.function),
        router_port: line.router_port.or(file.router_port),
        router: line.router.or(file.router),
        no_router: line.no_router || file.no_router,
        without_aws: line.without_aws || file.without_aws,
        tokens: file.tokens,
        ..line
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::setup::settings::RunsOn;

    fn read(text: &str, words: &[&str]) -> Result<SetupSettings, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.toml");
        std::fs::write(&path, text).unwrap();
        let path = path.display().to_string();
        let words = [&["porchlight setup", "--answers", &path], words].concat();
        let settings = SetupSettings::try_parse_from(words).unwrap();
        with_answers(&settings).map_err(|WrongSetting(why)| why.replace(&path, "FILE"))
    }

    #[test]
    fn a_file_answers_and_the_command_line_wins() {
        let text = "home = 'myhome.duckdns.org'\nport = 30009\nruns-on = 'systemd'\napply = true\nwithout-aws = true\n\
                    component = '8kbf7d35c070'\nduckdns-token-file = 'duckdns.token'\n";
        let settings = read(text, &["--port", "30010", "--component-name", "The line"]).unwrap();
        assert_eq!((settings.port, settings.runs_on, settings.apply), (Some(30010), Some(RunsOn::Systemd), Some(true)));
        assert_eq!(settings.home, Some("myhome".parse().unwrap()));
        assert!(settings.without_aws && !settings.no_router && settings.component.is_none());
        assert_eq!(settings.component_name.as_deref(), Some("The line"));
        assert_eq!(settings.tokens.duckdns.as_deref(), Some(Path::new("duckdns.token")));
    }

    #[test]
    fn a_wrong_file_is_one_sentence_without_what_may_be_a_secret() {
        for (text, expected) in [
            ("statuspage-token = 'hunter22'", "statuspage-token would hold a secret: write the secret into a file"),
            ("TOKEN = 'hunter22'", "token would hold a secret"),
            ("home = 'myhome'\nhunter22\n", "line 2 is no TOML"),
            ("home = 'hunter22_'", "home: a name at DuckDNS has letters, digits and hyphens"),
            ("port = 0", "port: a port is a number from 1 to 65535"),
            ("router = 'hunter22'", "router: write the address itself, like 192.168.1.1"),
            ("runs-on = 'hunter22'", "runs-on: write one of: kubernetes, systemd"),
            ("apply = 'hunter22'", "apply: write one of: true, false"),
            ("no-router = 'hunter22'", "no-router: write true or false"),
            ("home = ['hunter22']", "home: write one text or number"),
            ("duckdns-token-file = 7", "duckdns-token-file: write the name of a file"),
            ("houme = 'hunter22'", "houme is no answer: there are home, port"),
            ("hunter22 = true", "a key of it is no answer"),
            ("component = '8kbf7d35c070'\ncomponent-name = 'hunter22'", "contradict each other"),
        ] {
            let why = read(text, &[]).unwrap_err();
            let begin = format!("--answers: FILE: {expected}");
            assert!(why.starts_with(&begin) || why.contains(expected), "{text}: {why}");
            assert!(!why.contains("hunter22") && !why.contains('\n'), "{text}: {why}");
        }
        let missing = SetupSettings::try_parse_from(["setup", "--answers", "/nowhere/answers.toml"]).unwrap();
        assert!(
            with_answers(&missing)
                .unwrap_err()
                .to_string()
                .starts_with("--answers: /nowhere/answers.toml: No such file")
        );
    }
}
