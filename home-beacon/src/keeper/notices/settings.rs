//! Who is written to, about what, and when.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args};
use notify::{
    quiet::Quiet,
    settings::{NOTIFY_URLS, channels, notify_every},
};
use shared::{secret::SecretSource, settings::WrongSetting};

/// How many notices a channel gets in an hour without a setting.
pub const DEFAULT_LIMIT: u16 = 20;
/// From which loss on a line is worth one, in per cent.
pub const DEFAULT_LOSS: f64 = 20.0;

/// Names the file of channels that the operator writes.
pub(super) const OPERATOR_URLS: &str = "NOTIFY_OPERATOR_URLS_FILE";

/// The settings of notices.
#[derive(Clone, Debug, Args)]
pub struct NoticeSettings {
    /// The file of channels that the operator writes, of `TelegramChannel` objects: as `NOTIFY_URLS`, and it may be missing
    #[arg(long, env = OPERATOR_URLS, value_name = "PATH")]
    pub notify_operator_urls_file: Option<PathBuf>,
    /// How often to remind of what goes on, every 5m or longer; without it never
    #[arg(long, env = "NOTIFY_EVERY", value_name = "DURATION", value_parser = notify_every)]
    pub notify_every: Option<Duration>,
    /// When no notice is sent, like 22:00-07:00, in the page's time zone or one after a space: what has begun then and still lasts
    /// is sent at their end
    #[arg(long, env = "NOTIFY_QUIET", value_name = "HOURS", value_parser = str::parse::<Quiet>)]
    pub notify_quiet: Option<Quiet>,
    /// Whether serious notices are sent in these hours, too
    #[arg(long, env = "NOTIFY_SERIOUS_ANYTIME", value_name = "BOOL", default_value = "false", action = ArgAction::Set)]
    pub notify_serious_anytime: bool,
    /// How many notices a channel gets in an hour, before what else there is comes as one; 0 sets no limit
    #[arg(long, env = "NOTIFY_LIMIT", value_name = "COUNT", default_value_t = DEFAULT_LIMIT)]
    pub notify_limit: u16,
    /// The loss of packets, in per cent, from which on three pings in a row are worth a notice
    #[arg(long, env = "NOTIFY_LOSS", value_name = "PERCENT", value_parser = loss, default_value_t = DEFAULT_LOSS)]
    pub notify_loss: f64,
}

/// Whom a keeper writes to, and when.
#[derive(Clone, Debug)]
pub struct NoticeConfig {
    /// The channels' addresses.
    pub urls: Option<SecretSource>,
    /// The file of those that the operator writes, which may be missing.
    pub operator_urls: Option<PathBuf>,
    /// How often it reminds.
    pub every: Option<Duration>,
    /// When it does not write.
    pub quiet: Option<Quiet>,
    /// Whether it does even then, where it is serious.
    pub serious_anytime: bool,
    /// How many notices a channel gets in an hour.
    pub limit: Option<usize>,
    /// The loss that is worth one, in per cent.
    pub loss: f64,
}

/// A loss in per cent.
///
/// # Errors
/// When it is none.
pub fn loss(text: &str) -> Result<f64, String> {
    let loss: Option<f64> = text.trim_end_matches('%').parse().ok();
    loss.filter(|loss| (1.0..=100.0).contains(loss)).ok_or_else(|| "it is 1 to 100 per cent".into())
}

impl NoticeSettings {
    /// Whom the keeper writes to; `None` where no setting names a channel.
    ///
    /// # Errors
    /// When a channel is wrong, in a sentence that shows nothing secret of it.
    pub fn config(&self) -> Result<Option<NoticeConfig>, WrongSetting> {
        let (urls, operator_urls) = (NOTIFY_URLS.read()?, self.notify_operator_urls_file.clone());
        match &urls {
            Some(urls) => drop(channels(&urls.name(NOTIFY_URLS.name), &urls.current()?)?),
            None if operator_urls.is_none() => return Ok(None),
            None => (),
        }
        Ok(Some(NoticeConfig {
            urls,
            operator_urls,
            every: self.notify_every,
            quiet: self.notify_quiet.clone(),
            serious_anytime: self.notify_serious_anytime,
            limit: Some(self.notify_limit.into()).filter(|limit| *limit > 0),
            loss: self.notify_loss,
        }))
    }

    /// What is set and has no effect.
    pub fn warning(&self) -> Option<String> {
        let set = [
            ("NOTIFY_EVERY", self.notify_every.is_some()),
            ("NOTIFY_QUIET", self.notify_quiet.is_some()),
            ("NOTIFY_SERIOUS_ANYTIME", self.notify_serious_anytime),
            ("NOTIFY_LIMIT", self.notify_limit != DEFAULT_LIMIT),
            ("NOTIFY_LOSS", (self.notify_loss - DEFAULT_LOSS).abs() > f64::EPSILON),
        ];
        let (name, _) = set.into_iter().find(|(_, set)| *set)?;
        if self.notify_operator_urls_file.is_none() && !matches!(NOTIFY_URLS.read(), Ok(Some(_))) {
            return Some(format!("{name} is set, but NOTIFY_URLS is not: nobody is written to"));
        }
        (self.notify_serious_anytime && self.notify_quiet.is_none())
            .then(|| "NOTIFY_SERIOUS_ANYTIME is set, but NOTIFY_QUIET is not: there are no quiet hours".into())
    }
}
