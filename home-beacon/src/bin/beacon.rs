//! Parses settings and wires the beacon.

use std::{env, io, process::ExitCode};

use home_beacon::{
    beacon::{Beacon, BeaconSettings},
    serve::listen,
};
use shared::settings::Settings;
use tracing_subscriber::filter::LevelFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shared::telemetry::init(LevelFilter::INFO);
    let settings = match BeaconSettings::read(env::args_os()) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    if settings.check {
        println!("The settings are in order.");
        return ExitCode::SUCCESS;
    }
    match run(&settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: &BeaconSettings) -> io::Result<()> {
    let shutdown = shared::shutdown::requested();
    let (public, private) = (listen(settings.public_addr)?, listen(settings.private_addr)?);
    tracing::info!(public = %public.local_addr()?, private = %private.local_addr()?, "listening");
    let beacon = Beacon { public, private, connections: settings.max_connections.into() };
    beacon.run(shutdown).await;
    tracing::info!("stopped");
    Ok(())
}
