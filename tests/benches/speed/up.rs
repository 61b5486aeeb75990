//! `porchlight up`: how soon there is a page that tells the truth, and what it takes while nothing happens, beside the same
//! programs each in a process of its own.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use tests::process::{Process, command, own_address};
use tokio::process::Command;

use super::{cpu, milliseconds, proc_mib, released};

/// Two rounds of `ping`, and as many polls of the beacon.
const IDLE: Duration = Duration::from_secs(120);

/// Nothing beyond this machine is asked.
fn quiet(program: &Path) -> Command {
    let mut quiet = command(program);
    quiet
        .env("TARGET_HOST", "127.0.0.1")
        .env("WITNESSES", "127.0.0.1:9,localhost:9")
        .env("FAST_URL", "http://127.0.0.1:9");
    quiet.env("LOG_LEVEL", "error").stdin(Stdio::null());
    quiet
}

pub(super) async fn measure(release: &Path) {
    println!("\nup");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut up = quiet(&released(release, "porchlight"));
    let address = own_address();
    up.args(["up", "--page-addr", &format!("{address}:0"), "--beacon-addr", &format!("{address}:0"), "--data"]);
    up.arg(folder.path().join("up"));
    let begun = Instant::now();
    let mut up = Process::start(up);
    let page = up.wait_for("its page", |lines| lines.iter().find_map(|line| page_in(line))).await;
    let text = reqwest::get(&page).await.expect("the page").text().await.expect("a body");
    assert!(text.contains("Nobody has looked yet"), "{text}");
    println!("  from the command to the first truthful page: {:.0} ms", milliseconds(begun.elapsed()));

    let apart = apart(release, folder.path());
    let processes = |of: &[Process]| of.iter().map(Process::pid).collect::<Vec<_>>();
    let (one, four) = (vec![up.pid()], processes(&apart));
    let spent = |pids: &[u32]| pids.iter().map(|pid| cpu(*pid)).sum::<Duration>();
    let before = (spent(&one), spent(&four));
    tokio::time::sleep(IDLE).await;
    let share = |now: Duration, before: Duration| now.saturating_sub(before).as_secs_f64() / IDLE.as_secs_f64() * 100.0;
    let resident = |pids: &[u32]| pids.iter().map(|pid| proc_mib(*pid, "status", "VmRSS:")).sum::<f64>();
    println!(
        "  idle: {:.1} MiB resident, {:.3} % of a core; keeper, beacon, ping and bandwidth apart: {:.1} MiB, {:.3} %",
        resident(&one),
        share(spent(&one), before.0),
        resident(&four),
        share(spent(&four), before.1),
    );
}

/// Keeper, beacon, ping and bandwidth as processes of their own.
fn apart(release: &Path, folder: &Path) -> Vec<Process> {
    let address = own_address();
    let token = "keeper-token-of-the-tests";
    let mut keeper = quiet(&released(release, "keeper"));
    keeper.env("KEEPER_ADDR", format!("{address}:8030")).env("KEEPER_TOKEN", token);
    keeper.env("DATABASE_URL", format!("sqlite:{}", folder.join("apart.db").display()));
    keeper.env("BEACON_PRIVATE_URL", format!("http://{address}:9090"));
    let mut beacon = quiet(&released(release, "beacon"));
    beacon.env("PUBLIC_ADDR", format!("{address}:8080")).env("PRIVATE_ADDR", format!("{address}:9090"));
    let job = |name: &str, every: &str| {
        let mut job = quiet(&released(release, name));
        job.args(["--every", every]).env("KEEPER_URL", format!("http://{address}:8030")).env("KEEPER_TOKEN", token);
        job
    };
    let (ping, bandwidth) = (job("ping", "60s"), job("bandwidth", "3h"));
    [keeper, beacon, ping, bandwidth].map(Process::start).into()
}

/// The page's address in a line that `up` prints.
fn page_in(line: &str) -> Option<String> {
    let url = line.trim().strip_prefix("page")?.split_whitespace().next()?;
    url.starts_with("http").then(|| url.to_owned())
}
