//! What a heartbeat costs the function that takes it: verified, signed for `DynamoDB`, stored over TLS, and answered.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use shared::{
    heartbeat::{Heartbeat, View},
    proof::{Key, Running},
};
use tests::{
    aws::{Reply, ScriptedStore, point},
    front::Front,
    keeper::{COMPONENT, PAGE},
    process::command,
};

use super::{cloud::RuntimeApi, cpu, median, milliseconds, proc_mib};

const RUNS: u64 = 500;
const WARM: u64 = 20;

/// What comes in turn.
const FORGED: &str = "one that nobody signed";

pub(super) async fn measure(function: &Path) {
    let store = ScriptedStore::open([], Reply::Json(json!({}))).await;
    let address = store.endpoint.trim_start_matches("http://").parse().expect("an address");
    let folder = tempfile::tempdir().expect("a folder");
    let front = Front::open(address, folder.path()).await;
    let mut api = RuntimeApi::open().await;
    let mut command = command(function);
    point(&mut command, &front.url());
    command
        .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "f")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("SSL_CERT_FILE", &front.authority)
        .env("RECEIVE_HEARTBEATS", "true")
        .env("HEARTBEAT_TABLE", "heartbeats")
        .env("PAGE_ID", PAGE)
        .env("COMPONENT_ID", COMPONENT)
        .env("BEACON_KEY", Key::new([1; 32]).expose())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    let mut child = command.spawn().expect("it starts");
    let pid = child.id().expect("it runs");
    api.polled().await;
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for sequence in 1..=WARM + RUNS {
        for (event, costs) in [(signed(sequence), &mut taken), (posted(FORGED), &mut refused)] {
            let before = cpu(pid);
            api.invoke(&event.to_string()).await;
            if sequence > WARM {
                costs.push(milliseconds(cpu(pid).saturating_sub(before)));
            }
        }
    }
    let stored = store.calls().iter().filter(|(operation, _)| operation.ends_with("UpdateItem")).count();
    assert_eq!(u64::try_from(stored).ok(), Some(WARM + RUNS), "each is one write, and what is forged is none");
    println!(
        "processor time of a heartbeat that is stored: {:.2} ms (goal: below 1), of one that is forged: {:.2} ms; peak {:.1} MiB",
        median(&mut taken),
        median(&mut refused),
        proc_mib(pid, "status", "VmHWM")
    );
    child.kill().await.expect("it can be ended");
}

fn signed(sequence: u64) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let heartbeat = Heartbeat {
        home: COMPONENT.parse().expect("an id"),
        at: now,
        sequence,
        boot: "0b7e2a6c".parse().expect("a boot"),
        running: Running { up: 86_400, age: 900 },
        view: View::UNKNOWN,
        last: None,
    };
    posted(heartbeat.sign(&Key::new([1; 32])).as_str())
}

/// The event of a function URL.
fn posted(body: &str) -> Value {
    let http = json!({"method": "POST", "path": "/"});
    json!({"version": "2.0", "requestContext": {"http": http}, "body": body, "isBase64Encoded": false})
}
