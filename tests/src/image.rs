//! The image as `tests/image/build` left it, and its programs in containers that are as confined as the chart's pods.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::process::Command;

use crate::{
    binaries::root,
    namespace::Namespace,
    process::{command, run},
    skip::{long, program, skip, skip_allowed},
};

/// Who the programs are in the image.
pub const USER: u32 = 65532;

/// Where an emulator of arm64 is in a container that needs one.
const QEMU: &str = "/qemu";

/// The platform of this machine.
const NATIVE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };

/// The image of one platform.
#[derive(Debug)]
pub struct Image {
    id: String,
    qemu: Option<PathBuf>,
}

/// What a container gets beside its program and the settings.
#[must_use]
#[derive(Debug, Default)]
pub struct Place {
    mounts: Vec<String>,
    may_not_ping: bool,
}

/// A container that was started; removed when dropped, because it would outlive the program that started it.
#[derive(Debug)]
pub struct Container {
    name: String,
}

/// Podman, with the tests' own storage. The runtime sets no sysctl of a network that it is in itself, so it is started
/// where this process was begun: only the test's thread has entered another network.
fn podman() -> Command {
    let mut podman = command(program("nsenter").expect("every Linux has it"));
    podman.arg(format!("--net=/proc/{}/ns/net", std::process::id())).args(podman_words());
    // No systemd is here whose timers would run the image's health check.
    podman.env("DISABLE_HC_SYSTEMD", "true");
    podman
}

/// Podman, with the tests' own storage, for who says itself where it is started.
///
/// # Panics
/// When it is not there.
pub fn podman_words() -> Vec<String> {
    let work = fs::canonicalize(root()).expect("the checkout").join("target/image");
    let text = |path: PathBuf| path.to_str().expect("a path is text").to_owned();
    let [podman, storage, run] =
        [program("podman").expect("it was there"), work.join("storage"), work.join("run")].map(text);
    let own = ["--root".to_owned(), storage, "--runroot".to_owned(), run];
    let manner = ["--storage-driver", "overlay", "--runtime", "runc", "--cgroup-manager", "cgroupfs"];
    [podman].into_iter().chain(own).chain(manner.map(str::to_owned)).collect()
}

impl Image {
    /// A copy of the one executable that is in it under each program's name.
    ///
    /// # Panics
    /// When it cannot be had.
    pub async fn executable(&self, folder: &Path) -> PathBuf {
        let mut mount = podman();
        mount.args(["image", "mount", &self.id]);
        let mounted = run(mount, Duration::from_secs(30)).await;
        let inside = Path::new(mounted.stdout.trim()).join("usr/local/bin/porchlight");
        let copy = folder.join("porchlight");
        let copied = fs::copy(&inside, &copy);
        let mut unmount = podman();
        unmount.args(["image", "unmount", &self.id]);
        run(unmount, Duration::from_secs(30)).await;
        copied.unwrap_or_else(|error| panic!("{}: {error}: {}", inside.display(), mounted.stderr));
        copy
    }

    /// As podman knows it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The one for this machine; `None`, and a skip, where it was not built.
    pub fn native(test: &str) -> Option<Self> {
        Some(Self { id: built(test, NATIVE)?, qemu: None })
    }

    /// The operator's for this machine; `None`, and a skip, where it was not built.
    pub fn operator(test: &str) -> Option<Self> {
        Some(Self { id: built(test, &format!("operator-{NATIVE}"))?, qemu: None })
    }

    /// The one for a Pi, which runs under qemu.
    pub fn arm64(test: &str) -> Option<Self> {
        Self::emulated(test, "arm64")
    }

    /// The operator's for a Pi, which runs under qemu. On a machine of another kind it is built with `LONG=1` alone.
    pub fn operator_for_arm64(test: &str) -> Option<Self> {
        if NATIVE != "arm64" && !long() {
            skip_allowed(test, "six minutes of a processor to build it: LONG=1 does");
            return None;
        }
        Self::emulated(test, "operator-arm64")
    }

    fn emulated(test: &str, noted: &str) -> Option<Self> {
        let Some(qemu) = program("qemu-aarch64-static") else {
            skip(test, "qemu-user-static is missing; tests/run installs it");
            return None;
        };
        Some(Self { id: built(test, noted)?, qemu: Some(qemu) })
    }

    /// The same command, in a container with the settings that Pod Security's `restricted` asks for. Its network is the
    /// namespace, as the containers of a pod share one.
    ///
    /// # Panics
    /// When the command holds something that is not text.
    pub fn inside(&self, namespace: &Namespace, outside: &Command, place: &Place) -> (Command, Container) {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let container = Container { name: format!("porchlight-{}-{number}", std::process::id()) };
        let text = |text: &std::ffi::OsStr| text.to_str().expect("settings are text").to_owned();
        let mut inside = podman();
        inside.args(["run", "--rm", "--pull", "never", "--name", &container.name]);
        inside.args(["--network", &format!("ns:/run/netns/{}", namespace.name())]);
        inside.args([
            "--cap-drop",
            "all",
            "--security-opt",
            "no-new-privileges",
            "--read-only",
            "--read-only-tmpfs=false",
        ]);
        // The defaults of podman may be above what this machine lets even root have.
        inside.args(["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=1000:1000"]);
        let groups = if place.may_not_ping { "1 0" } else { "65532 65532" };
        inside.args(["--sysctl", &format!("net.ipv4.ping_group_range={groups}")]);
        for mount in
            place.mounts.iter().cloned().chain(self.qemu.iter().map(|qemu| format!("{}:{QEMU}:ro", qemu.display())))
        {
            inside.args(["--volume", &mount]);
        }
        let outside = outside.as_std();
        // What a test's command has of this machine is not for a container.
        let ours = |name: &str| !["PATH", "HOME", "SSL_CERT_FILE"].contains(&name);
        for (name, value) in outside.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))) {
            if ours(&name) {
                inside.args(["--env", &format!("{name}={value}")]);
            }
        }
        inside.arg(&self.id);
        if self.qemu.is_some() {
            inside.arg(QEMU);
        }
        let name = Path::new(outside.get_program()).file_name().expect("a program has a name");
        inside.arg(Path::new("/usr/local/bin").join(name)).args(outside.get_args());
        (inside, container)
    }
}

/// The id of a platform's image, as the build noted it when it was done.
fn built(test: &str, platform: &str) -> Option<String> {
    let noted = fs::read_to_string(root().join("target/image").join(platform));
    if noted.is_err() || program("podman").is_none() {
        skip(test, "the image has not been built, or podman is missing; tests/run sees to both");
        return None;
    }
    noted.ok().map(|id| id.trim().to_owned())
}

/// The id of an image of what examples run beside ours, as `tests/image/others` has made it.
pub fn other(test: &str, name: &str) -> Option<String> {
    built(test, name)
}

impl Place {
    /// With a folder of this machine, for the image's user to read.
    pub fn reads(mut self, outside: impl AsRef<Path>, inside: &str) -> Self {
        self.mounts.push(format!("{}:{inside}:ro", outside.as_ref().display()));
        self
    }

    /// With a folder of this machine that the image's user owns from now on.
    ///
    /// # Panics
    /// When it cannot be given away.
    pub fn owns(mut self, outside: &Path, inside: &str) -> Self {
        std::os::unix::fs::chown(outside, Some(USER), Some(USER)).expect("root may give it away");
        self.mounts.push(format!("{}:{inside}", outside.display()));
        self
    }

    /// Without the sysctl that lets it ping.
    pub fn that_may_not_ping(mut self) -> Self {
        self.may_not_ping = true;
        self
    }
}

impl Container {
    /// What the kernel says of its first process.
    ///
    /// # Panics
    /// When it does not run.
    pub async fn kernels_word(&self) -> String {
        let mut inspect = podman();
        inspect.args(["inspect", "--format", "{{.State.Pid}}", &self.name]);
        let output = inspect.output().await.expect("podman runs");
        let pid = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        fs::read_to_string(Path::new("/proc").join(pid).join("status")).expect("it runs")
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let mut remove = podman();
        remove.args(["rm", "--force", "--ignore", "--time", "0", &self.name]);
        let _ = remove.as_std_mut().output();
    }
}
