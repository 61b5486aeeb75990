//! A checkout's `infra`, with what it takes of the chart, in a network of the test's own, and a reader who runs the commands of a
//! README there. Podman is the engine, with the image as `tests/image/build` left it; what the reader calls `docker compose` is
//! podman-compose, or Docker's Compose over podman's socket.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tempfile::TempDir;
use tests::{
    binaries::root,
    guide::{Block, blocks},
    image::{Image, podman_words},
    namespace::Namespace,
    process::{Ended, Process, command, file},
    skip::{program, skip},
};
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

/// Of one command.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What podman would grant is more than this machine may let even root have. And it keeps to CNI, whose containers find one another
/// by no name, where its storage was made before netavark was installed, or by buildah.
const CONFIGURATION: &str = "[containers]\ndefault_ulimits = [\"nofile=4096:4096\", \"nproc=1000:1000\"]\n\
                             [network]\nnetwork_backend = \"netavark\"\n";

/// Holds a place for podman, with what it would share with all others of this machine: its name server, and its networks'
/// names.
const HOLD: &str = "mkdir -p /run/containers /run/netns && mount -t tmpfs tmpfs /run/containers && mount -t tmpfs tmpfs /run/netns \
                    && echo held && exec sleep infinity";

/// What stands for `docker compose`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    PodmanCompose,
    /// Docker's own.
    DockerCompose,
}

/// The containers of one folder; all gone when dropped.
#[derive(Debug)]
pub(crate) struct Composed {
    namespace: Namespace,
    holder: Process,
    folder: TempDir,
    place: PathBuf,
    pub(super) tool: Tool,
    /// The engine's socket, for Docker's Compose.
    engine: Option<Process>,
    variables: Vec<(&'static str, String)>,
}

impl Composed {
    /// With the compose file in that folder below `infra`; `None`, and a skip, where it cannot be run.
    pub(crate) async fn of(test: &str, place: &str, tool: Tool) -> Option<Self> {
        let image = Image::native(test)?;
        if program("podman-compose").is_none() || !Path::new("/usr/lib/podman/aardvark-dns").exists() {
            skip(test, "podman-compose, netavark or aardvark-dns is missing; tests/run installs them");
            return None;
        }
        if tool == Tool::DockerCompose && program("docker-compose").is_none() {
            skip(test, "docker-compose is missing; tests/run installs it");
            return None;
        }
        let Some(namespace) = Namespace::new(test).await else {
            skip(test, "a network namespace takes root, ip and nft");
            return None;
        };
        let mut hold = command(program("setpriv").expect("every Linux has it"));
        hold.args(["--pdeathsig", "KILL", "nsenter"]).arg(format!("--net=/run/netns/{}", namespace.name()));
        hold.args(["unshare", "--mount", "--propagation", "private", "sh", "-c", HOLD]);
        let mut holder = Process::start(hold);
        holder.wait_for("held", |lines| lines.iter().any(|line| line == "held").then_some(())).await;
        let folder = tempfile::tempdir().expect("a folder");
        for part in
            ["infra/compose.yaml", "infra/examples", "charts/home-beacon/dashboards", "charts/home-beacon/rules"]
        {
            copied(&root().join(part), &folder.path().join(part));
        }
        let place = folder.path().join("infra").join(place);
        let variables = vec![("PORCHLIGHT_IMAGE", image.id().to_owned())];
        let mut home = Self { namespace, holder, folder, place, tool, engine: None, variables };
        home.commands();
        if tool == Tool::DockerCompose {
            let mut serve = home.beside("podman");
            serve.args(["system", "service", "--time", "0"]).arg(format!("unix://{}", home.socket().display()));
            home.engine = Some(Process::start(serve));
            home.until(&"the engine listens", async || home.socket().exists()).await;
        }
        Some(home)
    }

    /// `docker` and `podman` as the reader has them. All goes to the tests' own storage, and to networks of this test alone.
    fn commands(&self) {
        let (bin, networks) = (self.folder.path().join("bin"), self.folder.path().join("networks"));
        for made in [&bin, &networks] {
            fs::create_dir(made).expect("a folder");
        }
        let configuration = file(self.folder.path(), "containers.conf", CONFIGURATION);
        // No systemd is here whose timers would run the health checks: the tests do.
        let podman = format!(
            "#!/bin/sh\nexport CONTAINERS_CONF={configuration} DISABLE_HC_SYSTEMD=true\nexec {} --network-config-dir {} \"$@\"\n",
            podman_words().join(" "),
            networks.display()
        );
        let compose = match self.tool {
            Tool::PodmanCompose => format!("podman-compose --podman-path {}", bin.join("podman").display()),
            Tool::DockerCompose => format!("env DOCKER_HOST=unix://{} docker-compose", self.socket().display()),
        };
        let docker = format!(
            "#!/bin/sh\nif [ \"$1\" = compose ]; then\n  shift\n  exec {compose} -p {}\"$PROJECT_PART\" \"$@\"\nfi\nexec {} \"$@\"\n",
            self.namespace.name(),
            bin.join("podman").display()
        );
        for (name, script) in [("podman", podman), ("docker", docker)] {
            let path = file(&bin, name, &script);
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it may be run");
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    /// Where the compose file is.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// The network that the containers' ports are in.
    pub(crate) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Sets a variable of the reader's shell.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.retain(|(other, _)| *other != name);
        self.variables.push((name, value.into()));
    }

    /// The keeper's token: the reader has made it, or `up` has, in the volume.
    pub(crate) async fn keeper_token(&self) -> String {
        let made = self.place.join("secrets/keeper.token");
        let path = if made.exists() {
            made
        } else {
            let volume = format!("{}_porchlight", self.project());
            let place = self.podman(&["volume", "inspect", "--format", "{{.Mountpoint}}", &volume]).await;
            Path::new(&place).join("up/keeper.token")
        };
        fs::read_to_string(path).expect("it was made").trim().to_owned()
    }

    /// Another than a user's on the same machine. An example with two machines has a project for each, by `PROJECT_PART`.
    pub(crate) fn project(&self) -> String {
        let part = self.variables.iter().find(|(name, _)| *name == "PROJECT_PART").map_or("", |(_, part)| part);
        format!("{}{part}", self.namespace.name())
    }

    /// A program where the reader is.
    pub(crate) fn beside(&self, name: &str) -> Command {
        let own = self.folder.path().join("bin").join(name);
        let mut beside = command(program("nsenter").expect("every Linux has it"));
        beside.args(["--net", "--mount", "--target", &self.holder.pid().to_string()]);
        // Who enters a place of mounts is at its root.
        beside.args(["sh", "-c", "cd \"$0\" && exec \"$@\""]).arg(&self.place);
        beside.arg(if own.exists() { own } else { program(name).unwrap_or_else(|| name.into()) });
        let path = std::env::var("PATH").unwrap_or_default();
        beside.env("PATH", format!("{}:{path}", self.folder.path().join("bin").display()));
        beside.envs(self.variables.iter().map(|(name, value)| (name, value)));
        beside
    }

    /// What the reader's shell says to a script.
    pub(crate) async fn shell(&self, script: &str, typed: &str) -> Ended {
        let mut shell = self.beside("bash");
        shell.args(["-eo", "pipefail", "-c", script]).stdin(Stdio::piped());
        let mut shell = shell.spawn().expect("bash is there");
        let mut input = shell.stdin.take().expect("it is piped");
        // A block that asks for nothing may have ended already.
        let _ = input.write_all(typed.as_bytes()).await;
        drop(input);
        let ended = timeout(LIMIT, shell.wait_with_output()).await.expect("it ends").expect("it ran");
        Ended {
            code: ended.status.code(),
            stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&ended.stderr).into_owned(),
        }
    }

    /// The commands of the README under a heading.
    fn under(&self, heading: &str, mark: &str) -> Vec<Block> {
        let readme = fs::read_to_string(self.place.join("README.md")).expect("a README");
        let blocks: Vec<_> =
            blocks(&readme).into_iter().filter(|block| block.heading == heading && block.mark == mark).collect();
        assert!(!blocks.is_empty(), "{heading} has commands");
        blocks
    }

    /// Runs the README's commands under a heading, with `typed` where one asks for something.
    pub(crate) async fn follow(&self, heading: &str, mark: &str, typed: &str) {
        for block in self.under(heading, mark) {
            let ended = self.shell(&block.script, typed).await;
            assert_eq!(ended.code, Some(0), "{}{}{}", block.script, ended.stdout, ended.stderr);
        }
    }

    /// Runs what the README says to look at, until it is there; what it printed.
    pub(crate) async fn sees(&self) -> Vec<String> {
        let mut seen = Vec::new();
        for block in self.under("See", "") {
            for line in block.script.lines() {
                let what = format!("`{line}` succeeds");
                self.until(&what.as_str(), async || self.shell(line, "").await.code == Some(0)).await;
                seen.push(self.shell(line, "").await.stdout);
            }
        }
        seen
    }
}

/// All that is below, with what may be run of it.
fn copied(from: &Path, to: &Path) {
    if from.is_file() {
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        fs::copy(from, to).expect("it is there");
        return;
    }
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        // What a person made there is not the test's.
        if entry.file_name() != "secrets" {
            copied(&entry.path(), &to.join(entry.file_name()));
        }
    }
}

impl Drop for Composed {
    fn drop(&mut self) {
        for part in ["", "-home", "-vps"] {
            self.set("PROJECT_PART", part);
            self.remove();
        }
    }
}
