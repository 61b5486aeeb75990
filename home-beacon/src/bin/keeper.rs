//! Parses settings and wires the keeper.

use std::{env, process::ExitCode};

use home_beacon::{
    clock::Clock,
    keeper::{KEEPER_TOKEN, Keeper, KeeperConfig, KeeperSettings, StartError},
};
use shared::settings::{Settings, WrongSetting, refuse};
use tracing_subscriber::filter::LevelFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shared::telemetry::init(LevelFilter::INFO);
    let settings = match KeeperSettings::read(env::args_os()) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let config = match config(&settings) {
        Ok(config) => config,
        Err(wrong) => return refuse(&wrong),
    };
    if settings.check {
        println!("The settings are in order.");
        return ExitCode::SUCCESS;
    }
    let started = Keeper::open(config, Clock::system()).await.and_then(|keeper| {
        let address = settings.keeper_addr;
        keeper.address().map(|bound| (keeper, bound)).map_err(|error| StartError::Listen { address, error })
    });
    match started {
        Ok((keeper, address)) => {
            tracing::info!(%address, page = %keeper.page(), "listening");
            keeper.run(shared::shutdown::requested()).await;
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(StartError::Setting(wrong)) => refuse(&wrong),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot start");
            ExitCode::FAILURE
        }
    }
}

fn config(settings: &KeeperSettings) -> Result<KeeperConfig, WrongSetting> {
    Ok(KeeperConfig {
        address: settings.keeper_addr,
        database_url: settings.database_url.clone(),
        seed: settings.seed()?,
        token: KEEPER_TOKEN.require()?,
        rate_limit: settings.keeper_rate_limit.into(),
    })
}
