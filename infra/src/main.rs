//! Parses settings and picks the command.

use std::{env, process::ExitCode};

use infra::{
    demo::demo,
    settings::{Command, PorchlightSettings},
};
use shared::settings::{Settings, WrongSetting, refuse};
use tracing_subscriber::filter::LevelFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shared::telemetry::init(LevelFilter::WARN);
    let settings = match PorchlightSettings::read(env::args_os()) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let Command::Demo(settings) = settings.command;
    match demo(&settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let Some(wrong) = error.downcast_ref::<WrongSetting>() {
                return refuse(wrong);
            }
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
