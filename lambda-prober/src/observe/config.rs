//! How homes are probed.

use std::time::Duration;

use super::witness::Witnesses;
use crate::look::vantage::VantageSetting;

/// How homes are probed; the default is that of the settings.
#[derive(Clone, Debug)]
pub struct ProbeConfig {
    /// Hosts to connect to when a home does not answer.
    pub witnesses: Witnesses,
    /// A home that takes longer than this to connect to is degraded.
    pub degraded_above: Duration,
    /// From where homes are looked at.
    pub vantage: VantageSetting,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self {
            witnesses: Witnesses::default(),
            degraded_above: Duration::from_secs(2),
            vantage: VantageSetting::default(),
        }
    }
}
