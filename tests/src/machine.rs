//! A machine of the test's own that systemd has booted: a small Debian (made by `tests/tree`) in a container of
//! systemd-nspawn, with no network but loopback and nothing of this machine but the checkout, to read.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    process::Command,
    time::{Instant, sleep, timeout},
};

use crate::{
    binaries::{binary, root},
    process::{Ended, command, run},
    skip::{program, skip, skip_allowed},
};

/// How long booting, and any script, may take.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(60);

/// How often a state without a notification is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Where the checkout is in the machine. It is a copy as far as it is written to.
pub const CHECKOUT: &str = "/root/porchlight";

/// What is written to is in memory, and gone with the process: mounts are the container's own.
const START: &str = r#"
set -e
mount -t tmpfs -o mode=0755 tmpfs "$PLACE"
mkdir "$PLACE/upper" "$PLACE/work" "$PLACE/root"
mount -t overlay -o "lowerdir=$TREE,upperdir=$PLACE/upper,workdir=$PLACE/work" overlay "$PLACE/root"
mkdir -p "$PLACE/root$CHECKOUT/target"
exec systemd-nspawn --quiet --boot --register=no --keep-unit --private-network --console=pipe --directory="$PLACE/root" \
  --system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self" \
  --machine="$NAME" --bind-ro="$SOURCE/infra:$CHECKOUT/infra" --bind-ro="$BUILT:$CHECKOUT/target/release" $MORE
"#;

/// Ended, with all that runs in it, when dropped.
#[derive(Debug)]
pub struct Machine {
    container: std::process::Child,
    /// Its first process, as this machine counts them.
    init: u32,
    _place: tempfile::TempDir,
}

impl Machine {
    /// Boots one; `None`, and a skip, where that cannot be. With `installed`, program and units are where their guide puts
    /// them.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn boot(test: &str, installed: bool) -> Option<Self> {
        let program = binary("porchlight");
        let mounts: &[_] = if installed { &[(program.as_path(), "/usr/local/bin/porchlight")] } else { &[] };
        let machine = Self::boot_with(test, mounts).await?;
        if installed {
            machine
                .ok(&format!(
                    "cp -r {CHECKOUT}/infra/systemd/porchlight-* /etc/systemd/system/ && systemctl daemon-reload"
                ))
                .await;
            machine.ok("install -d -m 700 /etc/porchlight").await;
        }
        Some(machine)
    }

    /// Boots one that has files and folders of this machine in these places, to read; `None`, and a skip, where that cannot
    /// be.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn boot_with(test: &str, mounts: &[(&Path, &str)]) -> Option<Self> {
        let tree = root().join("tests/.tools/bookworm");
        let reason = if !rustix::process::geteuid().is_root() {
            Some("it takes root")
        } else if program("systemd-nspawn").is_none() {
            Some("systemd-nspawn is missing; tests/run installs it")
        } else if !tree.is_dir() {
            Some("there is no Debian to boot; tests/run makes it, with debootstrap and a Debian mirror")
        } else {
            None
        };
        if let Some(reason) = reason {
            skip(test, reason);
            return None;
        }
        let place = tempfile::tempdir().expect("a temporary folder");
        let built = binary("beacon").parent().expect("it lies in a folder").to_owned();
        let more: Vec<_> = mounts.iter().map(|(from, to)| format!("--bind-ro={}:{to}", from.display())).collect();
        // Ended with this process also where that has no time to do it.
        let mut start = command(program("setpriv").expect("every Linux has it"));
        start.args(["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "bash", "-c", START]);
        start.env("PLACE", place.path()).env("TREE", fs::canonicalize(tree).expect("it is there"));
        start.env("CHECKOUT", CHECKOUT).env("SOURCE", fs::canonicalize(root()).expect("it is there"));
        start.env("BUILT", built).env("MORE", more.join(" ")).env("NAME", format!("porchlight-{}", std::process::id()));
        let said = place.path().with_extension("said");
        let log = fs::File::create(&said).expect("a file");
        start.stdout(log.try_clone().expect("a file")).stderr(log);
        let mut container = start.into_std().spawn().expect("setpriv is there");
        let booted = timeout(SCRIPT_TIMEOUT, booted(container.id())).await.ok().flatten();
        let said = (fs::read_to_string(&said).unwrap_or_default(), fs::remove_file(&said)).0;
        let Some(init) = booted else {
            end(&mut container);
            // Not every machine lets one do that, not even its root.
            skip_allowed(test, &format!("systemd-nspawn does not boot here: {}", said.trim()));
            return None;
        };
        Some(Self { container, init, _place: place })
    }

    /// Runs a script in it, as root in the checkout.
    pub async fn run(&self, script: &str) -> Ended {
        let mut inside = self.inside();
        inside.args(["bash", "-c", script]);
        run(inside, SCRIPT_TIMEOUT).await
    }

    /// Sets its network up by this machine's `ip`, which it has not itself.
    ///
    /// # Panics
    /// When that fails.
    pub async fn ip(&self, words: &str) {
        let mut ip = command(program("nsenter").expect("every Linux has it"));
        ip.args(["--net", "--target", &self.init.to_string()]).arg(program("ip").expect("tests/run installs it"));
        ip.args(words.split(' '));
        let ended = run(ip, SCRIPT_TIMEOUT).await;
        assert_eq!(ended.code, Some(0), "ip {words}: {}", ended.stderr);
    }

    fn inside(&self) -> Command {
        let mut inside = command(program("nsenter").expect("every Linux has it"));
        inside.args(["--all", "--target", &self.init.to_string(), &format!("--wd=/proc/{}/root{CHECKOUT}", self.init)]);
        inside.env("HOME", "/root").env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        inside.env("LC_ALL", "C.UTF-8");
        inside
    }

    /// As [`Machine::run`], for what must succeed; what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub async fn ok(&self, script: &str) -> String {
        let ended = self.run(script).await;
        assert_eq!(ended.code, Some(0), "{script}\n{}{}", ended.stdout, ended.stderr);
        ended.stdout
    }

    /// Waits until a script prints something, for what happens by itself.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn until(&self, script: &str, expected: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + SCRIPT_TIMEOUT;
        loop {
            let Ended { stdout, stderr, .. } = self.run(script).await;
            if expected(&stdout) {
                return stdout;
            }
            assert!(Instant::now() < end, "{script}\n{stdout}{stderr}");
            sleep(POLL_INTERVAL).await;
        }
    }

    /// A property of a unit, as systemd has it.
    pub async fn property(&self, unit: &str, name: &str) -> String {
        self.ok(&format!("systemctl show -P {name} {unit}")).await.trim().to_owned()
    }
}

/// The first process of the container that `nspawn` has begun, once systemd has come up in it; `None` if it has ended.
async fn booted(nspawn: u32) -> Option<u32> {
    loop {
        if !Path::new("/proc").join(nspawn.to_string()).join("exe").exists() {
            return None;
        }
        if let Some(init) = init_below(nspawn) {
            let mut state = command(program("nsenter")?);
            state.args(["--all", "--target", &init.to_string(), "systemctl", "is-system-running", "--wait"]);
            let ended = run(state, SCRIPT_TIMEOUT).await;
            if ["running", "degraded"].contains(&ended.stdout.trim()) {
                return Some(init);
            }
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// The descendant that is the first of its own process namespace.
fn init_below(parent: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    children.into_iter().find_map(|pid: u32| {
        let status = fs::read_to_string(PathBuf::from(format!("/proc/{pid}/status"))).ok()?;
        let own = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
        if own.split_whitespace().next_back() == Some("1") { Some(pid) } else { init_below(pid) }
    })
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its first process is the kernel's word that all others of it end too.
        let init = i32::try_from(self.init).ok().and_then(rustix::process::Pid::from_raw);
        let _ = init.map(|init| rustix::process::kill_process(init, rustix::process::Signal::KILL));
        end(&mut self.container);
    }
}

fn end(container: &mut std::process::Child) {
    let _ = container.kill();
    let _ = container.wait();
}
