//! Parses settings and picks the front: a Lambda function where the runtime API is, else a command.

use std::{env, process::ExitCode};

use lambda_prober::{
    command,
    function::{self, ServeError},
    settings::ProberSettings,
};
use shared::settings::{Ending, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let runtime_api = env::var("AWS_LAMBDA_RUNTIME_API").ok().filter(|api| !api.is_empty());
    let settings = match (ProberSettings::read(env::args_os()), &runtime_api) {
        (Ok(settings), _) => settings,
        (Err(Ending::Wrong(wrong)), Some(api)) => return function::refuse(&wrong, api).await,
        (Err(ending), _) => return ending.report::<ProberSettings>(),
    };
    shared::telemetry::init(settings.log_level);
    let Some(api) = runtime_api else {
        return command::command(&settings).await.unwrap_or_else(|wrong| ProberSettings::refuse(&wrong));
    };
    match function::serve(&settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(ServeError::Setting(wrong)) => function::refuse(&wrong, &api).await,
        Err(error) => {
            tracing::error!(%error, "stopped");
            ExitCode::FAILURE
        }
    }
}
