//! `ping`: beside other pings on a cable of the test's own, and what becomes of its readings.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    home::{Home, Manner},
    keeper::{Keeper, PAGE, TOKEN},
    link::{FAR, FAR_V6, Link},
    namespace::Namespace,
    process::{Ended, Process, command, ours, run},
    skip::{program, skip},
};
use tokio::process::Command;

/// `ping` that measures and tells, quickly.
fn ping(target: &str) -> Command {
    let mut command = ours("ping");
    command.args(["--json", "--interval", "10ms", "--target-host", target]);
    command
}

fn dry(target: &str) -> Command {
    let mut command = ping(target);
    command.arg("--dry-run");
    command
}

/// What a run told, and how it ended.
async fn told(command: Command) -> (Ended, Value) {
    let ended = run(command, Duration::from_secs(60)).await;
    let told = serde_json::from_str(&ended.stdout).unwrap_or(Value::Null);
    (ended, told)
}

/// The first reading of a run that must succeed.
async fn reading(command: Command) -> Value {
    let (ended, told) = told(command).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    told["readings"][0].clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is a number"))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Lets every group in the namespace ping without a privilege.
async fn let_everybody_ping(namespace: &Namespace) {
    namespace.run(&["sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647"]).await;
}

/// What another ping says of the far end: average in ms and loss in percent.
async fn other(link: &Link, words: &[&str]) -> (f64, f64) {
    let mut outside = command(program(words[0]).unwrap_or_else(|| panic!("{} is there", words[0])));
    outside.args(&words[1..]);
    let ended = run(link.near.inside(&outside), Duration::from_secs(60)).await;
    let text = format!("{}{}", ended.stdout, ended.stderr);
    let loss = text.split(['/', ',', ' ', '=']).find_map(|word| word.strip_suffix('%')).expect(&text);
    // "min/avg/max/mdev = 0.1/0.2/…" and "min/avg/max = 0.1/0.2/…"
    let average = text.rsplit_once("= ").and_then(|(_, times)| times.split('/').nth(1)).unwrap_or("0");
    (average.parse().expect(&text), loss.parse().expect(&text))
}

#[tokio::test]
async fn a_clean_line_is_measured_as_other_pings_measure_it() {
    let Some(link) = Link::new("clean").await else { return skip("a_clean_line", "it takes root, ip and nft") };
    let (Some(_), Some(_)) = (program("fping"), program("ping")) else {
        return skip("a_clean_line", "fping or iputils-ping is missing");
    };
    let_everybody_ping(&link.near).await;
    for far in [FAR, FAR_V6] {
        // Taking turns, and the medians of that, because this machine does other things too.
        let (mut averages, mut fping, mut iputils) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..7 {
            let mut ours = dry(far);
            ours.args(["--count", "20"]);
            let ours = reading(link.near.inside(&ours)).await;
            assert_eq!((&ours["method"], &ours["loss"]), (&json!("icmp"), &json!(0.0)));
            assert!(number(&ours["min"]) <= number(&ours["value"]) && number(&ours["value"]) <= number(&ours["max"]));
            averages.push(number(&ours["value"]));
            fping.push(other(&link, &["fping", "-q", "-p", "10", "-c", "20", far]).await.0);
            iputils.push(other(&link, &["ping", "-q", "-i", "0.01", "-c", "20", far]).await.0);
        }
        let [ours, fping, iputils] = [averages, fping, iputils].map(median);
        eprintln!("{far}: ours {ours:.3} ms, fping {fping:.3}, iputils {iputils:.3}");
        for theirs in [fping, iputils] {
            assert!((ours - theirs).abs() < 0.1, "{ours} against {theirs}");
        }
    }
}

/// Four standard deviations around what is expected of `count` packets of which a share of `p` is lost, in percent. One
/// run in 15 000 falls outside.
fn bounds(count: f64, p: f64) -> std::ops::RangeInclusive<f64> {
    let deviation = 4.0 * (p * (1.0 - p) / count).sqrt();
    (p - deviation) * 100.0..=(p + deviation) * 100.0
}

#[tokio::test]
async fn a_tenth_lost_is_told_as_that() {
    let Some(link) = Link::new("tenth").await else { return skip("a_tenth_lost", "it takes root, ip and nft") };
    let Some(_) = program("fping") else { return skip("a_tenth_lost", "fping is missing") };
    link.far.drop_arriving(&["icmp", "type", "echo-request", "numgen", "random", "mod", "10", "==", "0"]).await;
    let mut ours = dry(FAR);
    ours.args(["--count", "400"]);
    let ours = number(&reading(link.near.inside(&ours)).await["loss"]);
    let (_, fping) = other(&link, &["fping", "-q", "-r", "0", "-p", "10", "-c", "400", FAR]).await;
    eprintln!("a tenth lost: ours {ours} %, fping {fping} %");
    for loss in [ours, fping] {
        assert!(bounds(400.0, 0.1).contains(&loss), "{loss} %");
    }
}

#[tokio::test]
async fn a_dead_line_is_a_failed_reading_with_all_lost() {
    let Some(link) = Link::new("dead").await else { return skip("a_dead_line", "it takes root, ip and nft") };
    link.far.drop_arriving(&["icmp", "type", "echo-request"]).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut keeper = tests::keeper::keeper_command(folder.path());
    keeper.env("KEEPER_ADDR", "127.0.0.1:8030");
    let mut keeper = Process::start(link.near.inside(&keeper));
    keeper.told("listening").await;
    let mut ours = ping(FAR);
    ours.env("KEEPER_URL", "http://127.0.0.1:8030").env("KEEPER_TOKEN", TOKEN);
    let lost = reading(link.near.inside(&ours)).await;
    assert_eq!((&lost["failure"], &lost["loss"]), (&json!("none of 5 answers came"), &json!(100.0)));
    assert_eq!(lost["value"], Value::Null);
    keeper.terminate().await;
    let keeper = Keeper::restart(folder).await;
    let (_, series) = keeper.own(Method::GET, "/series?metric=ping", None).await;
    let bucket = &series["points"][0];
    assert_eq!((&bucket["failed"], &bucket["loss"], &bucket["value"]), (&json!(1), &json!(100.0), &Value::Null));
}

#[tokio::test]
async fn a_router_that_knows_no_way_is_no_answer() {
    let Some(link) = Link::new("noway").await else { return skip("a_router", "it takes root, ip and nft") };
    let beyond = [("-4", "198.51.100.0/24", "198.51.100.7", FAR), ("-6", "2001:db8:1::/48", "2001:db8:1::7", FAR_V6)];
    for (family, network, target, router) in beyond {
        link.near.run(&["ip", family, "route", "add", network, "via", router]).await;
        link.far.run(&["ip", family, "route", "add", "unreachable", network]).await;
        // Over a raw socket the router's word arrives; over a datagram socket the kernel keeps it.
        for method in ["icmp-raw", "icmp"] {
            if method == "icmp" {
                let_everybody_ping(&link.near).await;
            }
            let lost = reading(link.near.inside(&dry(target))).await;
            assert_eq!((&lost["method"], &lost["loss"], &lost["value"]), (&json!(method), &json!(100.0), &Value::Null));
        }
        link.near.run(&["sysctl", "-qw", "net.ipv4.ping_group_range=1 0"]).await;
    }
}

#[tokio::test]
async fn a_line_without_a_way_out_has_lost_everything() {
    let Some(namespace) = Namespace::new("nowayout").await else {
        return skip("a_line_without_a_way_out", "it takes root, ip and nft");
    };
    let lost = reading(namespace.inside(&dry(FAR))).await;
    assert_eq!(lost["loss"], 100.0);
    assert!(lost["failure"].as_str().expect("a failure").contains("Network is unreachable"), "{lost}");
}

#[tokio::test]
async fn who_may_not_ping_falls_back_and_says_how_it_measured() {
    let Some(link) = Link::new("fallback").await else { return skip("who_may_not_ping", "it takes root, ip and nft") };
    let Some(setpriv) = program("setpriv") else { return skip("who_may_not_ping", "setpriv is missing") };
    let unprivileged = |method: &str| {
        let ours = dry(FAR);
        let mut command = command(&setpriv);
        command.args([
            "--reuid",
            "65532",
            "--regid",
            "65532",
            "--clear-groups",
            "--inh-caps=-all",
            "--bounding-set=-all",
        ]);
        command.arg(ours.as_std().get_program()).args(ours.as_std().get_args()).args(["--method", method]);
        link.near.inside(&command)
    };
    // A new namespace lets nobody ping; root may have a raw socket.
    assert_eq!(reading(link.near.inside(&dry(FAR))).await["method"], "icmp-raw");
    // Nobody listens at the far end, and a refusal is an answer too.
    let fallen_back = reading(unprivileged("auto")).await;
    assert_eq!((&fallen_back["method"], &fallen_back["loss"]), (&json!("tcp:443"), &json!(0.0)));
    let refused = reading(unprivileged("icmp")).await;
    assert!(refused["failure"].as_str().expect("a failure").contains("ping_group_range"), "{refused}");
    let_everybody_ping(&link.near).await;
    assert_eq!(reading(unprivileged("auto")).await["method"], "icmp");
    link.far.drop_arriving(&["tcp", "dport", "443"]).await;
    assert_eq!(reading(unprivileged("tcp")).await["loss"], 100.0);
}

#[tokio::test]
async fn a_name_is_resolved_once_and_its_time_kept_apart() {
    let Some(namespace) = Namespace::new("pingname").await else {
        return skip("a_name_is_resolved_once", "it takes root, ip and nft");
    };
    let _names = namespace.name_server().await;
    let (_, told) = told(namespace.inside(&dry("home.example.test,nx.example.test"))).await;
    let metrics = told["readings"].as_array().expect("readings").iter().map(|reading| reading["metric"].as_str());
    let expected = ["ping", "resolve", "ping:nx.example.test", "resolve:nx.example.test"];
    assert_eq!(metrics.flatten().collect::<Vec<_>>(), expected);
    assert!(number(&told["readings"][0]["value"]) < number(&told["readings"][1]["value"]) + 5.0, "{told}");
    let nameless = &told["readings"][2];
    assert!(nameless["failure"].as_str().expect("a failure").contains("does not exist (NXDOMAIN)"), "{nameless}");
    assert_eq!(nameless["loss"], Value::Null, "nothing was sent, so nothing was lost");
}

#[tokio::test]
async fn a_ping_during_a_bandwidth_test_is_marked_and_left_out_of_the_curve() {
    let keeper = Keeper::start().await;
    let from = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(1);
    let until = from + jiff::SignedDuration::from_hours(1);
    let record = json!({"month": "2026-11", "used": 1, "test": {"from": from.to_string(), "until": until.to_string()}});
    assert_eq!(keeper.own(Method::PUT, "/state/bandwidth", Some(record)).await.0, 204);
    let mut ours = ping("127.0.0.1");
    ours.env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
    assert_eq!(reading(ours).await["mark"], "bandwidth_test");
    let (_, series) = keeper.own(Method::GET, "/series?metric=ping", None).await;
    assert_eq!((&series["points"][0]["marked"], &series["points"][0]["measured"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn a_memory_that_cannot_be_understood_marks_nothing() {
    let keeper = Keeper::start().await;
    keeper.own(Method::PUT, "/state/bandwidth", Some(json!({"month": 5}))).await;
    let mut ours = ping("127.0.0.1");
    ours.env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
    assert_eq!(reading(ours).await["mark"], Value::Null);
}

#[tokio::test]
async fn a_ping_during_a_bandwidth_test_is_marked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (until, mark) in [("2099-01-01T00:00:00Z", json!("bandwidth_test")), ("2026-01-01T00:05:00Z", Value::Null)] {
        let record = json!({"month": "2026-01", "used": 1, "test": {"from": "2026-01-01T00:00:00Z", "until": until}});
        tests::process::file(folder.path(), "bandwidth.json", &record.to_string());
        let mut ours = dry("127.0.0.1");
        ours.env("STATE_DIR", folder.path());
        assert_eq!(reading(ours).await["mark"], mark);
    }
}

/// The only value of a metric, if there is one.
async fn value(keeper: &Keeper, metric: &str) -> Option<f64> {
    let (_, series) = keeper.own(Method::GET, &format!("/series?metric=@{metric}"), None).await;
    series["points"][0]["value"].as_f64()
}

fn straight(keeper: &Keeper, target: &str, metrics: [(&str, &str); 3]) -> Command {
    let mut command = ping(target);
    command.env("STATUSPAGE_URL", keeper.api()).env("PAGE_ID", PAGE).env("TOKEN", TOKEN);
    command.envs(metrics.into_iter().filter(|(_, id)| !id.is_empty()));
    command
}

#[tokio::test]
async fn without_a_keeper_numbers_go_straight_to_the_page() {
    let keeper = Keeper::start().await;
    let ids = [keeper.metric("x").await, keeper.metric("x").await, keeper.metric("x").await];
    let metrics = [("METRIC_ID", &*ids[0]), ("METRIC_ID_LOSS", &*ids[1]), ("METRIC_ID_JITTER", &*ids[2])];
    let measured = reading(straight(&keeper, "127.0.0.1,127.0.0.2", metrics)).await;
    for (id, field) in ids.iter().zip(["value", "loss", "jitter"]) {
        assert_eq!(value(&keeper, id).await, measured[field].as_f64(), "{field}");
    }
}

#[tokio::test]
async fn without_a_keeper_a_failure_is_told_and_never_a_number() {
    let keeper = Keeper::start().await;
    let id = keeper.metric("x").await;
    // Nothing can be sent to a broadcast address without asking for it.
    let (ended, told) = told(straight(&keeper, "255.255.255.255", [("METRIC_ID", &id), ("", ""), ("", "")])).await;
    assert_eq!((ended.code, &told["ending"]), (Some(3), &json!("not_recorded")), "{ended:?}");
    assert!(told["readings"][0]["failure"].as_str().expect("a failure").contains("nothing could be sent"), "{told}");
    assert_eq!(value(&keeper, &id).await, None);
}

#[tokio::test]
async fn what_cannot_be_handed_over_is_told_with_what_to_look_at() {
    let keeper = Keeper::start().await;
    let to_keeper = |url: &str, token: &str| {
        let mut command = ping("127.0.0.1");
        command.args(["--deadline", "15s"]).env("KEEPER_URL", url).env("KEEPER_TOKEN", token);
        command
    };
    let home = async |manner| Home::open(manner).await;
    let (nobody, silent) = (home(Manner::Refuses).await, home(Manner::Silent).await);
    let moved = home(Manner::Answers("HTTP/1.1 302 Found\r\nLocation: http://elsewhere/")).await;
    let empty = home(Manner::Answers("HTTP/1.1 204 No Content")).await;
    let unknown = [("METRIC_ID", "zzzzzzzzzzzz"), ("", ""), ("", "")];
    for (command, said) in [
        (to_keeper(&nobody.url(), TOKEN), "look at KEEPER_URL, and whether it is up"),
        (to_keeper(&silent.url(), TOKEN), "look at KEEPER_URL"),
        (to_keeper(&moved.url(), TOKEN), "(302): look at KEEPER_URL"),
        (to_keeper(&empty.url(), TOKEN), "the answer cannot be used: invalid type: null"),
        (to_keeper(&keeper.url, "wrong"), "the token is refused (401: Could not authenticate)"),
        (to_keeper(&format!("{}/elsewhere", keeper.url), TOKEN), "(404): look at KEEPER_URL"),
        (straight(&keeper, "127.0.0.1", unknown), "metric zzzzzzzzzzzz of page gytm4qzbx9t6 could not be found"),
    ] {
        let (ended, told) = told(command).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(told["said"].to_string().contains(said), "{told}");
    }
}

#[tokio::test]
async fn a_resident_ping_reads_its_token_again() {
    let mut keeper = Keeper::with_token_file().await;
    let token = keeper.folder.path().join("token");
    let mut command = ping("127.0.0.1");
    command.args(["--every", "300ms"]).env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN_FILE", token);
    let mut process = Process::start(command);
    process.wait_for("a run", |lines| lines.first().cloned()).await;
    keeper.replace_token("another-token");
    let before = process.lines().len();
    let runs =
        process.wait_for("runs with the new token", |lines| lines.get(before + 2..before + 4).map(<[_]>::to_vec));
    assert!(runs.await.iter().all(|line| line.contains(r#""ending":"done""#)), "{:#?}", process.lines());
}

#[tokio::test]
async fn a_ping_that_is_asked_to_end_says_that_it_handed_nothing_over() {
    let keeper = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut command = ping("127.0.0.1");
    command
        .env("KEEPER_URL", format!("http://{}", keeper.local_addr().expect("an address")))
        .env("KEEPER_TOKEN", TOKEN);
    let process = Process::start(command);
    let _asked = keeper.accept().await.expect("it asks the keeper");
    assert_eq!(process.terminate().await.code(), Some(1));
}

#[tokio::test]
async fn a_resident_ping_goes_on_until_it_is_asked_to_end() {
    let keeper = Keeper::start().await;
    let mut command = ping("127.0.0.1");
    command.args(["--every", "300ms"]).env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
    let mut process = Process::start(command);
    process.wait_for("three runs", |lines| (lines.len() >= 3).then_some(())).await;
    assert_eq!(process.terminate().await.code(), Some(0));
    let (_, series) = keeper.own(Method::GET, "/series?metric=ping&step=1h", None).await;
    assert!(series["points"][0]["measured"].as_i64() >= Some(3), "{series}");
}

#[tokio::test]
async fn a_dry_run_needs_nowhere_to_hand_over_to_and_no_half_of_a_page_stops_it() {
    for (name, id) in [("PAGE_ID", PAGE), ("METRIC_ID", "aaaaaaaaaaaa")] {
        let mut ours = dry("127.0.0.1");
        ours.env(name, id);
        assert!(reading(ours).await["value"].is_number(), "{name}");
    }
}

#[tokio::test]
async fn wrong_settings_are_told_in_a_sentence() {
    let wrong = async |arguments: &[&str], said: &str| {
        let mut command = ours("ping");
        command.args(arguments).env("KEEPER_TOKEN", "secret-token");
        let ended = run(command, Duration::from_secs(10)).await;
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(said) && ended.stderr.trim().lines().count() == 1, "{arguments:?}: {ended:?}");
        assert!(!ended.stderr.contains("secret-token"));
    };
    wrong(&[], "there is nowhere to hand over to: set KEEPER_URL, or PAGE_ID and METRIC_ID").await;
    wrong(&["--target-host", "http://x"], "a target is a name or an address").await;
    wrong(&["--dry-run", "--target-host", "a,b,a"], "TARGET_HOST: a is there twice").await;
    wrong(&["--dry-run", "--count", "0"], "0 is not in 1..=1000").await;
    wrong(&["--dry-run", "--interval", "1ms"], "an interval is 10ms or longer").await;
    wrong(&["--dry-run", "--count", "60"], "COUNT and INTERVAL: 60 echoes").await;
    wrong(&["--keeper-url", "http://x", "--metric-id", "aaaaaaaaaaaa"], "METRIC_ID and KEEPER_URL are both set").await;
    wrong(&["--page-id", "aaaaaaaaaaaa"], "PAGE_ID is set without a metric: set METRIC_ID too").await;
    wrong(&["--metric-id", "aaaaaaaaaaaa"], "a metric is set without a page: set PAGE_ID too").await;
    wrong(&["--page-id", "aaaaaaaaaaaa", "--metric-id", "aaaaaaaaaaaa"], "TOKEN is not set").await;
    wrong(&["--method", "udp"], "invalid value 'udp'").await;
}
