//! The prober's settings, and the prober and targets that they describe.

use std::{path::PathBuf, time::Duration};

use clap::Parser;
use shared::{
    id::{ComponentId, PageId},
    proof::Key,
    secret::{SecretSetting, SecretSource},
    settings::{Settings, WrongSetting, base_address, duration, log_level, web_address},
    statuspage::STATUSPAGE_IO,
};
use tracing_subscriber::filter::LevelFilter;
use url::Url;

use crate::{
    parameters::ParameterName,
    run::{Mode, Prober},
    secrets::{Place, Places, Secrets},
    state::{State, StatePlace},
    target::{Home, Target, Targets},
};

pub const TOKEN: SecretSetting =
    SecretSetting { name: "TOKEN", help: "The API key of statuspage.io, or the keeper's token" };

pub const BEACON_KEY: SecretSetting = SecretSetting {
    name: "BEACON_KEY",
    help: "The home's key: with it, only an answer that the home's beacon has signed counts",
};
pub const BEACON_KEY_OLD: SecretSetting =
    SecretSetting { name: "BEACON_KEY_OLD", help: "The key before, which counts too while it is being replaced" };

/// How short a cycle may be: over a slow line, deadlines for less would call a slow home down.
const SHORTEST_CYCLE: Duration = Duration::from_secs(15);

/// Probes homes from outside and keeps their status page true.
///
/// Where `AWS_LAMBDA_RUNTIME_API` is set this is a Lambda function, and everything comes from variables. Elsewhere it
/// is a command that runs once, or with --every keeps on.
#[derive(Clone, Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "these are the flags of a command line")]
#[command(name = "lambda-prober", version)]
pub struct ProberSettings {
    /// The address to probe: http or https, the home's name, and the forwarded port
    #[arg(long, env = "CANARY_URL", value_parser = web_address)]
    pub canary_url: Option<Url>,
    /// The status page
    #[arg(long, env = "PAGE_ID")]
    pub page_id: Option<PageId>,
    /// The component that tells whether the home is up
    #[arg(long, env = "COMPONENT_ID")]
    pub component_id: Option<ComponentId>,
    /// Several targets instead of the three settings above, as JSON:
    /// `[{"name":…,"url":…,"page_id":…,"component_id":…,"key_parameter":…}]`
    #[arg(long, env = "TARGETS", value_name = "JSON")]
    pub targets: Option<String>,
    /// The SSM parameter that holds that list instead
    #[arg(long, env = "TARGETS_PARAMETER", value_name = "NAME")]
    pub targets_parameter: Option<String>,
    /// The SSM parameter that holds the page's token, instead of TOKEN
    #[arg(long, env = "STATUSPAGE_TOKEN_PARAMETER", value_name = "NAME")]
    pub statuspage_token_parameter: Option<String>,
    /// The SSM parameter that holds the home's key, instead of `BEACON_KEY`
    #[arg(long, env = "BEACON_KEY_PARAMETER", value_name = "NAME")]
    pub beacon_key_parameter: Option<String>,
    /// The SSM parameter that holds the key before, if there is one
    #[arg(long, env = "BEACON_KEY_OLD_PARAMETER", value_name = "NAME")]
    pub beacon_key_old_parameter: Option<String>,
    /// Remember outages in SSM parameters below this name, one for each component
    #[arg(long, env = "STATE_PARAMETER", value_name = "PREFIX")]
    pub state_parameter: Option<String>,
    /// Remember outages in this file instead
    #[arg(long, env = "STATE_FILE", value_name = "FILE")]
    pub state_file: Option<PathBuf>,
    /// Where the status page's API is: statuspage.io's, or a keeper's
    #[arg(long, env = "STATUSPAGE_URL", value_parser = base_address, default_value = STATUSPAGE_IO)]
    pub statuspage_url: Url,
    /// How many attempts a home gets before it counts as silent: 2 to 5
    #[arg(long, env = "ATTEMPTS", default_value = "3", value_parser = attempts)]
    pub attempts: u8,
    /// Run once (the default)
    #[arg(long, conflicts_with = "every")]
    pub once: bool,
    /// Keep on running, so often: every 15s or longer. Below 60s a home has less time to answer
    #[arg(long, value_name = "DURATION", value_parser = cycle)]
    pub every: Option<Duration>,
    /// Tell each run as a JSON line, also on a terminal
    #[arg(long)]
    pub json: bool,
    /// Write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, env = "LOG_LEVEL", value_parser = log_level, default_value = "info")]
    pub log_level: LevelFilter,
    /// Only look whether the settings are in order
    #[arg(long)]
    pub check: bool,
}

impl Settings for ProberSettings {
    const SECRETS: &'static [SecretSetting] = &[TOKEN, BEACON_KEY, BEACON_KEY_OLD];
}

/// How many attempts a home may get.
///
/// # Errors
/// When it is no such number.
pub fn attempts(text: &str) -> Result<u8, String> {
    match text.parse() {
        Ok(attempts @ 2..=5) => Ok(attempts),
        _ => Err("a run takes 2 to 5 attempts".into()),
    }
}

fn cycle(text: &str) -> Result<Duration, String> {
    let every = duration(text)?;
    if every < SHORTEST_CYCLE { Err("a cycle takes 15s or longer".into()) } else { Ok(every) }
}

impl Places {
    /// The keys that are at hand, for looking at a home that has no page.
    ///
    /// # Errors
    /// When one is no key.
    pub fn without_a_page() -> Result<Self, WrongSetting> {
        let (key, old_key) = (key_place(BEACON_KEY, "", None)?, key_place(BEACON_KEY_OLD, "", None)?);
        Ok(Self { token: None, key, old_key, targets: None })
    }
}

impl ProberSettings {
    /// The targets, which a function may do without: its events can name them.
    ///
    /// # Errors
    /// When they are told twice, or in part.
    pub fn targets(&self) -> Result<Option<Targets>, WrongSetting> {
        let single = [
            ("CANARY_URL", self.canary_url.is_some()),
            ("PAGE_ID", self.page_id.is_some()),
            ("COMPONENT_ID", self.component_id.is_some()),
        ];
        let read = |text: &String| text.parse().map_err(|error| WrongSetting(format!("TARGETS: {error}")));
        let listed = self.targets.as_ref().map(read).transpose()?;
        let lists = [("TARGETS", self.targets.is_some()), ("TARGETS_PARAMETER", self.targets_parameter.is_some())];
        let mut set = lists.iter().chain(&single).filter(|(_, set)| *set).map(|(name, _)| *name);
        if let (Some(list @ ("TARGETS" | "TARGETS_PARAMETER")), other) = (set.next(), set.next()) {
            if let Some(name) = other {
                return Err(both(list, name));
            }
            return Ok(listed);
        }
        match (&self.canary_url, &self.page_id, &self.component_id) {
            (Some(url), Some(page), Some(component)) => {
                let target = Target { home: Home::at(url), page: page.clone(), component: component.clone() };
                Targets::new(vec![target]).map(Some).map_err(|error| WrongSetting(error.to_string()))
            }
            (None, None, None) => Ok(None),
            _ => {
                let missing: Vec<_> = single.iter().filter(|(_, set)| !set).map(|(name, _)| *name).collect();
                Err(WrongSetting(format!(
                    "{} not set: a target needs CANARY_URL, PAGE_ID and COMPONENT_ID",
                    are(&missing)
                )))
            }
        }
    }

    /// # Errors
    /// When the token is missing, a key is none, or something is told twice.
    pub fn prober(&self) -> Result<Prober, WrongSetting> {
        let mode = if self.dry_run { Mode::DryRun } else { Mode::Publish };
        Ok(Prober::new(self.statuspage_url.clone(), Secrets::new(self.places()?), self.state()?, mode))
    }

    fn places(&self) -> Result<Places, WrongSetting> {
        let token = place(TOKEN, "STATUSPAGE_TOKEN_PARAMETER", self.statuspage_token_parameter.as_deref())?;
        let token = token.ok_or_else(|| {
            WrongSetting(
                "TOKEN is not set: set TOKEN, or TOKEN_FILE to a file that holds it, or STATUSPAGE_TOKEN_PARAMETER to the \
                 name of a parameter"
                    .into(),
            )
        })?;
        let key = key_place(BEACON_KEY, "BEACON_KEY_PARAMETER", self.beacon_key_parameter.as_deref())?;
        let old_key = key_place(BEACON_KEY_OLD, "BEACON_KEY_OLD_PARAMETER", self.beacon_key_old_parameter.as_deref())?;
        if key.is_none() && old_key.is_some() {
            return Err(WrongSetting(
                "there is an old key, but none that replaces it: set BEACON_KEY or BEACON_KEY_PARAMETER".into(),
            ));
        }
        let list = self.targets_parameter.as_deref();
        let targets = list.map(|name| named("TARGETS_PARAMETER", name)).transpose()?;
        Ok(Places { token: Some(token), key, old_key, targets })
    }

    fn state(&self) -> Result<Option<State>, WrongSetting> {
        let place = match (&self.state_parameter, &self.state_file) {
            (Some(_), Some(_)) => return Err(both("STATE_PARAMETER", "STATE_FILE")),
            (Some(prefix), None) => StatePlace::Parameters(named("STATE_PARAMETER", prefix)?),
            (None, Some(path)) => StatePlace::File(path.clone()),
            (None, None) => return Ok(None),
        };
        Ok(Some(State::new(place)))
    }

    /// Under Lambda, a secret in a variable can be read by everybody who may look at the function.
    pub fn warn_of_visible_secrets(&self) {
        for setting in Self::SECRETS {
            if let Ok(Some(SecretSource::Value(_))) = setting.read() {
                let name = setting.name;
                tracing::warn!(
                    "{name} is a plain variable of the function, for all to read who may look at it: move it to Parameter Store"
                );
            }
        }
    }
}

fn named(setting: &str, name: &str) -> Result<ParameterName, WrongSetting> {
    name.parse().map_err(|error| WrongSetting(format!("{setting}: {error}")))
}

/// Where a secret is: here or in a parameter, but not both.
fn place(here: SecretSetting, setting: &str, parameter: Option<&str>) -> Result<Option<Place>, WrongSetting> {
    match (here.read()?, parameter.map(|name| named(setting, name)).transpose()?) {
        (Some(SecretSource::Value(_)), Some(_)) => Err(both(here.name, setting)),
        (Some(SecretSource::File { .. }), Some(_)) => Err(both(&format!("{}_FILE", here.name), setting)),
        (Some(source), None) => Ok(Some(Place::Here(source))),
        (None, Some(name)) => Ok(Some(Place::Parameter(name))),
        (None, None) => Ok(None),
    }
}

/// As [`place`]; what is here must be a key.
fn key_place(here: SecretSetting, setting: &str, parameter: Option<&str>) -> Result<Option<Place>, WrongSetting> {
    let place = place(here, setting, parameter)?;
    if let Some(Place::Here(source)) = &place {
        let key: Result<Key, _> = source.current()?.expose().parse();
        key.map_err(|error| WrongSetting(format!("{}: {error}", source.name(here.name))))?;
    }
    Ok(place)
}

fn both(one: &str, other: &str) -> WrongSetting {
    WrongSetting(format!("{one} and {other} are both set: keep one of them"))
}

fn are(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(arguments: &[&str]) -> ProberSettings {
        ProberSettings::try_parse_from([&["lambda-prober"], arguments].concat()).unwrap()
    }

    const URL: &[&str] = &["--canary-url", "http://home.example:30008"];

    #[test]
    fn a_target_in_part_is_refused_with_what_is_missing() {
        let error = settings(URL).targets().unwrap_err().to_string();
        assert!(error.starts_with("PAGE_ID and COMPONENT_ID are not set"), "{error}");
    }

    #[test]
    fn one_way_of_naming_targets_at_a_time() {
        let list = r#"[{"url":"http://h","page_id":"gytm4qzbx9t6","component_id":"8kbf7d35c070"}]"#;
        let error = settings(&[URL, &["--targets", list]].concat()).targets().unwrap_err().to_string();
        assert_eq!(error, "TARGETS and CANARY_URL are both set: keep one of them");
        assert_eq!(settings(&["--targets", list]).targets().unwrap().unwrap().iter().count(), 1);
        assert_eq!(settings(&[]).targets(), Ok(None));
    }

    #[test]
    fn a_single_attempt_or_a_hurried_cycle_is_refused() {
        for wrong in [["--attempts", "1"], ["--attempts", "6"], ["--every", "1s"]] {
            assert!(ProberSettings::try_parse_from([&["lambda-prober"], &wrong[..]].concat()).is_err(), "{wrong:?}");
        }
    }
}
