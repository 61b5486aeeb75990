//! Parses settings and wires the keeper.

use std::{env, process::ExitCode};

use super::relay::relay;
use crate::{
    clock::Host,
    keeper::{KEEPER_TOKEN, KeeperCommand, KeeperConfig, KeeperSettings, StartError, start},
    serve::listen,
};
use shared::{
    secret::SecretSource,
    settings::{Settings, WrongSetting, refuse},
};

/// The fewest characters that a keeper's token may have.
const SHORTEST_TOKEN: usize = 16;

/// The program from its arguments to its exit code.
///
/// # Panics
/// When this machine lets no runtime begin.
#[tokio::main(flavor = "current_thread")]
pub async fn main() -> ExitCode {
    let settings = match KeeperSettings::read(env::args_os()) {
        Ok(settings) => settings,
        Err(ending) => return ending.tell(),
    };
    if let Some(KeeperCommand::Relay { command }) = settings.command {
        return match relay(settings.keeper_addr, command).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                if let Some(wrong) = error.downcast_ref::<WrongSetting>() {
                    return refuse(wrong);
                }
                eprintln!("{error:#}");
                ExitCode::FAILURE
            }
        };
    }
    shared::telemetry::init(settings.log_level);
    let config = match config(&settings) {
        Ok(config) => config,
        Err(wrong) => return refuse(&wrong),
    };
    if settings.check {
        println!("The settings are in order.");
        return ExitCode::SUCCESS;
    }
    match run(&settings, config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let Some(wrong) = error.downcast_ref::<WrongSetting>() {
                return refuse(wrong);
            }
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: &KeeperSettings, config: KeeperConfig) -> anyhow::Result<()> {
    let shutdown = shared::shutdown::requested();
    let told = |error: StartError| match error {
        StartError::Setting(wrong) => wrong.into(),
        wrong @ StartError::Database { .. } => WrongSetting(wrong.to_string()).into(),
        other => anyhow::Error::new(other),
    };
    let keeper = start(config, Host::system()).await.map_err(told)?;
    let listener = listen(settings.keeper_addr)?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    keeper.run(listener, shutdown).await.map_err(told)?;
    tracing::info!("stopped");
    Ok(())
}

fn config(settings: &KeeperSettings) -> Result<KeeperConfig, WrongSetting> {
    settings.look()?;
    Ok(KeeperConfig {
        database_url: settings.database_url.clone(),
        seed: settings.seed()?,
        token: long_enough(KEEPER_TOKEN.require()?)?,
        rate_limit: settings.keeper_rate_limit.into(),
        strict_points: settings.keeper_strict_points,
        upstream: settings.upstream()?,
    })
}

/// A token that can be guessed guards nothing.
fn long_enough(token: SecretSource) -> Result<SecretSource, WrongSetting> {
    let length = token.current()?.expose().len();
    if length < SHORTEST_TOKEN {
        return Err(WrongSetting(format!(
            "{} has {length} characters, and a token that nobody guesses has {SHORTEST_TOKEN} or more: make one with \
             `head -c 24 /dev/urandom | base64 | tr '+/' '-_'`, and give it to the jobs and the prober too",
            token.name(KEEPER_TOKEN.name)
        )));
    }
    Ok(token)
}
