//! That the prober looked: what it signs for the home, what it sends to a keeper, and the answer time that it sends to a
//! metric.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use shared::{
    look::{LastVerdict, SignedLook},
    proof::{Challenge, Key},
    verdict::{DownCause, Verdict},
};
use tests::{
    beacon::Beacon,
    keeper::{COMPONENT, Keeper, PAGE},
    noting_home::{KEY, NotingHome},
    prober::{MAX_RUN, Run, probe_with, prober_command},
    process::{Process, run},
    statuspage::{Fault, Statuspage},
};
use tokio::process::Command;

const LOOKS: &str = "/porchlight/v1/looks";

/// A prober of a home that holds the key.
fn signing(home: &NotingHome, api: &str) -> Command {
    let mut command = prober_command(&home.url(), api);
    command.env("BEACON_KEY", KEY.expose()).env("ATTEMPTS", "2");
    command
}

/// When a run began, as its report has it, in whole seconds.
fn began(report: &Value) -> i64 {
    let at: jiff::Timestamp = report["at"].as_str().and_then(|at| at.parse().ok()).expect("a time");
    at.as_second()
}

/// The signatures, each of which is valid under the home's key for its request's challenge.
fn valid(home: &NotingHome) -> Vec<SignedLook> {
    let check = |signed: Option<(Challenge, SignedLook)>| {
        let (challenge, look) = signed.expect("a signature");
        assert!(look.is_made_with(&KEY, &challenge), "{look}");
        assert!(!look.is_made_with(&Key::new([8; 32]), &challenge), "{look}");
        look
    };
    home.signed().into_iter().map(check).collect()
}

#[tokio::test]
async fn a_request_is_signed_and_reports_what_the_run_before_concluded() {
    let (keeper, home) = (Keeper::start().await, NotingHome::with_key(KEY).await);
    let mut command = signing(&home, &keeper.api());
    command.env("LOCATION", "balcony-1").args(["--every", "15s", "--json"]);
    let mut prober = Process::start(command);
    let two_reports = |lines: &[String]| {
        let reports = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let reports: Vec<_> = reports.filter(|line| line["event"] == "run").collect();
        (reports.len() == 2).then_some(reports)
    };
    let reports = prober.wait_for_within("two reports", Duration::from_secs(40), two_reports).await;
    let looks = valid(&home);
    let times: Vec<i64> = reports.iter().map(began).collect();
    assert_eq!(looks.iter().map(|look| look.at).collect::<Vec<_>>(), times);
    assert!(looks.iter().all(|look| look.location.as_str() == "balcony-1"), "{looks:?}");
    let last = LastVerdict { verdict: Verdict::Up, since: times[0] };
    assert_eq!(looks.iter().map(|look| look.last).collect::<Vec<_>>(), [None, Some(last)]);
}

#[tokio::test]
async fn every_attempt_of_a_run_says_when_the_run_began() {
    let (keeper, stranger) = (Keeper::start().await, NotingHome::with_key(Key::new([8; 32])).await);
    let run = probe_with(signing(&stranger, &keeper.api())).await;
    assert_eq!(run.target["cause"], "impostor", "{:#}", run.report);
    let looks = valid(&stranger);
    assert_eq!(looks.iter().map(|look| look.at).collect::<Vec<_>>(), [began(&run.report); 2]);
    assert!(looks.iter().all(|look| look.location.as_str() == "local" && look.last.is_none()), "{looks:?}");
    assert_ne!(looks[0], looks[1], "each for the challenge of its own request");
}

#[tokio::test]
async fn a_dry_run_signs_and_a_persons_question_does_not() {
    let (keeper, home) = (Keeper::start().await, NotingHome::with_key(KEY).await);
    let mut dry = signing(&home, &keeper.api());
    dry.arg("--dry-run");
    assert_eq!(probe_with(dry).await.code, Some(0));
    assert_eq!(valid(&home).len(), 1);
    let mut question = signing(&home, &keeper.api());
    question.args(["--check", "--online"]);
    assert_eq!(run(question, MAX_RUN).await.code, Some(0));
    let signed = home.signed();
    assert!(signed.len() > 1 && signed[1..].iter().all(Option::is_none), "{:?}", home.asked());
}

/// What the home takes for a look from outside is to be one.
#[tokio::test]
async fn without_a_key_and_from_inside_nothing_is_signed() {
    let (keeper, home) = (Keeper::start().await, NotingHome::with_key(KEY).await);
    let mut inside = signing(&home, &keeper.api());
    inside.env("VANTAGE", "inside");
    let mut on_this_machine = signing(&home, &keeper.api());
    on_this_machine.env_remove("VANTAGE");
    for command in [prober_command(&home.url(), &keeper.api()), inside, on_this_machine] {
        let run = probe_with(command).await;
        assert_eq!((run.target["verdict"].as_str(), run.code), (Some("up"), Some(0)), "{:#}", run.report);
    }
    assert_eq!(home.signed(), [None, None, None]);
}

/// Two components of one page: one whose home answers, and one whose port is closed.
async fn two_homes(keeper: &Keeper, home: &str) -> (Value, String) {
    let body = json!({"component": {"name": "Cabin", "status": "operational"}});
    let cabin = keeper.ok(Method::POST, &format!("/pages/{PAGE}/components"), Some(body)).await;
    let cabin = cabin["id"].as_str().expect("an id").to_owned();
    let target = |url: &str, component: &str| json!({"url": url, "page_id": PAGE, "component_id": component});
    (json!([target(home, COMPONENT), target("http://127.0.0.1:9/", &cabin)]), cabin)
}

fn with_targets(api: &str, targets: &Value) -> Command {
    let mut command = prober_command("http://127.0.0.1:9/", api);
    for name in ["CANARY_URL", "PAGE_ID", "COMPONENT_ID"] {
        command.env_remove(name);
    }
    command.env("TARGETS", targets.to_string()).env("ATTEMPTS", "2");
    command
}

#[tokio::test]
async fn a_keeper_receives_all_components_of_a_page_in_one_call() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let statuspage = Statuspage::open(&keeper, [], Fault::None).await;
    statuspage.as_keeper(Fault::None);
    let (targets, cabin) = two_homes(&keeper, &beacon.url()).await;
    let mut command = with_targets(&statuspage.api, &targets);
    command.env("LOCATION", "balcony-1");
    let run = probe_with(command).await;
    assert_eq!(run.code, Some(0), "{:#}", run.report);
    let exchange = &run.target["attempts"][0]["exchanges"][0];
    let (connect, answer) = (exchange["connect_ms"].as_f64(), exchange["answer_ms"].as_f64());
    let posted = statuspage.posted(LOOKS);
    let [posted] = &posted[..] else { panic!("{:?}", statuspage.calls()) };
    let took = posted["looks"][0]["answer_ms"].as_f64().expect("a number");
    assert!((took - connect.expect("a time") - answer.expect("a time")).abs() < 0.01, "{posted:#}{exchange:#}");
    assert_eq!(
        *posted,
        json!({"page_id": PAGE, "at": began(&run.report), "location": "balcony-1", "looks": [
            {"component_id": COMPONENT, "verdict": "up", "cause": null, "from": "outside", "connect_ms": connect, "answer_ms": took},
            {"component_id": cabin, "verdict": "down", "cause": "refused", "from": "outside"},
        ]})
    );
}

#[tokio::test]
async fn a_look_from_this_machine_says_so_and_a_blind_one_says_that_it_saw_nothing() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let statuspage = Statuspage::open(&keeper, [], Fault::None).await;
    statuspage.as_keeper(Fault::None);
    let mut near = prober_command(&beacon.url(), &statuspage.api);
    near.env_remove("VANTAGE");
    assert_eq!(probe_with(near).await.code, Some(0));
    let mut blind = prober_command("http://127.0.0.1:10/", &statuspage.api);
    blind.env("WITNESSES", "127.0.0.1:9,localhost:9").env("ATTEMPTS", "2");
    assert_eq!(probe_with(blind).await.code, Some(0));
    let posted = statuspage.posted(LOOKS);
    assert_eq!(posted[0]["looks"][0]["from"], "inside");
    let look = json!({"component_id": COMPONENT, "verdict": "unknown", "cause": "blind", "from": "outside"});
    assert_eq!(posted[1]["looks"], json!([look]));
}

#[tokio::test]
async fn a_keeper_that_takes_no_looks_changes_nothing_of_the_run() {
    let answer = |status| Fault::Answer { status, headers: "Content-Type: application/json\r\n", body: "{}" };
    for (fault, said) in [
        (answer(404), "the keeper takes no looks: it is older than this prober; update it"),
        (answer(422), "the keeper did not take the looks of this run"),
        (answer(500), "the keeper did not take the looks of this run"),
        (Fault::Dropped, "the keeper did not take the looks of this run"),
        (Fault::Silence(Duration::from_secs(30)), "no answer in time"),
    ] {
        let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
        keeper.set_status("major_outage").await;
        let statuspage = Statuspage::open(&keeper, [], Fault::None).await;
        statuspage.as_keeper(fault);
        let run = probe_with(prober_command(&beacon.url(), &statuspage.api)).await;
        let took = run.report["duration_ms"].as_f64().expect("a time");
        assert!(took < 4_500.0, "three seconds at most: {took} ms");
        assert_eq!((run.target["outcome"].as_str(), run.code), (Some("changed"), Some(0)), "{:#}", run.report);
        assert_eq!(keeper.status().await, "operational");
        assert_eq!(statuspage.posted(LOOKS).len(), 1, "one attempt: {:?}", statuspage.calls());
        assert_eq!((run.stderr.lines().count(), run.stderr.contains(said)), (1, true), "{}", run.stderr);
        assert!(run.stderr.contains("WARN"), "{}", run.stderr);
    }
}

#[tokio::test]
async fn only_a_keeper_receives_looks_and_not_by_a_dry_run() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let statuspage = Statuspage::open(&keeper, [], Fault::None).await;
    assert_eq!(probe_with(prober_command(&beacon.url(), &statuspage.api)).await.code, Some(0));
    statuspage.as_keeper(Fault::None);
    let mut dry = prober_command(&beacon.url(), &statuspage.api);
    dry.arg("--dry-run");
    assert_eq!(probe_with(dry).await.code, Some(0));
    assert_eq!(statuspage.posted("").len(), 0, "{:?}", statuspage.calls());
    assert_eq!(statuspage.calls().len(), 4, "{:?}", statuspage.calls());
}

/// One run on a home that is up, with that metric.
async fn measured(statuspage: &Statuspage, home: &str, metric: &str, argument: Option<&str>) -> Run {
    let mut command = prober_command(home, &statuspage.api);
    command.env("METRIC_ID_RESPONSE", metric).env("ATTEMPTS", "2").args(argument);
    probe_with(command).await
}

#[tokio::test]
async fn the_answer_time_goes_to_a_metric_once_a_run() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let metric = keeper.metric("Answer time").await;
    let statuspage = Statuspage::open(&keeper, [], Fault::None).await;
    let run = measured(&statuspage, &beacon.url(), &metric, None).await;
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{:#}", run.report);
    let points = statuspage.posted(&format!("/v1/pages/{PAGE}/metrics/{metric}/data"));
    let exchange = &run.target["attempts"][0]["exchanges"][0];
    let took = exchange["connect_ms"].as_f64().unwrap_or(f64::NAN) + exchange["answer_ms"].as_f64().unwrap_or(f64::NAN);
    let value = points[0]["data"]["value"].as_f64().expect("a number");
    assert!((value - took).abs() < 0.01, "{points:?}{exchange:#}");
    assert_eq!(points, [json!({"data": {"timestamp": began(&run.report), "value": value}})]);
    assert_eq!(statuspage.calls().len(), 3, "{:?}", statuspage.calls());

    let dry = measured(&statuspage, &beacon.url(), &metric, Some("--dry-run")).await;
    let down = measured(&statuspage, "http://127.0.0.1:9/", &metric, None).await;
    assert_eq!((dry.code, down.code), (Some(0), Some(0)), "{:#}", down.report);
    let mut inside = prober_command(&beacon.url(), &statuspage.api);
    inside.env("METRIC_ID_RESPONSE", &metric).env("VANTAGE", "inside");
    assert_eq!(probe_with(inside).await.code, Some(0), "what is measured at home is no answer time from outside");
    assert_eq!(statuspage.posted("/data").len(), 1, "{:?}", statuspage.calls());
}

#[tokio::test]
async fn a_metric_that_is_not_there_changes_nothing_of_the_run() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    keeper.set_status("major_outage").await;
    let statuspage = Statuspage::open(&keeper, [], Fault::None).await;
    let run = measured(&statuspage, &beacon.url(), "zzzzzzzzzzzz", None).await;
    assert_eq!((run.target["outcome"].as_str(), run.code), (Some("changed"), Some(0)), "{:#}", run.report);
    assert_eq!(statuspage.posted("/data").len(), 1, "one attempt: {:?}", statuspage.calls());
    assert!(
        run.stderr.contains("check PAGE_ID, METRIC_ID_RESPONSE and STATUSPAGE_URL") && run.stderr.lines().count() == 1,
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn metrics_of_several_homes_take_one_call_for_each_page() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let metrics = [keeper.metric("Home").await, keeper.metric("Cabin").await];
    let statuspage = Statuspage::open(&keeper, [], Fault::None).await;
    let (mut targets, _) = two_homes(&keeper, &beacon.url()).await;
    targets[1]["url"] = json!(beacon.url());
    for (index, metric) in metrics.iter().enumerate() {
        targets[index]["metric_id_response"] = json!(metric);
    }
    let run = probe_with(with_targets(&statuspage.api, &targets)).await;
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{:#}", run.report);
    let posted = statuspage.posted("");
    assert_eq!(posted.len(), 1, "{:?}", statuspage.calls());
    for metric in &metrics {
        assert_eq!(posted[0]["data"][metric][0]["timestamp"], began(&run.report), "{posted:?}");
    }
}

#[tokio::test]
async fn the_names_of_verdicts_are_those_that_the_home_reads() {
    let (keeper, home) = (Keeper::start().await, NotingHome::with_key(Key::new([8; 32])).await);
    let statuspage = Statuspage::open(&keeper, [], Fault::None).await;
    statuspage.as_keeper(Fault::None);
    assert_eq!(probe_with(signing(&home, &statuspage.api)).await.code, Some(0));
    let posted = statuspage.posted(LOOKS).remove(0);
    let read: shared::look::PostedLooks = serde_json::from_value(posted).expect("what a keeper takes");
    assert_eq!(read.looks[0].verdict, Some(Verdict::Down(DownCause::Impostor)));
}
