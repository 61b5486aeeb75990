//! Parses settings and wires the beacon.

use std::{env, process::ExitCode};

use home_beacon::beacon::{Beacon, BeaconSettings};
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
    let bound = Beacon::bind(settings.public_addr, settings.private_addr, settings.max_connections.into())
        .and_then(|beacon| beacon.addresses().map(|addresses| (beacon, addresses)));
    match bound {
        Ok((beacon, (public, private))) => {
            tracing::info!(%public, %private, "listening");
            beacon.run(shared::shutdown::requested()).await;
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
