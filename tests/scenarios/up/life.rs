//! A home from its first start to its purge.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

use tests::namespace::Namespace;

use crate::world::{Up, ended, porchlight, put, up};

/// All files of the folder that stay as they are from start to start.
fn kept(data: &Path) -> BTreeMap<String, String> {
    let names = ["beacon.key", "keeper.token", "seed.toml", "layout", "up.toml"];
    let read = |name: &str| fs::read_to_string(data.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    names.map(|name| (name.to_owned(), read(name))).into()
}

#[tokio::test]
async fn one_command_makes_a_page_that_says_how_it_is_looked_at_and_another_one_undoes_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("state/porchlight");
    let nothing = ended(porchlight("status", &data)).await;
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    assert!(nothing.stdout.contains("`porchlight up` makes and runs it"), "{nothing:?}");
    assert!(!data.exists(), "asking makes nothing");

    let home = Up::start(up(&data)).await;
    let page = home.page().await;
    assert!(page.contains("Nobody has looked yet") && !page.contains("Operational"), "{page}");
    assert!(
        page.contains(
            "Not looked at from outside yet. To have this home looked at, run <code>porchlight up --outside</code> on"
        ),
        "{page}"
    );
    let mode = |name: &str| fs::metadata(data.join(name)).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("beacon.key"), mode("keeper.token"), mode("seed.toml")), (0o700, 0o600, 0o600, 0o600));

    let again = ended(porchlight("up", &data)).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.stdout.contains("Porchlight runs already from") && again.stdout.contains(&home.page), "{again:?}");
    let changed = ended({
        let mut changed = porchlight("up", &data);
        changed.args(["--beacon-addr", "127.0.0.1:8080"]);
        changed
    });
    let changed = changed.await;
    assert!(changed.code == Some(1) && changed.stdout.contains("Nothing was changed"), "{changed:?}");

    let status = ended(porchlight("status", &data)).await;
    assert_eq!((status.code, status.stdout.lines().count()), (Some(0), 9), "{status:?}");
    for said in
        ["Nobody has looked yet", "not looked at from outside yet", "answers at port", "storage ok", "switched off"]
    {
        assert!(status.stdout.contains(said), "{said}: {status:?}");
    }

    let before = kept(&data);
    let down = ended(porchlight("down", &data)).await;
    assert!(down.code == Some(0) && down.stdout.contains("Porchlight has ended"), "{down:?}");
    let mut process = home.process;
    assert_eq!(process.ended().await.code(), Some(0), "{:#?}", process.lines());
    let stopped = ended(porchlight("status", &data)).await;
    assert!(stopped.code == Some(1) && stopped.stdout.contains("does not run"), "{stopped:?}");

    // Without flags it is where it was.
    let home = Up::start(porchlight("up", &data)).await;
    assert_eq!(kept(&data), before, "key, token, ids and ports stay");
    assert!(home.page().await.contains("Nobody has looked yet"));
    let purged = ended({
        let mut purge = porchlight("down", &data);
        purge.arg("--purge");
        purge
    });
    let purged = purged.await;
    assert!(purged.code == Some(0) && purged.stdout.contains("was deleted"), "{purged:?}");
    assert!(!data.exists());
    let nothing = ended(porchlight("down", &data)).await;
    assert!(nothing.code == Some(0) && nothing.stdout.contains("Nothing runs"), "{nothing:?}");
}

#[tokio::test]
async fn ports_that_are_taken_are_told_and_others_used_and_kept() {
    let Some(network) = Namespace::new("up-ports").await else {
        return tests::skip::skip("ports_that_are_taken", "no namespace can be made");
    };
    network.enter();
    let taken =
        ["127.0.0.1:8030", "0.0.0.0:8080"].map(|address| std::net::TcpListener::bind(address).expect("it is free"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let start = || {
        let mut up = porchlight("up", &data);
        up.arg("--no-bandwidth");
        Up::start(up)
    };
    let home = start().await;
    let said = home.process.lines().join("\n");
    assert_eq!(home.page, "http://127.0.0.1:8031/", "{said}");
    assert!(said.contains("port 8030 is taken by another program, so the page is at 8031"), "{said}");
    assert!(said.contains("port 8080 is taken by another program, so the beacon is at 8081"), "{said}");
    assert_eq!(home.process.terminate().await.code(), Some(0));
    // A router forwards to the other port by now, so it stays although the first one is free.
    drop(taken);
    let home = start().await;
    let said = home.process.lines().join("\n");
    assert!(home.page == "http://127.0.0.1:8031/" && !said.contains("is taken"), "{said}");
    assert_eq!(home.process.terminate().await.code(), Some(0));
    // What was asked for is had, or not at all.
    let _taken = std::net::TcpListener::bind("127.0.0.1:8040").expect("it is free");
    let mut asked = porchlight("up", &data);
    asked.args(["--page-addr", "127.0.0.1:8040"]);
    let refused = ended(asked).await;
    assert!(refused.code == Some(1) && refused.stderr.contains("another program listens there"), "{refused:?}");
}

#[tokio::test]
async fn a_name_at_duckdns_takes_its_token_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let with_name = |token: Option<&str>, name: &str| {
        let mut up = up(&data);
        // Nothing answers there, and no name server either.
        up.args(["--dns", name]).env("DUCKDNS_URL", "http://127.0.0.1:9").env("ADDRESS_SOURCES", "http://127.0.0.1:9");
        up.env("PUBLIC_DNS", "127.0.0.1:9").envs(token.map(|token| ("TOKEN", token)));
        up
    };
    let missing = ended(with_name(None, "myhome")).await;
    assert!(missing.code == Some(2) && missing.stderr.contains("--dns needs DuckDNS's token"), "{missing:?}");
    let wrong = ended(with_name(None, "my_home!")).await;
    assert!(wrong.code == Some(2) && wrong.stderr.contains("'--dns <NAME>': a name at DuckDNS"), "{wrong:?}");
    let token = "01234567-89ab-4cde-8f01-23456789abcd";
    let mut home = Up::start(with_name(Some(token), "myhome.duckdns.org")).await;
    let says = |lines: &[String]| lines.iter().any(|line| line.contains("DuckDNS every five minutes")).then_some(());
    home.process.wait_for("what it runs", says).await;
    assert!(!home.process.lines().join("\n").contains(token));
    assert_eq!(home.process.terminate().await.code(), Some(0));
    let home = Up::start(up(&data)).await;
    let status = ended(porchlight("status", &data)).await;
    assert!(status.stdout.contains("myhome.duckdns.org, every five minutes"), "{status:?}");
    assert_eq!(home.process.terminate().await.code(), Some(0));
    let home = Up::start(with_name(None, "off")).await;
    assert!(!home.process.lines().iter().any(|line| line.contains("DuckDNS every")));
    assert_eq!(home.process.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn the_database_of_a_keeper_is_taken_over_with_its_page() {
    let keeper = tests::keeper::Keeper::start().await;
    let tests::keeper::Keeper { process, folder, .. } = keeper;
    assert_eq!(process.terminate().await.code(), Some(0));
    let data = folder.path().join("data");
    put(&data, "layout.new", "");
    fs::rename(folder.path().join("keeper.db"), data.join("porchlight.db")).expect("it can be moved");
    let home = Up::start(up(&data)).await;
    assert!(home.page().await.contains("My home"), "{}", home.page().await);
    assert!(!data.join("seed.toml").exists());
    assert_eq!(home.process.terminate().await.code(), Some(0));
}

/// What the guide has its reader type, and what these tests type.
#[test]
fn the_guide_has_no_command_that_is_not_run_here() {
    let root = tests::binaries::root();
    let commands = |guide: &str| -> Vec<String> {
        let text = fs::read_to_string(root.join(guide)).expect("the guide");
        let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
        blocks.flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    };
    // `up --install` is run under a booted systemd, in tests/scenarios/release.
    let typed = ["up", "up --install", "status", "up --outside", "up --join", "tokens", "code", "down"];
    assert_eq!(commands("infra/UP.md"), typed.map(|words| format!("porchlight {words}")));
    let first = commands("README.md");
    assert_eq!(first, ["cargo run -- demo", "porchlight up", "tests/run"]);
}
