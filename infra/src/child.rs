//! Programs of others as child processes: `aws`, `kubectl` and `cargo lambda`. Nothing secret is among their arguments or variables,
//! what they print is bounded, nothing is asked of a person, and who takes too long is ended.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use shared::{secret::Secret, settings::OURS};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::timeout,
};

/// The most that is read of what a program prints, in bytes.
const MAX_OUTPUT: u64 = 4 << 20;

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// By itself.
    Ended {
        /// Whether with exit code 0.
        is_success: bool,
        /// What it printed.
        stdout: String,
        /// What it complained of.
        stderr: String,
    },
    /// It could not be started; says why.
    NotStarted(String),
    /// It took longer than it had.
    TooLate,
}

/// Where a program is in `PATH`; `None` where it is not.
pub(crate) fn found(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Runs it to its end, or until `limit`, with that on its standard input.
pub(crate) async fn run(
    program: &Path,
    arguments: &[impl AsRef<OsStr>],
    input: Option<&Secret>,
    limit: Duration,
) -> Ran {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    // A pager, a prompt or colours would be for a person.
    command.env("AWS_PAGER", "").env("NO_COLOR", "1");
    // What is set for us is nobody else's business, secrets first of all.
    for name in OURS {
        command.env_remove(name);
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ran::NotStarted(error.to_string()),
    };
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let writing = async {
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // One that ended before says itself why.
            let _ = stdin.write_all(input.expose().as_bytes()).await;
        }
    };
    let ended = async {
        let ((), stdout, stderr, status) = tokio::join!(writing, text(stdout), text(stderr), child.wait());
        match status {
            Ok(status) => Ran::Ended { is_success: status.success(), stdout, stderr },
            Err(error) => Ran::NotStarted(error.to_string()),
        }
    };
    timeout(limit, ended).await.unwrap_or(Ran::TooLate)
}

async fn text(from: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        // What was read before it broke off is as good as there is.
        let _ = from.take(MAX_OUTPUT).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(script: &str, limit: Duration) -> Ran {
        run(Path::new("/bin/sh"), &["-c", script], None, limit).await
    }

    #[tokio::test]
    async fn it_is_told_how_a_program_ended_and_one_that_hangs_is_ended() {
        let ended = sh("echo out; echo err >&2; exit 3", Duration::from_secs(10)).await;
        assert_eq!(ended, Ran::Ended { is_success: false, stdout: "out\n".into(), stderr: "err\n".into() });
        assert_eq!(sh("sleep 60", Duration::from_millis(50)).await, Ran::TooLate);
        let missing = run(Path::new("/nowhere/aws"), &[""; 0], None, Duration::from_secs(1)).await;
        assert!(matches!(missing, Ran::NotStarted(_)));
    }

    #[test]
    fn a_program_is_found_where_the_shell_would_find_it() {
        assert!(found("sh").is_some() && found("no-such-program-of-ours").is_none());
    }
}
