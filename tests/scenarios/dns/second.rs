//! A second name at another service, which is there for when DuckDNS fails.

use std::time::Duration;

use tests::{
    duckdns::Fault,
    dyndns::{Dyndns, NAME, PASSWORD, USER},
    process::{command, file, run},
    skip::{program, skip},
};
use tokio::process::Command;

use crate::world::{HOME, MOVED, Run, World};

/// A run that keeps the second name, too.
async fn run_with(world: &World, second: &Dyndns, change: impl FnOnce(&mut Command) -> &mut Command) -> Run {
    world.run_with(|command| change(settings(command, second))).await
}

fn settings<'a>(command: &'a mut Command, second: &Dyndns) -> &'a mut Command {
    command.env("DYNDNS_URL", second.url()).env("DYNDNS_USER", USER).env("DYNDNS_PASSWORD", PASSWORD)
}

#[tokio::test]
async fn it_is_called_on_a_change_and_left_alone_otherwise() {
    let (world, second) = (World::new().await, Dyndns::open().await);
    let name = format!("{NAME} at 127.0.0.1");
    run_with(&world, &second, |it| it).await.ends(0).says(&format!("{name} took {HOME}"));
    assert_eq!((second.holds(), second.calls().len()), (Some(HOME.into()), 1));
    assert_eq!(second.calls()[0], format!("/nic/update?hostname={NAME}&myip={HOME}"));
    for _ in 0..3 {
        run_with(&world, &second, |it| it).await.ends(0).says(&format!("{name}: still {HOME}, nothing to do"));
    }
    assert_eq!(second.calls().len(), 1, "it would be blocked");
    world.moves();
    let run = run_with(&world, &second, |it| it).await;
    run.ends(0).says(&format!("{name} took {MOVED}"));
    assert_eq!(second.holds(), Some(MOVED.into()));
    assert!(!format!("{}{}", run.output, run.stderr).contains(PASSWORD), "{run:?}");
    assert!(!world.remembered().to_string().contains(PASSWORD));
}

/// This is what it is for.
#[tokio::test]
async fn it_follows_the_home_while_duckdns_fails() {
    let (world, second) = (World::new().await, Dyndns::open().await);
    run_with(&world, &second, |it| it).await.ends(0);
    world.moves();
    world.duckdns.play([], Fault::Jetty);
    let run = run_with(&world, &second, |it| it).await;
    run.ends(1).says(&format!("took {MOVED}")).says("DuckDNS fails");
    assert_eq!((second.holds(), world.holds().ipv4), (Some(MOVED.into()), Some(HOME)));
    // Also where that lasts for days, and DuckDNS is called at each run.
    let before = world.remembered();
    let day = serde_json::json!("2026-01-01T00:00:00Z");
    let mut older = before.clone();
    older["ipv4"]["at"] = day;
    std::fs::write(world.record(), older.to_string()).expect("the folder can be written");
    for source in &world.sources {
        source.turn(tests::address_source::Manner::Line(HOME.into()));
    }
    run_with(&world, &second, |it| it).await.ends(1).says(&format!("took {HOME}"));
    assert_eq!(second.holds(), Some(HOME.into()));
}

#[tokio::test]
async fn what_it_refuses_is_said_with_what_to_do_and_not_asked_again() {
    for (says, sentence, code) in [
        (("401 Unauthorized", "badauth"), "it knows no such user, or another password", 2),
        (("200 OK", "nohost"), "the name is not one of this account's", 2),
        (("200 OK", "abuse"), "it has blocked the name for updates", 2),
        (("200 OK", "good 127.0.0.1"), "it does not want this program", 2),
        (("200 OK", "911"), "it is in trouble (911)", 1),
        (("429 Too Many Requests", ""), "it was asked too often", 1),
    ] {
        let (world, second) = (World::new().await, Dyndns::open().await);
        second.says(Some(says));
        // The name at DuckDNS is kept all the same.
        run_with(&world, &second, |it| it).await.ends(code).says(sentence).says(&format!("DuckDNS took {HOME}"));
        let again = run_with(&world, &second, |it| it).await;
        again.ends(code).says(sentence).says("; it is called again at ");
        assert_eq!(second.calls().len(), 1, "{says:?}");
    }
}

#[tokio::test]
async fn what_is_no_such_service_is_asked_again_at_the_next_run() {
    let (world, second) = (World::new().await, Dyndns::open().await);
    for (says, sentence) in [
        (("502 Bad Gateway", "<html>"), "it answered with status 502"),
        (("200 OK", "<html>good</html>"), "none of the words of dyndns2"),
        (("200 OK", "good 81.2.69.1"), "says that it took 81.2.69.1"),
    ] {
        second.says(Some(says));
        run_with(&world, &second, |it| it).await.ends(1).says(sentence);
    }
    second.says(None);
    run_with(&world, &second, |it| it).await.ends(0).says(&format!("took {HOME}"));
    assert_eq!(second.calls().len(), 4);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_done_and_does_not() {
    let (world, second) = (World::settled().await, Dyndns::open().await);
    let run = run_with(&world, &second, |it| it.arg("--dry-run")).await;
    run.ends(0).says(&format!("in earnest, {NAME} at 127.0.0.1 would be set to {HOME} now"));
    assert!(second.calls().is_empty(), "{:?}", second.calls());
}

#[tokio::test]
async fn wrong_settings_are_refused_before_anything_is_called() {
    let second = Dyndns::open().await;
    for (name, value, sentence) in [
        ("DYNDNS_USER", "", "DYNDNS_URL is set, but DYNDNS_USER is not: set both, or none"),
        ("DYNDNS_PASSWORD", "", "DYNDNS_PASSWORD is not set: set DYNDNS_PASSWORD, or DYNDNS_PASSWORD_FILE to a file"),
        ("DYNDNS_URL", "", "DYNDNS_USER is set, but DYNDNS_URL is not: set both, or none"),
        ("DYNDNS_URL", "http://dyn.example/?hostname=a.example", "DYNDNS_URL: the password would travel unencrypted"),
        ("DYNDNS_URL", "https://dyn.example/nic/update", "DYNDNS_URL: it does not say which name is kept"),
        ("DYNDNS_URL", "https://dyn.example/?hostname=a.example&myip=1.2.3.4", "DYNDNS_URL: leave myip= out"),
        ("STATE_DIR", "", "DYNDNS_URL is set, but nothing is remembered"),
    ] {
        let world = World::new().await;
        let mut dns = world.command();
        settings(&mut dns, &second);
        if value.is_empty() {
            dns.env_remove(name)
        } else {
            dns.env(name, value)
        };
        let ended = run(dns, Duration::from_secs(10)).await;
        assert_eq!(ended.code, Some(2), "{name}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(sentence) && !ended.stderr.contains("hunter"), "{}", ended.stderr);
        assert!(world.duckdns.calls().is_empty() && second.calls().is_empty(), "{name}");
    }
}

/// Debian's ddclient, which was written against the real ones, as another client of the service that is played here.
#[tokio::test]
async fn ddclient_takes_the_service_for_one_that_speaks_dyndns2() {
    let Some(ddclient) = program("ddclient") else {
        return skip("ddclient and dyndns2", "ddclient is missing; tests/run installs it");
    };
    let (second, folder) = (Dyndns::open().await, tempfile::tempdir().expect("a folder"));
    for (password, address, said) in [
        (PASSWORD, HOME, format!("good: IP address set to {HOME}")),
        (PASSWORD, HOME, "nochg: No update required".into()),
        ("other", MOVED, "FAILED:".into()),
    ] {
        let config = format!(
            "use=ip, ip={address}\nssl=no\nprotocol=dyndns2, server={}, login={USER}, password='{password}' {NAME}\n",
            second.address
        );
        let config = file(folder.path(), "ddclient.conf", &config);
        let mut client = command(&ddclient);
        client.args(["-foreground", "-force", "-verbose", "-noquiet", "-nosyslog", "-daemon", "0", "-file", &config]);
        client.arg("-cache").arg(folder.path().join("cache")).arg("-pid").arg(folder.path().join("pid"));
        let ended = run(client, Duration::from_secs(30)).await;
        let printed = ended.stdout + &ended.stderr;
        assert!(printed.contains(&said), "{printed}");
    }
    assert_eq!(second.holds(), Some(HOME.into()));
}
