//! Parses settings and wires the beacon.

use std::{ffi::OsString, io, process::ExitCode};

use super::manager::Manager;
use crate::{
    beacon::{BEACON_KEY, Beacon, BeaconSettings, PUBLIC_PORT, Prover},
    clock::Host,
    serve::{listen, listen_everywhere},
};
use shared::settings::{Settings, WrongSetting};

/// The program from its arguments to its exit code.
///
/// # Panics
/// When this machine lets no runtime begin.
#[tokio::main(flavor = "current_thread")]
pub async fn program(arguments: Vec<OsString>) -> ExitCode {
    let settings = match BeaconSettings::read(arguments) {
        Ok(settings) => settings,
        Err(ending) => return ending.report::<BeaconSettings>(),
    };
    shared::telemetry::init(settings.log_level);
    let prover = match settings.validate().and_then(|()| prover()) {
        Ok(prover) => prover,
        Err(wrong) => return BeaconSettings::refuse(&wrong),
    };
    if settings.check {
        let proof = if prover.is_some() { "answers are proven" } else { "without BEACON_KEY no answer is proven" };
        return BeaconSettings::checked(proof, &[]);
    }
    BeaconSettings::log_warnings(&[]);
    match run(&settings, prover).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn prover() -> Result<Option<Prover>, WrongSetting> {
    BEACON_KEY.read()?.map(|source| Prover::new(source, Host::system())).transpose()
}

async fn run(settings: &BeaconSettings, prover: Option<Prover>) -> io::Result<()> {
    let shutdown = shared::shutdown::requested_for(settings.stop_delay);
    let public = match settings.public_addr {
        Some(address) => listen(address)?,
        None => listen_everywhere(PUBLIC_PORT)?,
    };
    let private = listen(settings.private_addr)?;
    tracing::info!(public = %public.local_addr()?, private = %private.local_addr()?, proves = prover.is_some(), "listening");
    let beacon = Beacon { public, private, connections: settings.max_connections.into(), prover };
    let manager = Manager::of_environment();
    manager.ready();
    manager.watching(beacon.run(manager.passing_on(shutdown))).await;
    tracing::info!("stopped");
    Ok(())
}
