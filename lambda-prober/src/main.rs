//! Parses settings and picks the front: a Lambda function where the runtime API is, else a command.

use std::{env, process::ExitCode};

use lambda_prober::{command, function, function::ServeError, settings::ProberSettings};
use shared::settings::{Settings, refuse};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = match ProberSettings::read(env::args_os()) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    shared::telemetry::init(settings.log_level);
    if env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return command::command(&settings).await.unwrap_or_else(|wrong| refuse(&wrong));
    }
    match function::serve(&settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(ServeError::Setting(wrong)) => refuse(&wrong),
        Err(error) => {
            tracing::error!(%error, "stopped");
            ExitCode::FAILURE
        }
    }
}
