//! Real programs, run as a check runs them.
//!
//! - `contract`: what they print and how they end
//! - `limits`: those that hang, flood, fork and do not want to end
//! - `secrets`: what they get to see, and what they do not

mod contract;
mod limits;
mod secrets;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use tempfile::TempDir;
use tokio::time::Instant;

use super::run;
use crate::{
    check::{ScriptCheck, Text},
    outcome::Outcome,
};

/// Time enough for every program that ends by itself.
const PLENTY: Duration = Duration::from_secs(20);

fn check(command: &[&str]) -> ScriptCheck {
    ScriptCheck {
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        environment: Vec::new(),
        folder: None,
        uid: None,
    }
}

fn sh(text: &str) -> ScriptCheck {
    check(&["/bin/sh", "-c", text])
}

fn python(text: &str) -> ScriptCheck {
    check(&["/usr/bin/env", "python3", "-c", text])
}

fn with(mut check: ScriptCheck, name: &str, value: Text) -> ScriptCheck {
    check.environment.push((name.to_owned(), value));
    check
}

async fn outcome(check: &ScriptCheck) -> Outcome {
    outcome_within(check, PLENTY).await
}

async fn outcome_within(check: &ScriptCheck, time: Duration) -> Outcome {
    run(check, Instant::now() + time).await
}

/// A folder that every user may enter, with files that every user may execute.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}

/// Whether tests run as root, who may choose who a program runs as.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
