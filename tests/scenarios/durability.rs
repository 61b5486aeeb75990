//! What the keeper has acknowledged is there after a power cut: seen by killing it in the middle of a write load, and,
//! because a kill spares the page cache, by looking for the sync between request and acknowledgement.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    keeper::{COMPONENT, Keeper, PAGE, TOKEN, keeper_command},
    process::{Process, command},
    skip::{program, skip},
};
use tokio::{task::JoinSet, time::sleep};

/// How often the keeper is killed, and how many clients write meanwhile.
const KILLS: usize = 50;
const WRITERS: usize = 4;

#[tokio::test]
async fn every_acknowledged_change_survives_fifty_kills() {
    let mut keeper = Keeper::start().await;
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    for round in 0..KILLS {
        let shared = Arc::new(keeper);
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let (keeper, acknowledged) = (Arc::clone(&shared), Arc::clone(&acknowledged));
            writers.spawn(async move {
                for number in 0.. {
                    let name = format!("{round}-{writer}-{number}");
                    let incident = json!({"incident": {"name": name, "body": "written under load"}});
                    match keeper.call(Method::POST, &format!("/pages/{PAGE}/incidents"), Some(incident)).await {
                        Ok(answer) if answer.status() == 201 => {
                            acknowledged.lock().expect("no writer panics").insert(name);
                        }
                        Ok(answer) => panic!("{}", answer.status()),
                        // The keeper is gone; what was not acknowledged may or may not be there.
                        Err(_) => return,
                    }
                }
            });
        }
        let status = if round % 2 == 0 { "major_outage" } else { "operational" };
        shared.set_status(status).await;
        sleep(Duration::from_millis(fastrand::u64(10..120))).await;
        shared.process.signal(rustix::process::Signal::KILL);
        while let Some(ended) = writers.join_next().await {
            ended.expect("a writer sees nothing but success or a broken connection");
        }
        let Keeper { mut process, folder, .. } = Arc::into_inner(shared).expect("the writers are gone");
        process.ended().await;
        keeper = Keeper::restart(folder).await;
        assert_eq!(keeper.status().await, status, "round {round}");
    }
    let stored = names(&keeper).await;
    let acknowledged = acknowledged.lock().expect("no writer panics");
    assert!(acknowledged.len() > KILLS, "there was a load: {}", acknowledged.len());
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), acknowledged.len());
    eprintln!("{} acknowledged changes are there after {KILLS} kills", acknowledged.len());
}

/// The names of all incidents, page by page.
async fn names(keeper: &Keeper) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for listing in 1.. {
        let path = format!("/pages/{PAGE}/incidents?limit=100&page={listing}");
        let incidents = keeper.ok(Method::GET, &path, None).await;
        let incidents = incidents.as_array().expect("a list");
        names.extend(incidents.iter().filter_map(|incident| incident["name"].as_str().map(str::to_owned)));
        if incidents.len() < 100 {
            break;
        }
    }
    names
}

#[tokio::test]
async fn a_change_is_on_disk_before_it_is_acknowledged() {
    let change = json!({"component": {"status": "major_outage"}});
    is_synced(Method::PATCH, &format!("/v1/pages/{PAGE}/components/{COMPONENT}"), &change).await;
}

#[tokio::test]
async fn a_reading_is_on_disk_before_it_is_acknowledged() {
    let reading = json!({"metric": "ping", "at": jiff::Timestamp::now().to_string(), "value": 12.5});
    is_synced(Method::POST, "/porchlight/v1/readings", &json!({"readings": [reading]})).await;
}

#[tokio::test]
async fn what_a_job_must_remember_is_on_disk_before_it_is_acknowledged() {
    is_synced(Method::PUT, "/porchlight/v1/state/bandwidth", &json!({"used": 1})).await;
}

/// Sees the log synced between a call's request and its answer.
async fn is_synced(method: Method, path: &str, body: &Value) {
    let Some(strace) = program("strace") else {
        return skip("is_synced", "strace is missing");
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = folder.path().join("trace");
    let plain = keeper_command(folder.path());
    let mut traced = command(strace);
    let calls = "trace=read,recvfrom,recvmsg,write,writev,sendto,sendmsg,fsync,fdatasync";
    // Detached, so that the child is the keeper itself and can be asked to end.
    traced.args(["-D", "-f", "-y", "-s", "64", "-e", calls, "-o"]).arg(&trace).arg(plain.as_std().get_program());
    for (name, value) in plain.as_std().get_envs() {
        traced.env(name, value.expect("only values"));
    }
    let mut process = Process::start(traced);
    let address = process.wait_for_message("listening").await["address"].as_str().expect("an address").to_owned();

    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let request = http.request(method.clone(), format!("http://{address}{path}")).json(body);
    let answer = request.header("authorization", format!("OAuth {TOKEN}")).send().await;
    assert!(answer.expect("an answer").status().is_success());
    process.terminate().await;

    let trace = finished(&trace).await;
    let lines: Vec<&str> = trace.lines().collect();
    let find = |what: &str, from: usize, is: &dyn Fn(&str) -> bool| {
        let found = lines[from..].iter().position(|line| is(line));
        from + found.unwrap_or_else(|| panic!("{what} is not in the trace after line {from}:\n{trace}"))
    };
    let asked = find("the request", 0, &|line| line.contains(&format!("\"{method} /")));
    let answered = find("the acknowledgement", asked, &|line| line.contains("\"HTTP/1.1 20"));
    let synced = lines[asked..answered]
        .iter()
        .any(|line| (line.contains("fdatasync(") || line.contains("fsync(")) && line.contains("keeper.db-wal"));
    assert!(synced, "no sync of the log between request and acknowledgement:\n{}", lines[asked..=answered].join("\n"));
}

/// The trace, once its writer has seen the end.
async fn finished(trace: &Path) -> String {
    for _ in 0..100 {
        let text = std::fs::read_to_string(trace).expect("a trace");
        if text.contains("+++ exited with 0 +++") {
            return text;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the trace does not end");
}
