//! What runs in a check's pod: it starts the script, and leaves what came of it in the pod's termination message.
//!
//! An init container of our image copies this program, which needs no library, to where the user's image finds it.

use std::{
    collections::HashSet,
    env, fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use checks::{
    cause::Cause,
    check::{ScriptCheck, Text},
    outcome::Outcome,
    probe::script,
};
use shared::secret::{Secret, SecretSource};
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep_until},
};

use crate::{message, packages::provide};

/// Where a kubelet reads the message, unless the container says otherwise.
const TERMINATION_LOG: &str = "/dev/termination-log";

/// The variable with the script's text, for the init container alone.
pub const SCRIPT: &str = "PORCHLIGHT_SCRIPT";

/// The variable with the names of those variables that hold secrets, with commas: what a script prints of them is hidden.
pub const SECRETS: &str = "PORCHLIGHT_SECRETS";

/// What the program and the script are called in the folder that both containers have.
pub const PROGRAM: &str = "check-runner";
/// See [`PROGRAM`].
pub const SCRIPT_FILE: &str = "script";

const USAGE: &str = "use: check-runner install FOLDER | check-runner packages FOLDER VOLUME DIGEST PYTHON REQUIREMENT … | \
                     check-runner run SECONDS PROGRAM [ARGUMENT …]";

/// Copies this program and the script into a folder, installs what a script needs, or runs a program and reports what came of it.
pub async fn program(arguments: Vec<String>) -> ExitCode {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [_, "install", folder] => install(Path::new(folder)),
        [_, "packages", shared, volume, digest, python, requirements @ ..] if !requirements.is_empty() => {
            provide(Path::new(shared), Path::new(volume), digest, python, requirements)
        }
        [_, "run", seconds, command @ ..] if !command.is_empty() => match seconds.parse() {
            Ok(seconds @ 1..=86_400) => report(&run(Duration::from_secs(seconds), command).await),
            _ => Err(io::Error::other(format!("{seconds} is no number of seconds from 1 to 86400: {USAGE}"))),
        },
        _ => Err(io::Error::other(USAGE)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("check-runner: {error}");
            ExitCode::FAILURE
        }
    }
}

fn install(folder: &Path) -> io::Result<()> {
    let place = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        let said = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        fs::write(&path, bytes).map_err(said)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o555)).map_err(said)
    };
    place(PROGRAM, &fs::read("/proc/self/exe")?)?;
    match env::var(SCRIPT) {
        Ok(script) => place(SCRIPT_FILE, script.as_bytes()),
        Err(_) => Ok(()),
    }
}

async fn run(limit: Duration, command: &[&str]) -> Outcome {
    // Another process of this pod must not read what this one was started with.
    let _ = script::protect_this_process([]);
    let until = Instant::now() + limit;
    let check = ScriptCheck {
        command: command.iter().map(|&word| word.to_owned()).collect(),
        environment: environment(),
        folder: env::var_os("PORCHLIGHT_FOLDER").map(PathBuf::from),
        uid: None,
    };
    let ended = async {
        match signal(SignalKind::terminate()) {
            Ok(mut asked) => drop(asked.recv().await),
            Err(_) => sleep_until(until + limit).await,
        }
    };
    select! {
        outcome = script::run(&check, until) => outcome,
        () = ended => Outcome::because(Cause::Local, "its pod was asked to end: evicted, drained or deleted"),
    }
}

/// What the container was given: to a script all of it belongs, but for what is ours.
fn environment() -> Vec<(String, Text)> {
    let names = env::var(SECRETS).unwrap_or_default();
    let secrets: HashSet<&str> = names.split(',').collect();
    let text = |name: &str, value: String| {
        if secrets.contains(name) { Text::Secret(SecretSource::Value(Secret::new(value))) } else { Text::Plain(value) }
    };
    let all = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let given = all.filter(|(name, _)| !name.starts_with("PORCHLIGHT_"));
    given
        .map(|(name, value)| {
            let text = text(&name, value);
            (name, text)
        })
        .collect()
}

fn report(outcome: &Outcome) -> io::Result<()> {
    let path = env::var_os("PORCHLIGHT_TERMINATION_LOG").map_or_else(|| TERMINATION_LOG.into(), PathBuf::from);
    let message = message::write(outcome);
    // For whoever reads the log of the pod.
    println!("{}: {}", outcome.state.label(), outcome.text);
    fs::write(&path, message).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}
