//! `operator`; see the library.

use std::{env, process::ExitCode};

use operator::OperatorSettings;
use shared::{settings::Settings, shutdown};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = match OperatorSettings::read(env::args_os()) {
        Ok(settings) => settings,
        Err(ending) => return ending.report::<OperatorSettings>(),
    };
    shared::telemetry::init(settings.log_level);
    let done = Box::pin(operator::program::command(&settings, shutdown::requested())).await;
    done.unwrap_or_else(|wrong| OperatorSettings::refuse(&wrong))
}
