//! The jobs' programs: each parses settings and runs its job.

use std::{env, process::ExitCode};

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
pub fn bandwidth() -> ExitCode {
    program(
        |settings: &BandwidthSettings| &settings.run,
        async |settings| bandwidth::command(settings, shutdown::requested()).await,
    )
}

/// `dns` from its arguments to its exit code.
pub fn dns() -> ExitCode {
    program(
        |settings: &DnsSettings| &settings.run,
        async |settings| dns::command(settings, shutdown::requested()).await,
    )
}

/// `ping` from its arguments to its exit code.
pub fn ping() -> ExitCode {
    program(
        |settings: &PingSettings| &settings.run,
        async |settings| ping::command(settings, shutdown::requested()).await,
    )
}

#[tokio::main(flavor = "current_thread")]
async fn program<S: Settings>(
    run: impl Fn(&S) -> &RunSettings,
    command: impl AsyncFnOnce(&S) -> Result<ExitCode, WrongSetting>,
) -> ExitCode {
    let settings = match S::read(env::args_os()) {
        Ok(settings) => settings,
        Err(ending) => return ending.report::<S>(),
    };
    shared::telemetry::init(run(&settings).log_level);
    command(&settings).await.unwrap_or_else(|wrong| S::refuse(&wrong))
}
