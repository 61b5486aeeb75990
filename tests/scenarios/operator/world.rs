//! The operator, its API server and its keeper.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{
    binaries::binary,
    checks::known,
    keeper::{Keeper, TOKEN},
    kubernetes::Kubernetes,
    process::{Process, command, own_address},
};
use tokio::time::{Instant, sleep};

/// How long something may take to be seen.
const LIMIT: Duration = Duration::from_secs(45);

/// How long a first run may take to begin.
const FIRST: Duration = Duration::from_secs(75);

/// Our checks, as the API server has them.
pub(super) const CHECKS: &str = "porchlight.dev/checks";

/// Where all objects are.
pub(super) const NAMESPACE: &str = "checks";

pub(super) struct World {
    pub(super) keeper: Keeper,
    pub(super) kubernetes: Kubernetes,
    operator: Option<Process>,
    settings: Vec<(&'static str, String)>,
    folder: TempDir,
}

impl World {
    pub(super) async fn start(prepare: impl FnOnce(&Kubernetes)) -> Self {
        Self::start_with(&[], prepare).await
    }

    /// With these settings of the operator, beside those that each needs.
    pub(super) async fn start_with(settings: &[(&'static str, &str)], prepare: impl FnOnce(&Kubernetes)) -> Self {
        Self::start_beside(Keeper::start().await, settings, prepare).await
    }

    /// The same beside that keeper.
    pub(super) async fn start_beside(
        keeper: Keeper,
        settings: &[(&'static str, &str)],
        prepare: impl FnOnce(&Kubernetes),
    ) -> Self {
        let kubernetes = Kubernetes::start().await;
        kubernetes.define(&operator::objects::crd::all());
        prepare(&kubernetes);
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let mut world = Self { keeper, kubernetes, operator: None, settings, folder };
        world.start_operator().await;
        world
    }

    /// Kills the operator, and starts another one in its place.
    pub(super) async fn replace_operator(&mut self) {
        self.kill_operator().await;
        self.start_operator().await;
    }

    /// Kills the operator: it has no time to say or to do anything.
    pub(super) async fn kill_operator(&mut self) {
        if let Some(operator) = self.operator.take() {
            operator.kill().await;
        }
    }

    /// Starts one where there is none.
    pub(super) async fn start_operator(&mut self) {
        let mut operator = self.begin();
        operator.wait_for_message("running").await;
        self.operator = Some(operator);
    }

    /// The most memory that the operator has had, in MiB.
    pub(super) fn most_memory(&self) -> u64 {
        let id = self.operator.as_ref().map(Process::pid).expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says so");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    }

    /// What the operator has logged.
    pub(super) fn lines(&self) -> Vec<String> {
        self.operator.as_ref().map(Process::lines).unwrap_or_default()
    }

    /// The operator, which is left to the test.
    pub(super) fn take_operator(&mut self) -> Process {
        self.operator.take().expect("there is one")
    }

    /// What the operator says of itself under that path: the code, and the text.
    pub(super) async fn says(&self, path: &str) -> (u16, String) {
        let lines = self.lines();
        let mut started = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let address = started.find_map(|line| Some(line["metrics"].as_str()?.to_owned())).expect("it says where");
        let answer = self.keeper.http.get(format!("http://{address}{path}")).send().await.expect("it answers");
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    }

    /// One more, which waits while another one leads.
    pub(super) async fn waiting_operator(&self) -> Process {
        let mut process = self.begin();
        let waits = |lines: &[String]| lines.iter().any(|line| line.contains("another operator leads")).then_some(());
        process.wait_for("another operator leads", waits).await;
        process
    }

    fn begin(&self) -> Process {
        let mut command = command(binary("operator"));
        command.env("KEEPER_URL", &self.keeper.url).env("KEEPER_TOKEN", TOKEN).env("OPERATOR_NAMESPACES", NAMESPACE);
        command.env("OPERATOR_ADDR", format!("{}:0", own_address()));
        command.env("RUNNER_IMAGE", "localhost/porchlight-operator:tests");
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        self.kubernetes.lead(&mut command, self.folder.path());
        Process::start(command)
    }

    /// Waits until there is a Job: a check with a long interval runs for the first time within a minute.
    pub(super) async fn first_job(&self) {
        let until = Instant::now() + FIRST;
        while self.kubernetes.all("batch/jobs").is_empty() {
            assert!(Instant::now() < until, "no Job was made");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until that is so of a check at the keeper.
    pub(super) async fn until(&self, name: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + LIMIT;
        loop {
            let known = known(&self.keeper, name).await;
            if is_so(&known) {
                return known;
            }
            assert!(Instant::now() < until, "it takes too long until {name} {what}: {known}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until that is so of the status of an object.
    pub(super) async fn status_of(
        &self,
        collection: &str,
        name: &str,
        what: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Value {
        let until = Instant::now() + LIMIT;
        loop {
            let object = self.kubernetes.get(collection, NAMESPACE, name).unwrap_or_default();
            if is_so(&object["status"]) {
                return object["status"].clone();
            }
            assert!(Instant::now() < until, "it takes too long until {name} {what}: {object:#}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A script, for a check.
pub(super) fn bash() -> Value {
    json!({"language": "Bash", "content": "echo fine"})
}

/// A check with a script, every five seconds.
pub(super) fn scripted(name: &str) -> Value {
    check(name, &json!({"every": "5s", "timeout": "4s", "retries": 0, "fail_after": 1, "script": bash()}))
}

pub(super) fn check(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "porchlight.dev/v1alpha1", "kind": "Check", "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec})
}

/// What a condition of a status says.
pub(super) fn ready(status: &Value) -> (String, String) {
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let ready = conditions.into_iter().find(|it| it["type"] == "Ready").unwrap_or_default();
    let text = |key: &str| ready[key].as_str().unwrap_or_default().to_owned();
    (text("status"), text("message"))
}
