//! Parses settings and picks the command.

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

use infra::{
    demo::demo,
    keygen::keygen,
    probe::probe,
    readings::readings,
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
        Command::Demo(settings) => demo(&settings).await.map(|()| ExitCode::SUCCESS),
        Command::Keygen(_) => told(keygen()),
        Command::Probe(settings) => probe(&settings).await,
        Command::Readings(settings) => readings(&settings).await,
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            if let Some(wrong) = error.downcast_ref::<WrongSetting>() {
                return refuse(wrong);
            }
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn told<E: Into<anyhow::Error>>(key: Result<String, E>) -> anyhow::Result<ExitCode> {
    writeln!(io::stdout(), "{}", key.map_err(Into::into)?)?;
    Ok(ExitCode::SUCCESS)
}
