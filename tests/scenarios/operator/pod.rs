//! What runs in a pod, in a container with the settings of the pod: its user, its privileges, its read-only root, its volumes.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use check_runner::message::{self, MAX_MESSAGE};
use checks::{
    cause::Cause,
    outcome::{Outcome, State},
};
use rustix::process::geteuid;
use serde_json::Value;
use tempfile::TempDir;
use tests::{
    binaries::{binary, root},
    process::{command, file, run},
    skip::{program, skip},
};
use tokio::{process::Command, time::Instant};

/// How long one container may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A script, and what the run of it left.
struct Pod {
    place: TempDir,
    system: PathBuf,
}

impl Pod {
    /// `None`, and a skip, where no container can be had.
    fn ready(test: &str) -> Option<Self> {
        let system = root().join("tests/.tools/bookworm/usr/bin/python3");
        if !geteuid().is_root() || program("podman").is_none() || !system.exists() {
            skip(test, "it takes root, podman and a small Debian; tests/run sees to these");
            return None;
        }
        let place = tempfile::tempdir().expect("a folder");
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        let system = fs::canonicalize(root().join("tests/.tools/bookworm")).expect("it is there");
        Some(Self { place, system })
    }

    fn container(&self, mounts: &[(&Path, &str)], variables: &[(&str, &str)]) -> Command {
        let mut podman = command(program("podman").expect("it was there"));
        let storage = |name: &str| self.place.path().join(name);
        podman.arg("--root").arg(storage("storage")).arg("--runroot").arg(storage("run"));
        podman.args(["--storage-driver", "vfs", "--runtime", "runc", "--cgroup-manager", "cgroupfs", "run", "--rm"]);
        podman.args(["--network", "none", "--user", "65534:65534", "--cap-drop", "all"]);
        podman.args([
            "--security-opt",
            "no-new-privileges",
            "--read-only",
            "--read-only-tmpfs=false",
            "--tmpfs",
            "/tmp:size=16m",
        ]);
        // The defaults of podman may be above what this machine lets even root have.
        podman.args(["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=1000:1000"]);
        for (outside, inside) in mounts {
            podman.arg("--volume").arg(format!("{}:{inside}", outside.display()));
        }
        for (name, value) in variables {
            podman.arg("--env").arg(format!("{name}={value}"));
        }
        // Places to mount at are made in a layer above it, and not in it.
        podman.arg("--rootfs").arg(format!("{}:O", self.system.display()));
        podman
    }

    /// Runs a script as the Job's two containers do, one after the other; what it left, and how long the second took.
    async fn run(
        &self,
        interpreter: &str,
        script: &str,
        seconds: u32,
        variables: &[(&str, &str)],
    ) -> (Outcome, Duration) {
        let shared = self.place.path().join("shared");
        fs::create_dir_all(&shared).expect("the folder is ours");
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).expect("it is ours");
        for left in ["check-runner", "script"] {
            let _ = fs::remove_file(shared.join(left));
        }
        let runner = binary("check-runner");
        let mounts = [(runner.as_path(), "/usr/local/bin/check-runner:ro"), (shared.as_path(), "/porchlight")];
        let mut install = self.container(&mounts, &[("PORCHLIGHT_SCRIPT", script)]);
        install.args(["/usr/local/bin/check-runner", "install", "/porchlight"]);
        let installed = run(install, LIMIT).await;
        assert_eq!(installed.code, Some(0), "{installed:?}");
        let log = file(self.place.path(), "termination-log", "");
        fs::set_permissions(&log, fs::Permissions::from_mode(0o666)).expect("it is ours");
        let mounts = [(shared.as_path(), "/porchlight:ro"), (Path::new(&log), "/dev/termination-log")];
        let mut check = self.container(&mounts, variables);
        check.args(["/porchlight/check-runner", "run", &seconds.to_string(), interpreter, "/porchlight/script"]);
        let began = Instant::now();
        let ran = run(check, LIMIT).await;
        let took = began.elapsed();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let left = fs::read_to_string(&log).expect("a text");
        assert!(left.len() <= MAX_MESSAGE, "{} bytes", left.len());
        (message::read(&left).unwrap_or_else(|| panic!("no message of ours: {left}")), took)
    }
}

#[tokio::test]
async fn scripts_in_bash_and_python_say_how_it_is_through_the_termination_message() {
    let Some(pod) = Pod::ready("scripts_in_bash_and_python_say_how_it_is_through_the_termination_message") else {
        return;
    };
    let (fine, _) = pod.run("bash", "echo 'LOAD fine|load1=1.5;2;3'", 10, &[]).await;
    assert_eq!(
        (fine.state, fine.text.as_str(), fine.figures[0].to_string().as_str()),
        (State::Ok, "LOAD fine", "load1=1.5;2;3")
    );
    let (python, _) = pod.run("python3", "import sys\nprint('DISK low|free=12')\nsys.exit(1)\n", 10, &[]).await;
    assert_eq!((python.state, python.text.as_str()), (State::Warning, "DISK low"));
    let (wrong, _) = pod.run("python3", "import nothing_of_that_name\n", 10, &[]).await;
    assert!(wrong.text.contains("ModuleNotFoundError"), "{}", wrong.text);
    let (missing, _) = pod.run("ruby", "puts 1", 10, &[]).await;
    assert_eq!((missing.state, missing.cause), (State::Unknown, Some(Cause::NotStarted)), "{}", missing.text);
}

/// The script of the first check in the operator's README.
fn of_the_guide() -> String {
    let guide = fs::read_to_string(root().join("home-beacon/operator/README.md")).expect("it is there");
    let (_, rest) = guide.split_once("```yaml\n").expect("an example");
    let (yaml, _) = rest.split_once("```").expect("its end");
    let check: Value = serde_saphyr::from_str(yaml).expect("YAML");
    check["spec"]["script"]["content"].as_str().expect("a script").to_owned()
}

#[tokio::test]
async fn the_script_of_the_guide_says_what_it_is_there_to_say() {
    let Some(pod) = Pod::ready("the_script_of_the_guide_says_what_it_is_there_to_say") else { return };
    let script = of_the_guide();
    // Of busybox, which is what the default image has, df knows no words of GNU's.
    assert!(script.contains("df -Pk") && !script.contains("--"), "{script}");
    let (said, _) = pod.run("bash", &script, 10, &[]).await;
    assert!(matches!(said.state, State::Ok | State::Critical), "{said:?}");
    assert!(said.text.starts_with("DISK ") && said.text.ends_with(" KiB free"), "{}", said.text);
    assert!(said.figures.first().is_some_and(|free| free.value.is_some_and(|free| free > 0.0)), "{:?}", said.figures);
}

#[tokio::test]
async fn whatever_a_script_does_its_result_is_whole_in_time_and_without_its_secrets() {
    let Some(pod) = Pod::ready("whatever_a_script_does_its_result_is_whole_in_time_and_without_its_secrets") else {
        return;
    };
    let (much, _) = pod.run("bash", "echo OK; head -c 1000000 /dev/zero | tr '\\0' x", 10, &[]).await;
    assert_eq!((much.state, much.text.as_str()), (State::Ok, "OK"));
    let (forks, took) = pod.run("bash", "sleep 300 & echo 'OK started'", 10, &[]).await;
    assert_eq!((forks.state, forks.text.as_str()), (State::Ok, "OK started"));
    assert!(took < Duration::from_secs(20), "{took:?}");
    let (deaf, took) = pod.run("bash", "trap '' TERM; while true; do sleep 1; done", 2, &[]).await;
    assert_eq!((deaf.state, deaf.cause), (State::Critical, Some(Cause::TimedOut)), "{}", deaf.text);
    assert!(took < Duration::from_secs(20), "{took:?}");
    let secret = [("PASSWORD", "hunter2-hunter2"), ("PORCHLIGHT_SECRETS", "PASSWORD")];
    let (terminated, _) = pod.run("bash", "echo \"it is $PASSWORD, of ${#PASSWORD}\"", 10, &secret).await;
    assert!(terminated.text.contains("of 15") && !terminated.text.contains("hunter2"), "{}", terminated.text);
    let (full, _) = pod
        .run(
            "bash",
            "dd if=/dev/zero of=/tmp/full bs=1M count=100 2>/dev/null || { echo 'CRITICAL full'; exit 2; }",
            10,
            &[],
        )
        .await;
    assert_eq!((full.state, full.text.as_str()), (State::Critical, "CRITICAL full"));
    let reading = "for file in /etc/own /porchlight/script /usr/own; do (echo x > $file) 2>/dev/null && echo \"wrote $file\"; done; \
                   cat /proc/1/environ >/dev/null 2>&1 && echo 'read what the runner was started with'; echo nothing";
    let (confined, _) = pod.run("bash", reading, 10, &[]).await;
    assert_eq!(confined.text, "nothing");
}
