//! The AWS command line in a process that stays: its start takes most of a call, and a test of `setup` makes a hundred.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    binaries::{python, root},
    process::{Process, command},
};

/// What it is handed calls by.
const SOCKET: &str = "socket";

/// One that runs; ended when dropped.
#[derive(Debug)]
pub struct ResidentAws {
    folder: TempDir,
    _server: Process,
}

impl ResidentAws {
    /// `None` where there is no Python with awscli.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Option<Self> {
        let python = python()?;
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = command(&python);
        server.arg(root().join("tests/cloud/resident_aws.py")).arg(folder.path().join(SOCKET));
        let mut server = Process::start(server);
        server.wait_for("ready", |lines| lines.iter().any(|line| line == "ready").then_some(())).await;
        let program = folder.path().join("aws");
        fs::write(&program, script(Path::new(&python), &folder.path().join(SOCKET)))
            .and_then(|()| fs::set_permissions(&program, fs::Permissions::from_mode(0o755)))
            .expect("a script");
        Some(Self { folder, _server: server })
    }

    /// What is called as `aws` is.
    pub fn program(&self) -> PathBuf {
        self.folder.path().join("aws")
    }
}

fn script(python: &Path, socket: &Path) -> String {
    let call = root().join("tests/cloud/aws_call.py");
    format!("#!/bin/sh\nAWS_RESIDENT={} exec {} -I -S {} \"$@\"\n", socket.display(), python.display(), call.display())
}
