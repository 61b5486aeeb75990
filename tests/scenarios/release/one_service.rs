//! `porchlight up --install` on a machine that has booted: a user that comes and goes runs it, and root changes it beside.

use tests::machine::Machine;

/// The other line that the package says: one service, which an upgrade restarts and a removal removes.
pub(crate) async fn runs(machine: &Machine) {
    let said = machine.ok("dpkg -i /packages/before.deb").await;
    let line = said.lines().find(|line| line.starts_with("  porchlight up ")).expect("it says what comes next");
    let started = machine.run(line).await;
    let journal = machine.ok("journalctl --sync; journalctl --no-pager -n 30 -o cat").await;
    assert_eq!(started.code, Some(0), "{started:?}\n{journal}");
    beacon_answers(machine).await;
    let pid = machine.property("porchlight", "MainPID").await;
    machine.ok("dpkg -i /packages/now.deb").await;
    machine.until("systemctl show -P ActiveState porchlight", |state| state == "active\n").await;
    assert_ne!(machine.property("porchlight", "MainPID").await, pid);
    machine.ok("curl -sf http://127.0.0.1:8030/ -o /dev/null").await;

    joined(machine).await;
    changed(machine).await;
    refused(machine).await;
    purged(machine).await;

    machine.ok("porchlight up --install --no-bandwidth").await;
    let key = machine.ok("cat /var/lib/porchlight/beacon.key").await;
    machine.ok("dpkg -r porchlight").await;
    assert_eq!(machine.run("curl -s http://127.0.0.1:8080/").await.code, Some(7), "nothing listens any more");
    assert_eq!(machine.ok("cat /var/lib/porchlight/beacon.key").await, key, "what it kept stays");
    assert_eq!(machine.run("test -e /etc/systemd/system/porchlight.service").await.code, Some(1));
}

async fn beacon_answers(machine: &Machine) {
    machine.until("curl -s http://127.0.0.1:8080/", |said| said == "porchlight\n").await;
    // What root has written, the unit can read.
    let owner = "find /var/lib/porchlight/ ! -user \"$(stat -Lc %u /var/lib/porchlight)\"";
    assert_eq!(machine.ok(owner).await, "");
}

/// Joins beside the unit, and joins again.
async fn joined(machine: &Machine) {
    let elsewhere = "systemd-run --unit=elsewhere --setenv=WITNESSES=127.0.0.1:8030,localhost:8030 /usr/bin/porchlight up \
                     --outside --data /root/outside --address 127.0.0.1 --page-addr 127.0.0.1:9031";
    machine.ok(elsewhere).await;
    machine.until("journalctl -u elsewhere -o cat", |said| said.contains("porchlight-join-")).await;
    let join = "porchlight code --data /root/outside > /run/code && JOIN_CODE_FILE=/run/code porchlight up --join";
    let said = machine.ok(&format!("{join} --home-url http://127.0.0.1:8080/")).await;
    assert!(said.contains("Joined the machine at 127.0.0.1:8443"), "{said}");
    assert!(said.contains("Porchlight runs as porchlight.service"), "{said}");
    beacon_answers(machine).await;
    let status = machine.ok("until porchlight status; do sleep 1; done").await;
    assert!(status.contains("by 127.0.0.1"), "{status}");

    let pid = machine.property("porchlight", "MainPID").await;
    let key = machine.ok("cat /var/lib/porchlight/beacon.key").await;
    let said = machine.ok(join).await;
    assert!(said.contains("looked at  http://127.0.0.1:8080/\n"), "where it is stays known: {said}");
    assert_eq!(machine.property("porchlight", "MainPID").await, pid, "nothing else has changed");
    assert_ne!(machine.ok("cat /var/lib/porchlight/beacon.key").await, key);
    let probe = "BEACON_KEY_FILE=/var/lib/porchlight/beacon.key porchlight probe --attempts 2 --witnesses \
                 127.0.0.1:8030,localhost:8030 http://127.0.0.1:8080/";
    machine.until(probe, |said| said.contains(" up")).await;
    beacon_answers(machine).await;
    machine.ok("systemctl stop elsewhere && rm -r /root/outside /run/code").await;
}

/// It is ended, and installed again with something else chosen.
async fn changed(machine: &Machine) {
    machine.ok("porchlight down").await;
    assert_eq!(machine.run("curl -s http://127.0.0.1:8080/").await.code, Some(7));
    let copied = "cp /usr/bin/porchlight /root/copy && /root/copy up --install; echo $?; rm /root/copy";
    let copied = machine.run(copied).await;
    assert!(copied.stdout.ends_with("2\n") && copied.stderr.contains("install the program first"), "{copied:?}");
    machine.ok("porchlight up --install --no-bandwidth").await;
    beacon_answers(machine).await;
}

/// An installation that fails takes nothing away.
async fn refused(machine: &Machine) {
    let spoil = "systemctl stop porchlight && cd /var/lib/porchlight && cp -p seed.toml /root/seed.toml && \
                 echo '[page' >> seed.toml";
    machine.ok(spoil).await;
    let failed = machine.run("porchlight up --install").await;
    assert!(failed.code == Some(1) && failed.stderr.contains("porchlight.service does not start"), "{failed:?}");
    machine.ok("cp /root/seed.toml /var/lib/porchlight/seed.toml && rm /root/seed.toml").await;
    // It is tried again by itself, by the unit that was there before.
    beacon_answers(machine).await;
    assert_eq!(machine.ok("systemctl is-enabled porchlight").await, "enabled\n");
}

/// All of it goes, the link that systemd made included.
async fn purged(machine: &Machine) {
    let said = machine.ok("porchlight down --purge").await;
    assert!(said.contains("was deleted"), "{said}");
    machine.ok("test ! -L /var/lib/porchlight -a ! -e /var/lib/porchlight -a ! -e /var/lib/private/porchlight").await;
}
