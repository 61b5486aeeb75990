//! Parses settings and runs the job.

use std::{env, process::ExitCode};

use crate::bandwidth::{BandwidthSettings, command};
use shared::settings::{Settings, refuse};

/// The program from its arguments to its exit code.
///
/// # Panics
/// When this machine lets no runtime begin.
#[tokio::main(flavor = "current_thread")]
pub async fn main() -> ExitCode {
    let settings = match BandwidthSettings::read(env::args_os()) {
        Ok(settings) => settings,
        Err(ending) => return ending.tell(),
    };
    shared::telemetry::init(settings.run.log_level);
    command(&settings).await.unwrap_or_else(|wrong| refuse(&wrong))
}
