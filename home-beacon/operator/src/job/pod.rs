//! The pod of a run: a container that brings our program and the script, one that installs what Python needs, and the check's.

use check_runner::{
    packages::LINK,
    run::{PROGRAM, SCRIPT, SCRIPT_FILE, SECRETS},
};
use serde_json::{Map, Value, json};

use super::{Limits, Run, Surroundings};
use crate::resolve::script::ScriptRun;

/// Where the folder is that the pod's containers share.
const SHARED: &str = "/porchlight";

/// Where the volume is that pip installs to.
const PACKAGES: &str = "/packages";

/// The spec of the pod.
pub(super) fn spec(run: &Run<'_>, script: &ScriptRun, surroundings: &Surroundings, deadline: u64) -> Value {
    let mut volumes = vec![
        json!({"name": "shared", "emptyDir": {"sizeLimit": "32Mi"}}),
        json!({"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}),
    ];
    let mut before = vec![installing(script, surroundings)];
    if !script.requirements.is_empty() {
        volumes.push(match &surroundings.packages_claim {
            Some(claim) => json!({"name": "packages", "persistentVolumeClaim": {"claimName": claim}}),
            None => json!({"name": "packages", "emptyDir": {"sizeLimit": "512Mi"}}),
        });
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
        "resources": {"requests": {"memory": "16Mi", "cpu": "10m"}, "limits": {"memory": "48Mi", "cpu": "500m"}},
        "securityContext": confined(),
    })
}

/// Installs what a script of Python needs: for this run, or on a volume that outlives it.
fn requirements(script: &ScriptRun, surroundings: &Surroundings) -> Value {
    let (program, digest) = (format!("{SHARED}/{PROGRAM}"), script.digest_of_requirements());
    let mut command: Vec<String> =
        [&program, "packages", SHARED, PACKAGES, &digest, script.interpreter()].map(str::to_owned).to_vec();
    command.extend(script.requirements.iter().map(|it| literal(it)));
    json!({
        "name": "requirements",
        "image": script.image,
        "command": command,
        "env": [{"name": "HOME", "value": "/tmp"}, {"name": "TMPDIR", "value": "/tmp"}],
        "volumeMounts": [
            {"name": "shared", "mountPath": SHARED},
            {"name": "packages", "mountPath": PACKAGES},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
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
        environment.push(json!({"name": "PYTHONPATH", "value": format!("{SHARED}/{LINK}")}));
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
