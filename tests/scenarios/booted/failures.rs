//! What is said when something is wrong, and what becomes of a server that does not answer any more.

use tests::machine::Machine;

const KEY: &str = "(umask 077; target/release/porchlight keygen > /etc/porchlight/beacon.key)";

#[tokio::test]
async fn what_is_wrong_is_reported_by_systemctl_and_ends_once_it_is_mended() {
    let Some(machine) = Machine::boot("booted-trouble", true).await else { return };
    a_missing_file_is_named(&machine).await;
    a_wrong_setting_is_reported_once(&machine).await;
    a_stuck_server_is_started_anew(&machine).await;
}

async fn a_missing_file_is_named(machine: &Machine) {
    machine.ok("echo DOMAIN=myhome > /etc/porchlight/dns.env").await;
    machine.ok("printf '%s\\n' CANARY_URL=http://home.example PAGE_ID=gytm4qzbx9t6 COMPONENT_ID=8kbf7d35c070 > /etc/porchlight/prober.env").await;
    machine.ok("echo 'checks: [{name: router, icmp: {host: 127.0.0.1}}]' > /etc/porchlight-checks.yml").await;
    for (unit, file) in [
        ("beacon", "beacon.key"),
        ("keeper", "keeper.token"),
        ("ping", "keeper.token"),
        ("bandwidth", "keeper.token"),
        ("dns", "duckdns.token"),
        ("checks", "keeper.token"),
        ("export", "keeper.token"),
        ("prober", "prober.token"),
    ] {
        let started = machine.run(&format!("systemctl start porchlight-{unit}")).await;
        assert_ne!(started.code, Some(0), "{unit}: {started:?}");
        machine.ok("journalctl --sync").await;
        let status = machine.run(&format!("systemctl status --no-pager --full porchlight-{unit}")).await.stdout;
        assert!(status.contains(&format!("/etc/porchlight/{file} is missing: write the secret to it")), "{status}");
        assert_eq!(machine.property(&format!("porchlight-{unit}"), "ActiveState").await, "failed");
    }
    machine.ok(KEY).await;
    machine.ok("systemctl start porchlight-beacon && curl -sf http://127.0.0.1:8080/").await;
}

async fn a_wrong_setting_is_reported_once(machine: &Machine) {
    machine.ok("head -c 24 /dev/urandom | base64 | tr '+/' '-_' > /etc/porchlight/keeper.token").await;
    for (unit, setting, address) in [
        ("beacon", "MAX_CONNECTIONS=many", "127.0.0.1:8080"),
        ("keeper", "KEEPER_RATE_LIMIT=often", "127.0.0.1:8030"),
        ("node-metrics", "SYS_DIR=/nowhere", "127.0.0.1:9111/healthz"),
    ] {
        let name = setting.split('=').next().expect("a name");
        machine.ok(&format!("echo {setting} > /etc/porchlight/{unit}.env")).await;
        let started = machine.run(&format!("systemctl restart porchlight-{unit}")).await;
        assert_ne!(started.code, Some(0), "a restart that fails says so: {started:?}");
        assert_eq!(machine.property(&format!("porchlight-{unit}"), "ActiveState").await, "failed");
        machine.ok("journalctl --sync").await;
        let status = machine.run(&format!("systemctl status --no-pager porchlight-{unit}")).await.stdout;
        assert!(status.contains("status=2") && status.contains(name), "{status}");
        assert_eq!(
            machine.property(&format!("porchlight-{unit}"), "NRestarts").await,
            "0",
            "it is no better the next time"
        );
        machine.ok(&format!("rm /etc/porchlight/{unit}.env && systemctl restart porchlight-{unit}")).await;
        machine.ok(&format!("curl -sf http://{address} -o /dev/null")).await;
    }
}

/// The units that are watched.
const SERVERS: [&str; 3] = ["porchlight-beacon", "porchlight-keeper", "porchlight-node-metrics"];

/// A stopped process is one that hangs. Its watchdog is short here, so that the test is.
async fn a_stuck_server_is_started_anew(machine: &Machine) {
    for unit in SERVERS {
        let dropin = format!("/run/systemd/system/{unit}.service.d");
        machine.ok(&format!("mkdir -p {dropin} && printf '[Service]\\nWatchdogSec=1s\\n' > {dropin}/short.conf")).await;
        machine.ok(&format!("systemctl daemon-reload && systemctl restart {unit}")).await;
    }
    // They live on for as long as they give signs of life.
    for unit in SERVERS {
        let first = machine.property(unit, "MainPID").await;
        machine
            .until(
                &format!("systemctl show -P WatchdogTimestampMonotonic {unit}; cut -d. -f1 /proc/uptime"),
                |output| {
                    let mut words = output.split_whitespace().map(|word| word.parse::<u64>().unwrap_or_default());
                    words.next().is_some_and(|sign| sign > 0)
                },
            )
            .await;
        assert_eq!(machine.property(unit, "NRestarts").await, "0", "{unit}");
        machine.ok(&format!("kill -STOP {first}")).await;
        machine.until(&format!("systemctl show -P NRestarts {unit}"), |output| output.trim() == "1").await;
        let result = machine.ok(&format!("journalctl --sync; journalctl -u {unit} -o cat")).await;
        assert!(result.contains("Watchdog timeout"), "{result}");
        machine.until(&format!("systemctl show -P ActiveState {unit}"), |output| output.trim() == "active").await;
        assert_ne!(machine.property(unit, "MainPID").await, first);
    }
}
