//! The channels as they are now.

use std::{sync::PoisonError, time::Duration};

use notify::{
    channel::Channel,
    settings::{NOTIFY_URLS, channels},
};
use tokio::time::Instant;

use super::Notices;
use crate::kept::{parameters::ParameterStore, secrets::Place};

/// How long channels from Parameter Store are used until they are read again: each time is a call of KMS.
const CHANNELS_LIFETIME: Duration = Duration::from_mins(15);

impl Notices {
    /// The channels as they are now.
    ///
    /// # Errors
    /// When they cannot be read, or one is wrong; shows nothing secret of it.
    pub(crate) async fn channels(&self, store: &ParameterStore, until: Instant) -> Result<Vec<Channel>, String> {
        let name = match &self.channels {
            Place::Local(source) => {
                let text = source.current().map_err(|error| error.to_string())?;
                return channels(&source.name(NOTIFY_URLS.name), &text).map_err(|error| error.to_string());
            }
            Place::Parameter(name) => name,
        };
        let cached = self.cached_channels.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((channels, at)) = &cached
            && at.elapsed() < CHANNELS_LIFETIME
        {
            return Ok(channels.clone());
        }
        let read = match store.get(&[name], until).await.remove(name) {
            Some(Ok(Some(text))) => {
                channels(&format!("the parameter {name}"), &text).map_err(|error| error.to_string())
            }
            Some(Err(error)) => Err(error.to_string()),
            Some(Ok(None)) | None => Err(format!("the parameter {name} does not exist: make it, or name another")),
        };
        match (read, cached) {
            (Ok(channels), _) => {
                let now = Some((channels.clone(), Instant::now()));
                *self.cached_channels.lock().unwrap_or_else(PoisonError::into_inner) = now;
                Ok(channels)
            }
            // Those from before are better than none.
            (Err(error), Some((channels, _))) => {
                tracing::warn!("{error}; the channels from before are used");
                Ok(channels)
            }
            (Err(error), None) => Err(error),
        }
    }
}

/// Those channels, without what is secret of them.
pub(super) fn named(channels: &[Channel], ids: &[String]) -> String {
    let named = channels.iter().filter(|channel| ids.iter().any(|id| id == channel.id()));
    named.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
