//! What the API server refuses before the operator sees it, by validators of others: the schemas, and the rules by an evaluator of CEL.

use std::{collections::BTreeMap, fs, time::Duration};

use operator::objects::crd;
use tests::{
    binaries::{python, root},
    process::{command, file, run},
    skip::skip,
};

/// Of the wrong objects, those that a schema or a rule refuses; whether another is wrong depends on others, or on what only the
/// operator knows.
const REFUSED: [(&str, &str); 19] = [
    ("channel-is-no-chat.yaml", "schema"),
    ("interval-too-short.yaml", "every must be 5s or more"),
    ("misspelt-key-within.yaml", "schema"),
    ("misspelt-key.yaml", "schema"),
    ("no-kind.yaml", "write exactly one of http, tcp, tls, dns, icmp, grpc, script, passive"),
    ("pinglow-interval-is-a-text.yaml", "schema"),
    ("pinglow-interval-too-short.yaml", "schema"),
    ("pinglow-without-script.yaml", "a check that is not passive needs scriptRef: name a Script"),
    ("port-is-no-port.yaml", "schema"),
    ("regex-does-not-compile.yaml", "schema"),
    ("script-is-empty.yaml", "schema"),
    ("script-language-unknown.yaml", "schema"),
    ("script-reaches-where.yaml", "schema"),
    ("script-with-text-and-reference.yaml", "script needs either content or script_ref"),
    ("script-without-language.yaml", "script.content needs script.language: Python or Bash"),
    ("script-without-text.yaml", "script needs either content or script_ref"),
    ("spec-is-missing.yaml", "schema"),
    ("timeout-longer-than-interval.yaml", "timeout must be every or less: a run must end before the next one begins"),
    ("two-kinds.yaml", "write exactly one of http, tcp, tls, dns, icmp, grpc, script, passive"),
];

#[tokio::test]
async fn what_can_be_refused_is_refused_when_it_is_applied_and_what_is_right_is_taken() {
    let test = "what_can_be_refused_is_refused_when_it_is_applied_and_what_is_right_is_taken";
    let Some(python) = python() else { return skip(test, "TESTS_PYTHON is missing; tests/run installs it") };
    let folder = tempfile::tempdir().expect("a folder");
    let crds = file(folder.path(), "crds.json", &serde_json::to_string(&crd::all()).expect("JSON"));
    let mut refused = command(&python);
    refused.arg(root().join("tests/scenarios/operator/refused.py")).arg(&crds);
    for kind in ["good", "wrong"] {
        let files = fs::read_dir(root().join("tests/corpus/objects").join(kind)).expect("a folder");
        let mut files: Vec<_> = files.map(|it| it.expect("an entry").path()).collect();
        files.sort();
        refused.args(files);
    }
    let said = run(refused, Duration::from_secs(60)).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let said: BTreeMap<&str, &str> = said.stdout.lines().filter_map(|line| line.split_once(": ")).collect();
    assert!(said.contains_key("every-kind.yaml") && said.contains_key("pinglow.yaml"), "{said:?}");
    let refused: BTreeMap<&str, &str> =
        said.iter().map(|(&file, &why)| (file, why)).filter(|(_, why)| !why.is_empty()).collect();
    println!("of {} wrong objects, {} are refused when they are applied", said.len() - 2, refused.len());
    let expected: BTreeMap<&str, &str> = REFUSED.into_iter().collect();
    assert_eq!(refused, expected);
}
