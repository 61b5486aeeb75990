//! The built function under a real Lambda runtime API (cargo lambda's emulator), fed the events that AWS sends.

use std::{net::TcpListener, time::Duration};

use serde_json::{Value, json};
use tests::{
    beacon::Beacon,
    binaries::{function, root},
    keeper::{COMPONENT, Keeper, PAGE, TOKEN},
    process::{Process, command},
    skip::{program, skip},
};
use tokio::{net::TcpStream, time::sleep};

const NAME: &str = "lambda-prober";

/// An emulator, fresh for each test because abandoned invocations stay queued, and the function that polls it.
struct Lambda {
    base: String,
    _emulator: Process,
    function: Process,
    http: reqwest::Client,
}

impl Lambda {
    async fn start(test: &str, api: &str, home: Option<&str>) -> Option<Self> {
        let (Some(function), Some(cargo_lambda)) = (function(), program("cargo-lambda")) else {
            skip(test, "the built function (FUNCTION) or cargo-lambda is missing; tests/run provides both");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        // The emulator wants a workspace around it, but builds nothing of it.
        let mut emulator = command(cargo_lambda);
        emulator.args(["lambda", "watch", "--only-lambda-apis", "-A", "127.0.0.1", "-P", &port.to_string()]);
        emulator.current_dir(root());
        let emulator = Process::start(emulator);
        let mut tries = 0;
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tries += 1;
            assert!(tries < 200, "the emulator does not listen: {:#?}", emulator.lines());
            sleep(Duration::from_millis(50)).await;
        }
        let base = format!("http://127.0.0.1:{port}");
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().expect("a client");
        let mut started = command(function);
        started
            .env("AWS_LAMBDA_RUNTIME_API", format!("{base}/.rt/{NAME}"))
            .env("AWS_LAMBDA_FUNCTION_NAME", NAME)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("STATUSPAGE_URL", api)
            .env("TOKEN", TOKEN);
        if let Some(home) = home {
            started.env("CANARY_URL", home).env("PAGE_ID", PAGE).env("COMPONENT_ID", COMPONENT);
        }
        Some(Self { base, _emulator: emulator, function: Process::start(started), http })
    }

    async fn invoke(&self, event: &Value) -> Value {
        let url = format!("{}/2015-03-31/functions/{NAME}/invocations", self.base);
        let answer = self.http.post(url).json(event).send().await.expect("the emulator answers");
        let text = answer.text().await.expect("a body");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}: {:#?}", self.function.lines()))
    }

    /// The one line that each run tells.
    fn reports(&self) -> Vec<Value> {
        let lines = self.function.lines();
        let values = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        values.filter(|line| line["event"] == "run").collect()
    }
}

/// What an EventBridge rule sends.
fn rule() -> Value {
    json!({"version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2026-11-21T04:30:00Z", "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/porchlight"], "detail": {}})
}

/// What EventBridge Scheduler sends without an input of its own: `detail` is a text.
fn scheduler() -> Value {
    json!({"version": "0", "id": "d32c5kogtgl2", "detail-type": "Scheduled Event", "source": "aws.scheduler",
        "account": "123456789012", "time": "2026-11-21T04:31:00Z", "region": "us-east-1",
        "resources": ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/porchlight"], "detail": "{}"})
}

#[tokio::test]
async fn scheduled_events_flip_the_component_down_and_up_again() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let address = beacon.public.to_string();
    let Some(lambda) = Lambda::start("function", &keeper.api(), Some(&beacon.url())).await else { return };

    let report = lambda.invoke(&rule()).await;
    assert_eq!(report["targets"][0]["outcome"], "agrees", "{report:#}");

    beacon.process.terminate().await;
    let report = lambda.invoke(&scheduler()).await;
    assert_eq!(report["targets"][0]["cause"], "refused", "{report:#}");
    assert_eq!(keeper.status().await, "major_outage");
    let third = report["targets"][0]["attempts"][2]["started_ms"].as_f64().expect("three attempts");
    assert!(third > 9_000.0, "spread over the time that the function has: {report:#}");

    let _repaired = Beacon::start_at(&address).await;
    let report = lambda.invoke(&rule()).await;
    assert_eq!(report["targets"][0]["outcome"], "changed", "{report:#}");
    assert_eq!(keeper.status().await, "operational");
    assert_eq!(lambda.reports().len(), 3, "one line for each run: {:#?}", lambda.function.lines());
}

#[tokio::test]
async fn targets_come_with_the_event_too() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    keeper.set_status("partial_outage").await;
    let Some(lambda) = Lambda::start("function_targets", &keeper.api(), None).await else { return };
    let target = json!({"name": "Home", "url": beacon.url(), "page_id": PAGE, "component_id": COMPONENT});
    let report = lambda.invoke(&json!({"targets": [target]})).await;
    assert_eq!(report["targets"][0]["outcome"], "changed", "{report:#}");
    assert_eq!(keeper.status().await, "operational");

    let failure = lambda.invoke(&rule()).await;
    assert!(failure["errorMessage"].as_str().is_some_and(|text| text.contains("nothing to probe")), "{failure:#}");
    let failure = lambda.invoke(&json!({"key1": "value1"})).await;
    assert!(failure["errorMessage"].as_str().is_some_and(|text| text.contains("neither a schedule's")), "{failure:#}");
}

#[tokio::test]
async fn a_page_that_could_not_be_made_true_fails_the_invocation() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let nowhere = keeper.api();
    keeper.process.kill().await;
    let Some(lambda) = Lambda::start("function_failure", &nowhere, Some(&beacon.url())).await else { return };
    let failure = lambda.invoke(&rule()).await;
    let message = failure["errorMessage"].as_str().unwrap_or_default();
    assert!(message.contains("the page could not be made true"), "{failure:#}");
    assert_eq!(lambda.reports()[0]["published"], false, "the report is told all the same");
}
