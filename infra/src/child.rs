//! Programs of others as child processes: `aws`, `kubectl` and `cargo lambda`. Nothing secret is among their arguments or variables,
//! what they print is bounded, nothing is asked of a person, and who takes too long is ended with all that it has started.
//!
//! A process group of its own would not keep a child from the terminal: it is stopped where it reads `/dev/tty` (as `aws` does for
//! the code of a second factor), and may write there. Without a session on that terminal it cannot open it, and says so at once.
//! Rust's way to a new session runs code between fork and exec, which is unsafe; so `setsid` begins it, which Debian's base system
//! and busybox have. `setpriv` (of the same base system) has the child end with this process: from another session it would not
//! hear Ctrl-C. Where there is neither, a process group it is.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use shared::{secret::Secret, settings::OURS};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    sync::OnceCell,
    time::timeout,
};

/// The most that is read of what a program prints, in bytes.
const MAX_OUTPUT: u64 = 4 << 20;

/// What would lead helm elsewhere than kubectl, which does not know these.
const ELSEWHERE: [&str; 8] = [
    "HELM_KUBECONTEXT",
    "HELM_NAMESPACE",
    "HELM_KUBEAPISERVER",
    "HELM_KUBETOKEN",
    "HELM_KUBECAFILE",
    "HELM_KUBETLS_SERVER_NAME",
    "HELM_KUBEASUSER",
    "HELM_KUBEASGROUPS",
];

/// How long it may take to see what can begin a session; it takes milliseconds.
const TRIAL: Duration = Duration::from_secs(2);

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
    run_with(&[], program, arguments, input, limit).await
}

/// As [`run`], with variables of its own besides.
pub(crate) async fn run_with(
    variables: &[(&str, &str)],
    program: &Path,
    arguments: &[impl AsRef<OsStr>],
    input: Option<&Secret>,
    limit: Duration,
) -> Ran {
    static ALONE: OnceCell<Vec<PathBuf>> = OnceCell::const_new();
    if !is_program(program) {
        return Ran::NotStarted(format!("there is no program {}", program.display()));
    }
    let alone = ALONE.get_or_init(what_begins_a_session).await;
    let mut command = prefixed(alone, program);
    command.args(arguments).envs(variables.iter().copied());
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = match command.spawn() {
        Ok(child) => Ending(child),
        Err(error) => return Ran::NotStarted(error.to_string()),
    };
    let (stdin, stdout, stderr) = (child.0.stdin.take(), child.0.stdout.take(), child.0.stderr.take());
    let writing = async {
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // One that ended before says itself why.
            let _ = stdin.write_all(input.expose().as_bytes()).await;
        }
    };
    let ended = async {
        let ((), stdout, stderr) = tokio::join!(writing, text(stdout), text(stderr));
        // Only now: a child that nobody has waited for keeps its number, by which all that it started is ended.
        match child.0.wait().await {
            Ok(status) => Ran::Ended { is_success: status.success(), stdout, stderr },
            Err(error) => Ran::NotStarted(error.to_string()),
        }
    };
    timeout(limit, ended).await.unwrap_or(Ran::TooLate)
}

/// A child, which is ended when dropped, if it has not ended by itself; so is what it has started.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        // Once it was waited for it has no number any more.
        if let Some(leader) = self.0.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// The program after what begins a session for it, with nothing that is set for us.
fn prefixed(alone: &[PathBuf], program: &Path) -> Command {
    let mut command = Command::new(alone.first().map_or(program, PathBuf::as_path));
    match alone {
        [] => _ = command.process_group(0),
        [_setsid] => _ = command.arg(program),
        [_setpriv, rest @ ..] => _ = command.args(["--pdeathsig", "TERM", "--"]).args(rest).arg(program),
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // A pager, a prompt or colours would be for a person.
    command.env("AWS_PAGER", "").env("NO_COLOR", "1");
    // What is set for us is nobody else's business, secrets first of all.
    for name in OURS.iter().chain(&ELSEWHERE) {
        command.env_remove(name);
    }
    command
}

/// `setpriv` and `setsid`, as far as they are there and can do it.
async fn what_begins_a_session() -> Vec<PathBuf> {
    let Some(session) = found("setsid") else { return Vec::new() };
    let Some(bound) = found("setpriv") else { return vec![session] };
    let both = vec![bound, session.clone()];
    let Some(nothing) = found("true") else { return vec![session] };
    let mut trial = prefixed(&both, &nothing);
    trial.stdin(Stdio::null());
    let is_well = timeout(TRIAL, trial.output()).await.is_ok_and(|ran| ran.is_ok_and(|ran| ran.status.success()));
    if is_well { both } else { vec![session] }
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

    const SOON: Duration = Duration::from_secs(10);

    async fn sh(script: &str, limit: Duration) -> Ran {
        run(Path::new("/bin/sh"), &["-c", script], None, limit).await
    }

    #[tokio::test]
    async fn it_is_told_how_a_program_ended_and_one_that_hangs_is_ended() {
        let ended = sh("echo out; echo err >&2; exit 3", SOON).await;
        assert_eq!(ended, Ran::Ended { is_success: false, stdout: "out\n".into(), stderr: "err\n".into() });
        assert_eq!(sh("sleep 60", Duration::from_millis(50)).await, Ran::TooLate);
        let missing = run(Path::new("/nowhere/aws"), &[""; 0], None, Duration::from_secs(1)).await;
        assert_eq!(missing, Ran::NotStarted("there is no program /nowhere/aws".into()));
    }

    #[tokio::test]
    async fn what_a_program_that_hangs_has_started_is_ended_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let noted = folder.path().join("pid");
        // It keeps the pipe, as the python of a packed `aws` does.
        let script = format!("sleep 60 & echo $! > {}; wait", noted.display());
        assert_eq!(sh(&script, Duration::from_millis(300)).await, Ran::TooLate);
        let pid: i32 = std::fs::read_to_string(noted).unwrap().trim().parse().unwrap();
        for _ in 0..100 {
            // A zombie that nobody waits for is as good as gone.
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            if state.is_empty() || state.contains(") Z ") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{pid} goes on");
    }

    #[tokio::test]
    async fn it_is_no_session_of_the_terminal_and_keeps_what_is_set_for_it() {
        let Ran::Ended { stdout, .. } = sh("cut -d' ' -f1,6 /proc/$$/stat", SOON).await else { panic!("it ends") };
        let ids: Vec<_> = stdout.split_whitespace().collect();
        assert_eq!(ids[0], ids[1], "it leads its own session: {stdout}");
        let variables = [("AWS_MAX_ATTEMPTS", "2")];
        let outcome = run_with(&variables, Path::new("/bin/sh"), &["-c", "echo $AWS_MAX_ATTEMPTS"], None, SOON).await;
        assert_eq!(outcome, Ran::Ended { is_success: true, stdout: "2\n".into(), stderr: String::new() });
    }

    #[test]
    fn a_program_is_found_where_the_shell_would_find_it() {
        assert!(found("sh").is_some() && found("no-such-program-of-ours").is_none());
    }
}
