//! The Job of one run of a script. Pure.
//!
//! Its pod (`pod`) has no token of the API server, no privilege, nothing that it may write to but an empty folder, and no route but those of
//! its egress class. What comes out of it is its termination message ([`check_runner::message`]).

mod pod;

use std::time::Duration;

use serde_json::{Value, json};

use crate::resolve::script::ScriptRun;

/// The label of all that belongs to runs, with the name of the check.
pub const CHECK_LABEL: &str = "porchlight.dev/check";

/// The label that the chart's network policies go by. The operator alone sets it.
pub const EGRESS_LABEL: &str = "porchlight.dev/egress";

/// The annotation with the object's UID: another object of the same name is another check.
pub const UID: &str = "porchlight.dev/uid";

/// The annotation with what tells the script, as it was, from another one.
pub const SCRIPT: &str = "porchlight.dev/script";

/// The annotation with the moment at which this try of a run began, in seconds since 1970, by our clock.
pub const MOMENT: &str = "porchlight.dev/moment";

/// The annotation with when the run began that it is a try of, in milliseconds since 1970: by that the keeper knows it.
pub const RUN: &str = "porchlight.dev/run";

/// How long a pod may take besides the script: to be scheduled, to pull its images, to start.
pub const STARTING: Duration = Duration::from_secs(120);

/// A finished Job that nobody has removed goes after this: the operator does it as soon as the outcome is kept.
const TTL_SECONDS: u32 = 3600;

/// What is the same for every Job.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The image with `check-runner`.
    pub runner_image: String,
    /// The volume claim, in each namespace, on which packages of Python are kept from run to run.
    pub packages_claim: Option<String>,
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
    /// The moment of this try, in seconds since 1970: a second Job for the same moment is refused by the API server.
    pub moment: i64,
    /// When the run began that it is a try of, in milliseconds since 1970.
    pub began: i64,
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
    let annotations = json!({
        UID: run.uid, MOMENT: run.moment.to_string(), RUN: run.began.to_string(), SCRIPT: script.fingerprint(),
        "porchlight.dev/check-name": run.check,
    });
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
                "spec": pod::spec(run, script, surroundings, deadline),
            },
        },
    })
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
        let (moment, began) = (1_796_000_000, 1_795_999_998_500);
        Run { check: "nas.disk_1", uid, namespace: "checks", moment, began, timeout: Duration::from_secs(10) }
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
        Surroundings { runner_image: "localhost/porchlight-operator:0.1.0".into(), packages_claim: None, limits }
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
    fn packages_are_installed_by_their_digest_on_the_volume_that_there_is() {
        let claimed = Surroundings { packages_claim: Some("packages".into()), ..surroundings() };
        let volume = |surroundings: &Surroundings| {
            manifest(&run(), &script(), surroundings)["spec"]["template"]["spec"]["volumes"][2].clone()
        };
        assert_eq!(volume(&surroundings())["emptyDir"]["sizeLimit"], "512Mi");
        assert_eq!(volume(&claimed)["persistentVolumeClaim"]["claimName"], "packages");
        let job = manifest(&run(), &script(), &claimed);
        let pod = &job["spec"]["template"]["spec"];
        let digest = script().digest_of_requirements();
        let expected = [
            "/porchlight/check-runner",
            "packages",
            "/porchlight",
            "/packages",
            &digest,
            "python3",
            "requests==2.32.5",
        ];
        assert_eq!(pod["initContainers"][1]["command"], json!(expected));
        let others = [
            ScriptRun { requirements: vec!["requests==2.32.4".into()], ..script() },
            ScriptRun { image: "another".into(), ..script() },
        ];
        assert!(digest.len() == 32 && others.iter().all(|other| other.digest_of_requirements() != digest));
        let path = pod["containers"][0]["env"].as_array().unwrap().iter().find(|it| it["name"] == "PYTHONPATH");
        assert_eq!(path.unwrap()["value"], "/porchlight/packages");
    }

    #[test]
    fn the_deadline_is_the_pods_and_leaves_time_to_start() {
        let job = manifest(&run(), &script(), &surroundings());
        assert_eq!(job["spec"]["activeDeadlineSeconds"], Value::Null);
        assert_eq!(job["spec"]["template"]["spec"]["activeDeadlineSeconds"], 130);
    }
}
