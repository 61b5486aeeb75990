//! The prober's settings, and the prober and targets that they describe.

mod heartbeats;
mod places;
mod probing;
mod targets;
mod values;

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Parser};
use notify::{
    quiet::Quiet,
    settings::{NOTIFY_URLS, notify_every},
};
use shared::{
    id::{ComponentId, MetricId, PageId},
    look::Location,
    secret::{SecretSetting, SecretSource},
    settings::{Settings, WebAddresses, WrongSetting, api_address, log_level},
    statuspage::STATUSPAGE_IO,
};
use tracing_subscriber::filter::LevelFilter;
use url::Url;

use self::values::{default_location, incident_after, is_a_function, notify_quiet, region, resolve_after};
pub use self::{
    heartbeats::{HEARTBEAT_URL, HeartbeatSettings},
    probing::ProbingSettings,
    values::{IncidentAfter, attempts, degraded_above, interval, notify_after},
};
use crate::{
    kept::secrets::Secrets,
    mode::Mode,
    plan::{Rules, statuses::Statuses},
    run::Prober,
};

/// The token of the page's API.
pub const STATUSPAGE_TOKEN: SecretSetting =
    SecretSetting { name: "STATUSPAGE_TOKEN", help: "The API key of statuspage.io, or the keeper's token" };

/// The home's key.
pub const BEACON_KEY: SecretSetting = SecretSetting {
    name: "BEACON_KEY",
    help: "The home's key: with it, only an answer that the home's beacon has signed counts",
};
/// The previous key.
pub const BEACON_KEY_OLD: SecretSetting =
    SecretSetting { name: "BEACON_KEY_OLD", help: "The previous key, which counts too while it is being replaced" };

/// Probes homes from outside and keeps their status page true.
///
/// Where `AWS_LAMBDA_RUNTIME_API` is set this is a Lambda function, and everything comes from variables. Elsewhere it
/// is a command that runs once, or with --every repeatedly.
#[derive(Clone, Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "these are the flags of a command line")]
#[command(name = "lambda-prober", version)]
pub struct ProberSettings {
    /// The address to probe: http or https, the home's name, and the forwarded port; up to four with commas between them,
    /// where the home has several names
    #[arg(long, env = "CANARY_URL", value_name = "URL…")]
    pub canary_url: Option<WebAddresses>,
    /// The status page
    #[arg(long, env = "PAGE_ID")]
    pub page_id: Option<PageId>,
    /// The component that shows whether the home is up
    #[arg(long, env = "COMPONENT_ID")]
    pub component_id: Option<ComponentId>,
    /// The metric that gets, once a run, how long the home took to answer, in milliseconds
    #[arg(long, env = "METRIC_ID_RESPONSE", value_name = "METRIC_ID")]
    pub metric_id_response: Option<MetricId>,
    /// Several targets instead of the four settings above, as JSON:
    /// `[{"name":…,"kind":…,"url":…,"page_id":…,"component_id":…,"key_parameter":…,"metric_id_response":…,"expect":{…},"depends_on":…}]`
    #[arg(long, env = "TARGETS", value_name = "JSON")]
    pub targets: Option<String>,
    /// The SSM parameter that holds that list instead
    #[arg(long, env = "TARGETS_PARAMETER", value_name = "NAME")]
    pub targets_parameter: Option<String>,
    /// The SSM parameter that holds the page's token, instead of `STATUSPAGE_TOKEN`
    #[arg(long, env = "STATUSPAGE_TOKEN_PARAMETER", value_name = "NAME")]
    pub statuspage_token_parameter: Option<String>,
    /// The SSM parameter that holds the home's key, instead of `BEACON_KEY`
    #[arg(long, env = "BEACON_KEY_PARAMETER", value_name = "NAME")]
    pub beacon_key_parameter: Option<String>,
    /// The SSM parameter that holds the previous key, if there is one
    #[arg(long, env = "BEACON_KEY_OLD_PARAMETER", value_name = "NAME")]
    pub beacon_key_old_parameter: Option<String>,
    /// Remember outages in SSM parameters below this name, one for each component
    #[arg(long, env = "STATE_PARAMETER", value_name = "PREFIX")]
    pub state_parameter: Option<String>,
    /// Remember outages in this file instead
    #[arg(long, env = "STATE_FILE", value_name = "FILE")]
    pub state_file: Option<PathBuf>,
    /// Where the status page's API is: statuspage.io's, or a keeper's
    #[arg(long, env = "STATUSPAGE_URL", value_parser = api_address, default_value = STATUSPAGE_IO)]
    pub statuspage_url: Url,
    /// Where this prober is, as it tells homes: up to 16 lower-case letters, digits and -; otherwise the function's region, or
    /// local
    #[arg(long, env = "LOCATION")]
    pub location: Option<Location>,
    /// The `LOCATION` of a second prober of the same homes, which shares this one's state: a home is down where both see that
    #[arg(long, env = "OTHER_LOCATION", value_name = "LOCATION")]
    pub other_location: Option<Location>,
    /// The AWS region of the parameters, where it is another one than the function's: that of the first prober
    #[arg(long, env = "PARAMETERS_REGION", value_name = "REGION", value_parser = region)]
    pub parameters_region: Option<String>,
    /// How homes are probed.
    #[command(flatten)]
    pub probing: ProbingSettings,
    /// Component statuses other than the usual, by cause: `slow=operational,refused=partial_outage`
    #[arg(long, env = "STATUSES", value_name = "CAUSE=STATUS,…", default_value = "", hide_default_value = true)]
    pub statuses: Statuses,
    /// How long an outage lasts before an incident is opened: 1m or longer, or `never`
    #[arg(long, env = "INCIDENT_AFTER", value_name = "DURATION", value_parser = incident_after, default_value = "5m")]
    pub incident_after: IncidentAfter,
    /// How long a home must be up again before its outage is over; a shorter up belongs to the outage
    #[arg(long, env = "RESOLVE_AFTER", value_name = "DURATION", value_parser = resolve_after, default_value = "2m")]
    pub resolve_after: Duration,
    /// Whether the page's subscribers are notified when an incident is opened and when it is resolved
    #[arg(long, env = "NOTIFY_SUBSCRIBERS", value_name = "BOOL", default_value = "true", action = ArgAction::Set)]
    pub notify_subscribers: bool,
    /// The SSM parameter that holds the channels of notices, instead of `NOTIFY_URLS`
    #[arg(long, env = "NOTIFY_URLS_PARAMETER", value_name = "NAME")]
    pub notify_urls_parameter: Option<String>,
    /// How long an outage lasts before a notice is sent of it: up to 1h
    #[arg(long, env = "NOTIFY_AFTER", value_name = "DURATION", value_parser = notify_after, default_value = "2m")]
    pub notify_after: Duration,
    /// How often to remind of an outage that goes on, every 5m or longer; without it never
    #[arg(long, env = "NOTIFY_EVERY", value_name = "DURATION", value_parser = notify_every)]
    pub notify_every: Option<Duration>,
    /// When no notice is sent, like `22:00-07:00 Europe/Berlin`: what has begun then and still lasts is sent at their end
    #[arg(long, env = "NOTIFY_QUIET", value_name = "HOURS", value_parser = notify_quiet)]
    pub notify_quiet: Option<Quiet>,
    /// Homes that send heartbeats.
    #[command(flatten)]
    pub heartbeats: HeartbeatSettings,
    /// Run once (the default)
    #[arg(long, conflicts_with = "every")]
    pub once: bool,
    /// Repeat at this interval: every 15s or longer. Below 60s a home has less time to answer
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    pub every: Option<Duration>,
    /// Print each run as a JSON line, also on a terminal
    #[arg(long)]
    pub json: bool,
    /// Change nothing: only report what would be written
    #[arg(long)]
    pub dry_run: bool,
    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, env = "LOG_LEVEL", value_parser = log_level, default_value = "info")]
    pub log_level: LevelFilter,
    /// Validate the settings and exit
    #[arg(long)]
    pub check: bool,
    /// With --check: also verify online that page, component, key and home exist
    #[arg(long, requires = "check")]
    pub online: bool,
}

impl Settings for ProberSettings {
    const SECRETS: &'static [SecretSetting] =
        &[STATUSPAGE_TOKEN, BEACON_KEY, BEACON_KEY_OLD, NOTIFY_URLS, HEARTBEAT_URL];
}

impl ProberSettings {
    /// The prober that the settings describe.
    ///
    /// # Errors
    /// When the token is missing, a key is malformed, or something is set twice.
    pub fn prober(&self) -> Result<Prober, WrongSetting> {
        if self.heartbeats.receive_heartbeats {
            return Err(WrongSetting(
                "RECEIVE_HEARTBEATS is for a Lambda function with a URL: leave it out here".into(),
            ));
        }
        let mode = if self.dry_run { Mode::DryRun } else { Mode::Publish };
        let rules = Rules {
            statuses: self.statuses.clone(),
            incident_after: self.incident_after.0,
            resolve_after: self.resolve_after,
            notify: self.notify_subscribers,
        };
        let state = self.state()?;
        let notices = self.notices(state.as_ref())?;
        let location = self.location.clone().unwrap_or_else(default_location);
        let other = self.other(&location, state.as_ref())?;
        let secrets = Secrets::in_region(self.places()?, self.parameters_region.clone());
        let prober = Prober::new(self.statuspage_url.clone(), secrets, mode)
            .with_state(state)
            .with_notices(notices)
            .with_config(self.probing.config())
            .with_rules(rules)
            .with_heartbeats(self.watch()?)
            .with_location(location)
            .with_other_location(other);
        // The cloud is nobody's home.
        Ok(if is_a_function() { prober } else { prober.asking_for_its_address() })
    }

    /// Under Lambda, every user with read access to the function can read a secret in a variable.
    pub fn warn_of_visible_secrets() {
        for setting in Self::SECRETS {
            if let Ok(Some(SecretSource::Value(_))) = setting.read() {
                let name = setting.name_in_use();
                tracing::warn!(
                    "{name} is a plain variable of the function, which every user with read access to it sees: move it to \
                     Parameter Store"
                );
            }
        }
    }
}

fn both(one: &str, other: &str) -> WrongSetting {
    WrongSetting(format!("{one} and {other} are both set: keep one of them"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(arguments: &[&str]) -> ProberSettings {
        ProberSettings::try_parse_from([&["lambda-prober"], arguments].concat()).unwrap()
    }

    #[test]
    fn values_that_cannot_be_are_refused_with_what_can() {
        let refusal = |arguments: [&str; 2]| {
            let parsed = ProberSettings::try_parse_from([&["lambda-prober"], &arguments[..]].concat());
            parsed.unwrap_err().to_string()
        };
        for (arguments, message) in [
            (
                ["--incident-after", "30s"],
                "an outage lasts 1m or longer before an incident is opened; `never` opens none",
            ),
            (["--degraded-above", "5s"], "a connection has 4s at most"),
            (["--resolve-after", "2h"], "an outage is held open for 1h at most"),
            (["--statuses", "cat=operational"], "`cat` is not a cause that has a status"),
            (["--witnesses", "1.1.1.1:443"], "at least one witness by an address and one by a name"),
            (["--notify-after", "2h"], "a notice is sent after 1h at most"),
            (["--notify-every", "30s"], "a reminder comes every 5m at most"),
            (["--notify-quiet", "22-7"], "quiet hours are written 22:00-07:00"),
            (["--notify-quiet", "22:00-07:00"], "name the time zone, too"),
            (["--notify-subscribers", "perhaps"], "[possible values: true, false]"),
        ] {
            assert!(refusal(arguments).contains(message), "{arguments:?}: {}", refusal(arguments));
        }
        assert_eq!(settings(&["--incident-after", "never"]).incident_after, IncidentAfter(None));
        assert!(!settings(&["--notify-subscribers", "false"]).notify_subscribers);
    }

    #[test]
    fn a_single_attempt_or_a_short_interval_is_refused() {
        for wrong in [["--attempts", "1"], ["--attempts", "6"], ["--every", "1s"]] {
            assert!(ProberSettings::try_parse_from([&["lambda-prober"], &wrong[..]].concat()).is_err(), "{wrong:?}");
        }
    }
}
