//! The Job of one run of a script. Pure.
//!
//! Its pod has no token of the API server, no privilege, nothing that it may write to but an empty folder, and no route but those of
//! its egress class. What comes out of it is its termination message ([`check_runner::message`]).

use std::time::Duration;

use check_runner::run::{PROGRAM, SCRIPT, SCRIPT_FILE, SECRETS};
use serde_json::{Map, Value, json};

use crate::resolve::script::ScriptRun;

/// The label of all that belongs to runs, with the name of the check.
pub const CHECK_LABEL: &str = "porchlight.dev/check";

/// The label that the chart's network policies go by. The operator alone sets it.
pub const EGRESS_LABEL: &str = "porchlight.dev/egress";

/// The annotation with the object's UID: another object of the same name is another check.
pub const UID: &str = "porchlight.dev/uid";

/// The annotation with the moment at which the run began, in seconds since 1970, by our clock.
pub const MOMENT: &str = "porchlight.dev/moment";

/// Where the folder is that the pod's containers share.
const SHARED: &str = "/porchlight";

/// Where pip installs to, in a volume of its own.
const PACKAGES: &str = "/packages";

/// How long a pod may take besides the script: to be scheduled, to pull its images, to start.
pub const STARTING: Duration = Duration::from_secs(120);

/// A finished Job that nobody has removed goes after this: the operator does it as soon as the outcome is kept.
const TTL_SECONDS: u32 = 3600;

/// What is the same for every Job.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The image with `check-runner`.
    pub runner_image: String,
    /// The largest memory and the largest share of a processor that a script gets.
    pub limits: Limits,
}

/// Limits of a script's container, as Kubernetes writes them.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Like `128Mi`.
    pub memory: String,
    /// Like `500m`.
    pub cpu: String,
}

/// Which run.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The check's name.
    pub check: &'a str,
    /// Of the object.
    pub uid: &'a str,
    /// Where.
    pub namespace: &'a str,
    /// The moment of the run, in seconds since 1970: a second Job for the same moment is refused by the API server.
    pub moment: i64,
    /// How long the script may run.
    pub timeout: Duration,
}

/// The name of its Job: at most 63 letters, as the pod's label has it, too.
pub fn name(run: &Run<'_>) -> String {
    // Dots and underscores are no letters of a label; the UID tells checks apart that are the same but for these.
    let safe: String = run.check.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let short = safe[..safe.len().min(36)].trim_matches('-').to_owned();
    let uid: String = run.uid.chars().filter(char::is_ascii_hexdigit).take(6).collect();
    format!("check-{short}-{uid}-{:x}", run.moment)
}

/// The Job.
pub fn manifest(run: &Run<'_>, script: &ScriptRun, surroundings: &Surroundings) -> Value {
    let labels = json!({
        "app.kubernetes.io/name": "porchlight-check",
        "app.kubernetes.io/managed-by": "porchlight-operator",
        CHECK_LABEL: label(run.check),
        EGRESS_LABEL: script.egress.label(),
    });
    let annotations = json!({UID: run.uid, MOMENT: run.moment.to_string(), "porchlight.dev/check-name": run.check});
    let deadline = (run.timeout + STARTING).as_secs();
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name(run), "namespace": run.namespace, "labels": labels, "annotations": annotations},
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "ttlSecondsAfterFinished": TTL_SECONDS,
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": pod(run, script, surroundings, deadline),
            },
        },
    })
}

fn pod(run: &Run<'_>, script: &ScriptRun, surroundings: &Surroundings, deadline: u64) -> Value {
    let mut volumes = vec![
        json!({"name": "shared", "emptyDir": {"sizeLimit": "32Mi"}}),
        json!({"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}),
    ];
    let mut before = vec![installing(script, surroundings)];
    if !script.requirements.is_empty() {
        volumes.push(json!({"name": "packages", "emptyDir": {"sizeLimit": "512Mi"}}));
        before.push(requirements(script, surroundings));
    }
    json!({
        // The pod's own: the Job's would delete the pod, and what it said with it.
        "activeDeadlineSeconds": deadline,
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 5,
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": 65534, "runAsGroup": 65534, "fsGroup": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": volumes,
        "initContainers": before,
        "containers": [checking(run, script, surroundings)],
    })
}

/// Brings our program and the script to where the user's image finds them.
fn installing(script: &ScriptRun, surroundings: &Surroundings) -> Value {
    json!({
        "name": "install",
        "image": surroundings.runner_image,
        "command": ["/usr/local/bin/check-runner", "install", SHARED],
        "env": [{"name": SCRIPT, "value": literal(&script.content)}],
        "volumeMounts": [{"name": "shared", "mountPath": SHARED}],
        "resources": {"requests": {"memory": "16Mi", "cpu": "10m"}, "limits": {"memory": "48Mi"}},
        "securityContext": confined(),
    })
}

/// Installs what a script of Python needs into a folder that only it reads.
fn requirements(script: &ScriptRun, surroundings: &Surroundings) -> Value {
    let mut command: Vec<String> = [
        "python3",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-cache-dir",
        "--disable-pip-version-check",
        "--target",
        PACKAGES,
    ]
    .map(str::to_owned)
    .to_vec();
    command.extend(script.requirements.iter().map(|it| literal(it)));
    json!({
        "name": "requirements",
        "image": script.image,
        "command": command,
        "env": [{"name": "HOME", "value": "/tmp"}, {"name": "TMPDIR", "value": "/tmp"}],
        "volumeMounts": [{"name": "packages", "mountPath": PACKAGES}, {"name": "tmp", "mountPath": "/tmp"}],
        "resources": resources(surroundings),
        "securityContext": confined(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
    })
}

fn checking(run: &Run<'_>, script: &ScriptRun, surroundings: &Surroundings) -> Value {
    let program = format!("{SHARED}/{PROGRAM}");
    let file = format!("{SHARED}/{SCRIPT_FILE}");
    let seconds = run.timeout.as_secs().max(1).to_string();
    let mut command = vec![program, "run".into(), seconds, script.interpreter().into(), file];
    command.extend(script.arguments.iter().map(|it| literal(it)));
    let mut environment: Vec<Value> = vec![json!({"name": "HOME", "value": "/tmp"})];
    environment.extend(script.environment.iter().map(|(name, value)| json!({"name": name, "value": literal(value)})));
    environment.extend(script.secrets.iter().map(|secret| {
        json!({"name": secret.name, "valueFrom": {"secretKeyRef": {"name": secret.secret, "key": secret.key}}})
    }));
    let own = script.secrets.iter().map(|secret| secret.name.as_str());
    let names: Vec<&str> = own.chain(script.whole_secret_keys.iter().map(String::as_str)).collect();
    if !names.is_empty() {
        environment.push(json!({"name": SECRETS, "value": names.join(",")}));
    }
    if !script.requirements.is_empty() {
        environment.push(json!({"name": "PYTHONPATH", "value": PACKAGES}));
    }
    let mut container = Map::from_iter([
        ("name".to_owned(), json!("check")),
        ("image".to_owned(), json!(script.image)),
        ("command".to_owned(), json!(command)),
        ("env".to_owned(), json!(environment)),
        ("volumeMounts".to_owned(), json!(mounts(script))),
        ("resources".to_owned(), resources(surroundings)),
        ("securityContext".to_owned(), confined()),
    ]);
    if !script.whole_secrets.is_empty() {
        let all: Vec<Value> = script.whole_secrets.iter().map(|name| json!({"secretRef": {"name": name}})).collect();
        container.insert("envFrom".into(), json!(all));
    }
    Value::Object(container)
}

fn mounts(script: &ScriptRun) -> Vec<Value> {
    let mut mounts = vec![
        json!({"name": "shared", "mountPath": SHARED, "readOnly": true}),
        json!({"name": "tmp", "mountPath": "/tmp"}),
    ];
    if !script.requirements.is_empty() {
        mounts.push(json!({"name": "packages", "mountPath": PACKAGES, "readOnly": true}));
    }
    mounts
}

fn resources(surroundings: &Surroundings) -> Value {
    let Limits { memory, cpu } = &surroundings.limits;
    json!({"requests": {"memory": "32Mi", "cpu": "10m"}, "limits": {"memory": memory, "cpu": cpu}})
}

/// What Pod Security's `restricted` asks of a container, and a root file system that is only read.
fn confined() -> Value {
    json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "capabilities": {"drop": ["ALL"]},
    })
}

/// A text as it is, for a value or a command: Kubernetes replaces `$(NAME)` in these, and takes `$$` for `$`.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

/// A name of a check as the value of a label.
pub fn label(check: &str) -> String {
    check[..check.len().min(63)].trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::{
        pinglow::Language,
        porchlight::{Egress, SecretSpec},
    };

    fn run() -> Run<'static> {
        let uid = "5f1c6a9e-0000-4000-8000-000000000001";
        Run { check: "nas.disk_1", uid, namespace: "checks", moment: 1_796_000_000, timeout: Duration::from_secs(10) }
    }

    fn script() -> ScriptRun {
        ScriptRun {
            content: "echo fine".into(),
            language: Language::Python,
            arguments: vec!["-w".into(), "5".into()],
            environment: vec![("HOST".into(), "nas.lan".into())],
            secrets: vec![SecretSpec { name: "PASSWORD".into(), secret: "nas".into(), key: "password".into() }],
            whole_secrets: vec!["all".into()],
            whole_secret_keys: vec!["TOKEN".into()],
            requirements: vec!["requests==2.32.5".into()],
            image: "docker.io/library/python:3.14-slim".into(),
            egress: Egress::Cluster,
        }
    }

    fn surroundings() -> Surroundings {
        let limits = Limits { memory: "128Mi".into(), cpu: "500m".into() };
        Surroundings { runner_image: "localhost/porchlight-operator:0.1.0".into(), limits }
    }

    #[test]
    fn names_are_valid_and_tell_runs_and_checks_apart() {
        let long = "a".repeat(50);
        for check in ["nas.disk_1", long.as_str(), "a", "a-b", "__a__"] {
            let name = name(&Run { check, ..run() });
            assert!(name.len() <= 63 && name.starts_with("check-") && !name.contains(['.', '_']), "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{name}");
        }
        let others = [Run { moment: 1_796_000_060, ..run() }, Run { uid: "0000aa", ..run() }];
        assert!(others.iter().all(|other| name(other) != name(&run())));
    }

    #[test]
    fn secrets_are_named_and_never_in_the_job() {
        let job = manifest(&run(), &script(), &surroundings());
        let container = &job["spec"]["template"]["spec"]["containers"][0];
        let password = container["env"].as_array().unwrap().iter().find(|it| it["name"] == "PASSWORD").unwrap();
        assert_eq!(password["valueFrom"]["secretKeyRef"], json!({"name": "nas", "key": "password"}));
        assert_eq!(container["envFrom"], json!([{"secretRef": {"name": "all"}}]));
        let command: Vec<&str> =
            container["command"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        assert_eq!(command, ["/porchlight/check-runner", "run", "10", "python3", "/porchlight/script", "-w", "5"]);
    }

    #[test]
    fn what_a_script_says_of_dollars_is_not_kubernetes_business() {
        let mut script = script();
        script.content = "echo $$ $(id) $HOME".into();
        script.arguments = vec!["$(PASSWORD)".into()];
        let job = manifest(&run(), &script, &surroundings());
        let pod = &job["spec"]["template"]["spec"];
        assert_eq!(pod["initContainers"][0]["env"][0]["value"], "echo $$$$ $$(id) $$HOME");
        assert_eq!(pod["containers"][0]["command"][5], "$$(PASSWORD)");
    }

    #[test]
    fn the_deadline_is_the_pods_and_leaves_time_to_start() {
        let job = manifest(&run(), &script(), &surroundings());
        assert_eq!(job["spec"]["activeDeadlineSeconds"], Value::Null);
        assert_eq!(job["spec"]["template"]["spec"]["activeDeadlineSeconds"], 130);
    }
}
