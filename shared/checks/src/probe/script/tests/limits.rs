//! Programs that hang, flood, fork and do not want to end.

use std::process::Command;

use tokio::{
    io::AsyncReadExt,
    net::unix::pipe,
    time::{Instant, timeout},
};

use super::*;
use crate::{cause::Cause, outcome::State};

/// What holds it open is seen to end.
struct Witness {
    _folder: Folder,
    path: String,
    reader: pipe::Receiver,
    /// As long as this is open, nothing written is no end.
    own: pipe::Sender,
}

impl Witness {
    fn new() -> Self {
        let folder = Folder::new();
        let path = folder.0.path().join("witness");
        assert!(Command::new("mkfifo").args(["-m", "666"]).arg(&path).status().unwrap().success());
        let reader = pipe::OpenOptions::new().open_receiver(&path).unwrap();
        let own = pipe::OpenOptions::new().open_sender(&path).unwrap();
        Self { path: path.to_str().unwrap().to_owned(), _folder: folder, reader, own }
    }

    /// What is written to it next.
    async fn next(&mut self) -> String {
        let mut written = [0; 100];
        let length = timeout(PLENTY, self.reader.read(&mut written)).await.unwrap().unwrap();
        String::from_utf8(written[..length].to_vec()).unwrap()
    }

    /// What was written to it, once all are gone that may write.
    async fn gone(mut self) -> String {
        drop(self.own);
        let mut written = String::new();
        let read = timeout(PLENTY, self.reader.read_to_string(&mut written)).await;
        assert!(read.is_ok(), "it still runs");
        written
    }
}

#[tokio::test]
async fn a_program_that_hangs_is_stopped_in_time_and_is_critical() {
    let start = Instant::now();
    let outcome = outcome_within(&sh("echo waiting; sleep 60"), Duration::from_millis(500)).await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!((outcome.state, outcome.cause), (State::Critical, Some(Cause::TimedOut)));
    assert_eq!(outcome.text, "it had not ended after 0.5 s and was stopped; it printed: waiting");
}

#[tokio::test]
async fn it_may_clear_up_when_it_is_asked_to_end_but_that_is_no_result() {
    let witness = Witness::new();
    let text = format!("exec 3>{}; trap 'echo cleared >&3; echo OK; exit 0' TERM; sleep 60 & wait", witness.path);
    let outcome = outcome_within(&sh(&text), Duration::from_secs(3)).await;
    assert_eq!((outcome.state, outcome.cause), (State::Critical, Some(Cause::TimedOut)), "{outcome:?}");
    assert!(outcome.text.ends_with("it printed: OK"), "{}", outcome.text);
    assert_eq!(witness.gone().await, "cleared\n");
}

#[tokio::test]
async fn a_program_that_ignores_sigterm_is_killed_with_all_that_it_started() {
    let witness = Witness::new();
    let text = format!(
        "exec 3>{}; echo here >&3; trap '' TERM; sh -c 'sleep 60; sleep 60' & sleep 60; sleep 60",
        witness.path
    );
    let start = Instant::now();
    let outcome = outcome_within(&sh(&text), Duration::from_millis(600)).await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(outcome.cause, Some(Cause::TimedOut));
    assert_eq!(witness.gone().await, "here\n");
}

#[tokio::test]
async fn what_a_program_leaves_behind_with_its_output_open_keeps_nobody_waiting_and_ends_with_it() {
    let witness = Witness::new();
    let text = format!("(exec 3>{}; echo left >&3; sleep 60) & sleep 0.2; echo 'OK | a=1'; exit 2", witness.path);
    let outcome = outcome(&sh(&text)).await;
    assert_eq!((outcome.state, outcome.text.as_str(), outcome.figures.len()), (State::Critical, "OK", 1));
    assert!(outcome.took < Duration::from_secs(10), "{:?}", outcome.took);
    assert_eq!(witness.gone().await, "left\n");
}

#[tokio::test]
async fn what_has_left_the_group_keeps_nobody_waiting_either() {
    let text = "import os, time, sys
if os.fork() == 0:
    os.setsid()
    time.sleep(8)
print('OK', flush=True)
os._exit(1)";
    let outcome = outcome(&python(text)).await;
    assert_eq!((outcome.state, outcome.text.as_str()), (State::Warning, "OK"));
    assert!(outcome.took < Duration::from_secs(7), "{:?}", outcome.took);
}

#[tokio::test]
async fn a_flood_is_read_and_thrown_away() {
    let text = "echo 'OK | a=1'; head -c 3000000 /dev/zero | tr '\\0' 'x'; echo error >&2; exit 2";
    let ended = outcome(&sh(text)).await;
    assert_eq!((ended.state, ended.text.as_str(), ended.figures.len()), (State::Critical, "OK", 1));
    let long_text = ended.long_text.unwrap();
    assert!(long_text.ends_with("more than 64 KiB, and the rest is left out)"), "{long_text}");
    let endless = outcome_within(&sh("yes >&2 & yes"), Duration::from_secs(1)).await;
    assert_eq!(endless.cause, Some(Cause::TimedOut));
    assert!(endless.text.ends_with("it printed: y"), "{}", endless.text);
}

#[tokio::test]
async fn a_run_that_is_given_up_ends_its_program() {
    let mut witness = Witness::new();
    let check = sh(&format!("exec 3>{}; echo here >&3; sleep 60; sleep 60", witness.path));
    tokio::select! {
        outcome = outcome(&check) => panic!("{outcome:?}"),
        written = witness.next() => assert_eq!(written, "here\n"),
    }
    assert_eq!(witness.gone().await, "");
}

#[tokio::test]
async fn where_no_time_is_left_nothing_hangs() {
    let outcome = outcome_within(&sh("sleep 60"), Duration::ZERO).await;
    assert_eq!(outcome.cause, Some(Cause::TimedOut));
}

#[tokio::test]
async fn many_at_once_are_each_by_themselves() {
    let checks: Vec<_> = (0..30).map(|index| sh(&format!("echo {index}; exit {}", index % 4))).collect();
    let outcomes = futures_util::future::join_all(checks.iter().map(outcome)).await;
    for (index, outcome) in outcomes.iter().enumerate() {
        assert_eq!((outcome.text.clone(), outcome.state), (index.to_string(), State::ALL[index % 4]));
    }
}
