//! A teardown of what belonged to somebody who has gone: a router, a cluster, an account, a page.

use std::{fs, time::Duration};

use tests::{
    process::{Ended, ours, own_address, run},
    router::{Manner, Router},
};

use super::world::World;

async fn tears_down(world: &World, words: &[&str], change: impl FnOnce(&mut tokio::process::Command)) -> Ended {
    let mut command = world.command(&[&["teardown"], words].concat());
    change(&mut command);
    run(command, Duration::from_mins(2)).await
}

#[tokio::test]
async fn a_port_without_end_of_a_router_that_has_gone_is_left_where_its_owner_says_so() {
    let world = World::at_home().await;
    let router = Router::at(own_address(), Manner { only_for_ever: true, ..Manner::UPNP }).await;
    let (address, state) = (router.address.to_string(), world.place.path().join("state"));
    let words = ["setup", "--yes", "--without-aws", "--home", "home", "--runs-on", "systemd", "--router", &address];
    let first = world.run(&words).await;
    assert_eq!(first.code, Some(0), "{}{}", first.stdout, first.stderr);
    let mut open = ours("porchlight");
    open.args(["port", "open", "--protocol", "upnp", "--external", "30008", "--internal", "8080"]);
    open.env("ROUTER", &address).env("STATE_DIR", &state).env("ADDRESS_SOURCES", "http://127.0.0.1:9");
    let opened = run(open, Duration::from_mins(1)).await;
    assert_eq!(opened.code, Some(0), "{}{}", opened.stdout, opened.stderr);
    let noted = || fs::read_to_string(state.join("port.json")).expect("a record");
    assert!(noted().contains("\"lease\": null") && noted().contains("30008"), "{}", noted());
    drop(router);

    for words in [&[][..], &["--forget", "page,aws,cluster"]] {
        let failed = tears_down(&world, words, |it| _ = it.env("STATE_DIR", &state)).await;
        let said = format!("failed   port 30008 of {address}, which leads to ");
        assert!(failed.code == Some(1) && failed.stdout.contains(&said), "{}{}", failed.stdout, failed.stderr);
        assert!(noted().contains("30008") && world.folder().join("setup.toml").exists(), "it is still noted");
    }
    let left = tears_down(&world, &["--forget", "port"], |it| _ = it.env("STATE_DIR", &state)).await;
    assert_eq!(left.code, Some(0), "{}{}", left.stdout, left.stderr);
    let line =
        left.stdout.lines().find(|line| line.starts_with("left     ")).unwrap_or_else(|| panic!("{}", left.stdout));
    assert!(line.contains(&format!("port 30008 of {address}")) && line.contains("it is not closed: "), "{line}");
    assert!(left.stdout.contains("What is left is noted nowhere any more"), "{}", left.stdout);
    assert!(!noted().contains("30008") && !world.folder().exists());
}

#[tokio::test]
async fn what_was_made_at_who_has_gone_is_left_one_by_one_and_nothing_else() {
    let world = World::at_home().await;
    let words =
        ["setup", "--yes", "--without-aws", "--home", "home", "--apply", "true", "--component-name", "The line"];
    let first = world.run(&words).await;
    assert_eq!(first.code, Some(0), "{}{}", first.stdout, first.stderr);
    // An earlier run has made something at AWS, of which nobody has an account any more.
    let record = world.folder().join("setup.toml");
    let text = fs::read_to_string(&record).expect("a record") + "\n[[made]]\nfunction = \"lambda-prober\"\n";
    fs::write(&record, text).expect("ours");
    fs::write(world.place.path().join("cluster/uid"), "another").expect("ours");
    let no_account = |it: &mut tokio::process::Command| {
        it.env("REAL_AWS", "/nowhere/aws").env("STATUSPAGE_TOKEN", "token-of-another");
    };
    let refused = tears_down(&world, &[], no_account).await;
    assert!(refused.code == Some(1) && refused.stdout.contains("failed   nothing was removed: "), "{}", refused.stdout);
    let some = tears_down(&world, &["--forget", "aws"], no_account).await;
    assert!(some.code == Some(1) && some.stdout.contains("left     the function lambda-prober: "), "{}", some.stdout);
    for failed in ["failed   the Secret duckdns in the cluster: ", "failed   the component "] {
        assert!(some.stdout.contains(failed), "{failed}: {}", some.stdout);
    }
    let rest = tears_down(&world, &["--forget", "cluster", "--forget", "page"], no_account).await;
    assert_eq!(rest.code, Some(0), "{}{}", rest.stdout, rest.stderr);
    for left in ["left     the Secret duckdns in the cluster: ", "left     the component "] {
        assert!(rest.stdout.contains(left), "{left}: {}", rest.stdout);
    }
    assert!(!rest.stdout.contains("lambda-prober") && !world.folder().exists(), "{}", rest.stdout);
    assert!(world.keeper.page().await.contains("The line"), "it is there, should its owner come back");
    let mut teardown = ours("porchlight");
    teardown.args(["teardown", "--forget", "router"]);
    let teardown = run(teardown, Duration::from_mins(1)).await;
    assert!(
        teardown.code == Some(2) && teardown.stderr.contains("[possible values: port, cluster, aws, page]"),
        "{}",
        teardown.stderr
    );
}
