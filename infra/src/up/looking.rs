//! How an outside machine looks at its home. What is chosen once stays, so a unit looks as the start did that installed it.

use std::time::Duration;

use clap::Args;
use lambda_prober::{
    look::vantage::VantageSetting,
    observe::{ProbeConfig, witness::Witnesses},
    settings::{attempts, degraded_above, interval},
};
use serde::{Deserialize, Serialize};
use shared::{look::Location, settings::WrongSetting};

const DEFAULT_ATTEMPTS: u8 = 3;

const DEFAULT_INTERVAL: Duration = Duration::from_mins(1);

/// What is chosen; the prober's own settings have the same names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LookingSettings {
    /// With --outside: how often the home is probed, 15s or longer; without it 60s
    #[arg(long, value_name = "DURATION", value_parser = interval, requires = "outside")]
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    pub every: Option<Duration>,
    /// With --outside: what this place is called on the page; without it outside
    #[arg(long, env = "LOCATION")]
    pub location: Option<Location>,
    /// With --outside: the most attempts of a run at a home that does not answer, from 2 to 5; without it 3
    #[arg(long, env = "ATTEMPTS", value_parser = attempts)]
    pub attempts: Option<u8>,
    /// With --outside: hosts to connect to when the home does not answer, to distinguish an outage from a machine that is cut
    /// off; without it those of the prober
    #[arg(long, env = "WITNESSES", value_name = "HOST:PORT,…", value_parser = witnesses)]
    pub witnesses: Option<String>,
    /// With --outside: a home that takes longer than this to be connected to is degraded: up to 4s; without it 2s
    #[arg(long, env = "DEGRADED_ABOVE", value_name = "DURATION", value_parser = degraded_above)]
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    pub degraded_above: Option<Duration>,
    /// With --outside: from where the home is looked at: inside (from its own network, which says nothing of its line),
    /// outside, or auto, which goes by the addresses; without it auto
    #[arg(long, env = "VANTAGE", value_enum, hide_possible_values = true)]
    pub vantage: Option<VantageSetting>,
}

impl LookingSettings {
    /// These, and what `kept` has where they choose nothing.
    pub(super) fn or(&self, kept: &Self) -> Self {
        Self {
            every: self.every.or(kept.every),
            location: self.location.clone().or_else(|| kept.location.clone()),
            attempts: self.attempts.or(kept.attempts),
            witnesses: self.witnesses.clone().or_else(|| kept.witnesses.clone()),
            degraded_above: self.degraded_above.or(kept.degraded_above),
            vantage: self.vantage.or(kept.vantage),
        }
    }

    /// How often.
    pub(super) fn interval(&self) -> Duration {
        self.every.unwrap_or(DEFAULT_INTERVAL)
    }

    /// How many attempts a run may take.
    pub(super) fn most_attempts(&self) -> usize {
        self.attempts.unwrap_or(DEFAULT_ATTEMPTS).into()
    }

    /// What this place is called.
    pub(super) fn place(&self) -> Location {
        let outside = || "outside".parse().unwrap_or_else(|_| Location::local());
        self.location.clone().unwrap_or_else(outside)
    }

    /// How a run looks.
    ///
    /// # Errors
    /// When the witnesses that were kept are none.
    pub(super) fn config(&self) -> Result<ProbeConfig, WrongSetting> {
        let kept = self.witnesses.as_deref().map(str::parse::<Witnesses>).transpose();
        let witnesses = kept.map_err(|error| WrongSetting(format!("WITNESSES: {error}")))?.unwrap_or_default();
        let default = ProbeConfig::default();
        Ok(ProbeConfig {
            witnesses,
            degraded_above: self.degraded_above.unwrap_or(default.degraded_above),
            vantage: self.vantage.unwrap_or(default.vantage),
        })
    }
}

fn witnesses(text: &str) -> Result<String, String> {
    text.parse::<Witnesses>().map(|_| text.to_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_once_stays_until_it_is_chosen_anew() {
        let kept = LookingSettings {
            every: Some(Duration::from_secs(30)),
            witnesses: Some("9.9.9.9:443,www.example.org:443".into()),
            vantage: Some(VantageSetting::Inside),
            location: "fra".parse().ok(),
            ..LookingSettings::default()
        };
        let text = toml::to_string(&kept).unwrap();
        assert!(text.contains("every = \"30s\"\n") && text.contains("vantage = \"inside\"\n"), "{text}");
        let read: LookingSettings = toml::from_str(&text).unwrap();
        assert_eq!(read, kept);
        let changed = LookingSettings { every: Some(Duration::from_mins(5)), ..LookingSettings::default() }.or(&read);
        assert_eq!(
            (changed.interval(), changed.config().unwrap().vantage),
            (Duration::from_mins(5), VantageSetting::Inside)
        );
        let none = LookingSettings::default();
        assert_eq!((none.interval(), none.most_attempts()), (DEFAULT_INTERVAL, 3));
        assert_eq!(none.place().as_str(), "outside");
        assert_eq!(none.config().unwrap().vantage, VantageSetting::Auto);
    }
}
