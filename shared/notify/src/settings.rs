//! The setting that all programs that send notices have.

use shared::{
    secret::{Secret, SecretSetting},
    settings::WrongSetting,
};

use crate::channel::Channel;

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
