//! An outside machine and a home on one host: joins that are cut off on either side, and what is made of them.

use std::{fs, time::Duration};

use tests::{
    process::{Ended, Process, command, file, ours, run},
    skip::{program, skip},
};
use tokio::{
    process::Command,
    time::{Instant, sleep, timeout},
};

use crate::{
    two::{SEEN, Two, joined},
    world::{LIMIT, ended, page_in, porchlight, up},
};

/// The same command, ended by the kernel when it puts a file in its place for the time of that number.
fn killed_at_rename(plain: &Command, step: usize) -> Option<Command> {
    let mut traced = command(program("strace")?);
    traced.args(["-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=rename"]);
    traced.args(["-e", &format!("inject=rename:signal=SIGKILL:when={step}")]);
    traced.arg(plain.as_std().get_program()).args(plain.as_std().get_args());
    for (name, value) in plain.as_std().get_envs() {
        traced.env(name, value.expect("only values"));
    }
    Some(traced)
}

/// Whether the home comes to run, rather than ends because it could not join.
async fn has_joined(home: &mut Process) -> bool {
    loop {
        if home.lines().iter().any(|line| page_in(line).is_some()) {
            return true;
        }
        if timeout(Duration::from_millis(50), home.ended()).await.is_ok() {
            return false;
        }
    }
}

#[tokio::test]
async fn an_outside_machine_that_is_killed_at_any_step_of_a_join_takes_the_home_later() {
    if program("strace").is_none() {
        return skip("an outside machine that is killed while a home joins", "strace is missing");
    }
    let mut kills = 0;
    // What a first start puts in its place comes before, and is killed with the code not printed yet.
    for step in 1..=12 {
        let two = Two::new();
        let start = killed_at_rename(&two.outside(), step).expect("strace is there");
        let mut outside = Process::start(start);
        let code = loop {
            let code = outside.lines().into_iter().find(|line| line.starts_with("porchlight-join-"));
            let has_ended = timeout(Duration::from_millis(50), outside.ended()).await.is_ok();
            if code.is_some() || has_ended {
                break code;
            }
        };
        let mut refused: Option<Ended> = None;
        if let Some(code) = code {
            let mut home = Process::start(two.join(&file(two.folder.path(), "code", &code)));
            if has_joined(&mut home).await {
                assert_eq!(home.terminate().await.code(), Some(0));
                // Unless it was killed at its next file.
                outside.kill().await;
                break;
            }
            outside.ended().await;
            let code = home.ended().await.code();
            // What it said last may still be on its way.
            sleep(Duration::from_millis(100)).await;
            refused = Some(Ended { code, stdout: String::new(), stderr: home.lines().join("\n") });
        }
        kills += 1;
        if let Some(refused) = refused {
            assert!(refused.code == Some(1) && refused.stderr.contains("join again"), "step {step}: {refused:?}");
        }
        let (outside, code) = two.waiting(two.outside()).await;
        let mut home = Process::start(two.join(&code));
        joined(&mut home).await;
        assert_eq!(home.terminate().await.code(), Some(0), "step {step}");
        let tokens = ended({
            let mut tokens = ours("porchlight");
            tokens.arg("tokens").arg("--data").arg(two.data("outside"));
            tokens
        });
        assert_eq!(tokens.await.code, Some(0), "step {step}");
        assert_eq!(outside.terminate().await.code(), Some(0), "step {step}");
    }
    eprintln!("killed at {kills} steps");
    assert!(kills >= 7, "the kernel killed it {kills} times");
}

#[tokio::test]
async fn a_home_that_is_killed_while_it_joins_again_stays_up_and_keeps_what_it_had() {
    if program("strace").is_none() {
        return skip("a home that is killed while it joins again", "strace is missing");
    }
    let two = Two::new();
    let (outside, code) = two.waiting(two.outside()).await;
    let mut home = Process::start(two.join(&code));
    joined(&mut home).await;
    two.comes_to_say("All Systems Operational").await;

    // The outside machine has a new key and token for the home, which never got them.
    let key = two.key("home");
    let again = killed_at_rename(&two.join(&two.another_code().await), 1).expect("strace is there");
    let cut_off = two.stays_up(run(again, LIMIT)).await;
    assert_ne!(cut_off.code, Some(0));
    let old = two.data("outside").join("beacon.key.old");
    assert!(two.key("home") == key && two.key("outside") != key && old.exists());
    two.stays_up(sleep(Duration::from_secs(20))).await;
    let mut relay = ours("porchlight");
    relay.args(["keeper", "relay"]).env("KEEPER_TOKEN_FILE", two.data("home").join("keeper.token"));
    relay.env("KEEPER_ADDR", &two.page);
    let relay = ended(relay).await;
    assert!(relay.stdout.contains("condition: well"), "{relay:?}");

    // The next join replaces both, and what was before ends when the new ones are used.
    let again = two.stays_up(ended(two.join(&two.another_code().await))).await;
    assert!(again.code == Some(0) && again.stdout.contains("Joined the machine at"), "{again:?}");
    let ends = async {
        while old.exists() {
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(SEEN, two.stays_up(ends)).await.expect("the old key counts on");
    assert!(two.key("home") == two.key("outside") && two.key("home") != key);
    let chosen = fs::read_to_string(two.data("home").join("up.toml")).expect("what was chosen");
    assert!(chosen.contains(&format!("home_url = \"http://{}/\"", two.beacon)), "{chosen}");
    assert_eq!(home.terminate().await.code(), Some(0));
    // With another key it would be a stranger.
    fs::remove_file(two.data("home").join("beacon.key")).expect("it is there");
    let refused = ended(porchlight("up", &two.data("home"))).await;
    assert!(
        refused.code == Some(2) && refused.stderr.contains("the key of this home is gone: join again"),
        "{refused:?}"
    );
    assert_eq!(outside.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn a_home_that_an_outside_machine_could_not_take_again_stays_up() {
    let two = Two::new();
    let (outside, code) = two.waiting(two.outside()).await;
    let mut home = Process::start(two.join(&code));
    joined(&mut home).await;
    two.comes_to_say("All Systems Operational").await;
    assert_eq!(home.terminate().await.code(), Some(0));

    // Of all that it writes, the last cannot be: it has another key by then, which the home does not get.
    let chosen = two.data("outside").join("up.toml");
    fs::remove_file(&chosen).expect("it is there");
    fs::create_dir(&chosen).expect("a folder in its place");
    let again = two.join_as(&two.another_code().await, "http://moved.example/");
    let refused = ended(again).await;
    assert!(
        refused.code == Some(1) && refused.stderr.contains("the outside machine could not do its part"),
        "{refused:?}"
    );
    let home = Process::start(porchlight("up", &two.data("home")));
    two.comes_to_say("All Systems Operational").await;
    assert!(two.key("home") != two.key("outside") && two.data("outside").join("beacon.key.old").exists());
    two.stays_up(sleep(3 * Duration::from_secs(15))).await;
    assert_eq!(home.terminate().await.code(), Some(0));
    assert_eq!(outside.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn a_code_that_is_not_pasted_keeps_nobody_from_ending_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut join = up(&folder.path().join("data"));
    let (nothing, _open) = std::io::pipe().expect("a pipe");
    join.arg("--join").stdin(nothing);
    let asked = Process::start(join);
    // Nothing is printed while it waits for a line of a pipe.
    while !folder.path().join("data/seed.toml").exists() {
        sleep(Duration::from_millis(20)).await;
    }
    sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    assert_eq!(asked.terminate().await.code(), Some(1));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
