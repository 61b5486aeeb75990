//! The jobs' programs: each parses settings and runs its job.

use std::{ffi::OsString, process::ExitCode};

use shared::{
    settings::{Settings, WrongSetting},
    shutdown,
};

use crate::{
    bandwidth::{self, BandwidthSettings},
    dns::{self, DnsSettings},
    job::settings::RunSettings,
    ping::{self, PingSettings},
};

/// `bandwidth` from its arguments to its exit code.
pub fn bandwidth(arguments: Vec<OsString>) -> ExitCode {
    program(
        arguments,
        |settings: &BandwidthSettings| &settings.run,
        async |settings| bandwidth::command(settings, shutdown::requested()).await,
    )
}

/// `dns` from its arguments to its exit code.
pub fn dns(arguments: Vec<OsString>) -> ExitCode {
    program(
        arguments,
        |settings: &DnsSettings| &settings.run,
        async |settings| dns::command(settings, shutdown::requested()).await,
    )
}

/// `ping` from its arguments to its exit code.
pub fn ping(arguments: Vec<OsString>) -> ExitCode {
    program(
        arguments,
        |settings: &PingSettings| &settings.run,
        async |settings| ping::command(settings, shutdown::requested()).await,
    )
}

#[tokio::main(flavor = "current_thread")]
async fn program<S: Settings>(
    arguments: Vec<OsString>,
    run: impl Fn(&S) -> &RunSettings,
    command: impl AsyncFnOnce(&S) -> Result<ExitCode, WrongSetting>,
) -> ExitCode {
    let settings = match S::read(arguments) {
        Ok(settings) => settings,
        Err(ending) => return ending.report::<S>(),
    };
    shared::telemetry::init(run(&settings).log_level);
    command(&settings).await.unwrap_or_else(|wrong| S::refuse(&wrong))
}
