//! The prober's settings, and the prober and targets that they describe.

use std::time::Duration;

use clap::Parser;
use shared::{
    id::{ComponentId, PageId},
    secret::{SecretSetting, SecretSource},
    settings::{Settings, WrongSetting, base_address, duration, web_address},
    statuspage::STATUSPAGE_IO,
};
use url::Url;

use crate::{
    run::{Mode, Prober},
    target::{Target, Targets},
};

pub const TOKEN: SecretSetting =
    SecretSetting { name: "TOKEN", help: "The API key of statuspage.io, or the keeper's token" };

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
    /// `[{"name":…,"url":…,"page_id":…,"component_id":…}]`
    #[arg(long, env = "TARGETS")]
    pub targets: Option<Targets>,
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
    /// Only look whether the settings are in order
    #[arg(long)]
    pub check: bool,
}

impl Settings for ProberSettings {
    const SECRETS: &'static [SecretSetting] = &[TOKEN];
}

fn attempts(text: &str) -> Result<u8, String> {
    match text.parse() {
        Ok(attempts @ 2..=5) => Ok(attempts),
        _ => Err("a run takes 2 to 5 attempts".into()),
    }
}

fn cycle(text: &str) -> Result<Duration, String> {
    let every = duration(text)?;
    if every < SHORTEST_CYCLE { Err("a cycle takes 15s or longer".into()) } else { Ok(every) }
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
        if let Some(targets) = &self.targets {
            return match single.iter().find(|(_, set)| *set) {
                Some((name, _)) => Err(WrongSetting(format!("TARGETS and {name} are both set: keep one of them"))),
                None => Ok(Some(targets.clone())),
            };
        }
        match (&self.canary_url, &self.page_id, &self.component_id) {
            (Some(url), Some(page), Some(component)) => {
                let target = Target {
                    name: url.host_str().unwrap_or("home").to_owned(),
                    url: url.clone(),
                    page: page.clone(),
                    component: component.clone(),
                };
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
    /// When the token is missing.
    pub fn prober(&self) -> Result<Prober, WrongSetting> {
        let token: SecretSource = TOKEN.require()?;
        let mode = if self.dry_run { Mode::DryRun } else { Mode::Publish };
        Ok(Prober::new(self.statuspage_url.clone(), token, mode))
    }
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
