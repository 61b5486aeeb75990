//! A Pi after a power cut: the clock on the wall is wrong, and jumps when the network sets it. Proofs do not care.

use shared::proof::Key;
use tests::{
    beacon::{Beacon, host_uptime},
    keeper::Keeper,
    prober::{probe_with, prober_command},
    process::{file, ours},
    skip::{libfaketime, skip},
};

#[tokio::test]
async fn times_of_a_proof_run_on_while_the_clock_on_the_wall_is_wrong_and_jumps() {
    let Some(libfaketime) = libfaketime() else {
        skip("clock", "libfaketime is missing; tests/run installs it");
        return;
    };
    let key = Key::new([1; 32]).expose();
    let (keeper, folder) = (Keeper::start().await, tempfile::tempdir().expect("a folder"));
    let wall = |time: &str| file(folder.path(), "wall", &format!("@{time}\n"));
    let mut command = ours("beacon");
    command
        .env("BEACON_KEY", &key)
        .env("LD_PRELOAD", libfaketime)
        .env("FAKETIME_TIMESTAMP_FILE", wall("1970-01-01 00:00:07"))
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let mut beacon = Beacon::run(command, "127.0.0.1:0").await;
    let line = beacon.process.wait_for_message("listening").await;
    assert!(line["timestamp"].as_str().is_some_and(|at| at.starts_with("1970-01-01")), "{line}");

    let mut last = 0;
    for time in ["1970-01-01 00:00:08", "2026-11-21 12:00:00", "2001-09-09 01:46:40", "2038-01-19 03:14:08"] {
        wall(time);
        let mut command = prober_command(&beacon.url(), &keeper.api());
        command.env("BEACON_KEY", &key);
        let run = probe_with(command).await;
        let exchange = &run.target["attempts"][0]["exchanges"][0];
        assert_eq!(exchange["identity"], "proven", "{time}: {:#}", run.report);
        let (up, age) =
            (exchange["host_up_s"].as_f64().expect("a time"), exchange["beacon_up_s"].as_u64().expect("a time"));
        assert!((host_uptime() - up).abs() < 30.0, "{time}: {up} against {}", host_uptime());
        assert!((last..last + 60).contains(&age), "{time}: {age} after {last}");
        last = age;
    }
}
