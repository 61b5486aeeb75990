//! An address or a file that a server cannot have.

use tests::{
    keeper::{Keeper, keeper_command},
    process::{Ended, run},
};
use tokio::net::TcpListener;

use super::ends;

#[tokio::test]
async fn an_address_that_cannot_be_had_is_reported_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let taken = taken.local_addr().expect("an address").to_string();
    let elsewhere = "this machine has no such address, or not yet: choose one that it has";
    let busy = "another program listens there: end that one, or choose another port";
    // 192.0.2.0/24 is for examples (RFC 5737).
    for (program, name, address, said) in [
        ("keeper", "KEEPER_ADDR", "192.0.2.7:8030", elsewhere),
        ("keeper", "KEEPER_ADDR", &taken, busy),
        ("beacon", "PUBLIC_ADDR", "192.0.2.7:8080", elsewhere),
        ("beacon", "PRIVATE_ADDR", &taken, busy),
        ("checks", "CHECKS_ADDR", &taken, busy),
    ] {
        let others: &[_] = match program {
            "keeper" => &[("KEEPER_TOKEN", "hunter2-hunter2-hunter2")],
            "checks" => &[
                ("KEEPER_TOKEN", "hunter2-hunter2-hunter2"),
                ("KEEPER_URL", "http://127.0.0.1:9"),
                ("PING_TARGET_URLS", "http://127.0.0.1:9"),
            ],
            _ => &[("PUBLIC_ADDR", "127.0.0.1:0")],
        };
        let others = others.iter().copied().filter(|(other, _)| *other != name);
        let variables: Vec<_> = others.chain([(name, address)]).collect();
        let ended = ends(program, &variables, &[]).await;
        assert_eq!(ended.code, Some(1), "{program} {address}: {ended:?}");
        assert!(
            ended.stderr.contains(&format!("cannot listen on {address}")) && ended.stderr.contains(said),
            "{ended:?}"
        );
    }
}

#[tokio::test]
async fn two_addresses_that_are_one_are_reported_by_a_check() {
    let token = ("KEEPER_TOKEN", "hunter2-hunter2-hunter2");
    for (program, variables, said) in [
        (
            "beacon",
            &[("PUBLIC_ADDR", "0.0.0.0:8080"), ("PRIVATE_ADDR", "127.0.0.1:8080")][..],
            Some("PRIVATE_ADDR: 127.0.0.1:8080 is where"),
        ),
        (
            "beacon",
            &[("PRIVATE_ADDR", "127.0.0.1:8080")],
            Some("(PUBLIC_ADDR: [::]:8080): give one of them a port of its own"),
        ),
        ("beacon", &[("PUBLIC_ADDR", "0.0.0.0:8080"), ("PRIVATE_ADDR", "[::1]:8080")], None),
        ("beacon", &[("PUBLIC_ADDR", "127.0.0.1:0"), ("PRIVATE_ADDR", "127.0.0.1:0")], None),
        (
            "keeper",
            &[token, ("KEEPER_PUBLIC_ADDR", "[::]:8030")],
            Some("KEEPER_PUBLIC_ADDR: [::]:8030 is where KEEPER_ADDR is"),
        ),
        (
            "keeper",
            &[token, ("BEACON_PRIVATE_URL", "http://127.0.0.1:8030")],
            Some("BEACON_PRIVATE_URL is this keeper itself"),
        ),
    ] {
        let ended = ends(program, variables, &["--check"]).await;
        let is_as_said = said.is_none_or(|said| ended.stderr.contains(said));
        assert!(
            ended.code == Some(if said.is_some() { 2 } else { 0 }) && is_as_said,
            "{program} {variables:?}: {ended:?}"
        );
    }
}

async fn second(first: &Keeper) -> Ended {
    run(keeper_command(first.folder.path()), std::time::Duration::from_secs(10)).await
}

#[tokio::test]
async fn a_second_keeper_on_one_file_says_who_has_it() {
    let first = Keeper::start().await;
    let ended = second(&first).await;
    let said =
        format!("another keeper (process {}) has it open: stop that one, or name another file", first.process.pid());
    assert!(ended.code == Some(2) && ended.stderr.contains(&said), "{said}: {ended:?}");
    assert_eq!(ended.stderr.lines().last().map(|line| line.contains("DATABASE_URL")), Some(true), "{ended:?}");
    // A check of the same settings, which may be of the one that runs, says so and finds them in order.
    let mut check = keeper_command(first.folder.path());
    check.arg("--check");
    let checked = run(check, std::time::Duration::from_secs(10)).await;
    let said = format!("open now (process {}), so another one does not start until that one ends", first.process.pid());
    assert!(checked.code == Some(0) && checked.stdout.contains(&said), "{checked:?}");
    // It goes on as before, and once it has ended another one may begin.
    assert_eq!(first.status().await, "operational");
    let Keeper { process, folder, .. } = first;
    process.kill().await;
    Keeper::restart(folder).await;
}

#[tokio::test]
async fn a_refused_token_is_reported_with_the_header_that_is_expected() {
    let keeper = Keeper::start().await;
    let form = "send the keeper's token as the header `Authorization: OAuth <KEEPER_TOKEN>`";
    for (header, why) in [
        (None, "there is no header Authorization"),
        (Some("Bearer x"), "the header Authorization does not begin with `OAuth `"),
        (Some("OAuth x"), "the token is not this keeper's"),
    ] {
        let mut request = keeper.http.get(format!("{}/pages", keeper.api()));
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let answer = request.send().await.expect("the keeper answers");
        assert_eq!(answer.status(), 401);
        let body: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(body["error"], "Could not authenticate", "in statuspage.io's words");
        assert_eq!(body["message"], format!("{why}: {form}"));
    }
}
