//! The definitions and the Jobs, by validators of others; and the definitions as they are checked in.

use std::{env, fs, time::Duration};

use operator::{
    job::{Limits, Run, Surroundings, manifest},
    objects::{
        crd,
        pinglow::Language,
        porchlight::{Egress, SecretSpec},
    },
    resolve::script::ScriptRun,
};
use serde_json::Value;
use tests::{
    binaries::{python, root},
    process::{command, file, run},
    skip::skip,
};

const CRDS: &str = "home-beacon/operator/crds.yaml";

#[test]
fn the_definitions_that_are_checked_in_are_those_of_the_types() {
    let made =
        format!("# Made from the types: UPDATE_CRDS=1 cargo test -p tests --test operator checked_in\n{}", crd::yaml());
    let path = root().join(CRDS);
    if env::var_os("UPDATE_CRDS").is_some() {
        fs::write(&path, &made).expect("the checkout is ours");
    }
    assert!(
        fs::read_to_string(&path).is_ok_and(|there| there == made),
        "{CRDS} is another: run the command in its first line"
    );
}

fn jobs() -> Vec<Value> {
    let limits = Limits { memory: "128Mi".into(), cpu: "500m".into() };
    let surroundings = Surroundings {
        runner_image: "localhost/porchlight-operator:0.1.0".into(),
        packages_claim: Some("packages".into()),
        limits,
    };
    let run = Run {
        check: "nas.disk",
        uid: "5f1c6a9e-0000-4000-8000-000000000001",
        namespace: "checks",
        moment: 1_796_000_000,
        began: 1_795_999_998_500,
        timeout: Duration::from_secs(10),
    };
    let script = |language, requirements: &[&str]| ScriptRun {
        content: "echo fine".into(),
        language,
        arguments: vec!["-w".into()],
        environment: vec![("HOST".into(), "nas.lan".into())],
        secrets: vec![SecretSpec { name: "PASSWORD".into(), secret: "nas".into(), key: "password".into() }],
        whole_secrets: vec!["all".into()],
        whole_secret_keys: Vec::new(),
        requirements: requirements.iter().map(|&it| it.to_owned()).collect(),
        image: "docker.io/library/bash:5.3".into(),
        egress: Egress::Internet,
    };
    let scripts = [script(Language::Bash, &[]), script(Language::Python, &["requests==2.32.5"])];
    scripts.iter().map(|script| manifest(&run, script, &surroundings)).collect()
}

#[tokio::test]
async fn definitions_and_jobs_are_valid_for_the_oldest_and_the_newest_kubernetes() {
    let Some(python) = python() else {
        return skip(
            "definitions_and_jobs_are_valid_for_the_oldest_and_the_newest_kubernetes",
            "TESTS_PYTHON with kubernetes-validate is missing",
        );
    };
    let folder = tempfile::tempdir().expect("a folder");
    let objects: Vec<Value> = crd::all().into_iter().chain(jobs()).collect();
    let documents: Vec<String> = objects.iter().map(|it| serde_saphyr::to_string(it).expect("YAML")).collect();
    let all = file(folder.path(), "all.yaml", &documents.join("---\n"));
    let validator = python.with_file_name("kubernetes-validate");
    for version in ["1.25", "1.37"] {
        let mut validate = command(&validator);
        validate.args(["--strict", "-k", version, &all]);
        let done = run(validate, Duration::from_secs(60)).await;
        assert_eq!(done.code, Some(0), "{version}: {done:?}");
    }
}

/// What Pod Security's `restricted` asks of a pod (Kubernetes' documentation, "Pod Security Standards", read 2026-11).
#[test]
fn pods_are_as_restricted_as_pod_security_asks() {
    for job in jobs() {
        let pod = &job["spec"]["template"]["spec"];
        assert_eq!(
            (&pod["automountServiceAccountToken"], &pod["securityContext"]["runAsNonRoot"]),
            (&false.into(), &true.into())
        );
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        for key in ["hostNetwork", "hostPID", "hostIPC", "serviceAccountName"] {
            assert!(pod[key].is_null(), "{key}");
        }
        for volume in pod["volumes"].as_array().expect("a list") {
            let is_claim = volume["persistentVolumeClaim"]["claimName"] == "packages";
            assert!(is_claim || volume["emptyDir"]["sizeLimit"].is_string(), "{volume}");
        }
        let containers = ["initContainers", "containers"].into_iter().filter_map(|key| pod[key].as_array()).flatten();
        for container in containers {
            let context = &container["securityContext"];
            assert_eq!(
                (&context["allowPrivilegeEscalation"], &context["readOnlyRootFilesystem"]),
                (&false.into(), &true.into())
            );
            assert_eq!(context["capabilities"], serde_json::json!({"drop": ["ALL"]}));
            assert!(container["resources"]["limits"]["memory"].is_string(), "{container}");
        }
    }
}
