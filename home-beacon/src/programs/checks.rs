//! `checks`: parses settings and runs what files define.

use std::{ffi::OsString, process::ExitCode};

use shared::{settings::Settings, shutdown};

use crate::checks::{ChecksSettings, command};

/// The program from its arguments to its exit code.
///
/// # Panics
/// When this machine lets no runtime begin.
#[tokio::main(flavor = "current_thread")]
pub async fn program(arguments: Vec<OsString>) -> ExitCode {
    let settings = match ChecksSettings::read(arguments) {
        Ok(settings) => settings,
        Err(ending) => return ending.report::<ChecksSettings>(),
    };
    shared::telemetry::init(settings.log_level);
    Box::pin(command(&settings, shutdown::requested())).await.unwrap_or_else(|wrong| ChecksSettings::refuse(&wrong))
}
