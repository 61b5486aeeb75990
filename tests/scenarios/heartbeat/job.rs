//! `porchlight heartbeat`, of a home without a keeper.

use std::{fs, time::Duration};

use shared::heartbeat::View;
use tests::{
    heartbeats::{Function, HOME, Manner},
    process::{Process, run},
};

use crate::world::{command, keeps_its_secrets, once};

#[tokio::test]
async fn one_is_sent_and_taken_and_numbers_grow_from_run_to_run() {
    let (function, folder) = (Function::open().await, tempfile::tempdir().expect("a folder"));
    for run in 1..=3 {
        let ended = once(&function, folder.path()).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "The heartbeat was taken.\n"), "{ended:?}");
        keeps_its_secrets(&format!("{}{}", ended.stdout, ended.stderr), &function);
        assert_eq!(function.taken().len(), run);
    }
    let taken = function.taken();
    assert_eq!(taken.iter().map(|sent| sent.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("Linux has it");
    for sent in &taken {
        assert_eq!((sent.home.as_str(), sent.boot.as_str(), sent.view), (HOME, boot.trim(), View::UNKNOWN));
        assert!(sent.running.up > sent.running.age && sent.last.is_none(), "{sent:?}");
    }
    assert_eq!(function.bodies().len(), 3, "one call each");
}

#[tokio::test]
async fn over_tls_the_certificate_is_verified() {
    let (function, folder) = (Function::over_tls().await, tempfile::tempdir().expect("a folder"));
    let ended = once(&function, folder.path()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    keeps_its_secrets(&format!("{}{}", ended.stdout, ended.stderr), &function);
    let other = Function::over_tls().await.certificate.clone().expect("it has one");
    let mut untrusting = command(&function, folder.path());
    untrusting.env("SSL_CERT_FILE", tests::process::file(folder.path(), "other.pem", &other));
    let ended = run(untrusting, Duration::from_secs(60)).await;
    assert_eq!((ended.code, function.taken().len()), (Some(2), 1), "{ended:?}");
    assert!(
        ended.stderr.contains("the certificate at HEARTBEAT_URL is not one that this machine trusts now"),
        "{ended:?}"
    );
    keeps_its_secrets(&format!("{}{}", ended.stdout, ended.stderr), &function);
}

#[tokio::test]
async fn numbers_that_are_lost_go_on_above_the_newest_that_is_told() {
    let (function, folder) = (Function::open().await, tempfile::tempdir().expect("a folder"));
    function.takes_another(7_000, "0");
    for lost in ["nothing was remembered", "half a num"] {
        fs::write(folder.path().join("heartbeat.json"), lost).expect("the folder can be written");
        let before = function.bodies().len();
        let ended = once(&function, folder.path()).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(function.bodies().len(), before + 2, "the second one knows the newest");
    }
    assert_eq!(function.taken().iter().map(|sent| sent.sequence).collect::<Vec<_>>(), [7_001, 7_002]);
    // And without any place to remember.
    let mut nowhere = command(&function, folder.path());
    nowhere.env_remove("STATE_DIR");
    assert_eq!(run(nowhere, Duration::from_secs(60)).await.code, Some(0));
    assert_eq!(function.taken()[2].sequence, 7_003);
}

#[tokio::test]
async fn a_clock_that_is_a_year_off_is_told_the_time() {
    let (function, folder) = (Function::open().await, tempfile::tempdir().expect("a folder"));
    function.is_ahead(365 * 86_400);
    let ended = once(&function, folder.path()).await;
    assert_eq!((ended.code, function.bodies().len()), (Some(0), 2), "{ended:?}");
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_with_another_number() {
    let (function, folder) = (Function::open().await, tempfile::tempdir().expect("a folder"));
    function.turn(Manner::LosesAnswers);
    let ended = once(&function, folder.path()).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let taken = function.taken();
    assert_eq!(taken.iter().map(|sent| sent.sequence).collect::<Vec<_>>(), [1, 2, 3], "no try is a replay");
    let mut bodies = function.bodies();
    bodies.dedup();
    assert_eq!(bodies.len(), 3);
}

#[tokio::test]
async fn it_stays_and_sends_each_time_and_a_restart_goes_on_above() {
    let (function, folder) = (Function::open().await, tempfile::tempdir().expect("a folder"));
    let start = || {
        let mut staying = command(&function, folder.path());
        staying.args(["--every", "15s"]);
        Process::start(staying)
    };
    let process = start();
    let begun = tokio::time::Instant::now();
    function.wait(2).await;
    let took = begun.elapsed().as_secs_f64();
    assert!((13.0..25.0).contains(&took), "the second came after {took} s");
    let said = process.lines().join("\n");
    keeps_its_secrets(&said, &function);
    assert_eq!(said.matches("heartbeats are taken").count(), 1, "{said}");
    process.kill().await;
    let process = start();
    let taken = function.wait(3).await;
    assert!(taken.windows(2).all(|pair| pair[0].sequence < pair[1].sequence), "{taken:?}");
    assert_eq!(function.bodies().len(), 3, "none was refused");
    assert!(process.terminate().await.success());
}
