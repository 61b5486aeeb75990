//! How homes are looked at: by the prober, and by everybody else who looks at one as it does.

use std::time::Duration;

use clap::Args;

use super::values::{attempts, degraded_above};
use crate::{
    run::Looking,
    witness::{DEFAULT_WITNESSES, Witnesses},
};

#[derive(Clone, Debug, Args)]
pub struct LookingSettings {
    /// How many attempts a home gets before it counts as silent: 2 to 5
    #[arg(long, env = "ATTEMPTS", default_value = "3", value_parser = attempts)]
    pub attempts: u8,
    /// Hosts to connect to when a home does not answer, to tell an outage from a prober that is cut off: names and ports,
    /// one of them at least by name and one by address
    #[arg(long, env = "WITNESSES", value_name = "HOST:PORT,…", default_value = DEFAULT_WITNESSES)]
    pub witnesses: Witnesses,
    /// A home that takes longer than this to be connected to is degraded: up to 4s
    #[arg(long, env = "DEGRADED_ABOVE", value_name = "DURATION", value_parser = degraded_above, default_value = "2s")]
    pub degraded_above: Duration,
}

impl LookingSettings {
    pub fn looking(&self) -> Looking {
        Looking { witnesses: self.witnesses.clone(), degraded_above: self.degraded_above }
    }
}
