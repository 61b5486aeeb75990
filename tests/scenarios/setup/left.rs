//! What others have set stays; and what is printed can be pasted.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    time::Duration,
};

use serde_json::Value;
use tests::{
    binaries::root,
    duckdns,
    process::{command, file, own_address, run},
    router::{Manner, Router},
    skip::program,
};

use super::world::{World, steps};

/// Sets a parameter of the base stack, as a person does.
async fn sets(world: &World, name: &str, value: &str) {
    let template = format!("file://{}", root().join("infra/base.yaml").display());
    let parameter = format!("ParameterKey={name},ParameterValue={value}");
    let words = ["cloudformation", "update-stack", "--stack-name", "porchlight-base", "--template-body", &template];
    world.moto().ok(&[&words[..], &["--capabilities", "CAPABILITY_IAM", "--parameters", &parameter]].concat()).await;
    assert_eq!(is_set(world, name).await, value, "as it was set by hand");
}

/// What a parameter of the base stack is.
async fn is_set(world: &World, name: &str) -> Value {
    let stack = world.moto().ok(&["cloudformation", "describe-stacks", "--stack-name", "porchlight-base"]).await;
    let parameters = stack["Stacks"][0]["Parameters"].as_array().cloned().unwrap_or_default();
    let found = parameters.into_iter().find(|it| it["ParameterKey"] == name);
    found.map_or(Value::Null, |it| it["ParameterValue"].clone())
}

#[tokio::test]
async fn an_alarm_mail_that_somebody_has_set_by_hand_stays() {
    let Some(world) = World::begin("setup beside a mail of its owner").await else { return };
    let zip = world.zip();
    let words = ["setup", "--yes", "--home", "home", "--function", zip.as_str()];
    let first = world.run(&words).await;
    assert_eq!(steps(&first.stdout, "failed"), ["the first look"], "{}{}", first.stdout, first.stderr);
    sets(&world, "AlarmEmail", "me@example.com").await;
    let again = world.run(&words).await;
    assert!(steps(&again.stdout, "already").contains(&"the role"), "{}{}", again.stdout, again.stderr);
    assert_eq!(is_set(&world, "AlarmEmail").await, "me@example.com");
    // Who says so gets none. moto cannot take the subscription out of the stack (it answers 500), so the call is looked at alone.
    let none = world.run(&[&words[..], &["--alarm-email", "", "--dry-run"]].concat()).await;
    assert!(none.stdout.contains("--parameter-overrides AlarmEmail=\n"), "{}{}", none.stdout, none.stderr);
}

#[tokio::test]
async fn what_somebody_has_set_besides_at_the_function_stays_where_its_settings_change() {
    let Some(world) = World::begin("setup of a function with more settings").await else { return };
    let zip = world.zip();
    let words = ["setup", "--yes", "--home", "home", "--function", zip.as_str()];
    let first = world.run(&words).await;
    assert_eq!(steps(&first.stdout, "failed"), ["the first look"], "{}{}", first.stdout, first.stderr);
    let named = ["--function-name", "lambda-prober"];
    let asked = [&["lambda", "get-function-configuration"], &named[..]].concat();
    let mut set = world.moto().ok(&asked).await["Environment"].clone();
    set["Variables"]["ATTEMPTS"] = "4".into();
    let environment = serde_json::json!({"Variables": set["Variables"]}).to_string();
    let changed = [&["lambda", "update-function-configuration", "--environment", &environment], &named[..]].concat();
    world.moto().ok(&changed).await;
    let again = world.run(&[&words[..], &["--port", "30010"]].concat()).await;
    let said = "done    the function: lambda-prober has new settings";
    assert!(again.stdout.contains(said), "{}{}", again.stdout, again.stderr);
    let set = world.moto().ok(&asked).await["Environment"]["Variables"].clone();
    assert_eq!((&set["CANARY_URL"], &set["ATTEMPTS"]), (&"http://home.duckdns.org:30010".into(), &"4".into()));
}

#[tokio::test]
async fn a_file_that_its_owner_has_changed_stays_where_all_else_is_torn_down() {
    let world = World::at_home().await;
    let made = world.run(&["setup", "--yes", "--without-aws", "--home", "home"]).await;
    assert_eq!(made.code, Some(0), "{}{}", made.stdout, made.stderr);
    let values = world.folder().join("values.yaml");
    let mine = fs::read_to_string(&values).expect("values") + "image: {tag: mine}\n";
    fs::write(&values, &mine).expect("ours");
    let gone = world.run(&["teardown"]).await;
    let said = "stays, because it is yours by now:  the file values.yaml\n";
    assert!(gone.code == Some(0) && gone.stdout.contains(said), "{}{}", gone.stdout, gone.stderr);
    assert_eq!(fs::read_to_string(&values).expect("it stays"), mine);
    assert_eq!(fs::read_dir(world.folder()).expect("the folder").count(), 1, "and nothing else");
}

#[tokio::test]
async fn keys_of_homes_stay_where_their_owner_has_them() {
    let Some(world) = World::begin("setup beside keys elsewhere").await else { return };
    let zip = world.zip();
    let first = world.run(&["setup", "--yes", "--home", "home", "--function", zip.as_str()]).await;
    assert_eq!(steps(&first.stdout, "failed"), ["the first look"], "{}{}", first.stdout, first.stderr);
    sets(&world, "HomeKeysPrefix", "/own/keys").await;
    let words =
        ["setup", "--yes", "--home", "away", "--function", &zip, "--folder", "cabin", "--component-name", "Cabin"];
    let waits = world.run(&words).await;
    assert_eq!(steps(&waits.stdout, "failed"), ["the first look"], "{}{}", waits.stdout, waits.stderr);
    assert!(waits.stdout.contains("lambda-prober may read /own/keys/away"), "{}", waits.stdout);
    let key = fs::read_to_string(world.place.path().join("cabin/beacon.key")).expect("a key");
    assert_eq!(world.moto().parameter("/own/keys/away").await.as_deref(), Some(key.trim()));
    assert_eq!(world.moto().parameter("/porchlight/keys/away").await, None);
    assert_eq!(is_set(&world, "HomeKeysPrefix").await, "/own/keys");
    let ended = world.run(&["teardown", "--folder", "cabin"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(is_set(&world, "HomeKeysPrefix").await, "/own/keys", "it is its owner's");
}

/// Notes what it is called with, an argument each line, once all files among them are there.
const PASTED: &str = r#"#!/bin/sh
echo "${0##*/}" >> "$PASTED"
for WORD in "$@"; do printf ' %s\n' "$WORD" >> "$PASTED"; done
for WORD in "$@"; do
  case "${WORD#--from-file=KEY=}" in *beacon.key | *values.yaml | *compose.yaml) [ -f "${WORD#--from-file=KEY=}" ] || exit 3 ;; esac
  case "$WORD" in --from-file=TOKEN=/dev/stdin) sed 's/^/ stdin: /' >> "$PASTED"; echo >> "$PASTED" ;; esac
done
"#;

/// Pastes the commands that a setup has printed into a shell; what their programs were called with.
async fn pastes(world: &World, printed: &str) -> String {
    let (_, rest) = printed.split_once("is there:\n\n").unwrap_or_else(|| panic!("no commands: {printed}"));
    let lines: Vec<&str> = rest.lines().take_while(|line| line.starts_with("  ")).collect();
    // What would go into this machine goes into a folder of the test's.
    let script = (lines.join("\n") + "\n").replace("/etc/", &format!("{}/etc/", world.place.path().display()));
    let bin = world.place.path().join("pasted");
    fs::create_dir_all(&bin).expect("a folder");
    for name in ["docker", "kubectl", "helm", "systemctl"] {
        fs::write(bin.join(name), PASTED)
            .and_then(|()| fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)))
            .expect("ours");
    }
    let calls = world.place.path().join("pasted calls");
    let _ = fs::remove_file(&calls);
    // What a person types at each prompt.
    let typed = file(world.place.path(), "typed", &format!("{}\n", duckdns::TOKEN).repeat(3));
    let mut shell = command(program("bash").expect("a shell"));
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a PATH"));
    shell.current_dir(world.place.path()).args(["-e", "-c", &script]);
    shell.env("PATH", path).env("PASTED", &calls).stdin(File::open(typed).expect("ours"));
    let ended = run(shell, Duration::from_mins(1)).await;
    assert_eq!(ended.code, Some(0), "{script}\n{}{}", ended.stdout, ended.stderr);
    fs::read_to_string(calls).expect("calls")
}

#[tokio::test]
async fn what_is_printed_for_a_folder_with_blanks_can_be_pasted() {
    let world = World::at_home().await;
    let folder = "my home's $setup";
    let words = ["setup", "--yes", "--without-aws", "--home", "home", "--folder", folder];
    let containers = world.run(&[&words[..], &["--runs-on", "compose"]].concat()).await;
    assert_eq!(containers.code, Some(0), "{}{}", containers.stdout, containers.stderr);
    let calls = pastes(&world, &containers.stdout).await;
    assert_eq!(calls, format!("docker\n compose\n -f\n {folder}/compose.yaml\n up\n -d\n"));
    let token = world.place.path().join(folder).join("secrets/duckdns.token");
    assert_eq!(fs::read_to_string(token).expect("a token"), duckdns::TOKEN);

    let chart = "my charts/home-beacon";
    let cluster = ["--runs-on", "kubernetes", "--apply", "false", "--chart", chart];
    let cluster = world.run(&[&words[..], &cluster].concat()).await;
    assert_eq!(cluster.code, Some(0), "{}{}", cluster.stdout, cluster.stderr);
    let calls = pastes(&world, &cluster.stdout).await;
    let key = format!(" generic\n beacon-key\n --from-file=KEY={folder}/beacon.key\n");
    let install =
        format!("helm\n upgrade\n --install\n porchlight\n {chart}\n -n\n porchlight\n -f\n {folder}/values.yaml\n");
    assert!(calls.contains(&key) && calls.ends_with(&install), "{calls}");
    assert_eq!(calls.matches(&format!(" stdin: {}\n", duckdns::TOKEN)).count(), 2, "both tokens: {calls}");
}

/// The settings of a unit, below the folder that stands for this machine's.
fn set(world: &World, name: &str) -> String {
    fs::read_to_string(world.place.path().join("etc/porchlight").join(name)).expect("a file of settings")
}

/// The units that were to be restarted where they run.
fn restarts(calls: &str) -> Vec<&str> {
    calls.split("systemctl\n try-restart\n porchlight-").skip(1).filter_map(|rest| rest.lines().next()).collect()
}

#[tokio::test]
async fn the_commands_for_units_set_their_own_lines_and_leave_what_a_person_has_set() {
    let world = World::at_home().await;
    let folder = "my home's $setup";
    let router = Router::at(own_address(), Manner::UPNP).await;
    let address = router.address.to_string();
    let words = ["setup", "--yes", "--without-aws", "--home", "home", "--folder", folder, "--runs-on", "systemd"];
    let words = [&words[..], &["--metrics", "true", "--router", &address, "--beacon-port", "30011"]].concat();
    let first = world.run(&words).await;
    assert_eq!(first.code, Some(0), "{}{}", first.stdout, first.stderr);
    let etc = world.place.path().join("etc/porchlight");
    fs::create_dir_all(&etc).expect("a folder");
    // One without an end of line, one of which a setting has another value by now, and one that others must not read.
    file(&etc, "beacon.env", "# mine\nMAX_CONNECTIONS=64");
    file(&etc, "dns.env", "JITTER=10s\nDOMAIN=old\nDOMAIN_OF_MINE=1\n");
    file(&etc, "port.env", "PORT_INTERNAL=8080\nSECRET=hunter22\nPORT_INTERNAL=8080\n");
    fs::set_permissions(etc.join("port.env"), fs::Permissions::from_mode(0o600)).expect("ours");
    let mut seen = Vec::new();
    for restarted in [&["keeper", "beacon", "dns", "ping", "beacon", "port", "port"][..], &["keeper"]] {
        let calls = pastes(&world, &first.stdout).await;
        assert!(calls.contains("systemctl\n daemon-reload\n") && calls.ends_with(" porchlight-port\n"), "{calls}");
        assert_eq!(restarts(&calls), restarted, "what runs takes up what is new: {calls}");
        seen.push(["beacon.env", "dns.env", "ping.env", "port.env"].map(|name| set(&world, name)));
    }
    assert_eq!(seen[0], seen[1], "pasted again they change nothing");
    let [beacon, dns, ping, port] = &seen[0];
    let line = beacon.strip_prefix("# mine\nMAX_CONNECTIONS=64\nPUBLIC_ADDR=").expect("the line of its owner stays");
    assert!(line.ends_with(":30011\n"), "{beacon}");
    assert_eq!(dns, "JITTER=10s\nDOMAIN_OF_MINE=1\nDOMAIN=home.duckdns.org\n");
    assert_eq!(ping, "ROUTER_HOST=gateway\n");
    assert_eq!(port, "SECRET=hunter22\nCANARY_URL=http://home.duckdns.org:30008\nPORT_INTERNAL=30011\n");
    let mode = |name: &str| fs::metadata(etc.join(name)).expect("a file").permissions().mode() & 0o777;
    assert_eq!((mode("port.env"), mode("duckdns.token"), mode("beacon.key")), (0o600, 0o600, 0o600));
    assert_eq!(
        set(&world, "beacon.key"),
        fs::read_to_string(world.place.path().join(folder).join("beacon.key")).expect("a key")
    );
    assert!(etc.with_file_name("systemd/system/porchlight-keeper.service.d/relay.conf").exists());

    // Another choice is another value of the same lines, the usual port, too, and a router that a person has named stays.
    file(&etc, "ping.env", "ROUTER_HOST=192.168.1.1");
    let words = [&words[..words.len() - 1], &["8080", "--port", "30020"]].concat();
    let second = world.run(&words).await;
    let calls = pastes(&world, &second.stdout).await;
    assert_eq!(restarts(&calls), ["keeper", "beacon", "port", "port"], "{calls}");
    assert!(set(&world, "beacon.env").ends_with(":8080\n"), "{}", second.stdout);
    assert_eq!(set(&world, "ping.env"), "ROUTER_HOST=192.168.1.1");
    assert_eq!(
        set(&world, "port.env"),
        "SECRET=hunter22\nCANARY_URL=http://home.duckdns.org:30020\nPORT_INTERNAL=8080\n"
    );
}
