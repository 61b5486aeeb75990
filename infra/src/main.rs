//! Parses settings and picks the command. In the image every program of the home side is a link to this one.

use std::{
    env,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use home_beacon::programs;
use infra::{
    demo::demo,
    keygen::keygen,
    probe::probe,
    readings::readings,
    settings::{Command, PorchlightSettings},
};
use shared::settings::{Settings, WrongSetting, refuse};

fn main() -> ExitCode {
    let called = env::args_os().next().unwrap_or_default();
    let name = Path::new(&called).file_name().and_then(|name| name.to_str());
    name.and_then(programs::named).unwrap_or(porchlight)()
}

#[tokio::main(flavor = "current_thread")]
async fn porchlight() -> ExitCode {
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
