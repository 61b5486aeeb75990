//! What was measured elsewhere, in a keeper: the past that Statping knows, and what another keeper has exported.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    checks::{check, ran, register, with},
    keeper::{Keeper, PAGE, TOKEN},
    process::{Ended, Process, command, file, ours, run},
    skip::{program, skip},
};

use super::world::{LIMIT, Target, counts, until};

/// A service with an hour of hits 40 days ago, and an hour of yesterday in which it failed five times; an incident that is over, and
/// one that is not. Tables and columns are as Statping's own program has them.
const STATPING: &str = include_str!("statping.sql");

async fn porchlight(folder: &Path, keeper: &Keeper, arguments: &[&str]) -> Ended {
    let mut tool = ours("porchlight");
    tool.args(arguments).current_dir(folder).env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
    run(tool, LIMIT).await
}

/// Noon (UTC) so many days ago: the hour that begins then, and what holds for a while after it, are of one day, whenever this runs.
fn noon(ago: i64) -> Timestamp {
    let now = Timestamp::now().as_second();
    Timestamp::from_second(now - now.rem_euclid(86_400)).expect("a time") - SignedDuration::from_hours(ago * 24 - 12)
}

/// The uptime of a component on the day of that time, in percent of what was looked at.
async fn uptime(keeper: &Keeper, component: &Value, day: Timestamp) -> Value {
    let (id, day) = (component.as_str().expect("an id"), day.strftime("%Y-%m-%d"));
    keeper.ok(Method::GET, &format!("/pages/{PAGE}/components/{id}/uptime?start={day}&end={day}"), None).await
}

#[tokio::test]
async fn what_statping_has_measured_and_its_incidents_come_to_the_keeper_once() {
    let Some(sqlite) = program("sqlite3") else {
        return skip("what_statping_has_measured", "sqlite3 is missing; tests/run installs it");
    };
    let (folder, target, keeper) =
        (tempfile::tempdir().expect("a folder"), Target::start().await, Keeper::start().await);
    let (old, yesterday) = (noon(40), noon(1));
    let made = STATPING.replace("TARGET", &format!("http://{}/", target.address));
    let made = made.replace("OLD", &format!("'{old}'")).replace("YESTERDAY", &format!("'{yesterday}'"));
    let mut database = command(sqlite);
    database.arg(folder.path().join("statping.db")).arg(made);
    assert_eq!(run(database, LIMIT).await.code, Some(0));
    let history = ["import", "statping", "statping.db", "--history"];

    let imported = porchlight(folder.path(), &keeper, &history[..3]).await;
    assert!(
        imported.code == Some(0) && imported.stdout.contains("bring them to the keeper with --history"),
        "{imported:?}"
    );
    let early = porchlight(folder.path(), &keeper, &history).await;
    assert!(early.code == Some(1) && early.stderr.contains("none of its services is checked here"), "{early:?}");
    assert!(early.stdout.contains("note: Shop: no check shop with a component of its own runs here"), "{early:?}");
    let mut checks = ours("checks");
    checks.args(["--checks-file", "checks.yml"]).current_dir(folder.path());
    let mut checks = Process::start({
        checks.env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN).env("CHECKS_ADDR", "127.0.0.1:0");
        checks
    });
    checks.wait_for_message("running").await;
    let shop = until(&keeper, "shop", "is well", counts("ok")).await["component_id"].clone();

    let first = porchlight(folder.path(), &keeper, &history).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.stdout.contains("Added: incidents 2, looks 2, readings 120, statuses 3."), "{first:?}");
    assert!(first.stdout.contains("note: 1 of its rows have no time or latency that can be read"), "{first:?}");
    assert!(first.stdout.contains("note: Slow: it goes on, as far as Statping says"), "{first:?}");
    let again = porchlight(folder.path(), &keeper, &history).await;
    assert!(again.stdout.contains("The keeper has all of it already."), "{again:?}");

    let down = uptime(&keeper, &shop, yesterday).await;
    // A look holds for five minutes, and nobody looked for the rest of the day.
    assert_eq!((&down["major_outage"], &down["uptime_percentage"]), (&json!(300), &json!(92.18)), "{down}");
    assert_eq!(uptime(&keeper, &shop, old).await["uptime_percentage"], 100.0);
    let query = format!("/series?metric=check:shop&from={old}&step=3600");
    let (_, series) = keeper.own(Method::GET, &query, None).await;
    let points: Vec<_> = series["points"]
        .as_array()
        .expect("points")
        .iter()
        .map(|it| (it["measured"].clone(), it["failed"].clone()))
        .collect();
    assert_eq!(points[..2], [(json!(60), json!(0)), (json!(55), json!(5))], "{series}");
    let incidents = keeper.ok(Method::GET, &format!("/pages/{PAGE}/incidents"), None).await;
    let shown: Vec<_> =
        incidents.as_array().expect("incidents").iter().map(|it| (it["name"].clone(), it["status"].clone())).collect();
    assert_eq!(shown.len(), 2, "{incidents}");
    for expected in [(json!("The shop was down"), json!("resolved")), (json!("Slow"), json!("investigating"))] {
        assert!(shown.contains(&expected), "{shown:?}");
    }
    let over =
        incidents.as_array().expect("incidents").iter().find(|it| it["status"] == "resolved").expect("it is there");
    assert_eq!(
        (&over["components"][0]["id"], over["incident_updates"].as_array().map(Vec::len)),
        (&shop, Some(3)),
        "{over}"
    );
    assert!(keeper.page().await.contains("Somewhat better."), "what goes on is on the page");
    checks.terminate().await;
}

#[tokio::test]
async fn what_is_exported_is_the_same_in_another_keeper() {
    let (folder, from, to) = (tempfile::tempdir().expect("a folder"), Keeper::start().await, Keeper::start().await);
    register(&from, json!([with(check("nas"), "group", json!("At home")), check("tv")])).await;
    for ago in (0..20).rev() {
        ran(&from, "nas", ago * 60, if ago == 10 { "critical" } else { "ok" }).await;
    }
    from.looked("8kbf7d35c070", "up", None).await;
    for name in ["first.jsonl.gz", "plain.jsonl"] {
        let written = porchlight(folder.path(), &from, &["export", "--out", name]).await;
        assert_eq!((written.code, written.stdout.trim()), (Some(0), name), "{written:?}");
        let mode = fs::metadata(folder.path().join(name)).expect("it was written").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let file = ["import", "porchlight", "first.jsonl.gz"];
    let imported = porchlight(folder.path(), &to, &file).await;
    assert!(imported.code == Some(0) && imported.stdout.contains("readings 20"), "{imported:?}");
    assert!(imported.stdout.contains("are of checks that are not registered here"), "{imported:?}");
    // Its past comes to the component that the check has here.
    let checks = || json!([with(check("nas"), "group", json!("At home")), check("tv")]);
    let placed = register(&to, checks()).await;
    let later = porchlight(folder.path(), &to, &file).await;
    assert!(later.code == Some(0) && later.stdout.contains("looks 1, statuses "), "{later:?}");
    let again = porchlight(folder.path(), &to, &["import", "porchlight", "plain.jsonl"]).await;
    assert!(again.stdout.contains("The keeper has all of it already."), "{again:?}");
    assert_eq!(register(&to, checks()).await, placed, "and stays there");
    let second = porchlight(folder.path(), &to, &["export"]).await;
    let lines = |text: &str| {
        // The home itself is in both seeds, each keeper has its own word about it, and each check its own component; so the number of
        // lines may differ, too.
        let differs = ["8kbf7d35c070", "\"porchlight\"", "\"check\":\"", "\"group\"", "{\"end\":"];
        let mut lines: Vec<_> =
            text.lines().filter(|line| !differs.iter().any(|part| line.contains(part))).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let plain = fs::read_to_string(folder.path().join("plain.jsonl")).expect("it was written");
    assert!(!lines(&plain).is_empty());
    assert_eq!(lines(&second.stdout), lines(&plain));

    // Each hour a file, of which the newest stay; nothing is written where there is no keeper.
    for _ in 0..3 {
        let written = porchlight(folder.path(), &to, &["export", "--into", ".", "--keep", "2"]).await;
        assert_eq!(written.code, Some(0), "{written:?}");
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
    let exports = || {
        fs::read_dir(folder.path())
            .expect("it is there")
            .filter(|it| it.as_ref().is_ok_and(|it| it.file_name().to_string_lossy().starts_with("porchlight-")))
            .count()
    };
    assert_eq!(exports(), 2);
    let mut refused = ours("porchlight");
    refused
        .args(["export", "--into", "."])
        .current_dir(folder.path())
        .env("KEEPER_URL", &to.url)
        .env("KEEPER_TOKEN", "another");
    let refused = run(refused, LIMIT).await;
    assert!(refused.code == Some(1) && refused.stderr.contains("KEEPER_TOKEN"), "{refused:?}");
    let left = fs::read_dir(folder.path())
        .expect("it is there")
        .filter(|it| it.as_ref().is_ok_and(|it| it.file_name().to_string_lossy().ends_with(".partial")));
    assert_eq!((exports(), left.count()), (2, 0));
}

#[tokio::test]
async fn a_file_that_is_cut_off_or_none_is_said_and_nothing_of_it_is_taken() {
    let (folder, keeper) = (tempfile::tempdir().expect("a folder"), Keeper::start().await);
    let head = "{\"porchlight\":{\"version\":1,\"exported_at\":\"2026-11-30T00:00:00Z\"}}\n";
    let group =
        "{\"group\":{\"id\":\"aaaaaaaaaaaa\",\"name\":\"Web\",\"position\":1,\"created_at\":1,\"updated_at\":1}}\n";
    for (name, text, said) in [
        ("cut.jsonl", format!("{head}{group}"), "cut.jsonl:2: its end is missing: it was cut off"),
        ("within.jsonl", format!("{head}{}", &group[..30]), "within.jsonl:2: it ends within this line"),
        ("short.jsonl", format!("{head}{group}{{\"end\":{{\"lines\":4}}}}\n"), "its end is missing"),
        (
            "newer.jsonl",
            head.replace("\"version\":1", "\"version\":2"),
            "newer.jsonl:1: it is of version 2, and 1 is read",
        ),
        ("other.jsonl", "{\"group\":{}}\n".to_owned(), "other.jsonl:1: it is no export"),
        ("text.jsonl", "hello\n".to_owned(), "text.jsonl:1: expected"),
        (
            "wrong.jsonl",
            format!("{head}{}{{\"end\":{{\"lines\":3}}}}\n", group.replace("\"id\"", "\"colour\"")),
            "line 2: ",
        ),
    ] {
        file(folder.path(), name, &text);
        let ended = porchlight(folder.path(), &keeper, &["import", "porchlight", name]).await;
        assert!(ended.code.is_some_and(|code| code > 0) && ended.stderr.contains(said), "{said}: {ended:?}");
    }
    let missing = porchlight(folder.path(), &keeper, &["import", "porchlight", "none.jsonl"]).await;
    assert!(missing.code == Some(2) && missing.stderr.contains("none.jsonl: it cannot be read"), "{missing:?}");
    let history = porchlight(folder.path(), &keeper, &["import", "statping", "services.yml", "--history"]).await;
    assert!(history.code == Some(2) && history.stderr.contains("--history is of Statping's database"), "{history:?}");
    let groups = keeper.ok(Method::GET, &format!("/pages/{PAGE}/component-groups"), None).await;
    assert_eq!(groups, json!([]));
}
