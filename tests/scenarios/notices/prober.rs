//! The prober's notices: real runs, that overlap and are killed, with their record in a file and in Parameter Store.

use std::{path::Path, time::Duration};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    aws::point,
    beacon::Beacon,
    home::{Home, Manner},
    keeper::{COMPONENT, Keeper, PAGE},
    notices::{Posted, Reply, Service},
    prober::{Run, probe_with, prober_command},
    process::{Process, file, run},
    versions::Versions,
};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

use super::LIMIT;

const PREFIX: &str = "/porchlight/state";
const URLS: &str = "/porchlight/notify-urls";

/// As the probers have it, and a little more.
const RESOLVE_AFTER: Duration = Duration::from_millis(1200);

/// Long ago, so that it is due at once.
fn lasting() -> Value {
    json!({"down_since": "2026-11-21T08:00:00Z", "cause": "refused", "outage_key": "k", "seen_down": "2026-11-21T08:00:00Z"})
}

/// A service that takes what it is sent.
async fn phone() -> Service {
    Service::start(|_, _| Reply::text(204, "")).await
}

fn stages(phone: &Service) -> Vec<String> {
    let stage = |posted: &Posted| posted.json()["data"]["stage"].as_str().unwrap_or_default().to_owned();
    phone.posted().iter().map(stage).collect()
}

/// Where a prober has its record.
enum Place<'a> {
    File(&'a str),
    Parameters(&'a Versions),
}

fn prober(home: &str, keeper: &Keeper, phone: &Service, place: &Place<'_>) -> Command {
    let mut command = prober_command(home, &keeper.api());
    command.args(["--attempts", "2", "--resolve-after", "1s"]);
    match place {
        Place::File(state) => {
            command.env("STATE_FILE", state).env("NOTIFY_URLS", format!("json+http://{}/in", phone.host()));
        }
        Place::Parameters(versions) => {
            point(&mut command, &versions.service.url);
            command.env("STATE_PARAMETER", PREFIX).env("NOTIFY_URLS_PARAMETER", URLS);
        }
    }
    command
}

async fn overlapping(count: usize, command: impl Fn() -> Command) -> Vec<Run> {
    join_all((0..count).map(|_| probe_with(command()))).await
}

fn state_in(folder: &Path) -> String {
    file(folder, "state.json", &json!({COMPONENT: lasting()}).to_string())
}

#[tokio::test]
async fn of_three_runs_at_once_one_sends_and_it_is_sent_once_in_a_file() {
    let rounds = (0..10).map(|_| async {
        let (keeper, home, phone) = (Keeper::start().await, Home::open(Manner::Refuses).await, phone().await);
        let folder = tempfile::tempdir().expect("a folder");
        let state = state_in(folder.path());
        let place = Place::File(&state);
        keeper.set_status("major_outage").await;
        for _ in 0..2 {
            overlapping(3, || prober(&home.url(), &keeper, &phone, &place)).await;
        }
        assert_eq!(stages(&phone), ["began"]);
        let notice = phone.posted()[0].json();
        assert_eq!(notice["data"]["title"], "Home internet is down");
        let beacon = Beacon::start().await;
        for _ in 0..3 {
            overlapping(3, || prober(&beacon.url(), &keeper, &phone, &place)).await;
            sleep(RESOLVE_AFTER).await;
        }
        assert_eq!(stages(&phone), ["began", "ended"]);
        let ended = phone.posted()[1].json();
        assert_eq!(ended["data"]["thread"], notice["data"]["thread"]);
        assert!(ended["data"]["text"].as_str().is_some_and(|text| text.starts_with("After ")), "{ended}");
    });
    join_all(rounds).await;
}

#[tokio::test]
async fn of_three_runs_at_once_one_sends_and_it_is_sent_once_in_parameter_store() {
    let rounds = (0..10).map(|_| async {
        let (keeper, home, phone) = (Keeper::start().await, Home::open(Manner::Refuses).await, phone().await);
        let urls = format!("# the owner\njson+http://{}/in\n", phone.host());
        let record = lasting().to_string();
        let versions = Versions::start(&[(&format!("{PREFIX}/{COMPONENT}"), &record), (URLS, &urls)]).await;
        let place = Place::Parameters(&versions);
        keeper.set_status("major_outage").await;
        overlapping(3, || prober(&home.url(), &keeper, &phone, &place)).await;
        assert_eq!(stages(&phone), ["began"], "{:#?}", versions.of(&format!("{PREFIX}/notices")));
        overlapping(2, || prober(&home.url(), &keeper, &phone, &place)).await;
        let beacon = Beacon::start().await;
        for _ in 0..3 {
            overlapping(2, || prober(&beacon.url(), &keeper, &phone, &place)).await;
            sleep(RESOLVE_AFTER).await;
        }
        assert_eq!(stages(&phone), ["began", "ended"], "{:#?}", versions.of(&format!("{PREFIX}/notices")));
        let texts = versions.of(&format!("{PREFIX}/notices"));
        assert!(texts.iter().all(|text| text.len() <= 3500 && !text.contains(phone.host())), "{texts:#?}");
        versions.throttled()
    });
    let throttled: usize = join_all(rounds).await.into_iter().sum();
    eprintln!("{throttled} writes were refused, because there were more than three a second");
}

#[tokio::test]
async fn ten_runs_that_are_killed_while_they_send_are_succeeded_and_the_second_notice_has_the_id_of_the_first() {
    join_all((0..10).map(|_| killed_while_it_sends())).await;
}

async fn killed_while_it_sends() {
    let (keeper, home) = (Keeper::start().await, Home::open(Manner::Refuses).await);
    // It takes the notice, and says so too late.
    let hanging = Service::hanging().await;
    let folder = tempfile::tempdir().expect("a folder");
    let state = state_in(folder.path());
    keeper.set_status("major_outage").await;
    let mut killed = prober(&home.url(), &keeper, &hanging, &Place::File(&state));
    killed.arg("--once");
    let killed = Process::start(killed);
    let until = Instant::now() + LIMIT;
    while hanging.posted().is_empty() {
        assert!(Instant::now() < until, "nothing is sent: {:#?}", killed.lines());
        sleep(Duration::from_millis(20)).await;
    }
    killed.kill().await;
    // The next run leaves it to the one that may be sending; after seventy seconds it does not.
    let urls = format!("json+http://{}/in", hanging.host());
    let next = || {
        let mut next = prober(&home.url(), &keeper, &hanging, &Place::File(&state));
        next.env("NOTIFY_URLS", &urls);
        next
    };
    hanging.release();
    probe_with(next()).await;
    assert_eq!(hanging.posted().len(), 1);
    let record = folder.path().join("state.json.notices");
    let text = std::fs::read_to_string(&record).expect("a record");
    let mut kept: Value = serde_json::from_str(&text).expect("JSON");
    let claimed = kept["open"][0]["claim"]["at"].as_i64().expect("a claim");
    kept["open"][0]["claim"]["at"] = json!(claimed - 71);
    std::fs::write(&record, kept.to_string()).expect("it can be written");
    probe_with(next()).await;
    let ids: Vec<_> =
        hanging.posted().iter().map(|posted| posted.header("webhook-id").map(ToOwned::to_owned)).collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
    probe_with(next()).await;
    assert_eq!(hanging.posted().len(), 2);
}

#[tokio::test]
async fn nothing_is_sent_in_a_maintenance_a_dry_run_or_quiet_hours_of_what_is_muted_or_while_all_is_well() {
    let (keeper, home, phone) = (Keeper::start().await, Home::open(Manner::Refuses).await, phone().await);
    let folder = tempfile::tempdir().expect("a folder");
    let state = state_in(folder.path());
    let place = Place::File(&state);
    keeper.set_status("under_maintenance").await;
    probe_with(prober(&home.url(), &keeper, &phone, &place)).await;
    keeper.set_status("operational").await;
    let maintenance = json!({"incident": {"name": "New router", "status": "in_progress", "component_ids": [COMPONENT],
        "scheduled_for": "2026-11-21T08:00:00Z", "scheduled_until": "2026-11-21T09:00:00Z"}});
    let maintenance = keeper.ok(Method::POST, &format!("/pages/{PAGE}/incidents"), Some(maintenance)).await;
    let run = probe_with(prober(&home.url(), &keeper, &phone, &place)).await;
    assert_eq!(run.target["outcome"], "maintenance", "{:#}", run.report);
    let path = format!("/pages/{PAGE}/incidents/{}", maintenance["id"].as_str().expect("an id"));
    keeper.ok(Method::PATCH, &path, Some(json!({"incident": {"status": "completed"}}))).await;
    keeper.set_status("major_outage").await;
    let mut dry = prober(&home.url(), &keeper, &phone, &place);
    dry.arg("--dry-run");
    probe_with(dry).await;
    let mut quiet = prober(&home.url(), &keeper, &phone, &place);
    quiet.env("NOTIFY_QUIET", "00:00-23:59 UTC");
    probe_with(quiet).await;
    let mute = json!({"key": "Home internet", "until": "2099-01-01T00:00:00Z"});
    assert_eq!(keeper.own(Method::PUT, "/mutes", Some(mute)).await.0, 200);
    probe_with(prober(&home.url(), &keeper, &phone, &place)).await;
    assert_eq!(stages(&phone), [""; 0], "it is muted");
    let beacon = Beacon::start().await;
    probe_with(prober(&beacon.url(), &keeper, &phone, &place)).await;
    assert_eq!(stages(&phone), [""; 0]);
}

#[tokio::test]
async fn a_channel_that_hangs_or_refuses_keeps_neither_page_nor_other_channels_waiting_and_is_logged_without_its_secret()
 {
    let (keeper, home, phone) = (Keeper::start().await, Home::open(Manner::Refuses).await, phone().await);
    let (hanging, refusing) = (Service::hanging().await, Service::start(|_, _| Reply::text(403, "no")).await);
    let folder = tempfile::tempdir().expect("a folder");
    let state = state_in(folder.path());
    keeper.set_status("major_outage").await;
    let mut command = prober(&home.url(), &keeper, &phone, &Place::File(&state));
    let all = [
        format!("json+http://{}/hangSecret", hanging.host()),
        format!("json+http://{}/refuseSecret", refusing.host()),
        format!("json+http://{}/in", phone.host()),
    ];
    command.env("NOTIFY_URLS", all.join("\n")).env("LOG_LEVEL", "trace");
    let run = probe_with(command).await;
    assert_eq!(
        (stages(&phone), run.code, keeper.status().await.as_str()),
        (vec!["began".to_owned()], Some(0), "major_outage")
    );
    assert!(run.stderr.contains("was not taken by json+http://") && !run.stderr.contains("Secret"), "{}", run.stderr);
    let record = std::fs::read_to_string(folder.path().join("state.json.notices")).expect("a record");
    let kept: Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!(kept["open"][0]["left"].as_array().map(Vec::len), Some(1), "the one that hung is tried again: {record}");
    assert!(!record.contains("Secret"), "{record}");
}

#[tokio::test]
async fn channels_need_a_state_and_are_checked_at_start() {
    for (variables, expected) in [
        (vec![("NOTIFY_URLS", "ntfy://ntfy.sh/home")], "NOTIFY_URLS needs STATE_FILE or STATE_PARAMETER"),
        (vec![("NOTIFY_URLS", "ntfyy://:tk_secret@ntfy.sh/home"), ("STATE_FILE", "/tmp/none")], "was ntfy:// meant?"),
        (vec![("NOTIFY_URLS", "ntfy://ntfy.sh/home"), ("NOTIFY_URLS_PARAMETER", "/a/b")], "are both set"),
        (vec![("NOTIFY_AFTER", "2h")], "a notice is sent after 1h at most"),
    ] {
        let mut prober = prober_command("http://127.0.0.1:9/", "http://127.0.0.1:9/v1");
        prober.arg("--check").envs(variables);
        let ended = run(prober, LIMIT).await;
        assert!(ended.code == Some(2) && ended.stderr.contains(expected), "{ended:?}");
        assert!(!ended.stderr.contains("tk_secret"), "{ended:?}");
    }
}
