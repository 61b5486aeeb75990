//! The program, and what it is told.

use std::{path::Path, time::Duration};

use tests::{
    heartbeats::{Function, HOME, key},
    process::{Ended, file, ours, run},
};
use tokio::process::Command;

/// The program with everything that it needs; its state is in `folder`.
pub(crate) fn command(function: &Function, folder: &Path) -> Command {
    let mut command = ours("porchlight");
    command.arg("heartbeat").env("STATE_DIR", folder).env("LOG_LEVEL", "trace");
    set(&mut command, function, folder);
    command.env("COMPONENT_ID", HOME);
    command
}

/// Where heartbeats go, and the key.
pub(crate) fn set(command: &mut Command, function: &Function, folder: &Path) {
    command.env("HEARTBEAT_URL", function.url()).env("BEACON_KEY", key().expose());
    if let Some(certificate) = &function.certificate {
        command.env("SSL_CERT_FILE", file(folder, "trusted.pem", certificate));
    }
}

/// One heartbeat.
pub(crate) async fn once(function: &Function, folder: &Path) -> Ended {
    run(command(function, folder), Duration::from_secs(60)).await
}

/// That neither the address nor the key is in it.
pub(crate) fn keeps_its_secrets(said: &str, function: &Function) {
    let url = function.url();
    let path = url.rsplit('/').next().expect("a path");
    assert!(!said.contains(path) && !said.contains("localhost"), "the address is in it: {said}");
    assert!(!said.contains(&key().expose()), "the key is in it: {said}");
}
