//! The road of the README, command by command, on a bare folder: what a user types and pastes is counted.

use std::{fs, os::unix::fs::PermissionsExt, time::Instant};

use tests::{
    aws::REGION,
    binaries::{binary, root},
    duckdns,
    guide::blocks,
    keeper::TOKEN,
};

use super::{
    session::typed,
    world::{World, steps},
};

/// The most that the issue allows.
const COMMANDS: usize = 9;
const PASTED: usize = 4;
const SECONDS: u64 = 15 * 60;

/// What is in the place of a release's script: that one is tested with the release.
const INSTALL: &str = r#"mkdir -p "$HOME/bin" "$HOME/share/porchlight" && cp "$PORCHLIGHT" "$HOME/bin/porchlight" &&
sed 's|:-localhost/porchlight:|:-registry.example/owner/porchlight:|' "$COMPOSE" > "$HOME/share/porchlight/compose.yaml"
"#;

/// A `docker` whose `compose up` starts the beacon alone, by the secret that its container would read. It has no image, and fetches one
/// from a registry alone.
const DOCKER: &str = r#"#!/bin/sh
[ "$1 $2 $4 $5" = "compose -f up -d" ] || exit 9
cd "$(dirname "$3")" && grep -q '^DOMAIN=home' .env || exit 8
case "$(sed -n 's/^PORCHLIGHT_IMAGE=//p' .env)" in registry.example/owner/porchlight:?*) ;; *) exit 6 ;; esac
for NAME in duckdns keeper upstream; do [ -s secrets/$NAME.token ] || exit 7; done
BEACON_KEY_FILE=secrets/beacon.key PUBLIC_ADDR="$AT" nohup "$BEACON_PROGRAM" >/dev/null 2>&1 &
echo $! > beacon.pid
"#;

/// What is asked, what is answered, and whether that is pasted.
type Typed = (&'static str, &'static str, bool);

const CONFIGURE: [Typed; 4] = [
    ("AWS Access Key ID", "AKIAIOSFODNN7EXAMPLE", true),
    ("AWS Secret Access Key", "secret-access-key-of-the-tests", true),
    ("Default region name", REGION, false),
    ("Default output format", "", false),
];

/// Of the setup; the last stands for the second terminal.
const SETUP: [Typed; 9] = [
    ("API key of statuspage.io", TOKEN, true),
    ("The component for the home", "", false),
    ("The home's name at DuckDNS", "home", false),
    ("Token of DuckDNS", duckdns::TOKEN, true),
    ("make its metrics Latency and Bandwidth", "", false),
    ("The port that your router forwards", "", false),
    ("The address that AWS mails", "", false),
    ("Write the tokens into", "", false),
    ("Look again, once the home side runs", "!", false),
];

/// The commands of the README's road, a line each.
fn commands() -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).expect("a README");
    let road = blocks(&readme).into_iter().filter(|block| block.mark == "road").map(|block| block.script);
    road.collect::<String>().replace("\\\n", " ").lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_road_of_the_readme_is_short_and_leads_there() {
    let Some(world) = World::begin("the README's road").await else { return };
    let (place, began) = (world.place.path(), Instant::now());
    for (name, text) in [("install.sh", INSTALL), ("bin/docker", DOCKER)] {
        let path = place.join(name);
        fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)))
            .expect("ours");
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let commands = commands();
    let [install, configure, setup, start] = commands.as_slice() else { panic!("another road: {commands:#?}") };
    let (mut pasted, mut words) = (0, 0);
    for (command, typing) in [(install, &[][..]), (configure, &CONFIGURE), (setup, &SETUP)] {
        pasted += typing.iter().filter(|(.., is_pasted)| *is_pasted).count();
        words += typing.iter().filter(|(_, answer, is_pasted)| !is_pasted && !["", "!"].contains(answer)).count();
        let second = format!("!{start}");
        let answers: Vec<_> =
            typing.iter().map(|(asked, answer, _)| (*asked, if *answer == "!" { &*second } else { answer })).collect();
        // No test asks this machine's router.
        let command = command.replace("porchlight setup", "porchlight setup --no-router");
        let ended = typed(&world, &answers, &["/bin/sh", "-c", &command], |shell| {
            let path = std::env::var("PATH").expect("a PATH");
            let path = format!("{}:{path}", place.join("bin").display());
            shell.env("HOME", place).env("PATH", path).env("PORCHLIGHT", binary("porchlight"));
            shell.env("COMPOSE", root().join("infra/compose.yaml"));
            shell
                .env("BEACON_PROGRAM", binary("beacon"))
                .env("AT", free.to_string())
                .env("BEACON", format!("http://{free}/"));
            // What was typed is used, and nothing else.
            for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"] {
                shell.env_remove(name);
            }
        })
        .await;
        let Some(ended) = ended else { return };
        assert!(!ended.stdout.contains("never asked"), "{command}: {}{}", ended.stdout, ended.stderr);
        for secret in [TOKEN, duckdns::TOKEN] {
            assert!(!ended.stdout.contains(secret), "{}", ended.stdout);
        }
        if command.contains("setup") {
            assert!(steps(&ended.stdout, "done").contains(&"the schedule"), "{}{}", ended.stdout, ended.stderr);
        }
    }
    if let Ok(pid) = fs::read_to_string(world.folder().join("beacon.pid")) {
        let pid = pid.trim().parse().ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    }
    let seconds = began.elapsed().as_secs();
    println!(
        "the README's road: {} commands, {pasted} pasted values, {words} typed words, {seconds} s",
        commands.len()
    );
    assert!(
        commands.len() <= COMMANDS && pasted <= PASTED && seconds <= SECONDS,
        "{commands:#?}, {pasted}, {seconds} s"
    );
    assert!(world.things().await.contains(&"porchlight-schedule".to_owned()));
}
