//! How homes are probed.

use std::time::Duration;

use super::witness::Witnesses;

/// How homes are probed; the default is that of the settings.
#[derive(Clone, Debug)]
pub struct ProbeConfig {
    /// Hosts to connect to when a home does not answer.
    pub witnesses: Witnesses,
    /// A home that takes longer than this to connect to is degraded.
    pub degraded_above: Duration,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self { witnesses: Witnesses::default(), degraded_above: Duration::from_secs(2) }
    }
}
