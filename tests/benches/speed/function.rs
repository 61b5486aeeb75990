//! The function: its start beside a bare one, and what a quiet warm run costs.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use shared::proof::Key;
use tests::{
    aws::{Reply, ScriptedStore, point},
    cost::cost,
    front::Front,
    keeper::{COMPONENT, PAGE},
    process::command,
};
use tokio::{
    process::{Child, Command},
    time::Instant,
};

use super::{
    cloud::{RuntimeApi, Statuspage, slow_home},
    cpu, median, milliseconds, proc_mib, released,
};

const STARTS: usize = 41;
const RUNS: usize = 200;
const EVENT: &str = r#"{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#;

pub(super) async fn measure(release: &Path) {
    let function = released(release, "lambda-prober");
    let bytes = std::fs::metadata(&function).expect("it is there").len();
    println!("function: {} kB as cargo built it for this machine", bytes / 1000);
    // What a user deploys, where `cargo lambda build -p lambda-prober --release --arm64` has built it.
    match std::fs::metadata(tests::binaries::root().join("target/lambda/lambda-prober/bootstrap")) {
        Ok(shipped) => println!("function: {} kB as it is shipped (goal: below 9000)", shipped.len() / 1000),
        Err(_) => println!("function: the one that is shipped has not been built"),
    }
    starts(&function, &released(release, "bare-function")).await;
    warm_runs(&function, &released(release, "beacon")).await;
    overlap(&function).await;
    names(&function).await;
    first_answer(&function).await;
}

const TOKEN_AT: &str = "/porchlight/statuspage-token";
const KEY_AT: &str = "/porchlight/beacon-key";

fn key() -> String {
    Key::new([1; 32]).expose()
}

/// A Parameter Store that has the secrets.
async fn store() -> ScriptedStore {
    let secrets = Reply::Parameters(vec![(TOKEN_AT, "token".to_owned()), (KEY_AT, key())]);
    ScriptedStore::open([], secrets).await
}

/// As a user deploys it: secrets and state in Parameter Store.
fn under(api: &RuntimeApi, function: &Path, store: &ScriptedStore) -> Command {
    let mut command = command(function);
    command
        .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "f")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("STATUSPAGE_TOKEN_PARAMETER", TOKEN_AT)
        .env("BEACON_KEY_PARAMETER", KEY_AT)
        .env("STATE_PARAMETER", "/porchlight/state")
        .env("PAGE_ID", PAGE)
        .env("COMPONENT_ID", COMPONENT)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    point(&mut command, &store.endpoint);
    command
}

/// From the start of the process to its first poll of the runtime API, in turn with a function that does nothing.
async fn starts(function: &Path, bare: &Path) {
    let (mut ours, mut theirs, store) = (Vec::new(), Vec::new(), store().await);
    for _ in 0..STARTS {
        for (path, times) in [(function, &mut ours), (bare, &mut theirs)] {
            let mut api = RuntimeApi::open().await;
            let mut command = under(&api, path, &store);
            command.env("CANARY_URL", "http://127.0.0.1:1");
            let start = Instant::now();
            let child = command.spawn().expect("it starts");
            times.push(milliseconds(api.polled().await - start));
            end(child).await;
        }
    }
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    println!(
        "start to first poll: {ours:.2} ms, a bare function {theirs:.2} ms: {:+.2} ms (goal: at most +8), ratio {:.2}",
        ours - theirs,
        ours / theirs
    );
}

/// Quiet warm runs, with a TLS handshake with statuspage and a proof in each; the secrets are read in the first.
async fn warm_runs(function: &Path, beacon: &Path) {
    let statuspage = Statuspage::open(true, Duration::ZERO).await;
    let folder = tempfile::tempdir().expect("a folder");
    let trusted = tests::process::file(folder.path(), "ca.pem", statuspage.certificate.as_deref().unwrap_or_default());
    let port = free_port();
    let store = store().await;
    let mut home = command(beacon);
    home.env("BEACON_KEY", key()).env("PUBLIC_ADDR", format!("127.0.0.1:{port}")).env("PRIVATE_ADDR", "127.0.0.1:0");
    let home = home.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the beacon starts");

    // One that has nobody to write to, and one that has, in turn.
    let mut functions = Vec::new();
    for channels in [None, Some("ntfy://ntfy.sh/home")] {
        let mut api = RuntimeApi::open().await;
        let mut command = under(&api, function, &store);
        command.env("CANARY_URL", format!("http://127.0.0.1:{port}")).env("STATUSPAGE_URL", &statuspage.api);
        command.env("SSL_CERT_FILE", &trusted).envs(channels.map(|channels| ("NOTIFY_URLS", channels)));
        let child = command.spawn().expect("it starts");
        let pid = child.id().expect("it runs");
        api.polled().await;
        for _ in 0..10 {
            api.invoke(EVENT).await;
        }
        functions.push((api, child, pid, Vec::new()));
    }
    let early = proc_mib(functions[0].2, "status", "VmRSS");
    for _ in 0..RUNS {
        for (api, _, pid, costs) in &mut functions {
            let before = cpu(*pid);
            api.invoke(EVENT).await;
            costs.push(milliseconds(cpu(*pid).saturating_sub(before)));
        }
    }
    let pid = functions[0].2;
    let (late, peak) = (proc_mib(pid, "status", "VmRSS"), proc_mib(pid, "status", "VmHWM"));
    let notified = proc_mib(functions[1].2, "status", "VmHWM");
    let (without, with) = (median(&mut functions[0].3), median(&mut functions[1].3));
    println!("processor time of a quiet warm run, TLS and proof included: {without:.2} ms (goal: below 4)");
    println!("the same with a channel of notices: {with:.2} ms, ratio {:.3} (goal: none)", with / without);
    println!(
        "memory: {early:.1} MiB after 10 runs, {late:.1} after {RUNS} more, peak {peak:.1} (goal: below 20, flat), with a \
         channel {notified:.1}"
    );
    for (_, child, ..) in functions {
        end(child).await;
    }
    end(home).await;
}

/// The page is read while the home is probed: with both 100 ms away, a run takes hardly longer than one of them.
async fn overlap(function: &Path) {
    let away = Duration::from_millis(100);
    let (home, statuspage, store) = (slow_home(away).await, Statuspage::open(false, away).await, store().await);
    let mut api = RuntimeApi::open().await;
    let mut command = under(&api, function, &store);
    command.env("CANARY_URL", format!("http://{home}")).env("STATUSPAGE_URL", &statuspage.api);
    // The slow home has no key.
    command.env_remove("BEACON_KEY_PARAMETER");
    let child = command.spawn().expect("it starts");
    api.polled().await;
    api.invoke(EVENT).await;
    let mut times = Vec::new();
    for _ in 0..21 {
        let start = Instant::now();
        api.invoke(EVENT).await;
        times.push(milliseconds(start.elapsed()));
    }
    let time = median(&mut times);
    println!(
        "quiet run with home and page each 100 ms away: {time:.1} ms, ratio {:.2} (goal: below 1.3)",
        time / 100.0
    );
    end(child).await;
}

/// What a name costs a fresh process, from reading the name servers to an answer: `localhost` is answered by hickory itself.
async fn names(prober: &Path) {
    let (home, statuspage) = (slow_home(Duration::ZERO).await, Statuspage::open(false, Duration::ZERO).await);
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let mut command = command(prober);
        command.args(["--once", "--json"]).env("CANARY_URL", format!("http://localhost:{}", home.port()));
        command
            .env("PAGE_ID", PAGE)
            .env("COMPONENT_ID", COMPONENT)
            .env("STATUSPAGE_URL", &statuspage.api)
            .env("TOKEN", "x");
        let output = tests::process::run(command, Duration::from_mins(1)).await.stdout;
        let report: Value = serde_json::from_str(&output).expect("a report");
        times.extend(report["targets"][0]["attempts"][0]["resolve_ms"].as_f64());
    }
    println!("hickory, from nothing to an answer: {:.2} ms (goal: at most 2)", median(&mut times));
}

/// Processor time of a process up to a home's first answer over TLS, with its first random number, in turn with the same
/// program that gathers entropy from the processor's timing for that.
async fn first_answer(ours: &Path) {
    let theirs = tests::binaries::root().join("target/jitter/release/lambda-prober");
    if !theirs.is_file() {
        return println!("first answer over TLS: the prober to compare with has not been built; tests/speed does");
    }
    let (home, folder) = (slow_home(Duration::ZERO).await, tempfile::tempdir().expect("a folder"));
    let front = Front::open(home, folder.path()).await;
    let statuspage = Statuspage::open(false, Duration::ZERO).await;
    let run = |prober: &Path| {
        let mut run = command(prober);
        run.args(["--once", "--json"]).env("CANARY_URL", front.url()).env("SSL_CERT_FILE", &front.authority);
        run.env("PAGE_ID", PAGE).env("COMPONENT_ID", COMPONENT);
        run.env("STATUSPAGE_URL", &statuspage.api).env("TOKEN", "x");
        run
    };
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        for (prober, times) in [(ours, &mut without), (theirs.as_path(), &mut with)] {
            times.push(milliseconds(cost(run(prober)).await.cpu));
        }
    }
    let (with, without) = (median(&mut with), median(&mut without));
    println!(
        "first answer over TLS: {without:.1} ms of processor time, with entropy from timing {with:.1}: ratio {:.2} (goal: at \
         most 0.3)",
        without / with
    );
}

fn free_port() -> u16 {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.expect("a port").port()
}

async fn end(mut child: Child) {
    child.kill().await.expect("it can be ended");
}
