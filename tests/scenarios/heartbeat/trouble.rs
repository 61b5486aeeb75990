//! What is not the function, or does not take a heartbeat.

use std::time::{Duration, Instant};

use tests::{
    heartbeats::{Function, Manner},
    home::{self, Home},
    process::{file, run},
};

use crate::world::{command, keeps_its_secrets, once};

#[tokio::test]
async fn what_is_refused_is_said_with_what_to_do_and_not_tried_again() {
    for (says, sentence) in [
        (Manner::Says(401, "no"), "knows no home with this component's id and this BEACON_KEY"),
        (
            Manner::Says(403, "{\"Message\":\"Forbidden\"}"),
            "is not the stack's heartbeat function: copy its address again (status 403)",
        ),
        (
            Manner::Says(404, "<html>no</html>"),
            "is not the stack's heartbeat function: copy its address again (status 404)",
        ),
        (Manner::Says(302, ""), "is not the stack's heartbeat function"),
        (Manner::Says(413, "too long"), "update the stack to this program's version (status 413)"),
        (Manner::Says(400, "what"), "update the stack to this program's version (status 400)"),
        (Manner::Says(200, "<html>Welcome</html>"), "the answer from HEARTBEAT_URL is not signed with this home's key"),
        (Manner::AnotherKey, "the answer from HEARTBEAT_URL is not signed with this home's key"),
    ] {
        let (function, folder) = (Function::open().await, tempfile::tempdir().expect("a folder"));
        function.turn(says);
        let ended = once(&function, folder.path()).await;
        assert_eq!(ended.code, Some(2), "{says:?}: {ended:?}");
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(last.contains(sentence) && last.contains("infra/MESSAGES.md#heartbeat-"), "{says:?}: {ended:?}");
        assert_eq!(function.bodies().len(), 1, "{says:?}");
        keeps_its_secrets(&format!("{}{}", ended.stdout, ended.stderr), &function);
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_three_times_within_the_minute() {
    let (function, folder) = (Function::open().await, tempfile::tempdir().expect("a folder"));
    function.turn(Manner::Says(503, "the heartbeat could not be stored\n"));
    let begun = Instant::now();
    let ended = once(&function, folder.path()).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("takes no heartbeat now (status 503)"), "{ended:?}");
    let bodies = function.bodies();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.windows(2).all(|pair| pair[0] != pair[1]), "no try is a replay");
    assert!((2..20).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_function_that_is_silent_or_gone_ends_in_time_with_the_address_in_no_word() {
    let (function, folder) = (Function::open().await, tempfile::tempdir().expect("a folder"));
    function.turn(Manner::Silent);
    let begun = Instant::now();
    let ended = once(&function, folder.path()).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(begun.elapsed() < Duration::from_secs(50), "{:?}", begun.elapsed());
    assert!(ended.stderr.contains("does not answer in time"), "{ended:?}");
    keeps_its_secrets(&ended.stderr, &function);
    let closed = Home::open(home::Manner::Refuses).await;
    for (url, sentence) in [
        (format!("http://localhost:{}/kq7ub2x9d4n6w3", closed.address.port()), "there is no connection"),
        ("https://kq7ub2x9d4n6w3.invalid/".to_owned(), "its name has no address here"),
    ] {
        let mut gone = command(&function, folder.path());
        gone.env("HEARTBEAT_URL", &url);
        let ended = run(gone, Duration::from_secs(60)).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(sentence) && !ended.stderr.contains("kq7ub2x9d4n6w3"), "{ended:?}");
    }
}

#[tokio::test]
async fn two_hosts_with_one_key_are_told() {
    let (function, folder) = (Function::open().await, tempfile::tempdir().expect("a folder"));
    assert_eq!(once(&function, folder.path()).await.code, Some(0));
    function.takes_another(50, "abcdef");
    let ended = once(&function, folder.path()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("another host sends heartbeats with this BEACON_KEY, too"), "{ended:?}");
    assert_eq!(function.taken()[1].sequence, 51);
}

#[tokio::test]
async fn a_key_that_is_replaced_is_used_at_the_next_one() {
    let (function, folder) = (Function::open().await, tempfile::tempdir().expect("a folder"));
    let mut with_files = command(&function, folder.path());
    with_files.env_remove("BEACON_KEY").env_remove("HEARTBEAT_URL");
    with_files.env("BEACON_KEY_FILE", file(folder.path(), "key", &tests::heartbeats::key().expose()));
    with_files.env("HEARTBEAT_URL_FILE", file(folder.path(), "url", &format!("{}\n", function.url())));
    let ended = run(with_files, Duration::from_secs(60)).await;
    assert_eq!((ended.code, function.taken().len()), (Some(0), 1), "{ended:?}");
}
