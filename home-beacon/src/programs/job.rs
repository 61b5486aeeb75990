//! The jobs' programs: each parses settings and runs its job.

use std::{ffi::OsString, process::ExitCode};

use shared::{
    settings::{Settings, WrongSetting},
    shutdown,
};
use tracing_subscriber::filter::LevelFilter;

use crate::{
    bandwidth::{self, BandwidthSettings},
    dns::{self, DnsSettings},
    heartbeat::{self, HeartbeatSettings},
    ping::{self, PingSettings},
};

/// `bandwidth` from its arguments to its exit code.
pub fn bandwidth(arguments: Vec<OsString>) -> ExitCode {
    program(
        arguments,
        |settings: &BandwidthSettings| settings.run.log_level,
        async |settings| bandwidth::command(settings, shutdown::requested()).await,
    )
}

/// `dns` from its arguments to its exit code.
pub fn dns(arguments: Vec<OsString>) -> ExitCode {
    program(
        arguments,
        |settings: &DnsSettings| settings.run.log_level,
        async |settings| dns::command(settings, shutdown::requested()).await,
    )
}

/// `heartbeat` from its arguments to its exit code.
pub fn heartbeat(arguments: Vec<OsString>) -> ExitCode {
    program(
        arguments,
        |settings: &HeartbeatSettings| settings.log_level,
        async |settings| Box::pin(heartbeat::command(settings, shutdown::requested())).await,
    )
}

/// `ping` from its arguments to its exit code.
pub fn ping(arguments: Vec<OsString>) -> ExitCode {
    program(
        arguments,
        |settings: &PingSettings| settings.run.log_level,
        async |settings| ping::command(settings, shutdown::requested()).await,
    )
}

#[tokio::main(flavor = "current_thread")]
async fn program<S: Settings>(
    arguments: Vec<OsString>,
    log_level: impl Fn(&S) -> LevelFilter,
    command: impl AsyncFnOnce(&S) -> Result<ExitCode, WrongSetting>,
) -> ExitCode {
    let settings = match S::read(arguments) {
        Ok(settings) => settings,
        Err(ending) => return ending.report::<S>(),
    };
    shared::telemetry::init(log_level(&settings));
    command(&settings).await.unwrap_or_else(|wrong| S::refuse(&wrong))
}
