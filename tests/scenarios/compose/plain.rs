//! `infra/compose.yaml`: the plain home side, by both tools.

use std::{fs, os::unix::fs::PermissionsExt};

use reqwest::Method;
use tests::{
    binaries::{binary, root},
    guide::blocks,
    process::{Ended, command, file, run},
    skip::program,
};

use super::composed::{Composed, LIMIT, Tool};

/// The commands at the head of the compose file, which are told for the root of a checkout and the image's usual name.
fn of_the_head(home: &Composed) -> String {
    let head = fs::read_to_string(home.place().join("compose.yaml")).expect("a file");
    let commands = head.lines().map_while(|line| line.strip_prefix('#')).filter_map(|line| line.strip_prefix("   "));
    // podman has the image already, and a listener takes a moment.
    let commands =
        commands.filter(|line| !line.contains("buildah push")).fold(String::new(), |all, line| all + line + "\n");
    let commands = commands.replace("curl -s ", "curl -s --retry 20 --retry-delay 1 --retry-all-errors ");
    format!(
        "cd ..\nprintf %s t0ken > duckdns.token\n{}",
        commands.replace("localhost/porchlight:0.1.0", "$PORCHLIGHT_IMAGE")
    )
}

async fn comes_up(test: &str, tool: Tool) -> Option<Composed> {
    let home = Composed::of(test, "", tool).await?;
    let script = of_the_head(&home);
    let ended = home.shell(&script, "").await;
    assert!(ended.code == Some(0) && ended.stdout.contains("porchlight\n"), "{script}{ended:?}");
    assert_eq!(home.of_container("dns", "{{index .Config.Cmd 0}}").await, "/usr/local/bin/dns");
    for service in ["keeper", "beacon"] {
        home.until(&"it is well", async || home.health(service).await.0).await;
    }
    assert!(home.keeper(Method::GET, "/healthz", None).await.contains("\"storage\":\"ok\""));
    // A job finds the keeper by its name. No host is to be pinged from here, which is a reading too.
    home.keeper_says("/porchlight/v1/series?metric=ping&step=1h", "\"points\":[{").await;
    home.measures().await;
    Some(home)
}

/// The beacon reaches the world alone: an attacker who breaks into it finds no keeper, whichever way.
#[tokio::test]
async fn the_home_side_comes_up_and_its_beacon_is_alone() {
    let Some(mut home) = comes_up("compose", Tool::PodmanCompose).await else { return };
    let addresses = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}}{{end}}";
    let keeper = home.of_container("keeper", addresses).await;
    let beacon = home.of_container("beacon", addresses).await;
    let its_own = keeper.split(' ').next().expect("an address");
    let beside = curl_from(&home, "ping", &format!("http://{its_own}:8030/healthz")).await;
    assert_eq!(beside.code, Some(0), "the jobs reach it: {beside:?}");
    for address in keeper.split(' ').chain(beacon.split(' ').skip(1)).chain(["keeper"]) {
        let reached = curl_from(&home, "beacon", &format!("http://{address}:8030/healthz")).await;
        assert_ne!(reached.code, Some(0), "the beacon reaches the keeper at {address}: {reached:?}");
    }
    home.falls_ill_and_recovers("beacon").await;
    home.restarts("keeper").await;
    home.updates(&["keeper", "beacon"]).await;
    checks(&home).await;
}

/// The commands of a README with that mark, told for the image's usual name.
fn commands(readme: &str, heading: &str, mark: &str) -> String {
    let text = fs::read_to_string(root().join(readme)).expect("a README");
    let wanted = blocks(&text).into_iter().filter(|block| block.heading == heading && block.mark == mark);
    let script: String = wanted.map(|block| block.script).collect();
    assert!(!script.is_empty(), "{readme}, {heading}");
    script.replace("localhost/porchlight:0.1.0", "$PORCHLIGHT_IMAGE")
}

/// Who has a file of checks has them with one flag more.
async fn checks(home: &Composed) {
    let text = "checks: [{name: page, every: 5s, http: {url: \"http://keeper:8030/healthz\"}}]";
    let editor = file(home.place(), "editor", &format!("#!/bin/sh\necho '{text}' > \"$1\"\n"));
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).expect("it may be run");
    let script = commands("infra/examples/README.md", "What all of them have in common", "checks");
    let ended = home.shell(&format!("export EDITOR={editor}\n{script}"), "").await;
    assert!(ended.code == Some(0) && ended.stdout.contains("1 check"), "{ended:?}");
    home.until(&"checks is well", async || home.health("checks").await.0).await;
    home.keeper_says("/porchlight/v1/series?metric=check:page&step=1h", "\"points\":[{").await;
    example_of_checks(home).await;
}

/// The example of a file, with its secret, from the README to the backup's last line.
async fn example_of_checks(home: &Composed) {
    let readme = "infra/examples/checks/README.md";
    // The router of this place answers.
    let path = home.place().join("examples/checks/checks.yml");
    let here = fs::read_to_string(&path).expect("the example").replace("192.168.1.1", "127.0.0.1");
    fs::write(&path, here).expect("it can be written");
    let programs = binary("porchlight").parent().expect("a folder").display().to_string();
    let does = async |heading: &str, mark: &str, place: &str| {
        let script = commands(readme, heading, mark).replace("keeper.lan", "127.0.0.1");
        let ended = home.shell(&format!("PATH={programs}:$PATH\ncd {place}\n{script}"), "").await;
        assert_eq!(ended.code, Some(0), "{script}{ended:?}");
        ended.stdout
    };
    does("Its secret", "", "..").await;
    let said = does("Is it right?", "", "..").await;
    assert!(said.contains("5 checks") && said.contains("router: ok"), "{said}");
    let text = fs::read_to_string(root().join(readme)).expect("a README");
    let overriding = text.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the override");
    file(home.place(), "compose.override.yaml", overriding);
    does("With compose", "compose", ".").await;
    home.keeper_says("/porchlight/v1/checks", "\"name\":\"backup\"").await;
    does("Its secret", "backup", "secrets").await;
    home.keeper_says("/porchlight/v1/series?metric=check:backup&step=1h", "\"points\":[{").await;
}

/// Docker's Compose is the real one; the engine is podman, which speaks Docker's API.
#[tokio::test]
async fn dockers_compose_runs_it_too() {
    let Some(mut home) = comes_up("compose-docker", Tool::DockerCompose).await else { return };
    home.restarts("keeper").await;
    home.updates(&["keeper", "beacon"]).await;
}

/// curl beside a container's program, in its network.
async fn curl_from(home: &Composed, service: &str, url: &str) -> Ended {
    let pid = home.of_container(service, "{{.State.Pid}}").await;
    let mut curl = command(program("nsenter").expect("every Linux has it"));
    curl.arg(format!("--net=/proc/{pid}/ns/net")).arg(program("curl").expect("curl is there"));
    curl.args(["-s", "-m", "2", url]);
    run(curl, LIMIT).await
}
