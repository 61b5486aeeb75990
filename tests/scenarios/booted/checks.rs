//! The example of a file of checks (`infra/examples/checks`) with the units: its own commands, from its secret to the backup's call.

use std::fs;

use serde_json::Value;
use tests::{
    binaries::root,
    guide::blocks,
    machine::{CHECKOUT, Machine},
};

/// Where the reader is: a checkout that can be written to.
const HERE: &str = "/root/reader";

/// The README's commands with that mark, as they are pasted, and as they are here.
async fn does(machine: &Machine, mark: &str, folder: &str) -> String {
    let readme = fs::read_to_string(root().join("infra/examples/checks/README.md")).expect("a README");
    let blocks: Vec<_> = blocks(&readme).into_iter().filter(|block| block.mark == mark).collect();
    assert_eq!(blocks.len(), 1, "{mark}");
    let script = blocks[0].script.replace("keeper.lan", "127.0.0.1");
    machine.ok(&format!("cd {HERE}/{folder}\n{script}")).await
}

#[tokio::test]
async fn the_example_of_checks_runs_as_a_unit_and_its_backup_calls() {
    let Some(machine) = Machine::boot("booted-checks", true).await else { return };
    machine.ok(&format!("mkdir -p {HERE}/infra/secrets; cp -r {CHECKOUT}/infra/examples {HERE}/infra")).await;
    let token = "porchlight keygen --token > /etc/porchlight/keeper.token; systemctl start porchlight-keeper";
    machine.ok(&format!("umask 077; {token}; porchlight keygen > {HERE}/infra/secrets/backup.ping")).await;
    // What `systemctl edit` is to add stands in the unit's head, before what it says for another case.
    let unit = machine.ok(&format!("cat {CHECKOUT}/infra/systemd/porchlight-checks.service")).await;
    let lines = unit.lines().skip_while(|line| !line.starts_with("#   "));
    let lines: Vec<_> = lines.map_while(|line| line.strip_prefix("#   ")).collect();
    let place = "/etc/systemd/system/porchlight-checks.service.d";
    let edit = format!("mkdir -p {place}; printf '%s\\n' '{}' > {place}/override.conf", lines.join("' '"));
    machine.ok(&format!("{edit}; systemctl daemon-reload")).await;

    does(&machine, "systemd", "").await;
    assert_eq!(machine.property("porchlight-checks", "ActiveState").await, "active");
    let asks = |path: &str| {
        format!(
            "curl -s -H \"Authorization: OAuth $(cat /etc/porchlight/keeper.token)\" 'http://127.0.0.1:8030/porchlight/v1/{path}'"
        )
    };
    let known = machine.until(&asks("checks"), |known| known.contains("\"name\":\"backup\"")).await;
    assert!(known.contains("\"name\":\"router\""), "{known}");
    assert_eq!(does(&machine, "backup", "infra/secrets").await, "OK");
    machine.until(&asks("series?metric=check:backup&step=1h"), |series| series.contains("\"measured\":1")).await;
    let environment = machine.ok("tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID porchlight-checks)/environ").await;
    assert!(environment.contains("BACKUP_PING_FILE=/run/credentials/"), "{environment}");
    its_scripts_do_not_read_its_secrets(&machine, &asks("checks")).await;
}

/// Scripts run as the user of the unit, who may read its credentials.
async fn its_scripts_do_not_read_its_secrets(machine: &Machine, asks: &str) {
    let secret = "/run/credentials/porchlight-checks.service/keeper-token";
    let script = |name: &str, file: &str| {
        format!(
            "  - {{ name: {name}, every: 5s, retries: 0, script: {{ command: [/bin/sh, -c, 'test -r {file} && cat {file} > /dev/null 2>&1'] }} }}"
        )
    };
    let lines = [script("spy", secret), script("reader", "/etc/porchlight-checks.yml")].join("\n");
    machine.ok(&format!("cat >> /etc/porchlight-checks.yml <<'END'\n{lines}\nEND")).await;
    let of = |known: &str, name: &str| {
        let known: Value = serde_json::from_str(known).unwrap_or_default();
        let check = known["checks"].as_array().and_then(|all| all.iter().find(|check| check["name"] == name).cloned());
        check.map(|check| check["last_run"].clone()).unwrap_or_default()
    };
    let both = |known: &str| ["spy", "reader"].iter().all(|name| of(known, name)["state"].is_string());
    let known = machine.until(asks, both).await;
    assert_eq!(of(&known, "reader")["state"], "ok", "{known}");
    assert_ne!(of(&known, "spy")["state"], "ok", "{known}");
}
