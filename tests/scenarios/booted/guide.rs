//! The guide from installing to uninstalling, its own commands in its own order.

use std::fs;

use serde_json::Value;
use tests::{
    binaries::root,
    guide::{Block, blocks},
    machine::{CHECKOUT, Machine},
};

struct Reader {
    machine: Machine,
    blocks: Vec<Block>,
}

impl Reader {
    /// Runs what the guide has under a heading, with that mark, as it is pasted: what fails is followed by what comes next.
    async fn does(&self, heading: &str, mark: &str) -> String {
        let blocks: Vec<_> =
            self.blocks.iter().filter(|block| block.heading == heading && block.mark == mark).collect();
        assert!(!blocks.is_empty(), "the guide has no commands marked `{mark}` under `{heading}`");
        let mut printed = String::new();
        for block in blocks {
            printed += &self.machine.ok(&block.script).await;
        }
        printed
    }
}

#[tokio::test]
async fn what_the_guide_says_can_be_pasted_from_installing_to_uninstalling() {
    let Some(machine) = Machine::boot("booted-guide", false).await else { return };
    let text = fs::read_to_string(root().join("infra/systemd/README.md")).expect("a guide");
    let reader = Reader { machine, blocks: blocks(&text) };
    let Reader { machine, .. } = &reader;
    let before = files(machine).await;

    reader.does("Install", "").await;
    // curl asks in the next line: who counts as started listens.
    assert!(reader.does("The beacon", "").await.contains("porchlight"));
    let health = reader.does("The keeper", "").await;
    let health: Value = serde_json::from_str(health.trim()).expect("the keeper's health");
    assert_eq!(health["storage"], "ok", "{health:#}");
    for unit in ["porchlight-beacon", "porchlight-keeper"] {
        assert_eq!(machine.property(unit, "ActiveState").await, "active", "{unit}");
    }

    // Its target is not there: a failed measurement is a reading too, with its reason.
    machine.ok("echo TARGET_HOST=127.0.0.1 > /etc/porchlight/ping.env").await;
    let output = reader.does("The jobs", "").await;
    assert!(output.contains("127.0.0.1") && output.contains(" ms"), "the result is shown: {output}");
    let series = "curl -s -H \"Authorization: OAuth $(cat /etc/porchlight/keeper.token)\" \
                  'http://127.0.0.1:8030/porchlight/v1/series?metric=ping&step=1h'";
    assert!(machine.ok(series).await.contains("\"measured\":1"), "{}", machine.ok(series).await);
    dns(&reader).await;
    // Nothing can be reached from here, which is a result, too.
    reader.does("The checks", "checks").await;
    assert_eq!(machine.property("porchlight-checks", "ActiveState").await, "active");
    let exports = reader.does("Exports", "exports").await;
    assert!(exports.starts_with("porchlight-2") && exports.trim().ends_with(".jsonl.gz"), "{exports}");
    node(&reader).await;
    port(&reader).await;
    heartbeat(&reader).await;
    prober(&reader).await;
    relay(&reader).await;
    timers(machine).await;

    machine.ok("printf x > /etc/porchlight/statuspage.token; rm /etc/porchlight/prober.token").await;
    reader.does("Upgrade", "").await;
    assert_eq!(machine.ok("cat /etc/porchlight/prober.token").await, "x");
    assert_eq!(machine.ok("curl -s http://127.0.0.1:8080/").await, "porchlight\n", "a restart is over when it listens");

    reader.does("Uninstall", "").await;
    // systemd forgets what is gone when it has time for that.
    machine
        .until("systemctl list-units --all --no-legend 'porchlight-*' && systemctl --failed --no-legend", |left| {
            !left.contains("porchlight")
        })
        .await;
    assert_eq!(files(machine).await, before, "nothing is left");
}

/// What is there of ours, but for what the reader has in the checkout.
async fn files(machine: &Machine) -> String {
    machine.ok("find / -xdev -not -path '/root/*' -not -path '/proc/*' -not -path '/sys/*' -iname '*porchlight*'").await
}

/// The name cannot be kept from a machine without network, which is logged, and shown although it failed.
async fn dns(reader: &Reader) {
    reader.machine.ok("echo 12345678-1234-1234-1234-123456789012 > duckdns.token").await;
    let mut block = reader.blocks.iter().find(|block| block.mark == "dns").expect("the guide has it").script.clone();
    block = block
        .replace("DOMAIN=myhome", "'DOMAIN=myhome\nJITTER=0s\nDEADLINE=20s'")
        .replace("echo '", "printf '%s\\n' '");
    let output = reader.machine.run(&block).await.stdout;
    let warned = reader.machine.ok("journalctl -p warning -t porchlight-dns -o cat").await;
    assert!(warned.trim_start().starts_with("WARN no certificate is trusted here"), "a line for people: {warned}");
    assert!(
        output.contains("porchlight-dns[") && output.contains("DuckDNS cannot be reached"),
        "the result is shown: {output}"
    );
}

/// A Pi's sensors are in the place of this machine's, whose name they have.
async fn node(reader: &Reader) {
    let zone = "/srv/sys/class/thermal/thermal_zone0";
    let settings =
        format!("mkdir -p {zone}; echo 48686 > {zone}/temp; echo SYS_DIR=/srv/sys > /etc/porchlight/node-metrics.env");
    reader.machine.ok(&settings).await;
    let metrics = reader.does("The machine itself", "node").await;
    let name = reader.machine.ok("cat /proc/sys/kernel/hostname").await;
    assert!(metrics.contains(&format!("\npi_temperature{{name=\"{}\"}} 48.686\n", name.trim())), "{name}: {metrics}");
}

/// A router that is not there is asked, as the confined service sees it; what root closes beside it, it can open again.
async fn port(reader: &Reader) {
    let Reader { machine, .. } = reader;
    for words in [
        "link add home type veth peer name away",
        "link set away up",
        "address add 192.168.1.7/24 dev home",
        "link set home up",
        "route add default via 192.168.1.1",
    ] {
        machine.ip(words).await;
    }
    reader.does("The router's port", "port").await;
    assert_eq!(machine.property("porchlight-port", "ActiveState").await, "active");
    let said = "journalctl --sync; journalctl -t porchlight-port -o cat";
    machine.until(said, |said| said.contains("the router 192.168.1.1 answers neither PCP, NAT-PMP nor UPnP")).await;
    // One that was opened, and then the router was gone.
    machine.ok("systemctl stop porchlight-port").await;
    let mapping = r#"{"version":1,"opened":[{"router":"192.168.1.1","protocol":"nat-pmp","internal":"192.168.1.7:8080",
        "wanted":30008,"external":30008,"lease":null,"at":{"clock":"2026-11-30T00:00:00Z","boot":"","uptime":0}}]}"#;
    machine.ok(&format!("cat > /var/lib/porchlight-port/port.json <<'END'\n{mapping}\nEND")).await;
    let block = reader.blocks.iter().find(|block| block.mark == "port-close").expect("the guide has it");
    let closed = machine.run(&block.script).await;
    assert_eq!(closed.code, Some(1), "{closed:?}");
    assert!(closed.stdout.contains("is not closed, because it does not answer"), "{closed:?}");
    machine.ok("echo '{\"version\":1,\"opened\":[]}' > /var/lib/porchlight-port/port.json").await;
    assert_eq!(
        reader.does("The router's port", "port-close").await,
        "Nothing is open that porchlight port has opened.\n"
    );
    machine.ok("systemctl start porchlight-port").await;
    assert_eq!(machine.property("porchlight-port", "ActiveState").await, "active");
    machine.ok("systemctl stop porchlight-port").await;
    machine.ip("link del home").await;
}

/// A prober beside the home, for a keeper's page; all is well, which is a line.
async fn prober(reader: &Reader) {
    let Reader { machine, .. } = reader;
    let token = "cp /etc/porchlight/keeper.token prober.token; \
                 curl -s -H \"Authorization: OAuth $(cat prober.token)\" http://127.0.0.1:8030/v1/pages";
    let pages: Value = serde_json::from_str(&machine.ok(token).await).expect("pages");
    let page = pages[0]["id"].as_str().expect("a page");
    let components = token.replace("/v1/pages", &format!("/v1/pages/{page}/components"));
    let components: Value = serde_json::from_str(&machine.ok(&components).await).expect("components");
    let component = components[0]["id"].as_str().expect("a component");
    let script = reader.blocks.iter().find(|block| block.mark == "prober").expect("the guide has it").script.clone();
    let script = script
        .replace("http://myhome.duckdns.org:30008", "http://127.0.0.1:8080 STATUSPAGE_URL=http://127.0.0.1:8030/v1")
        .replace("PAGE_ID=…", &format!("PAGE_ID={page}"))
        .replace("COMPONENT_ID=…", &format!("COMPONENT_ID={component}"));
    machine.ok(&script).await;
    // The first run may have had something to change.
    let output = machine
        .ok("systemctl start porchlight-prober; journalctl --sync; journalctl -t porchlight-prober -o cat -n 1")
        .await;
    assert!(output.contains(": up; page: says operational, as it should") && output.len() < 200, "{output}");
}

/// Where nobody takes one, that is said, and the program stays.
async fn heartbeat(reader: &Reader) {
    let Reader { machine, .. } = reader;
    machine.ok("echo http://127.0.0.1:9/nowhere > heartbeat.url").await;
    reader.does("A home that nobody can reach", "heartbeat").await;
    let said =
        "until journalctl --sync; journalctl -t porchlight-heartbeat -o cat | grep 'was not taken'; do sleep 1; done";
    let said = machine.ok(&format!("timeout 60 sh -c \"{said}\"")).await;
    assert!(said.contains("there is no connection") && !said.contains("nowhere"), "{said}");
    assert_eq!(machine.property("porchlight-heartbeat", "ActiveState").await, "active");
}

/// The lines that the keeper's unit has for a relay, and the guide's.
async fn relay(reader: &Reader) {
    let Reader { machine, .. } = reader;
    let unit = machine.ok(&format!("cat {CHECKOUT}/infra/systemd/porchlight-keeper.service")).await;
    // The key of Pinglow's clients is another choice, and so are heartbeats.
    let lines = unit.lines().filter_map(|line| line.strip_prefix("#   "));
    let lines: Vec<_> = lines
        .filter(|line| !["pinglow", "heartbeat", "beacon-key"].iter().any(|other| line.to_lowercase().contains(other)))
        .collect();
    // Upstream is a keeper that is not there.
    let lines = lines.join("\n").replace("https://api.statuspage.io/v1", "http://127.0.0.1:9/v1");
    machine
        .ok(&format!(
            "mkdir -p /etc/systemd/system/porchlight-keeper.service.d && cat > /etc/systemd/system/porchlight-keeper.service.d/override.conf <<'END'\n\
             {lines}\nEND\nsystemctl daemon-reload; echo 0123456789abcdef0123 > upstream.token\n\
             printf '[page]\\nid = \"gytm4qzbx9t6\"\\nname = \"Home\"\\n' > /etc/porchlight-seed.toml\n\
             echo KEEPER_SEED=/etc/porchlight-seed.toml > /etc/porchlight/keeper.env"
        ))
        .await;
    let script = &reader.blocks.iter().find(|block| block.mark == "relay").expect("the guide has it").script;
    let output = machine.run(script).await;
    assert!(output.stdout.contains("condition: "), "{output:?}");
}

/// They are all waiting, and one fires, more often than it is meant to so that the test need not wait for the minute.
async fn timers(machine: &Machine) {
    let timers = machine.ok("systemctl list-timers --no-legend 'porchlight-*'").await;
    for timer in ["ping", "bandwidth", "dns", "prober"] {
        assert!(timers.contains(&format!("porchlight-{timer}.timer")), "{timers}");
    }
    let dropin = "/run/systemd/system/porchlight-ping.timer.d";
    machine.ok(&format!("mkdir -p {dropin} && printf '[Timer]\\nOnCalendar=*:*:0/1\\n' > {dropin}/often.conf")).await;
    machine.ok("systemctl daemon-reload && systemctl restart porchlight-ping.timer").await;
    machine
        .until("systemctl show -P LastTriggerUSec porchlight-ping.timer", |output| {
            !output.trim().is_empty() && output.trim() != "n/a"
        })
        .await;
    machine.ok(&format!("rm -r {dropin} && systemctl daemon-reload && systemctl restart porchlight-ping.timer")).await;
}
