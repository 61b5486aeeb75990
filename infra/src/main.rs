//! Parses settings and picks the command. In the image every program of the home side is a link to this one.

use std::{
    env,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use home_beacon::programs;
use infra::{
    command_line::{completions, man},
    copy::copy,
    cost::cost,
    demo::demo,
    doctor::doctor,
    export::export,
    health::health,
    import::import,
    keygen::keygen,
    notify::{mute, notify},
    port::port,
    probe::probe,
    program,
    readings::readings,
    settings::{Command, KeygenSettings, PorchlightSettings},
    setup::{setup, teardown},
    tokens::{code, tokens},
    up::{down, status, up},
};
use shared::{
    keeper_token,
    settings::{Settings, WrongSetting},
};

fn main() -> ExitCode {
    let called = env::args_os().next().unwrap_or_default();
    let name = Path::new(&called).file_name().and_then(|name| name.to_str());
    let arguments: Vec<_> = env::args_os().collect();
    match name.and_then(programs::named).map(|program| (program, arguments.clone())).or_else(|| program::of(&arguments))
    {
        Some((program, arguments)) => program(arguments),
        None => porchlight(),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn porchlight() -> ExitCode {
    let settings = match PorchlightSettings::read(env::args_os()) {
        Ok(settings) => settings,
        Err(ending) => return ending.report::<PorchlightSettings>(),
    };
    shared::telemetry::init(settings.log_level);
    PorchlightSettings::log_warnings(&[]);
    let done = match settings.command {
        Command::Completions(settings) => completions(&settings).map(|()| ExitCode::SUCCESS),
        Command::Cost(settings) => cost(&settings),
        Command::Copy(settings) => copy(&settings).map(|()| ExitCode::SUCCESS),
        Command::Demo(settings) => Box::pin(demo(&settings)).await.map(|()| ExitCode::SUCCESS),
        Command::Doctor(settings) => Box::pin(doctor(&settings)).await,
        Command::Export(settings) => export(&settings).await,
        Command::Health(settings) => health(&settings).await,
        Command::Import(settings) => import(&settings).await,
        Command::Keygen(KeygenSettings { token: false }) => printed(keygen()),
        Command::Keygen(KeygenSettings { token: true }) => printed(keeper_token::new()),
        Command::Man(settings) => man(&settings).map(|()| ExitCode::SUCCESS),
        Command::Notify(settings) => Box::pin(notify(&settings)).await,
        Command::Mute(settings) => mute(&settings).await,
        Command::Port(settings) => Box::pin(port(&settings)).await,
        Command::Probe(settings) => Box::pin(probe(&settings)).await,
        Command::Readings(settings) => readings(&settings).await,
        Command::Code(settings) => code(&settings).await,
        Command::Setup(settings) => Box::pin(setup(&settings)).await,
        Command::Teardown(settings) => Box::pin(teardown(&settings)).await,
        Command::Tokens(settings) => tokens(&settings).await,
        Command::Up(settings) => Box::pin(up(&settings)).await,
        Command::Down(settings) => down(&settings).await,
        Command::Status(settings) => status(&settings).await,
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            if let Some(wrong) = error.downcast_ref::<WrongSetting>() {
                return PorchlightSettings::refuse(wrong);
            }
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn printed<E: Into<anyhow::Error>>(key: Result<String, E>) -> anyhow::Result<ExitCode> {
    writeln!(io::stdout(), "{}", key.map_err(Into::into)?)?;
    Ok(ExitCode::SUCCESS)
}
