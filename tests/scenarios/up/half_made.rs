//! Folders that a start left half made: killed at every step, on a full disk, or with files gone. The next start mends them.

use std::{fs, path::Path};

use tests::{
    disk::Disk,
    process::{Ended, Process, command},
    skip::{program, skip},
};
use tokio::process::Command;

use crate::world::{Up, ended, page_in, porchlight, up};

/// The calls that change what is on the disk.
const CALLS: &str = "mkdir,rename,fsync,fdatasync,unlink,pwrite64,ftruncate";

/// As many as a first start makes, and more.
const MOST: usize = 400;

/// `up`, ended by the kernel at the call of that number.
fn killed_at(step: usize, data: &Path) -> Option<Command> {
    let plain = up(data);
    let mut traced = command(program("strace")?);
    // Detached, so that the child is the program itself and can be ended.
    traced.args(["-D", "-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={CALLS}")]);
    traced.args(["-e", &format!("inject={CALLS}:signal=SIGKILL:when={step}")]);
    traced.arg(plain.as_std().get_program()).args(plain.as_std().get_args());
    for (name, value) in plain.as_std().get_envs() {
        traced.env(name, value.expect("only values"));
    }
    Some(traced)
}

/// Whether it was killed before it said where the page is.
async fn is_killed(command: Command) -> bool {
    let mut process = Process::start(command);
    loop {
        tokio::select! {
            _ = process.ended() => return true,
            () = tokio::time::sleep(std::time::Duration::from_millis(20)) => (),
        }
        if process.lines().iter().any(|line| page_in(line).is_some()) {
            process.kill().await;
            return false;
        }
    }
}

async fn purged(data: &Path) -> Ended {
    let mut purge = porchlight("down", data);
    purge.arg("--purge");
    ended(purge).await
}

#[tokio::test]
async fn a_first_start_that_is_killed_at_any_step_is_mended_by_the_next() {
    if program("strace").is_none() {
        return skip("a_first_start_that_is_killed_at_any_step", "strace is missing");
    }
    // Few calls between two files, many within the database: the first ones one by one.
    let steps = (1..40).chain((40..MOST).step_by(if tests::skip::long() { 1 } else { 12 }));
    let mut kills = 0;
    for step in steps {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        if !is_killed(killed_at(step, &data).expect("strace is there")).await {
            break;
        }
        kills += 1;
        // Every other one is purged at once: what has no mark yet is left as it is.
        if step % 2 == 1 {
            let purged = purged(&data).await;
            assert_eq!(purged.code == Some(0), !data.exists(), "step {step}: {purged:?}");
            assert!(purged.code == Some(0) || purged.stderr.contains("was not made by"), "step {step}: {purged:?}");
        }
        let home = Up::start(up(&data)).await;
        let page = home.page().await;
        assert!(page.contains("Nobody has looked yet"), "step {step}: {page}");
        for name in ["beacon.key", "keeper.token", "seed.toml"] {
            assert!(
                !fs::read_to_string(data.join(name)).expect("it is there").trim().is_empty(),
                "step {step}: {name}"
            );
        }
        assert_eq!(home.process.terminate().await.code(), Some(0), "step {step}");
        assert_eq!(purged(&data).await.code, Some(0), "step {step}");
        assert!(!data.exists(), "step {step}");
    }
    eprintln!("killed at {kills} steps");
    assert!(kills >= 30, "the kernel killed it {kills} times");
}

#[tokio::test]
async fn what_is_gone_from_the_folder_is_made_again_and_the_rest_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let home = Up::start(up(&data)).await;
    let page = |text: &str| text.split("id = ").nth(1).expect("an id")[..14].to_owned();
    let id = page(&fs::read_to_string(data.join("seed.toml")).expect("a seed"));
    assert_eq!(home.process.terminate().await.code(), Some(0));
    for gone in ["keeper.token", "beacon.key", "up.toml", "running.json", "prober.json", "layout"] {
        fs::remove_file(data.join(gone)).unwrap_or_else(|error| panic!("{gone}: {error}"));
        let home = Up::start(up(&data)).await;
        assert!(home.page().await.contains("Nobody has looked yet"), "{gone}");
        assert_eq!(home.process.terminate().await.code(), Some(0), "{gone}");
        assert_eq!(page(&fs::read_to_string(data.join("seed.toml")).expect("a seed")), id, "{gone}");
    }
}

#[tokio::test]
async fn a_full_disk_is_one_sentence_and_the_next_start_mends_what_it_left() {
    for room in [0, 4, 8, 16, 24, 40] {
        let Some(disk) = Disk::new("a_full_disk_is_one_sentence", 1024) else { return };
        disk.fill_but(room << 10);
        let data = disk.file("data");
        let mut process = Process::start(up(&data));
        // It says why it cannot be, or it serves and waits for room.
        let full = process.wait_for("what is wrong", |lines| {
            let warning = lines.iter().find(|line| line.contains("No space left"));
            warning.cloned().or_else(|| lines.iter().find(|line| page_in(line).is_some()).cloned())
        });
        let full = full.await;
        if page_in(&full).is_none() {
            assert!(
                full.contains("make room on that disk") || full.contains("cannot be written"),
                "{room} KiB: {full}"
            );
        }
        process.kill().await;
        disk.free();
        let home = Up::start(up(&data)).await;
        assert!(home.page().await.contains("Nobody has looked yet"), "{room} KiB");
        assert_eq!(home.process.terminate().await.code(), Some(0), "{room} KiB");
    }
}
