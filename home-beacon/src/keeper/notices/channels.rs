//! The channels: those of `NOTIFY_URLS`, and those that the operator writes of its objects. Both are read again where they change.

use std::path::Path;

use notify::{
    channel::Channel,
    event::Subject,
    settings::{NOTIFY_URLS, channels},
};
use shared::{file, secret::Secret, settings::WrongSetting};

use super::{Notices, Shared, settings::OPERATOR_URLS};

/// The longest list of the operator's: each channel names its checks, of which there may be thousands.
const MAX_OPERATOR_FILE: u64 = 1 << 20;

/// What is said where nothing comes from the operator at all, in the place of each of its checks.
const OPERATOR_SILENT: &str = "job/operator/silent";

/// One list, as it was last read.
#[derive(Debug, Default)]
pub(super) struct List {
    text: Option<Secret>,
    channels: Vec<Channel>,
}

impl Notices {
    /// Reads the channels again, where a list has changed; those from before stay where that cannot be.
    pub(super) fn read_channels(&self) -> bool {
        let Some(shared) = &self.0 else { return false };
        let people = shared.config.urls.as_ref().map(|urls| (urls.name(NOTIFY_URLS.name), urls.current()));
        let operator = shared.config.operator_urls.as_deref();
        let operator = operator.map(|path| (format!("{OPERATOR_URLS} ({})", path.display()), of_operator(path)));
        let mut known = shared.known();
        let [of_people, of_operator] = &mut known.lists;
        let mut is_new = false;
        if let Some((place, text)) = people {
            is_new |= of_people.renew(text, |text| channels(&place, text));
        }
        if let Some((place, text)) = operator {
            let read = |text: &Secret| {
                Channel::read_all(text.expose()).map_err(|wrong| WrongSetting(format!("{place}, {wrong}")))
            };
            is_new |= of_operator.renew(text, read);
        }
        if is_new {
            let [people, operator] = known.lists.each_ref().map(|list| &list.channels);
            let is_there = |channel: &&Channel| people.iter().any(|other| other.id() == channel.id());
            known.channels =
                people.iter().chain(operator.iter().filter(|channel| !is_there(channel))).cloned().collect();
        }
        is_new
    }
}

impl List {
    /// Whether there are other channels now.
    fn renew(
        &mut self,
        text: Result<Secret, WrongSetting>,
        read: impl FnOnce(&Secret) -> Result<Vec<Channel>, WrongSetting>,
    ) -> bool {
        let text = match text {
            Ok(text) => essence(&text),
            Err(error) => {
                tracing::debug!(%error, "the channels cannot be read; those from before are used");
                return false;
            }
        };
        if self.text.as_ref() == Some(&text) {
            return false;
        }
        let read = read(&text);
        self.text = Some(text);
        match read {
            Ok(channels) => {
                self.channels = channels;
                true
            }
            Err(error) => {
                tracing::error!(%error, "the channels from before are used");
                false
            }
        }
    }
}

impl Shared {
    /// The channels that want to know of that, by their digests. A place that people gave a channel of their own for the same gets it
    /// over that one alone.
    pub(super) fn receivers(&self, subject: Subject, key: &str) -> Vec<String> {
        let known = self.known();
        let [people, operator] = &known.lists;
        let people: Vec<&Channel> = people.channels.iter().filter(|it| it.wants_key(subject, key)).collect();
        // That none of their checks runs any more concerns all of the operator's.
        let wants = |channel: &&Channel| key == OPERATOR_SILENT || channel.wants_key(subject, key);
        let is_given = |channel: &&Channel| people.iter().any(|other| other.place() == channel.place());
        let others = operator.channels.iter().filter(wants).filter(|channel| !is_given(channel));
        people.iter().copied().chain(others).map(|channel| channel.id().to_owned()).collect()
    }
}

fn of_operator(path: &Path) -> Result<Secret, WrongSetting> {
    let cannot = |error: &dyn std::fmt::Display| {
        WrongSetting(format!("{OPERATOR_URLS}: {} cannot be read ({error})", path.display()))
    };
    let bytes = file::read(path, MAX_OPERATOR_FILE).map_err(|error| cannot(&error))?;
    String::from_utf8(bytes).map(Secret::new).map_err(|_| cannot(&"it is not text"))
}

/// The lines of it that say something.
fn essence(text: &Secret) -> Secret {
    let lines = text.expose().lines().map(str::trim);
    let lines: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    Secret::new(lines.join("\n"))
}
