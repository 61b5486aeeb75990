//! When people are written to, by the channels in the folder. What is chosen once stays, as a unit reads no variables.

use std::time::Duration;

use clap::Args;
use home_beacon::keeper::notices::{NoticeConfig, settings};
use lambda_prober::{
    kept::{secrets::Place, state::StatePlace},
    notices::{self, Notices},
    settings::notify_after,
};
use notify::{
    quiet::Quiet,
    rules::Rules,
    settings::{NOTIFY_URLS, channels, notify_every},
};
use serde::{Deserialize, Serialize};
use shared::{secret::SecretSource, settings::WrongSetting};

use super::{files::NOTICES_FILE, folder::Folder};

/// Ends what was chosen before.
const OFF: &str = "off";

/// What is chosen; the settings of prober and keeper have the same names.
#[derive(Clone, Debug, Default, PartialEq, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "flags of a command line are named as the settings are")]
pub struct WritingSettings {
    /// With --outside and channels in notify.urls: how long an outage lasts before a notice is sent of it, up to 1h; without it 2m
    #[arg(long, env = "NOTIFY_AFTER", value_name = "DURATION", value_parser = notify_after)]
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    pub notify_after: Option<Duration>,
    /// With channels: how often to remind of what goes on, every 5m or longer, or off; without it never
    #[arg(long, env = "NOTIFY_EVERY", value_name = "DURATION", value_parser = every)]
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    pub notify_every: Option<Duration>,
    /// With channels: when no notice is sent, like `22:00-07:00 Europe/Berlin`, or off; at home without a zone by the page's
    #[arg(long, env = "NOTIFY_QUIET", value_name = "HOURS", value_parser = quiet)]
    pub notify_quiet: Option<String>,
    /// With channels, at home: whether serious notices are sent in these hours, too; without it false
    #[arg(long, env = "NOTIFY_SERIOUS_ANYTIME", value_name = "BOOL")]
    pub notify_serious_anytime: Option<bool>,
    /// With channels, at home: how many notices a channel gets in an hour, before what else there is comes as one; 0 sets no
    /// limit; without it 20
    #[arg(long, env = "NOTIFY_LIMIT", value_name = "COUNT")]
    pub notify_limit: Option<u16>,
    /// With channels, at home: the loss of packets, in per cent, that is worth a notice; without it 20
    #[arg(long, env = "NOTIFY_LOSS", value_name = "PERCENT", value_parser = settings::loss)]
    pub notify_loss: Option<f64>,
}

impl WritingSettings {
    /// These, and what `kept` has where they choose nothing.
    pub(super) fn or(&self, kept: &Self) -> Self {
        Self {
            notify_after: self.notify_after.or(kept.notify_after),
            notify_every: self.notify_every.or(kept.notify_every),
            notify_quiet: self.notify_quiet.clone().or_else(|| kept.notify_quiet.clone()),
            notify_serious_anytime: self.notify_serious_anytime.or(kept.notify_serious_anytime),
            notify_limit: self.notify_limit.or(kept.notify_limit),
            notify_loss: self.notify_loss.or(kept.notify_loss),
        }
    }

    /// Refuses what cannot work on an outside machine, whose clock is in no time zone of its owner's.
    ///
    /// # Errors
    /// When quiet hours have no time zone.
    pub(super) fn check_outside(&self) -> Result<(), WrongSetting> {
        match self.quiet()? {
            Some(quiet) if !quiet.has_zone() => Err(WrongSetting(
                "NOTIFY_QUIET: with --outside name the time zone, too, as in `22:00-07:00 Europe/Berlin`".into(),
            )),
            _ => Ok(()),
        }
    }

    fn every(&self) -> Option<Duration> {
        self.notify_every.filter(|every| !every.is_zero())
    }

    fn quiet(&self) -> Result<Option<Quiet>, WrongSetting> {
        let parsed = self.notify_quiet.as_deref().filter(|quiet| *quiet != OFF).map(str::parse).transpose();
        parsed.map_err(|error: String| WrongSetting(format!("NOTIFY_QUIET: {error}")))
    }

    /// Whom an outside machine's prober writes to.
    ///
    /// # Errors
    /// When a channel is wrong.
    pub(super) fn prober(&self, folder: &Folder, place: &StatePlace) -> Result<Option<Notices>, WrongSetting> {
        let Some(source) = written(folder)? else { return Ok(None) };
        let after = self.notify_after.unwrap_or(notices::RULES.after);
        let rules = Rules { after, every: self.every() };
        Ok(Some(Notices::new(Place::Local(source), (rules, self.quiet()?), place.clone())))
    }

    /// Whom a home's keeper writes to.
    ///
    /// # Errors
    /// When a channel is wrong.
    pub(super) fn keeper(&self, folder: &Folder) -> Result<Option<NoticeConfig>, WrongSetting> {
        let Some(urls) = written(folder)? else { return Ok(None) };
        Ok(Some(NoticeConfig {
            urls: Some(urls),
            operator_urls: None,
            every: self.every(),
            quiet: self.quiet()?,
            serious_anytime: self.notify_serious_anytime.unwrap_or(false),
            limit: Some(self.notify_limit.unwrap_or(settings::DEFAULT_LIMIT).into()).filter(|limit| *limit > 0),
            loss: self.notify_loss.unwrap_or(settings::DEFAULT_LOSS),
        }))
    }
}

/// The channels in the folder.
fn written(folder: &Folder) -> Result<Option<SecretSource>, WrongSetting> {
    let Some(source) = folder.known_secret(NOTIFY_URLS.name, NOTICES_FILE)? else { return Ok(None) };
    channels(&source.name(NOTIFY_URLS.name), &source.current()?)?;
    Ok(Some(source))
}

fn quiet(text: &str) -> Result<String, String> {
    if text == OFF { Ok(text.to_owned()) } else { text.parse::<Quiet>().map(|_| text.to_owned()) }
}

fn every(text: &str) -> Result<Duration, String> {
    if text == OFF { Ok(Duration::ZERO) } else { notify_every(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_once_stays() {
        let kept = WritingSettings {
            notify_after: Some(Duration::from_mins(5)),
            notify_quiet: Some("22:00-07:00".into()),
            notify_limit: Some(5),
            ..WritingSettings::default()
        };
        let text = toml::to_string(&kept).unwrap();
        let read: WritingSettings = toml::from_str(&text).unwrap();
        assert_eq!(read, kept);
        let changed = WritingSettings { notify_limit: Some(0), ..WritingSettings::default() }.or(&read);
        assert_eq!((changed.notify_limit, changed.notify_after), (Some(0), Some(Duration::from_mins(5))));
        let off = WritingSettings { notify_quiet: quiet("off").ok(), notify_every: every("off").ok(), ..read.clone() };
        let off: WritingSettings = toml::from_str(&toml::to_string(&off.or(&read)).unwrap()).unwrap();
        assert_eq!((off.quiet().unwrap(), off.every()), (None, None));
        assert!(read.check_outside().unwrap_err().to_string().contains("name the time zone"));
    }

    #[test]
    fn the_channels_are_those_of_the_folder() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::named(Some(outer.path())).unwrap();
        let settings = WritingSettings { notify_limit: Some(0), ..WritingSettings::default() };
        assert!(settings.keeper(&folder).unwrap().is_none());
        folder.write(NOTICES_FILE, b"ntfy://ntfy.sh/home\n").unwrap();
        let config = settings.keeper(&folder).unwrap().unwrap();
        assert_eq!((config.limit, config.loss), (None, settings::DEFAULT_LOSS));
        assert!(settings.prober(&folder, &StatePlace::File(folder.file("prober.json"))).unwrap().is_some());
        folder.write(NOTICES_FILE, b"ntfyy://ntfy.sh/secret\n").unwrap();
        let wrong = settings.keeper(&folder).unwrap_err().to_string();
        assert!(
            wrong.contains("notify.urls") && wrong.contains("was ntfy:// meant") && !wrong.contains("secret"),
            "{wrong}"
        );
    }
}
