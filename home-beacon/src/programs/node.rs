//! Parses settings and wires `node-metrics`.

use std::{ffi::OsString, io, process::ExitCode};

use super::manager::Manager;
use crate::{
    node::{Node, NodeSettings, summary},
    serve::listen,
};
use shared::settings::Settings;

/// The program from its arguments to its exit code.
///
/// # Panics
/// When this machine lets no runtime begin.
#[tokio::main(flavor = "current_thread")]
pub async fn program(arguments: Vec<OsString>) -> ExitCode {
    let settings = match NodeSettings::read(arguments) {
        Ok(settings) => settings,
        Err(ending) => return ending.report::<NodeSettings>(),
    };
    shared::telemetry::init(settings.log_level);
    if let Err(wrong) = settings.validate() {
        return NodeSettings::refuse(&wrong);
    }
    if settings.check {
        return NodeSettings::checked(&summary(&settings.sys_dir), &[]);
    }
    NodeSettings::log_warnings(&[]);
    match run(&settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: &NodeSettings) -> io::Result<()> {
    let shutdown = shared::shutdown::requested();
    let listener = listen(settings.node_addr)?;
    tracing::info!(node = %listener.local_addr()?, name = settings.name(), "listening");
    let node = Node { listener, sys: settings.sys_dir.clone(), name: settings.name() };
    let manager = Manager::of_environment();
    manager.ready();
    manager.watching(node.run(manager.passing_on(shutdown))).await;
    tracing::info!("stopped");
    Ok(())
}
