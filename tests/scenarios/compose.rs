//! The compose files, run by podman-compose with the image as `tests/image/build` left it, in a network of the test's own.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    time::Duration,
};

use shared::proof::Key;
use tempfile::TempDir;
use tests::{
    binaries::root,
    image::{Image, USER, podman_words},
    keeper::TOKEN,
    namespace::Namespace,
    process::{Ended, Process, command, file, run},
    skip::{program, skip},
};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

const LIMIT: Duration = Duration::from_secs(60);

/// What is the keeper's is never upstream's.
const KEEPERS: &str = "porchlight_keeper_0123456789abcdef";

/// Both together: the second alone is none.
const FILES: [&str; 2] = ["compose.yaml", "compose.relay.yaml"];

/// What podman would grant is more than this machine may let even root have.
const CONFIGURATION: &str = "[containers]\ndefault_ulimits = [\"nofile=4096:4096\", \"nproc=1000:1000\"]\n";

/// Holds a place for podman, with what it would share with all others of this machine: its name server, and its networks'
/// names.
const HOLD: &str = "mkdir -p /run/containers /run/netns && mount -t tmpfs tmpfs /run/containers && mount -t tmpfs tmpfs /run/netns \
                    && echo held && exec sleep infinity";

/// A checkout's `infra` with the files that its head says to make, and the containers of it; all gone when dropped.
struct Composed {
    namespace: Namespace,
    holder: Process,
    folder: TempDir,
    image: String,
}

impl Composed {
    async fn of(test: &str) -> Option<Self> {
        let image = Image::native(test)?;
        if program("podman-compose").is_none() || !Path::new("/usr/lib/podman/aardvark-dns").exists() {
            skip(test, "podman-compose, netavark or aardvark-dns is missing; tests/run installs them");
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
        let secrets = folder.path().join("secrets");
        for made in [&secrets, &folder.path().join("networks")] {
            fs::create_dir(made).expect("a folder");
        }
        file(&secrets, "beacon.key", &Key::new([1; 32]).expose());
        for name in ["duckdns.token", "upstream.token"] {
            file(&secrets, name, TOKEN);
        }
        file(&secrets, "keeper.token", KEEPERS);
        for secret in fs::read_dir(&secrets).expect("a folder") {
            chown(secret.expect("a file").path(), Some(USER), Some(USER)).expect("root may give it away");
        }
        for name in FILES {
            fs::copy(root().join("infra").join(name), folder.path().join(name)).expect("it is there");
        }
        file(folder.path(), "seed.toml", "[page]\nid = \"gytm4qzbx9t6\"\nname = \"Home\"\n");
        file(folder.path(), "containers.conf", CONFIGURATION);
        // All that compose asks of podman goes to the tests' own storage, and to networks of this test alone.
        let networks = format!("--network-config-dir '{}'", folder.path().join("networks").display());
        let script = format!("#!/bin/sh\nexec {} {networks} \"$@\"\n", podman_words().join(" "));
        let podman = file(folder.path(), "podman", &script);
        fs::set_permissions(&podman, fs::Permissions::from_mode(0o755)).expect("it may be run");
        Some(Self { namespace, holder, folder, image: image.id().to_owned() })
    }

    /// A program in the test's network, where podman is.
    fn beside(&self, program_name: &str) -> Command {
        let mut beside = command(program("nsenter").expect("every Linux has it"));
        beside.args(["--net", "--mount", "--target", &self.holder.pid().to_string()]);
        beside.arg(program(program_name).unwrap_or_else(|| program_name.into()));
        beside
    }

    fn compose(&self, words: &[&str]) -> Command {
        let mut compose = self.beside("podman-compose");
        compose.arg("--podman-path").arg(self.folder.path().join("podman"));
        for name in FILES {
            compose.arg("-f").arg(self.folder.path().join(name));
        }
        compose.args(["-p", self.project()]).args(words);
        compose.env("CONTAINERS_CONF", self.folder.path().join("containers.conf"));
        compose.env("DOMAIN", "myhome").env("PORCHLIGHT_IMAGE", &self.image);
        compose
    }

    /// Another than a user's on the same machine.
    fn project(&self) -> &str {
        self.namespace.name()
    }

    async fn podman(&self, words: &[&str]) -> Ended {
        let mut podman = self.beside(&self.folder.path().join("podman").display().to_string());
        podman.args(words).env("CONTAINERS_CONF", self.folder.path().join("containers.conf"));
        run(podman, LIMIT).await
    }

    /// What podman knows of a service's container.
    async fn of_container(&self, service: &str, format: &str) -> String {
        let name = format!("{}_{service}_1", self.project());
        let ended = self.podman(&["inspect", "--format", format, &name]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout.trim().to_owned()
    }

    /// curl beside a container's program, in its network.
    async fn curl_from(&self, service: &str, url: &str) -> Ended {
        let pid = self.of_container(service, "{{.State.Pid}}").await;
        let mut curl = command(program("nsenter").expect("every Linux has it"));
        curl.arg(format!("--net=/proc/{pid}/ns/net")).arg(program("curl").expect("curl is there"));
        curl.args(["-s", "-m", "2", url]);
        run(curl, LIMIT).await
    }

    /// Waits until curl in the test's network receives this.
    async fn receives(&self, url: &str, expected: &str) {
        // A job's first measurement may take its whole deadline where nothing can be reached, and then some to be seen here.
        let end = Instant::now() + 2 * LIMIT;
        loop {
            let mut curl = self.beside("curl");
            curl.args(["-s", "-m", "2", "-H", &format!("Authorization: OAuth {KEEPERS}"), url]);
            let said = run(curl, LIMIT).await.stdout;
            if said.contains(expected) {
                return;
            }
            assert!(Instant::now() < end, "{url}: {said}");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Composed {
    fn drop(&mut self) {
        let mut down = self.compose(&["down", "--volumes", "--timeout", "0"]);
        let _ = down.as_std_mut().output();
    }
}

/// The beacon reaches the world alone: an attacker who breaks into it finds no keeper, whichever way.
#[tokio::test]
async fn all_come_up_and_the_beacon_is_alone() {
    let Some(home) = Composed::of("compose").await else { return };
    let ended = run(home.compose(&["up", "-d"]), LIMIT).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    home.receives("http://127.0.0.1:30008/", "porchlight").await;
    home.receives("http://127.0.0.1:8030/healthz", "\"storage\":\"ok\"").await;
    // What the second file says: another page, which is relayed.
    home.receives("http://127.0.0.1:8030/v1/pages", "gytm4qzbx9t6").await;
    home.receives("http://127.0.0.1:8030/porchlight/v1/relay", "\"condition\"").await;
    // A job finds the keeper by its name. No host is to be pinged from here, which is a reading too.
    home.receives("http://127.0.0.1:8030/porchlight/v1/series?metric=ping&step=1h", "\"points\":[{").await;

    let addresses = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}}{{end}}";
    let keeper = home.of_container("keeper", addresses).await;
    let beacon = home.of_container("beacon", addresses).await;
    let its_own = keeper.split(' ').next().expect("an address");
    let beside = home.curl_from("ping", &format!("http://{its_own}:8030/healthz")).await;
    assert_eq!(beside.code, Some(0), "the jobs reach it: {beside:?}");
    for address in keeper.split(' ').chain(beacon.split(' ').skip(1)).chain(["keeper"]) {
        let reached = home.curl_from("beacon", &format!("http://{address}:8030/healthz")).await;
        assert_ne!(reached.code, Some(0), "the beacon reaches the keeper at {address}: {reached:?}");
    }
}
