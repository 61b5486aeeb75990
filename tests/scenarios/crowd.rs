//! Two hundred homes on one page, in one run.

use std::{fmt::Write as _, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    beacon::Beacon,
    home::{Home, Manner},
    keeper::{Keeper, PAGE},
    prober::{Run, probe_with, prober_command},
    process::{Process, file},
    statuspage::{Fault, Statuspage},
};
use tokio::process::Command;

const HOMES: usize = 200;
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// What a run of 200 homes may hold in memory, in KiB.
const MEMORY: u64 = 40 << 10;

/// What statuspage.io allows a token in a minute.
const CALLS: usize = 60;

fn component(number: usize) -> String {
    format!("home{number:08}")
}

async fn keeper() -> Keeper {
    let mut seed = format!("[page]\nid = \"{PAGE}\"\nname = \"Homes\"\n");
    for number in 0..HOMES {
        let _ = write!(seed, "\n[[components]]\nid = \"{}\"\nname = \"Home {number}\"\n", component(number));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = file(folder.path(), "homes.toml", &seed);
    Keeper::restart_with(folder, |command| {
        command.env("KEEPER_SEED", path);
    })
    .await
}

/// A prober that probes all of them, at one address.
fn command(home: &str, statuspage: &Statuspage, state: &std::path::Path) -> Command {
    let target = |number| json!({"name": format!("Home {number}"), "url": home, "page_id": PAGE, "component_id": component(number)});
    let targets: Vec<Value> = (0..HOMES).map(target).collect();
    let mut command = prober_command(home, &statuspage.api);
    for name in ["CANARY_URL", "PAGE_ID", "COMPONENT_ID"] {
        command.env_remove(name);
    }
    command.env("TARGETS", json!(targets).to_string()).env("STATE_FILE", state.join("state.json"));
    command
}

fn verdicts(run: &Run, verdict: &str) -> usize {
    run.report["targets"].as_array().expect("targets").iter().filter(|target| target["verdict"] == verdict).count()
}

async fn statuses(keeper: &Keeper, status: &str) -> usize {
    let mut count = 0;
    for listing in 1..=2 {
        let path = format!("/pages/{PAGE}/components?page={listing}&per_page=100");
        let listed = keeper.ok(Method::GET, &path, None).await;
        count += listed.as_array().expect("a list").iter().filter(|component| component["status"] == status).count();
    }
    count
}

#[tokio::test]
async fn a_quiet_run_of_two_hundred_proven_homes_takes_three_calls_seconds_and_little_memory() {
    let (keeper, beacon) = (keeper().await, Beacon::with_key("127.0.0.1:0", KEY).await);
    let statuspage = Statuspage::open(&keeper, [], Fault::None).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = command(&beacon.url(), &statuspage, folder.path());
    command.env("BEACON_KEY", KEY).args(["--every", "60s", "--json"]);
    let mut prober = Process::start(command);
    // The first run is at once; until the next one is due its memory can be read.
    let report: Value = prober
        .wait_for_within("a report", Duration::from_secs(90), |lines| {
            lines.iter().find_map(|line| serde_json::from_str(line).ok())
        })
        .await;
    let targets = report["targets"].as_array().expect("targets");
    assert!(targets.iter().all(|target| target["verdict"] == "up" && target["outcome"] == "agrees"), "{report:#}");
    assert_eq!(statuspage.calls().len(), 3, "{:?}", statuspage.calls());
    let took = report["duration_ms"].as_f64().expect("a time");
    let memory = peak_memory(prober.pid());
    println!("200 homes: {took} ms, {memory} KiB");
    assert!(took < 10_000.0, "{took} ms");
    assert!(memory < MEMORY, "{memory} KiB");
}

/// The most memory that a process has held, in KiB.
fn peak_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux has it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[tokio::test]
async fn two_hundred_homes_that_go_down_and_come_back_are_one_incident_within_the_rate_limit() {
    let keeper = keeper().await;
    let down = Home::open(Manner::Refuses).await;
    let up = Home::open(Manner::Answers("HTTP/1.1 200 OK")).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (home, verdict, status, incident) in
        [(&down, "down", "major_outage", "identified"), (&up, "up", "operational", "monitoring")]
    {
        let statuspage = Statuspage::open(&keeper, [], Fault::None).await;
        let mut command = command(&home.url(), &statuspage, folder.path());
        command.env("ATTEMPTS", "2");
        let run = probe_with(command).await;
        assert_eq!((verdicts(&run, verdict), run.code), (HOMES, Some(0)), "{}", run.stderr);
        assert_eq!(statuses(&keeper, status).await, HOMES);
        let calls = statuspage.calls();
        let writes = calls.iter().filter(|call| !call.starts_with("GET")).count();
        assert!(writes == 1 && calls.len() <= CALLS / 2, "{calls:#?}");
        let incidents = keeper.ok(Method::GET, &format!("/pages/{PAGE}/incidents"), None).await;
        let incidents = incidents.as_array().expect("a list");
        assert_eq!((incidents.len(), incidents[0]["status"].as_str()), (1, Some(incident)));
    }
}

#[tokio::test]
async fn many_that_were_down_too_shortly_for_an_incident_are_set_over_several_runs() {
    let keeper = keeper().await;
    for number in 0..40 {
        let body = json!({"component": {"status": "major_outage"}});
        let path = format!("/pages/{PAGE}/components/{}", component(number));
        keeper.ok(Method::PATCH, &path, Some(body)).await;
    }
    let up = Home::open(Manner::Answers("HTTP/1.1 200 OK")).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut left = Vec::new();
    while statuses(&keeper, "operational").await < HOMES {
        let statuspage = Statuspage::open(&keeper, [], Fault::None).await;
        let run = probe_with(command(&up.url(), &statuspage, folder.path())).await;
        assert!(statuspage.calls().len() <= CALLS / 2, "{}", statuspage.calls().len());
        let targets = run.report["targets"].as_array().expect("targets");
        let reported =
            targets.iter().filter(|it| it["error"].as_str().is_some_and(|it| it.contains("more changes than a run")));
        left.push(reported.count());
        assert_eq!(
            run.code,
            Some(i32::from(left.last() != Some(&0))),
            "what is not true yet is in the report: {}",
            run.stderr
        );
        assert!(left.len() < 5, "{left:?}");
    }
    assert!(left[0] > 0 && left.last() == Some(&0), "{left:?}");
}
