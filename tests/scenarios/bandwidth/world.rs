//! A run of `bandwidth`, its output, and what the keeper remembers of it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    cloudflare::Cloudflare,
    fast::Fast,
    keeper::{Keeper, TOKEN},
    process::{file, ours, run},
};
use tokio::process::Command;

/// A closed port.
const CLOSED: &str = "http://127.0.0.1:1/";

/// How one run went.
#[derive(Debug)]
pub(crate) struct JobRun {
    pub(crate) code: Option<i32>,
    pub(crate) line: Value,
    pub(crate) stderr: String,
}

impl JobRun {
    pub(crate) fn reading(&self, metric: &str) -> &Value {
        let readings = self.line["readings"].as_array().unwrap_or_else(|| panic!("there are readings: {self:?}"));
        readings.iter().find(|reading| reading["metric"] == metric).unwrap_or(&Value::Null)
    }

    /// A value that must be there. It is never 0.
    pub(crate) fn value(&self, metric: &str) -> f64 {
        let value = self.reading(metric)["value"].as_f64().unwrap_or_else(|| panic!("{metric} has a value: {self:?}"));
        assert!(value > 0.0, "{metric} is more than nothing: {self:?}");
        value
    }

    /// Why there is no value.
    pub(crate) fn failure(&self, metric: &str) -> &str {
        let reading = self.reading(metric);
        assert!(reading["value"].is_null(), "{metric} has no value, not even 0: {self:?}");
        reading["failure"].as_str().unwrap_or_else(|| panic!("{metric} has failed: {self:?}"))
    }

    pub(crate) fn said(&self) -> String {
        self.line["said"].to_string()
    }

    pub(crate) fn number(&self, pointer: &str) -> u64 {
        self.line.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer} is a number: {self:?}"))
    }
}

/// Against these two, by whatever source the test sets; the default is auto.
pub(crate) fn against(fast: Option<&Fast>, cloudflare: Option<&Cloudflare>) -> Command {
    let mut command = ours("bandwidth");
    command
        .arg("--json")
        .env("FAST_URL", fast.map_or(CLOSED.into(), Fast::url))
        .env("CLOUDFLARE_URL", cloudflare.map_or(CLOSED.into(), Cloudflare::url));
    command
}

/// Against fast.com alone, handing nothing over.
pub(crate) fn dry(fast: &Fast) -> Command {
    let mut command = against(Some(fast), None);
    command.args(["--dry-run", "--source", "fast"]);
    command
}

/// Against a file, handing nothing over.
pub(crate) fn dry_from(url: &str) -> Command {
    let mut command = against(None, None);
    command.args(["--dry-run", "--source", url]);
    command
}

/// Against fast.com alone, handing over to a keeper.
pub(crate) fn kept(fast: &Fast, keeper: &Keeper) -> Command {
    let mut command = against(Some(fast), None);
    command.args(["--source", "fast"]).env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
    command
}

/// Lets a run trust an emulator's certificate for as long as the folder is kept.
pub(crate) fn trust(command: &mut Command, certificate: Option<&String>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    command.env("SSL_CERT_FILE", file(folder.path(), "ca.pem", certificate.expect("it speaks TLS")));
    folder
}

pub(crate) async fn run_job(command: Command) -> JobRun {
    let ended = run(command, Duration::from_secs(70)).await;
    let line = serde_json::from_str(&ended.stdout).unwrap_or(Value::Null);
    JobRun { code: ended.code, line, stderr: ended.stderr }
}

/// What the keeper remembers of bandwidth tests; null where it remembers nothing.
pub(crate) async fn remembered(keeper: &Keeper) -> Value {
    let (status, state) = keeper.own(Method::GET, "/state/bandwidth", None).await;
    if status == 404 { Value::Null } else { state }
}

pub(crate) async fn remember(keeper: &Keeper, state: Value) {
    let (status, answer) = keeper.own(Method::PUT, "/state/bandwidth", Some(state)).await;
    assert!(status < 300, "{status} {answer}");
}

pub(crate) fn month(ago: i64) -> String {
    (Timestamp::now() - SignedDuration::from_hours(24 * ago)).strftime("%Y-%m").to_string()
}

/// So much was used in a month, and the last test is over.
pub(crate) fn used(month: &str, bytes: u64) -> Value {
    json!({"month": month, "used": bytes, "test": {"from": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:09Z"}})
}
