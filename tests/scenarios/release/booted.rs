//! The Debian package on a machine that has booted: what it says after it was installed is done, and then it is
//! upgraded, removed and purged with readings there.

use std::fs;

use tests::{
    binaries::root,
    guide::blocks,
    machine::Machine,
    release::{Release, contents},
};

use crate::one_service;

/// The servers that the package's words start.
const SERVERS: [&str; 2] = ["porchlight-keeper", "porchlight-beacon"];

/// All that run, with the one that is started by itself.
const RUNNING: [&str; 3] = [SERVERS[0], SERVERS[1], "porchlight-node-metrics"];

#[tokio::test]
async fn a_package_is_installed_used_upgraded_removed_and_purged() {
    let test = "a_package_is_installed_used_upgraded_removed_and_purged";
    let Some(release) = Release::made(test).await else { return };
    let packages = tempfile::tempdir().expect("a temporary folder");
    release.package_before(packages.path()).await;
    fs::copy(release.package("amd64"), packages.path().join("now.deb")).expect("it was made");
    assert_eq!(contents(packages.path()).len(), 2);
    let Some(machine) = Machine::boot_with(test, &[(packages.path(), "/packages")]).await else { return };
    let before = files(&machine).await;

    moved(&machine).await;
    purged(&machine, &before).await;
    installed(&machine).await;
    let (readings, secrets) = (used(&machine).await, secrets(&machine).await);
    upgraded(&machine, &readings, &secrets).await;
    removed(&machine, &readings, &secrets).await;

    purged(&machine, &before).await;
    one_service::runs(&machine).await;
    purged(&machine, &before).await;
}

/// Nothing is left.
async fn purged(machine: &Machine, before: &str) {
    machine.ok("dpkg -P porchlight").await;
    assert_eq!(files(machine).await, before, "nothing is left");
    // systemd forgets what is gone when it has time for that.
    let listed =
        "systemctl list-units --all --no-legend 'porchlight*'; systemctl list-unit-files --no-legend 'porchlight*'";
    machine.until(listed, str::is_empty).await;
}

/// What is there of ours.
async fn files(machine: &Machine) -> String {
    let find = "find / -xdev -not -path '/root/*' -not -path '/packages*' -not -path '/proc/*' -not -path '/sys/*' \
                -iname '*porchlight*' | sort";
    machine.ok(find).await
}

/// What was installed by hand goes on as the package, by what the guide says.
async fn moved(machine: &Machine) {
    let guide = blocks(&fs::read_to_string(root().join("infra/systemd/README.md")).expect("a guide"));
    let of = |mark: &str, headings: &[&str]| -> String {
        let wanted = |heading: &str| headings.contains(&heading);
        let blocks = guide.iter().filter(|block| block.mark == mark && wanted(&block.heading));
        blocks.map(|block| block.script.as_str()).collect()
    };
    machine.ok(&of("", &["Install", "The beacon", "The keeper"])).await;
    let secrets_before = secrets(machine).await;
    let script = of("move", &["Uninstall"]).replace("apt install ./porchlight_*.deb", "dpkg -i /packages/now.deb");
    machine.ok(&script).await;
    for unit in SERVERS {
        let pid = machine.property(unit, "MainPID").await;
        assert_eq!(machine.ok(&format!("readlink /proc/{pid}/exe")).await, "/usr/bin/porchlight\n", "{unit}");
    }
    assert_eq!(secrets(machine).await, secrets_before);
}

/// Nothing runs by itself; the line that the package says starts both servers and the timers.
async fn installed(machine: &Machine) {
    let said = machine.ok("dpkg -i /packages/before.deb").await;
    assert_eq!(machine.ok("systemctl list-units --no-legend 'porchlight-*'").await, "", "it starts nothing by itself");
    let verified = machine
        .ok("systemd-analyze verify --man=no /usr/lib/systemd/system/porchlight-*.service \
             /usr/lib/systemd/system/porchlight-*.timer porchlight-secret@beacon.key.service 2>&1")
        .await;
    assert_eq!(verified, "");
    // The line is not out there to be measured.
    machine.ok("echo TARGET_HOST=127.0.0.1 >> /etc/porchlight/ping.env").await;
    let line = said.lines().find(|line| line.starts_with("  systemctl ")).expect("it says what comes next");
    let started = machine.run(line).await;
    let journal = machine.ok("journalctl --sync; journalctl --no-pager -n 30 -o cat").await;
    assert_eq!(started.code, Some(0), "{started:?}\n{journal}");
    for unit in SERVERS {
        assert_eq!(machine.property(unit, "ActiveState").await, "active", "{unit}");
        assert_eq!(machine.ok(&format!("systemctl is-enabled {unit}")).await, "enabled\n");
    }
    assert_eq!(machine.ok("curl -s http://127.0.0.1:8080/").await, "porchlight\n");
    assert!(machine.ok("curl -s http://127.0.0.1:8030/healthz").await.contains("\"storage\":\"ok\""));
    assert_eq!(
        machine.ok("stat -c '%a %U' /etc/porchlight/beacon.key /etc/porchlight/keeper.token").await,
        "600 root\n600 root\n"
    );
    // The home's key proves itself: the beacon signs with what the file holds.
    let probe = "BEACON_KEY_FILE=/etc/porchlight/beacon.key porchlight probe --attempts 2 --witnesses \
                 127.0.0.1:8030,localhost:8030 http://127.0.0.1:8080/";
    assert!(machine.ok(probe).await.contains("up"), "{}", machine.ok(probe).await);
}

/// A reading that was taken, as the keeper has it.
async fn used(machine: &Machine) -> String {
    machine.ok("systemctl start porchlight-ping && echo KEEPER_RATE_LIMIT=120 >> /etc/porchlight/keeper.env").await;
    machine.ok("systemctl enable --now porchlight-node-metrics && curl -sf http://127.0.0.1:9111/healthz").await;
    let readings = readings(machine).await;
    assert_eq!(
        readings.lines().filter(|line| line.starts_with("20")).count(),
        1,
        "a time and milliseconds: {readings}"
    );
    machine.ok("systemctl stop porchlight-ping.timer").await;
    readings
}

async fn readings(machine: &Machine) -> String {
    machine.ok("KEEPER_TOKEN_FILE=/etc/porchlight/keeper.token porchlight readings ping").await
}

async fn secrets(machine: &Machine) -> String {
    machine.ok("cat /etc/porchlight/beacon.key /etc/porchlight/keeper.token").await
}

/// Servers that ran run the new program; what did not run does not; what a user has stays.
async fn upgraded(machine: &Machine, readings_before: &str, secrets_before: &str) {
    let mut pids = Vec::new();
    for unit in RUNNING {
        pids.push(machine.property(unit, "MainPID").await);
    }
    let said = machine.ok("dpkg --force-confold -i /packages/now.deb").await;
    assert!(!said.contains("systemctl"), "it is known what to do: {said}");
    for (unit, pid) in RUNNING.iter().zip(pids) {
        machine.until(&format!("systemctl show -P ActiveState {unit}"), |state| state == "active\n").await;
        let now = machine.property(unit, "MainPID").await;
        assert_ne!(now, pid, "{unit} is another process");
        assert_eq!(machine.ok(&format!("readlink /proc/{now}/exe")).await, "/usr/bin/porchlight\n", "{unit}");
    }
    assert_eq!(machine.property("porchlight-ping.timer", "ActiveState").await, "inactive");
    assert_eq!(machine.property("porchlight-prober.timer", "ActiveState").await, "inactive");
    assert_eq!(secrets(machine).await, secrets_before);
    machine.ok("grep -x KEEPER_RATE_LIMIT=120 /etc/porchlight/keeper.env").await;
    assert_eq!(readings(machine).await, readings_before, "readings are kept");
}

/// All stops, and what a user has stays: installed again, it goes on.
async fn removed(machine: &Machine, readings_before: &str, secrets_before: &str) {
    machine.ok("dpkg -r porchlight").await;
    assert_eq!(machine.ok("systemctl list-units --no-legend 'porchlight-*'").await, "");
    assert_eq!(machine.run("curl -s http://127.0.0.1:8080/").await.code, Some(7), "nothing listens any more");
    assert_eq!(secrets(machine).await, secrets_before);
    machine.ok("test -s /var/lib/porchlight/porchlight.db && dpkg -i /packages/now.deb").await;
    assert_eq!(machine.ok("systemctl is-enabled porchlight-keeper").await, "enabled\n", "as it was before");
    machine.ok("systemctl start porchlight-keeper").await;
    assert_eq!(readings(machine).await, readings_before);
}
