//! Parses settings and picks the command.

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

use infra::{
    demo::demo,
    keygen::keygen,
    settings::{Command, PorchlightSettings},
};
use shared::settings::{Settings, WrongSetting, refuse};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = match PorchlightSettings::read(env::args_os()) {
        Ok(settings) => settings,
        Err(ending) => return ending.tell(),
    };
    shared::telemetry::init(settings.log_level);
    let done = match settings.command {
        Command::Demo(settings) => demo(&settings).await,
        Command::Keygen(_) => keygen().map_err(Into::into).and_then(|key| Ok(writeln!(io::stdout(), "{key}")?)),
    };
    match done {
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
