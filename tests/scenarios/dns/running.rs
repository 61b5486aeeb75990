//! `dns` as a program: again and again, ended by a signal, and silent about its secret.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tests::{
    duckdns::{Fault, TOKEN},
    process::{Process, run},
};

use crate::world::World;

#[tokio::test]
async fn every_keeps_on_and_finds_a_move() {
    let world = World::new().await;
    let mut command = world.command();
    command.args(["--every", "1s"]);
    let mut dns = Process::start(command);
    let says =
        |sentence: &'static str| move |lines: &[String]| lines.iter().any(|line| line.contains(sentence)).then_some(());
    dns.wait_for("nothing to do", says("still 81.2.69.142, nothing to do")).await;
    assert_eq!(world.calls().len(), 1);
    world.moves();
    dns.wait_for("nothing to do", says("still 81.2.69.160, nothing to do")).await;
    assert_eq!(world.calls().len(), 2);
    assert!(dns.terminate().await.success());
}

#[tokio::test]
async fn a_refusal_does_not_end_it_because_a_person_may_mend_the_account() {
    let world = World::new().await;
    world.duckdns.play([Fault::Ko], Fault::None);
    let mut command = world.command();
    command.args(["--every", "1s"]);
    let mut dns = Process::start(command);
    let took = |lines: &[String]| lines.iter().any(|line| line.contains("DuckDNS took 81.2.69.142")).then_some(());
    dns.wait_for("DuckDNS took", took).await;
    assert!(dns.lines().iter().any(|line| line.contains("\"ending\":\"wrong_setting\"")), "{:#?}", dns.lines());
    assert!(dns.terminate().await.success());
}

#[tokio::test]
async fn a_run_that_is_asked_to_end_ends_at_once_and_is_not_done() {
    let world = World::new().await;
    world.duckdns.play([], Fault::Slow(Duration::from_mins(10)));
    let mut dns = Process::start(world.command());
    world.duckdns.called(1).await;
    let start = Instant::now();
    dns.signal(Signal::TERM);
    assert_eq!(dns.ended().await.code(), Some(1));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert!(world.remembered()["ipv4"].is_null());
}

#[tokio::test]
async fn the_token_is_in_no_line_whatever_happens() {
    let faults = [
        Fault::None,
        Fault::Ko,
        Fault::BadGateway,
        Fault::Redirect,
        Fault::Reset,
        Fault::Slow(Duration::from_mins(10)),
        Fault::Says("a7c4d0ad-114e-40ef-ba1d-d217904a50f2"),
    ];
    let runs = faults.map(|fault| async move {
        let world = World::new().await;
        world.duckdns.play([], fault);
        for unreachable in [false, true] {
            let mut command = world.command();
            command.env("LOG_LEVEL", "trace").env("DEADLINE", "15s").env("ADDRESS", "detect");
            if unreachable {
                command.env("DUCKDNS_URL", "http://127.0.0.1:9/");
            }
            let ended = run(command, Duration::from_secs(30)).await;
            let said = ended.stdout + &ended.stderr;
            assert!(said.contains("TRACE") || said.contains("DEBUG"), "there is something to check: {said}");
            // Neither the whole nor a part that would give it away.
            for part in [TOKEN, "a7c4d0ad", "d217904a50f2"] {
                assert!(!said.contains(part), "{fault:?}: {said}");
            }
        }
    });
    for run in runs.map(tokio::spawn) {
        run.await.expect("each goes well");
    }
}

#[tokio::test]
async fn a_token_from_a_file_is_read_again_at_each_run() {
    let world = World::new().await;
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "00000000-0000-0000-0000-000000000000\n").expect("it can be written");
    let mut command = world.command();
    command.env_remove("TOKEN").env("TOKEN_FILE", file.path()).args(["--every", "1s"]);
    let mut dns = Process::start(command);
    let says =
        |sentence: &'static str| move |lines: &[String]| lines.iter().any(|line| line.contains(sentence)).then_some(());
    dns.wait_for("KO", says("DuckDNS says KO")).await;
    std::fs::write(file.path(), format!("{TOKEN}\n")).expect("it can be written");
    dns.wait_for("took", says("DuckDNS took 81.2.69.142")).await;
    assert!(dns.terminate().await.success());
}

#[tokio::test]
async fn jitter_spreads_the_calls_of_many_homes() {
    let runs = [(); 8].map(|()| async {
        let world = World::new().await;
        let start = Instant::now();
        world.run_with(|command| command.env("JITTER", "4s")).await.ends(0);
        start.elapsed()
    });
    let mut took = Vec::new();
    for run in runs.map(tokio::spawn) {
        took.push(run.await.expect("each goes well"));
    }
    let (first, last) = (took.iter().min().expect("some"), took.iter().max().expect("some"));
    // That all of eight fall within half a second of four happens once in 300 000 times.
    assert!(last.saturating_sub(*first) > Duration::from_millis(500), "{took:?}");
}

#[tokio::test]
async fn a_memory_that_cannot_be_written_is_reported() {
    let world = World::new().await;
    std::fs::create_dir(world.record().with_extension("json.new")).expect("the folder can be written");
    let run = world.run().await;
    run.ends(1).says("DuckDNS took 81.2.69.142").says("this cannot be remembered: STATE_DIR: ");
}

#[tokio::test]
async fn a_keeper_that_is_down_does_not_keep_duckdns_from_being_updated() {
    let world = World::new().await;
    let run = world.run_with(|command| {
        // Port 9 is closed.
        command.env("KEEPER_URL", "http://127.0.0.1:9").env("KEEPER_TOKEN", "x").env("DEADLINE", "35s")
    });
    let run = run.await;
    run.ends(1).says("what was done before is not known").says("DuckDNS took 81.2.69.142").says("public DNS agreed");
    run.says("this cannot be remembered").says("not handed over: POST /porchlight/v1/readings");
}
