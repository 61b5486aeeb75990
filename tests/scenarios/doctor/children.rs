//! The programs of others that doctor runs: what they are given, and that they ask nobody.

use std::{collections::BTreeMap, fs, time::Duration};

use tests::{
    binaries::{binary, python, root},
    process::{Process, run},
    skip::skip,
};
use tokio::time::{sleep, timeout};

use crate::{variant::LIMIT, world::World};

/// Notes what it has, and answers as the file beside it says.
const NOTES: &str = "#!/bin/sh\nenv > \"${0%/*}/env-of-${0##*/}\"\nf=\"${0%/*}/$1-$2\"\n[ -f \"$f\" ] || f=\"${0%/*}/objects\"\n\
                     exec cat \"$f\"\n";

/// Asks the terminal for the code of a second factor, as `aws` does: there, and then on its standard input.
const ASKS: &str = "#!/bin/sh\nif (exec < /dev/tty) 2>/dev/null; then\nprintf 'Enter MFA code: ' > /dev/tty\nread -r code < /dev/tty\n\
                    echo \"$code\" > \"${0%/*}/taken\"\nfi\nprintf 'Enter MFA code for arn: ' >&2\n\
                    read -r code || { echo 'EOF when reading a line' >&2; exit 255; }\n";

#[tokio::test]
async fn others_programs_get_what_is_theirs_and_nothing_of_ours() {
    let Some(world) = World::new("variables").await else { return };
    let mut variant = world.variant("variables");
    for name in ["aws", "kubectl"] {
        fs::write(variant.folder.join(name), NOTES).expect("it is written");
    }
    variant.kubectl(&serde_json::json!({"items": []}));
    let theirs = [
        ("AWS_PROFILE", "home"),
        ("AWS_CONFIG_FILE", "/nowhere/config"),
        ("AWS_SESSION_TOKEN", "session-of-aws"),
        ("KUBECONFIG", "/nowhere/kubeconfig"),
        ("HTTPS_PROXY", "http://127.0.0.1:9"),
        ("NO_PROXY", "127.0.0.1,localhost"),
        ("AWS_CA_BUNDLE", "/nowhere/ca.pem"),
        ("LANG", "C"),
    ];
    let ours = [
        ("STATUSPAGE_TOKEN", "planted-page"),
        ("TOKEN", "planted-token"),
        ("BEACON_KEY", "planted-key"),
        ("BEACON_KEY_OLD", "planted-old"),
        ("KEEPER_TOKEN", "planted-keeper"),
        ("DUCKDNS_TOKEN", "planted-duckdns"),
        ("NOTIFY_URLS", "ntfy://planted/topic"),
        ("UPSTREAM_TOKEN", "planted-upstream"),
        ("PINGLOW_API_KEY", "planted-pinglow"),
        ("JOIN_CODE", "planted-code"),
        ("DATABASE_URL", "postgres://me:planted-password@db/x"),
    ];
    for (name, value) in theirs.iter().chain(&ours) {
        variant.environment(name, value);
    }
    let (ended, _) = variant.arguments("--no-router").ended(&world.namespace).await;
    for program in ["aws", "kubectl"] {
        let noted = fs::read_to_string(variant.folder.join(format!("env-of-{program}")));
        let noted = noted.unwrap_or_else(|error| panic!("{program}: {error}: {}{}", ended.stdout, ended.stderr));
        let variables: BTreeMap<_, _> = noted.lines().filter_map(|line| line.split_once('=')).collect();
        for (name, value) in theirs {
            assert_eq!(variables.get(name), Some(&value), "{program}: {noted}");
        }
        let home = variant.folder.display().to_string();
        assert_eq!(variables.get("HOME"), Some(&home.as_str()), "{program}: {noted}");
        assert!(variables.get("PATH").is_some_and(|path| path.starts_with(&home)), "{program}: {noted}");
        assert!(!noted.contains("planted"), "{program}: {noted}");
        for (name, _) in ours {
            assert!(!variables.contains_key(name), "{program}: {noted}");
        }
    }
}

#[tokio::test]
async fn an_aws_that_asks_the_terminal_neither_hangs_nor_takes_what_is_typed() {
    let Some(python) = python() else { return skip("a terminal", "TESTS_PYTHON is missing; tests/run installs it") };
    let Some(world) = World::new("terminal").await else { return };
    let mut variant = world.variant("terminal");
    fs::write(variant.folder.join("aws"), ASKS).expect("it is written");
    variant.arguments("--no-router");
    let doctor = variant.command();
    let doctor = doctor.as_std();
    let mut typing = tests::process::command(python);
    typing.arg(root().join("tests/scenarios/setup/typing.py")).arg("[]").arg(binary("porchlight"));
    typing.args(doctor.get_args());
    for (name, value) in doctor.get_envs() {
        if let Some(value) = value {
            typing.env(name, value);
        }
    }
    let began = std::time::Instant::now();
    let ended = run(world.namespace.inside(&typing), LIMIT).await;
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(ended.stdout.contains("the code of a second factor"), "{}{}", ended.stdout, ended.stderr);
    assert!(!ended.stdout.contains("Enter MFA code"), "{}", ended.stdout);
    assert!(!variant.folder.join("taken").exists(), "it took what was typed");
}

/// Notes who it is, and hangs.
const HANGS: &str = "#!/bin/sh\necho $$ > \"${0%/*}/pid\"\nexec sleep 60\n";

#[tokio::test]
async fn an_aws_that_hangs_ends_with_the_doctor_that_was_ended() {
    let Some(world) = World::new("ended").await else { return };
    let mut variant = world.variant("ended");
    fs::write(variant.folder.join("aws"), HANGS).expect("it is written");
    variant.arguments("--no-router --no-kubectl");
    let doctor = Process::start(world.namespace.inside(&variant.command()));
    let noted = variant.folder.join("pid");
    let pid = async {
        loop {
            match fs::read_to_string(&noted).ok().and_then(|text| text.trim().parse::<u32>().ok()) {
                Some(pid) => return pid,
                None => sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let pid = timeout(LIMIT, pid).await.expect("aws is called");
    doctor.kill().await;
    let gone = async {
        // A zombie is as good as gone: whoever is to wait for it does so in time.
        let goes_on = || fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        while goes_on() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.unwrap_or_else(|_| panic!("{pid} goes on"));
}
