//! How homes are probed: by the prober, and by `porchlight probe`.

use std::time::Duration;

use clap::Args;

use super::values::{attempts, degraded_above};
use crate::{
    look::vantage::VantageSetting,
    observe::{
        ProbeConfig,
        witness::{DEFAULT_WITNESSES, Witnesses},
    },
};

/// How homes are probed.
#[derive(Clone, Debug, Args)]
pub struct ProbingSettings {
    /// The most attempts of a run at a home that does not answer, from 2 to 5; it is down where two of them fail at the home
    #[arg(long, env = "ATTEMPTS", default_value = "3", value_parser = attempts)]
    pub attempts: u8,
    /// Hosts to connect to when a home does not answer, to distinguish an outage from a prober that is cut off: names and
    /// ports, one of them at least by name and one by address
    #[arg(long, env = "WITNESSES", value_name = "HOST:PORT,…", default_value = DEFAULT_WITNESSES)]
    pub witnesses: Witnesses,
    /// A home that takes longer than this to be connected to is degraded: up to 4s
    #[arg(long, env = "DEGRADED_ABOVE", value_name = "DURATION", value_parser = degraded_above, default_value = "2s")]
    pub degraded_above: Duration,
    /// From where homes are looked at: inside (from the home's own machine or network, which says nothing of its line),
    /// outside, or auto, which goes by the addresses
    #[arg(long, env = "VANTAGE", value_enum, hide_possible_values = true, default_value = "auto")]
    pub vantage: VantageSetting,
}

impl ProbingSettings {
    /// The configuration for a prober.
    pub fn config(&self) -> ProbeConfig {
        ProbeConfig { witnesses: self.witnesses.clone(), degraded_above: self.degraded_above, vantage: self.vantage }
    }
}
