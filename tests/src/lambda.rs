//! The function under a real Lambda runtime API (cargo lambda's emulator), fed the events that AWS sends. It is the program
//! of the workspace; what is deployed is tested for arm64.

use std::{net::TcpListener, path::Path, time::Duration};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    binaries::{binary, root},
    keeper::{COMPONENT, PAGE, TOKEN},
    prober::witnesses,
    process::{Process, command},
    skip::{program, skip},
};

const NAME: &str = "lambda-prober";

/// An emulator, fresh for each test because abandoned invocations stay queued, and the function that polls it.
#[derive(Debug)]
pub struct Lambda {
    base: String,
    _emulator: Process,
    pub function: Process,
    http: reqwest::Client,
}

/// The variables of a function that probes one home.
pub fn probes(home: &str) -> impl FnOnce(&mut Command) {
    move |command| {
        command.env("CANARY_URL", home).env("PAGE_ID", PAGE).env("COMPONENT_ID", COMPONENT);
    }
}

impl Lambda {
    /// The function, with a token in a variable; `change` sets what else it is to know. `None`, and a skip, where there is
    /// no emulator.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(test: &str, api: &str, change: impl FnOnce(&mut Command)) -> Option<Self> {
        let mut started = command(binary(NAME));
        started
            .env("STATUSPAGE_URL", api)
            .env("TOKEN", TOKEN)
            .env("WITNESSES", witnesses(api))
            .env("VANTAGE", "outside");
        change(&mut started);
        Self::run(test, started).await
    }

    /// A function of the caller's making, under an emulator of its own.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn run(test: &str, mut function: Command) -> Option<Self> {
        let Some(cargo_lambda) = program("cargo-lambda") else {
            skip(test, "cargo-lambda is missing; tests/run provides it");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let emulator = emulator(&cargo_lambda, port).await;
        let base = format!("http://127.0.0.1:{port}");
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().expect("a client");
        function
            .env("AWS_LAMBDA_RUNTIME_API", format!("{base}/.rt/{NAME}"))
            .env("AWS_LAMBDA_FUNCTION_NAME", NAME)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1");
        Some(Self { base, _emulator: emulator, function: Process::start(function), http })
    }

    /// # Panics
    /// When the emulator does not answer with JSON.
    pub async fn invoke(&self, event: &Value) -> Value {
        let url = format!("{}/2015-03-31/functions/{NAME}/invocations", self.base);
        let answer = self.http.post(url).json(event).send().await.expect("the emulator answers");
        let text = answer.text().await.expect("a body");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}: {:#?}", self.function.lines()))
    }

    /// The function's URL, as the emulator has it: it makes the events that AWS makes of requests.
    pub fn url(&self) -> String {
        format!("{}/lambda-url/{NAME}/", self.base)
    }

    /// The one line that each run prints.
    pub fn reports(&self) -> Vec<Value> {
        let lines = self.function.lines();
        let values = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        values.filter(|line| line["event"] == "run").collect()
    }
}

async fn emulator(cargo_lambda: &Path, port: u16) -> Process {
    // It wants a workspace around it, but builds nothing of it.
    let mut emulator = command(cargo_lambda);
    emulator.args(["lambda", "watch", "--only-lambda-apis", "-A", "127.0.0.1", "-P", &port.to_string()]);
    emulator.current_dir(root());
    let emulator = Process::start(emulator);
    emulator.listens(port).await;
    emulator
}

/// What an EventBridge rule sends.
pub fn rule() -> Value {
    json!({"version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2026-11-21T04:30:00Z", "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/porchlight"], "detail": {}})
}

/// What EventBridge Scheduler sends without an input of its own: `detail` is a text.
pub fn scheduler() -> Value {
    json!({"version": "0", "id": "d32c5kogtgl2", "detail-type": "Scheduled Event", "source": "aws.scheduler",
        "account": "123456789012", "time": "2026-11-21T04:31:00Z", "region": "us-east-1",
        "resources": ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/porchlight"], "detail": "{}"})
}
