//! Notices: the channels, as `porchlight notify test` tries them, and against real software of others.
//!
//! - `services`: the emulators, and what they refuse
//! - `prober`: what a prober sends, once; `keeper`: what a keeper sends, killed or cut off; `asked`: what it says of that
//! - `guide`: the commands of NOTICES.md
//! - `owner`: the page that is the owner's alone
//! - `wrong`: addresses that are none, and what is shown of them
//! - `mail`: a real server; `alertmanager`: the real one; `hooks`: signatures and Apprise, by the libraries of others

mod alertmanager;
mod asked;
mod guide;
mod hooks;
mod keeper;
mod mail;
mod owner;
mod prober;
mod services;
mod wrong;

use std::{path::PathBuf, time::Duration};

use tests::{
    binaries::root,
    process::{Ended, Process, command, ours, run},
    skip::skip,
};
use tokio::process::Command;

/// A channel has 30 s.
const LIMIT: Duration = Duration::from_secs(60);

fn notify(urls: &str) -> Command {
    let mut notify = ours("porchlight");
    notify.args(["notify", "test"]).env("NOTIFY_URLS", urls);
    notify
}

async fn tried(urls: &str) -> Ended {
    run(notify(urls), LIMIT).await
}

/// The Python that tests/run installs, if it has that module.
async fn python(test: &str, module: &str) -> Option<PathBuf> {
    let python = std::env::var_os("TESTS_PYTHON").map(PathBuf::from);
    if let Some(python) = python {
        let mut has = command(&python);
        has.args(["-c", &format!("import {module}")]);
        if run(has, LIMIT).await.code == Some(0) {
            return Some(python);
        }
    }
    skip(test, &format!("Python's {module} is missing; tests/run installs it"));
    None
}

/// A script of `tests/notices`, and the port that it prints.
async fn server(python: &PathBuf, script: &str, arguments: &[&str]) -> (Process, u16) {
    let mut server = command(python);
    server.arg(root().join("tests/notices").join(script)).args(arguments);
    let mut server = Process::start(server);
    let port = server.wait_for("a port", |lines| lines.iter().find_map(|line| line.parse().ok())).await;
    (server, port)
}
