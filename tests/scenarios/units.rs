//! Without Kubernetes: systemd's units and the compose file. Nothing of it is run here; it is what the
//! tools that read it accept, and what our programs take as settings.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};
use shared::proof::Key;
use tests::{
    binaries::{python, root},
    duckdns::TOKEN,
    process::{Ended, command, file, ours, run},
    skip::{program, skip},
};
use tokio::process::Command;

const LIMIT: Duration = Duration::from_secs(30);

/// The folder of the units in the checkout.
const UNITS: &str = "infra/systemd";

/// How much systemd finds that a service may do, in tenths of its points: up to 2.0 is what it calls OK and less.
const MAX_EXPOSURE: &str = "20";

/// The names of the units that end so.
fn units(end: &str) -> Vec<String> {
    let files = fs::read_dir(root().join(UNITS)).expect("the units are there");
    let mut names: Vec<_> =
        files.map(|file| file.expect("it can be read").file_name().into_string().expect("text")).collect();
    names.retain(|name| name.ends_with(end));
    names.sort();
    assert!(!names.is_empty(), "there are units that end with {end}");
    names
}

/// A machine on which they are installed as they say; `None`, and a skip, where there is no systemd to ask.
fn installed(test: &str) -> Option<(tempfile::TempDir, PathBuf)> {
    let Some(analyze) = program("systemd-analyze").filter(|_| Path::new("/usr/lib/systemd/system").is_dir()) else {
        skip(test, "systemd is missing; tests/run installs it");
        return None;
    };
    let machine = tempfile::tempdir().expect("a temporary folder");
    let (etc, programs) = (machine.path().join("etc/systemd"), machine.path().join("usr/local/bin"));
    for folder in [&etc, &programs, &machine.path().join("usr/lib/systemd")] {
        fs::create_dir_all(folder).expect("a folder");
    }
    copy(Path::new("/usr/lib/systemd/system"), &machine.path().join("usr/lib/systemd/system"));
    symlink("usr/lib", machine.path().join("lib")).expect("a link");
    copy(&root().join(UNITS), &etc.join("system"));
    fs::copy("/bin/true", programs.join("porchlight")).expect("something to start");
    Some((machine, analyze))
}

fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.is_ok_and(|status| status.success()), "{} is copied", from.display());
}

#[tokio::test]
async fn systemd_has_nothing_to_say_of_the_units() {
    let Some((machine, analyze)) = installed("systemd_has_nothing_to_say_of_the_units") else { return };
    let mut verify = command(analyze);
    verify.args(["verify", "--man=no", "--root"]).arg(machine.path()).args(units(".service")).args(units(".timer"));
    let Ended { code, stdout, stderr } = run(verify, LIMIT).await;
    assert_eq!((code, stdout + &stderr), (Some(0), String::new()));
}

#[tokio::test]
async fn no_service_is_exposed() {
    let Some((machine, analyze)) = installed("no_service_is_exposed") else { return };
    for unit in units(".service") {
        let mut security = command(&analyze);
        security.args(["security", "--offline=true", "--no-pager", "--threshold", MAX_EXPOSURE, "--root"]);
        security.arg(machine.path()).arg(&unit);
        let ended = run(security, LIMIT).await;
        assert_eq!(ended.code, Some(0), "{unit}: {}{}", ended.stdout, ended.stderr);
    }
}

/// The id of the boot is hidden from all services but those that ask for it.
#[tokio::test]
async fn keeper_and_heartbeat_see_which_boot_it_is() {
    let Some((machine, analyze)) = installed("keeper_and_heartbeat_see_which_boot_it_is") else { return };
    for unit in units(".service") {
        let mut security = command(&analyze);
        security.args(["security", "--offline=true", "--no-pager", "--json=short", "--root"]);
        security.arg(machine.path()).arg(&unit);
        let ended = run(security, LIMIT).await;
        let found: Vec<Value> = serde_json::from_str(&ended.stdout).expect("a list");
        let hidden = found.iter().find(|found| found["json_field"] == "ProcSubset").expect("systemd assesses it");
        assert_eq!(hidden["set"], json!(!["keeper", "heartbeat"].iter().any(|it| unit.contains(it))), "{unit}");
    }
}

/// Secrets, and what a person has to say, for any of the programs.
fn secrets(folder: &Path) {
    file(folder, "beacon-key", &Key::new([1; 32]).expose());
    file(folder, "heartbeat-url", "https://kq7ub2x9d4n6w3.lambda-url.eu-central-1.on.aws/");
    for name in ["token", "duckdns-token", "upstream-token"] {
        // It has the form of DuckDNS's, and is as good as any for the others.
        file(folder, name, TOKEN);
    }
    file(folder, "keeper-token", "porchlight_keeper_0123456789abcdef");
    let seed = "[page]\nid = \"gytm4qzbx9t6\"\nname = \"Home\"\n[[components]]\nid = \"8kbf7d35c070\"\nname = \"Line\"\n[[metrics]]\nid = \"9kbf7d35c070\"\nname = \"Latency\"\nrelay = true\n";
    file(folder, "seed.toml", seed);
    fs::create_dir_all(folder.join("checks")).expect("a folder");
    for place in ["checks.yml", "checks/checks.yml"] {
        file(folder, place, "checks: [{name: router, icmp: {host: 192.168.1.1}}]\n");
    }
}

fn set_by_a_person(program: &str) -> &'static [(&'static str, &'static str)] {
    match program {
        "dns" => &[("DOMAIN", "myhome")],
        "heartbeat" => &[("COMPONENT_ID", "8kbf7d35c070")],
        "port" => &[("ROUTER", "192.168.1.1"), ("PORT_TO", "192.168.1.7")],
        "prober" => &[
            ("CANARY_URL", "http://myhome.duckdns.org:30008"),
            ("PAGE_ID", "gytm4qzbx9t6"),
            ("COMPONENT_ID", "8kbf7d35c070"),
        ],
        _ => &[],
    }
}

async fn takes_its_settings(mut program: Command, whose: &str) {
    program.arg("--check");
    let ended = run(program, LIMIT).await;
    assert_eq!(ended.code, Some(0), "{whose}: {}{}", ended.stdout, ended.stderr);
}

#[tokio::test]
async fn each_service_starts_a_program_with_settings_that_it_takes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    secrets(folder.path());
    let state = tempfile::tempdir().expect("a temporary folder");
    // An export begins at once; a booted machine makes one.
    for unit in units(".service").into_iter().filter(|unit| unit != "porchlight-export.service") {
        let text = fs::read_to_string(root().join(UNITS).join(&unit)).expect("the unit is there");
        takes_its_settings(started(&text, folder.path(), state.path()), &unit).await;
    }
}

/// The program that a unit starts, with what systemd gives it: folders for its secrets and its state.
fn started(unit: &str, secrets: &Path, state: &Path) -> Command {
    let of = |key: &str| -> Vec<&str> { unit.lines().filter_map(|line| line.strip_prefix(key)).collect() };
    let started = of("ExecStart=")[0].strip_prefix("porchlight ").expect(unit);
    let name = started.split(' ').next().expect("a command");
    let mut program = ours("porchlight");
    program.args(started.split(' ')).envs(set_by_a_person(name).iter().copied());
    for folder in of("StateDirectory=") {
        fs::create_dir_all(state.join(folder)).expect("as systemd makes it");
    }
    for pair in of("Environment=").iter().flat_map(|line| line.split(' ')) {
        let (name, value) = pair.split_once('=').expect("a variable has a value");
        let value = value.replace("%d", &secrets.display().to_string());
        let value = value.replace("/etc/porchlight-seed.toml", &secrets.join("seed.toml").display().to_string());
        let value = value.replace("/etc/porchlight-checks.yml", &secrets.join("checks.yml").display().to_string());
        program.env(name, value.replace("%S", &state.display().to_string()).replace("%H", "pi4"));
    }
    for credential in of("LoadCredential=") {
        let (name, from) = credential.split_once(':').expect("a credential has a file");
        assert!(secrets.join(name).is_file() && from.starts_with("/etc/porchlight/"), "{credential}");
        // Else a missing file would be "Protocol error".
        assert!(of("SetCredential=").contains(&format!("{name}:missing: {from}").as_str()), "{credential}");
    }
    program
}

/// The example as it stands, and with the disk that it has commented out, whose plugin need not be here.
#[tokio::test]
async fn the_example_of_checks_is_right() {
    let example = fs::read_to_string(root().join("infra/examples/checks/checks.yml")).expect("the example");
    let (before, disk) = example.split_once("  # - name: disk").expect("it ends with a disk");
    let disk = format!("  # - name: disk{disk}").replace("  # ", "  ");
    let disk = disk.replace("/usr/lib/nagios/plugins/check_disk", "/bin/true");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (text, count) in [(example.clone(), 5), (before.to_owned() + &disk, 6)] {
        let path = file(folder.path(), "checks.yml", &text);
        let mut check = ours("checks");
        check.args(["--check", &path]).env("BACKUP_PING", Key::new([1; 32]).expose());
        let ended = run(check, LIMIT).await;
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains(&format!("{count} checks")), "{}", ended.stdout);
    }
}

#[tokio::test]
async fn the_keeper_takes_what_its_unit_says_of_a_relay_of_pinglow_s_clients_and_of_heartbeats() {
    let (folder, state) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    secrets(folder.path());
    file(folder.path(), "pinglow-key", "porchlight_keeper_fedcba9876543210");
    let unit = fs::read_to_string(root().join(UNITS).join("porchlight-keeper.service")).expect("the unit is there");
    let (edits, mut whole): (Vec<_>, _) = (unit.split("#   [Service]\n").skip(1).collect(), unit.clone());
    for (edit, variable) in edits.iter().zip(["UPSTREAM_TOKEN_FILE=", "PINGLOW_API_KEY_FILE=", "HEARTBEAT_URL_FILE="]) {
        let edited: Vec<_> = edit.lines().map_while(|line| line.strip_prefix("#   ")).collect();
        assert!(edited.iter().any(|line| line.contains(variable)), "{edited:?}");
        whole = format!("{whole}\n{}", edited.join("\n"));
        takes_its_settings(started(&whole, folder.path(), state.path()), variable).await;
    }
    assert_eq!(edits.len(), 3, "{edits:?}");
}

/// A compose file as a tool sees it.
async fn compose(test: &str, name: &str) -> Option<Value> {
    let Some(python) = python() else {
        skip(test, "TESTS_PYTHON is missing; tests/run installs it");
        return None;
    };
    let mut read = command(python);
    read.args(["-c", "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)"]);
    read.arg(root().join("infra").join(name));
    let ended = run(read, LIMIT).await;
    Some(serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stderr)))
}

#[tokio::test]
async fn the_compose_files_are_some() {
    let Some(check) = program("check-jsonschema") else {
        return skip("the_compose_files_are_some", "check-jsonschema is missing; tests/run installs it");
    };
    let mut check = command(check);
    check.args(["--builtin-schema", "vendor.compose-spec"]);
    let examples = std::fs::read_dir(root().join("infra/examples")).expect("the examples");
    let examples = examples.map(|example| example.expect("it can be read").path());
    // The example of two machines has a folder for each.
    let folders = examples.flat_map(|example| ["", "home", "vps"].map(|part| example.join(part).join("compose.yaml")));
    check.arg(root().join("infra/compose.yaml")).args(folders.filter(|file| file.exists()));
    let ended = run(check, LIMIT).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}

#[tokio::test]
async fn each_container_is_confined_and_takes_its_settings() {
    let test = "each_container_is_confined_and_takes_its_settings";
    let Some(compose) = compose(test, "compose.yaml").await else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    secrets(folder.path());
    let services: BTreeMap<String, Value> = serde_json::from_value(compose["services"].clone()).expect("services");
    assert_eq!(services.keys().collect::<Vec<_>>(), ["bandwidth", "beacon", "checks", "dns", "keeper", "ping", "port"]);
    for (service, is) in services {
        let confined = json!([is["user"], is["read_only"], is["cap_drop"], is["security_opt"]]);
        assert_eq!(confined, json!(["65532:65532", true, ["ALL"], ["no-new-privileges:true"]]), "{service}");
        let words: Vec<&str> = is["command"].as_array().expect("a command").iter().filter_map(Value::as_str).collect();
        let name = if service == "port" { "porchlight" } else { &service };
        assert_eq!(words[0], format!("/usr/local/bin/{name}"));
        let mut program = ours(name);
        program.args(&words[1..]);
        give(&mut program, &compose, &service, folder.path());
        program.envs(set_by_a_person(&service).iter().copied());
        takes_its_settings(program, &service).await;
    }
    for pinging in ["ping", "checks"] {
        assert_eq!(compose["services"][pinging]["sysctls"], json!({"net.ipv4.ping_group_range": "0 2147483647"}));
    }
    assert_eq!(compose["services"]["checks"]["profiles"], json!(["checks"]), "who has no file is not asked for one");
    assert_eq!(compose["services"]["port"]["profiles"], json!(["port"]), "nothing is opened that nobody asked for");
    assert_eq!(
        compose["services"]["beacon"]["networks"],
        json!(["public"]),
        "no other service is in the beacon's network"
    );
}

/// Gives a service's program its variables, with the folder in the place of all that a container has: its secrets are there.
fn give(program: &mut Command, compose: &Value, service: &str, folder: &Path) {
    let is = &compose["services"][service];
    for (name, value) in is["environment"].as_object().expect("settings") {
        let value = value.as_str().expect("a setting is a text");
        // What compose fills in where a person says nothing.
        let filled = value.strip_prefix("${").and_then(|it| it.strip_suffix('}')).and_then(|it| it.split_once(":-"));
        let value = filled.map_or(value, |(_, default)| default).to_owned();
        let places = ["/run/secrets", "/var/lib/porchlight", "/etc/porchlight"];
        program
            .env(name, places.iter().fold(value, |value, place| value.replace(place, &folder.display().to_string())));
    }
    for secret in is["secrets"].as_array().expect("secrets") {
        let secret = secret.as_str().expect("a name");
        assert!(folder.join(secret).is_file() && compose["secrets"][secret].is_object(), "{service}: {secret}");
    }
}

#[tokio::test]
async fn a_keeper_in_a_container_takes_what_is_said_of_a_relay() {
    let test = "a_keeper_in_a_container_takes_what_is_said_of_a_relay";
    let Some(compose) = compose(test, "examples/relay-to-statuspage/compose.yaml").await else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    secrets(folder.path());
    let mut program = ours("keeper");
    give(&mut program, &compose, "keeper", folder.path());
    // Its default is the one that a reader has.
    program.env("UPSTREAM_URL", "https://api.statuspage.io/v1");
    takes_its_settings(program, test).await;
}
