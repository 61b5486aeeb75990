//! The settings that all programs that send notices have.

use std::time::Duration;

use shared::{
    secret::{Secret, SecretSetting},
    settings::{WrongSetting, duration},
};

use crate::channel::Channel;

/// More often is a nuisance.
const MIN_EVERY: Duration = Duration::from_mins(5);

/// The channels, one address a line: `infra/NOTICES.md` lists the services.
pub const NOTIFY_URLS: SecretSetting = SecretSetting {
    name: "NOTIFY_URLS",
    help: "Where notices are sent: one address a line, as in ntfy://ntfy.sh/TOPIC",
};

/// The channels of that text, which was found at `place`.
///
/// # Errors
/// When a line is none, in a sentence that shows nothing secret.
pub fn channels(place: &str, text: &Secret) -> Result<Vec<Channel>, WrongSetting> {
    let channels = Channel::read_all(text.expose()).map_err(|wrong| WrongSetting(format!("{place}, {wrong}")))?;
    if channels.is_empty() {
        return Err(WrongSetting(format!("{place} holds no address: write one a line, as in ntfy://ntfy.sh/TOPIC")));
    }
    Ok(channels)
}

/// How often to remind of what goes on.
///
/// # Errors
/// When it is no duration, or too short.
pub fn notify_every(text: &str) -> Result<Duration, String> {
    let every = duration(text)?;
    if every < MIN_EVERY { Err("a reminder comes every 5m at most".into()) } else { Ok(every) }
}
