//! What programs print, and how they end.

use super::*;
use crate::{cause::Cause, outcome::State};

#[tokio::test]
async fn a_plugin_gives_state_text_and_figures() {
    let folder = Folder::new();
    let text =
        "#!/bin/sh\necho 'DISK WARNING - /srv is full | /srv=95%;90;99;0;100 '\necho 'more of it | time=5ms'\nexit 1\n";
    let plugin = folder.file("check_it", text, 0o755);
    let outcome = outcome(&check(&[plugin.to_str().unwrap()])).await;
    assert_eq!((outcome.state, outcome.cause), (State::Warning, Some(Cause::Reported)));
    assert_eq!(
        (outcome.text.as_str(), outcome.long_text.as_deref()),
        ("DISK WARNING - /srv is full", Some("more of it"))
    );
    let figures: Vec<_> = outcome.figures.iter().map(ToString::to_string).collect();
    assert_eq!(figures, ["/srv=95%;90;99;0;100", "time=5ms"]);
    assert!(!outcome.took.is_zero() && outcome.took < PLENTY);
}

#[tokio::test]
async fn each_exit_code_has_its_state_and_what_is_above_is_unknown() {
    for (code, state, cause) in [
        (0, State::Ok, None),
        (1, State::Warning, Some(Cause::Reported)),
        (2, State::Critical, Some(Cause::Reported)),
        (3, State::Unknown, Some(Cause::Reported)),
        (7, State::Unknown, Some(Cause::Plugin)),
        (127, State::Unknown, Some(Cause::Plugin)),
    ] {
        let outcome = outcome(&sh(&format!("echo it; exit {code}"))).await;
        assert_eq!((outcome.state, outcome.cause), (state, cause), "{code}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_program_that_dies_by_a_signal_is_unknown() {
    let outcome = outcome(&sh("echo so far; kill -SEGV $$; sleep 60")).await;
    assert_eq!((outcome.state, outcome.cause), (State::Unknown, Some(Cause::Plugin)));
    assert!(outcome.text.contains("SIGSEGV") && outcome.text.contains("so far"), "{}", outcome.text);
}

#[tokio::test]
async fn nothing_printed_and_nothing_that_is_text_are_no_trouble() {
    let quiet = outcome(&sh("exit 0")).await;
    assert_eq!((quiet.state, quiet.text.as_str()), (State::Ok, "it printed no text"));
    let broken = outcome(&python("raise ValueError('five')")).await;
    assert_eq!(broken.state, State::Warning);
    assert!(broken.text.ends_with("ValueError: five"), "{}", broken.text);
    let bytes = outcome(&sh(r"printf 'caf\351 \377|a=1\n'; exit 2")).await;
    assert_eq!((bytes.state, bytes.text.as_str()), (State::Critical, "caf\u{fffd} \u{fffd}"));
    assert_eq!(bytes.figures.len(), 1);
}

#[tokio::test]
async fn it_runs_in_its_folder_and_has_no_input() {
    let folder = Folder::new();
    let place = folder.0.path().canonicalize().unwrap();
    let mut check = sh("pwd; cat");
    assert_eq!(outcome(&check).await.text, "/");
    check.folder = Some(place.clone());
    let outcome = outcome(&check).await;
    assert_eq!((outcome.state, outcome.text.as_str()), (State::Ok, place.to_str().unwrap()));
}

#[tokio::test]
async fn what_cannot_be_started_is_unknown_and_says_why() {
    let folder = Folder::new();
    let bare = folder.file("bare", "#!/bin/sh\n", 0o644);
    let lost = folder.file("lost", "#!/no/such/shell\n", 0o755);
    let gone = folder.0.path().join("gone");
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    for (command, said) in [
        (path(&gone), "there is no program /"),
        (path(&lost), "not the program that its first line names"),
        (path(&bare), "may not be executed"),
        ("check_of_nobody".into(), "no folder of PATH has a program check_of_nobody"),
        ("a\0b".into(), "holds a NUL character"),
    ] {
        let outcome = outcome(&check(&[&command])).await;
        assert_eq!((outcome.state, outcome.cause), (State::Unknown, Some(Cause::NotStarted)), "{command}");
        assert!(outcome.text.contains(said), "{}", outcome.text);
    }
    let found = with(check(&["lost"]), "PATH", Text::Plain(folder.0.path().to_str().unwrap().into()));
    let outcome = super::outcome(&found).await;
    assert!(outcome.text.starts_with("lost is there, but not"), "{}", outcome.text);
    let mut check = sh("exit 0");
    check.folder = Some(gone);
    let outcome = super::outcome(&check).await;
    assert!(outcome.text.starts_with("there is no folder"), "{}", outcome.text);
    check.command.clear();
    assert_eq!(super::outcome(&check).await.cause, Some(Cause::NotStarted));
}

#[tokio::test]
async fn under_root_it_is_nobody_or_who_the_check_says() {
    let mut check = sh("echo $(id -u) $(id -g) $(id -G)");
    if !is_root() {
        check.uid = Some(rustix::process::geteuid().as_raw() + 1);
        assert_eq!(outcome(&check).await.cause, Some(Cause::NotStarted));
        return;
    }
    assert_eq!(outcome(&check).await.text, "65534 65534 65534");
    check.uid = Some(4711);
    assert_eq!(outcome(&check).await.text, "4711 4711 4711");
}
