//! What programs get to see, and what they do not.

use std::{
    env, fs, io,
    os::unix::process::CommandExt,
    path::Path,
    process::{self, Command},
};

use shared::secret::{Secret, SecretSource};

use super::*;
use crate::{
    cause::Cause,
    outcome::State,
    probe::script::{hidden, protect_this_process},
};

/// The variable that the process of the inner test has, and that no script may see.
const HIDDEN: &str = "PORCHLIGHT_HIDDEN";

fn read_environment() -> ScriptCheck {
    sh(&format!("cat /proc/{}/environ 2>&1", process::id()))
}

#[tokio::test]
async fn the_environment_is_clean_and_has_what_the_check_names() {
    let plain = with(
        sh("env | sed 's/=.*//' | sort | tr '\\n' ' '; echo; echo $LC_ALL $MODE"),
        "MODE",
        Text::Plain("a b".into()),
    );
    let outcome = outcome(&plain).await;
    let names: Vec<_> =
        outcome.text.split(' ').filter(|name| !["PWD", "_", "SHLVL", "OLDPWD"].contains(name)).collect();
    assert_eq!(names, ["LC_ALL", "MODE", "PATH"]);
    assert_eq!(outcome.long_text.as_deref(), Some("C a b"));
}

#[tokio::test]
async fn a_secret_is_read_at_each_run_and_not_shown() {
    let folder = Folder::new();
    let path = folder.file("token", "first-one\n", 0o600);
    let source = SecretSource::File { setting: "NAS_TOKEN", path: path.clone() };
    let check = with(sh("test \"$TOKEN\" = second-one || exit 2; echo \"with $TOKEN\""), "TOKEN", Text::Secret(source));
    assert_eq!(outcome(&check).await.state, State::Critical);
    fs::write(&path, "second-one\n").unwrap();
    let known = outcome(&check).await;
    assert_eq!((known.state, known.text.as_str()), (State::Ok, "with ***"));
    fs::remove_file(&path).unwrap();
    let missing = outcome(&check).await;
    assert_eq!((missing.state, missing.cause), (State::Unknown, Some(Cause::Secret)));
    assert!(missing.text.starts_with("TOKEN: NAS_TOKEN_FILE: "), "{}", missing.text);
}

#[tokio::test]
async fn a_secret_is_in_no_message_and_in_no_debug() {
    let secret = Text::Secret(SecretSource::Value(Secret::new("hunter22")));
    let check = with(sh("echo $TOKEN; echo $TOKEN >&2; echo \"| $TOKEN=1\"; sleep 60"), "TOKEN", secret);
    let late = outcome_within(&check, Duration::from_millis(500)).await;
    assert_eq!(late.cause, Some(Cause::TimedOut));
    assert!(!format!("{late:?} {check:?}").contains("hunter22"), "{late:?}");
}

#[tokio::test]
async fn it_can_gain_no_privilege() {
    let ours = || {
        fs::read_to_string("/proc/thread-self/status")
            .unwrap()
            .lines()
            .find(|line| line.starts_with("NoNewPrivs"))
            .map(str::to_owned)
    };
    let before = ours();
    let outcome = outcome(&sh("grep -E '^(NoNewPrivs|CapEff|CapAmb)' /proc/self/status | tr -s '\\t' ' '")).await;
    let long_text = outcome.long_text.unwrap_or_default();
    let all = format!("{}\n{long_text}", outcome.text);
    assert!(all.contains("NoNewPrivs: 1"), "{all}");
    for set in ["CapEff", "CapAmb"] {
        assert!(all.contains(&format!("{set}: 0000000000000000")), "{all}");
    }
    assert_eq!(ours(), before, "that holds for programs, and not for who runs them");
}

#[tokio::test]
async fn as_another_user_it_reads_neither_our_variables_nor_our_files() {
    if !is_root() {
        return;
    }
    let folder = Folder::new();
    let path = folder.file("token", "hunter22\n", 0o600);
    let file = outcome(&sh(&format!("cat {} 2>&1", path.display()))).await;
    assert!(file.state != State::Ok && file.text.contains("Permission denied"), "{file:?}");
    let variables = outcome(&read_environment()).await;
    assert!(variables.state != State::Ok && variables.text.contains("Permission denied"), "{variables:?}");
    // As root it could: it is the user that keeps it out.
    let mut check = sh(&format!("cat {}", path.display()));
    check.uid = Some(0);
    assert_eq!(outcome(&check).await.text, "hunter22");
}

/// The same user's processes may read each other's variables. That is why this runs in a process of its own, which is not root.
#[test]
fn as_the_same_user_it_does_not_read_our_variables_either() {
    let folder = Folder::new();
    let program = folder.0.path().join("tests");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "probe::script::tests::secrets::inner", "--ignored", "--nocapture"]);
    command.env_clear().env("PATH", env::var_os("PATH").unwrap()).env(HIDDEN, "hunter22").current_dir("/");
    if is_root() {
        command.uid(65534).gid(65534);
    }
    let (input, kept_open) = io::pipe().unwrap();
    let output = command.stdin(input).output().unwrap();
    drop(kept_open);
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[tokio::test]
#[ignore = "it is run by another one, in a process of its own"]
async fn inner() {
    assert!(env::var_os(HIDDEN).is_some(), "it is run by itself");
    // The input of this process stays open, and is not the program's.
    let reading = outcome_within(&sh("cat"), Duration::from_secs(5)).await;
    assert_eq!(reading.state, State::Ok, "{reading:?}");
    let before = outcome(&read_environment()).await;
    assert!(before.state == State::Ok && before.text.contains("hunter22"), "nothing protects it: {before:?}");
    let folder = Folder::new();
    let (token, beside) = (folder.file("token", "hunter22\n", 0o600), folder.file("beside", "none\n", 0o600));
    let read = |path: &Path| sh(&format!("cat {} 2>&1", path.display()));
    assert_eq!(outcome(&read(&token)).await.text, "hunter22", "nothing protects it");
    protect_this_process([token.clone()]).unwrap();
    let file = outcome(&read(&token)).await;
    if hidden::is_possible() {
        assert!(file.state != State::Ok && file.text.contains("Permission denied"), "{file:?}");
    } else {
        eprintln!("SKIPPED: this kernel has no Landlock, and scripts read what their user can");
    }
    assert_eq!(outcome(&read(&beside)).await.text, "none", "what is beside it is as before");
    assert_eq!(fs::read_to_string(&token).unwrap(), "hunter22\n", "that holds for programs alone");
    let after = outcome(&read_environment()).await;
    assert_eq!(after.state, State::Warning, "{after:?}");
    assert!(after.text.contains("Permission denied") && !after.text.contains("hunter22"), "{after:?}");
}
