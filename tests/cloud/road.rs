//! The cloud road of `infra/README.md`, walked against moto: its own commands, in its own order.
//!
//! moto enforces no policy, runs no function, and silently leaves out the invoke configuration, the mail's
//! subscription, alarms and Scheduler: those are asserted on the templates (see `templates.rs`), and the deployed binary runs in `arm64.rs`.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};
use shared::proof::Key;
use tests::{
    aws::{ACCOUNT, Moto, REGION, pointed_at},
    binaries::root,
    guide::{Block, Reader, blocks},
    skip::skip,
};

use super::{
    role::may_do_only_what_it_must,
    schedule::{self, is_every_minute, scheduled},
};

const FUNCTION: &str = "lambda-prober";

struct Walk {
    moto: Moto,
    reader: Reader,
    blocks: Vec<Block>,
}

impl Walk {
    async fn begin(test: &str) -> Option<Self> {
        if !root().join("target/lambda/lambda-prober/bootstrap").is_file() {
            skip(test, "the arm64 function has not been built; tests/run builds it");
            return None;
        }
        let moto = Moto::start(test).await?;
        let reader = Reader::new(pointed_at(&moto.endpoint).into());
        let guide = fs::read_to_string(root().join("infra/README.md")).expect("a guide");
        Some(Self { reader, blocks: blocks(&guide), moto })
    }

    /// Runs what every reader runs under that heading; what it printed.
    async fn step(&self, heading: &str) -> String {
        self.marked(heading, "").await
    }

    async fn marked(&self, heading: &str, mark: &str) -> String {
        let mut printed = String::new();
        let mut ran = 0;
        for block in self.blocks.iter().filter(|block| block.heading.contains(heading) && block.mark == mark) {
            printed += &self.reader.run(block, "token-of-the-reader\n").await;
            ran += 1;
        }
        assert!(ran > 0, "the guide has no commands under `{heading}`");
        printed
    }

    async fn configuration(&self) -> Value {
        self.moto.ok(&["lambda", "get-function-configuration", "--function-name", FUNCTION]).await
    }

    async fn code(&self) -> Value {
        self.configuration().await["CodeSha256"].clone()
    }
}

/// What the function runs with, whichever way it was deployed.
fn is_as_documented(configuration: &Value) {
    for (field, value) in [
        ("MemorySize", json!(128)),
        ("Timeout", json!(55)),
        ("Runtime", json!("provided.al2023")),
        ("Architectures", json!(["arm64"])),
    ] {
        assert_eq!(configuration[field], value, "{field}: {configuration:#}");
    }
    let role = configuration["Role"].as_str().unwrap_or_default();
    assert!(role.starts_with(&format!("arn:aws:iam::{ACCOUNT}:role/porchlight-base-Role-")), "{role}");
    let variables = json!({
        "CANARY_URL": "http://myhome.duckdns.org:30008",
        "PAGE_ID": "gytm4qzbx9t6",
        "COMPONENT_ID": "8kbf7d35c070",
        "STATUSPAGE_TOKEN_PARAMETER": "/porchlight/statuspage-token",
        "BEACON_KEY_PARAMETER": "/porchlight/beacon-key",
        "BEACON_KEY_OLD_PARAMETER": "/porchlight/beacon-key-old",
        "STATE_PARAMETER": "/porchlight/state",
    });
    assert_eq!(configuration["Environment"]["Variables"], variables, "no more and no less, and no secret");
}

#[tokio::test]
async fn the_cloud_road_leads_there_and_back() {
    let Some(walk) = Walk::begin("the cloud road").await else { return };
    walk.step("1. Say which home").await;

    let printed = walk.step("2. Store the secrets").await;
    assert!(printed.contains("/porchlight/beacon-key\tSecureString"), "{printed}");
    assert_eq!(walk.moto.parameter("/porchlight/statuspage-token").await.as_deref(), Some("token-of-the-reader"));
    let key = fs::read_to_string(walk.reader.path().join("beacon.key")).expect("the key is kept");
    assert_eq!(
        walk.moto.parameter("/porchlight/beacon-key").await.map(|key| key.trim().to_owned()),
        Some(key.trim().to_owned())
    );
    let mode = fs::metadata(walk.reader.path().join("beacon.key")).expect("the key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only its owner may use it");
    assert!(!walk.reader.path().join("statuspage.token").exists());
    assert!(!printed.contains("token-of-the-reader") && !printed.contains(key.trim()), "{printed}");

    let printed = walk.step("4. Make the role").await;
    assert!(printed.contains(&format!("arn:aws:iam::{ACCOUNT}:role/porchlight-base-Role-")), "{printed}");
    may_do_only_what_it_must(&walk.moto).await;
    let groups = walk.moto.ok(&["logs", "describe-log-groups"]).await;
    assert_eq!(groups["logGroups"][0]["logGroupName"], "/aws/lambda/lambda-prober");
    assert_eq!(groups["logGroups"][0]["retentionInDays"], 30);
    let topics = walk.moto.ok(&["sns", "list-topics"]).await;
    assert_eq!(topics["Topics"].as_array().map(Vec::len), Some(1));

    walk.step("5. Build and deploy").await;
    is_as_documented(&walk.configuration().await);

    walk.step("6. Let it run every minute").await;
    is_triggered_by(&walk.moto, "porchlight-schedule", None).await;
    schedule::deploy(&walk.moto, "porchlight-schedule", &["Trigger=rule"]).await;
    walk.marked("Later", "change-over").await;
    is_every_minute(&scheduled(&walk.moto, "porchlight-schedule").await);
    walk.moto.ok(&["scheduler", "delete-schedule", "--name", "porchlight-schedule"]).await;

    a_second_deploy_renews_the_code_and_nothing_else(&walk).await;
    walk.step("Later").await;
    is_as_documented(&walk.configuration().await);
    let new = fs::read_to_string(walk.reader.path().join("beacon.key")).expect("the new key");
    assert!(new != key && walk.moto.parameter("/porchlight/beacon-key").await.is_some_and(|key| key == new));
    assert_eq!(walk.moto.parameter("/porchlight/beacon-key-old").await, None, "it has been deleted");
    is_triggered_by(&walk.moto, "porchlight-cabin", Some("/porchlight/keys/cabin")).await;

    a_second_location_comes_and_goes(&walk).await;
    walk.moto.put_secret("/porchlight/state/8kbf7d35c070", "{}").await;
    let printed = walk.step("Take it down again").await;
    assert!(!printed.contains(FUNCTION), "{printed}");
    nothing_is_left(&walk).await;
}

#[tokio::test]
async fn without_a_toolchain_the_same_function_is_deployed() {
    let Some(walk) = Walk::begin("deploying a file").await else { return };
    for heading in ["1. Say which home", "2. Store the secrets", "4. Make the role"] {
        walk.step(heading).await;
    }
    fs::copy(root().join("target/lambda/lambda-prober/bootstrap"), walk.reader.path().join("bootstrap"))
        .expect("a copy");
    // As a download leaves it.
    fs::set_permissions(walk.reader.path().join("bootstrap"), fs::Permissions::from_mode(0o644)).expect("a mode");
    walk.marked("Without a Rust toolchain", "key").await;
    let key = fs::read_to_string(walk.reader.path().join("beacon.key")).expect("a key");
    assert!(key.trim().parse::<Key>().is_ok(), "it is a key");
    walk.marked("Without a Rust toolchain", "binary-path").await;
    is_as_documented(&walk.configuration().await);
    let (by_cargo, delete) = (walk.code().await, ["lambda", "delete-function", "--function-name", FUNCTION]);
    walk.moto.ok(&delete).await;
    walk.marked("Without a Rust toolchain", "aws-only").await;
    is_as_documented(&walk.configuration().await);
    assert!(by_cargo.is_string() && walk.code().await.is_string());
    let listed = std::process::Command::new("python3")
        .args([
            "-c",
            "import sys, zipfile; \
        print(*(oct(i.external_attr >> 16 & 0o777) for i in zipfile.ZipFile(sys.argv[1]).infolist()))",
        ])
        .arg(walk.reader.path().join("function.zip"))
        .output()
        .expect("python3 is there");
    assert_eq!(String::from_utf8_lossy(&listed.stdout).trim(), "0o755", "it can be run");
}

/// A schedule once a minute that starts the function, with an input where one was given, and may do so. No rule does as well.
async fn is_triggered_by(moto: &Moto, stack: &str, input: Option<&str>) {
    let rules = moto.ok(&["events", "list-rules", "--name-prefix", stack]).await;
    assert_eq!(rules["Rules"], json!([]));
    let schedule = scheduled(moto, stack).await;
    is_every_minute(&schedule);
    let target = &schedule["Target"];
    let configured: Option<Value> = target["Input"].as_str().map(|text| serde_json::from_str(text).expect("JSON"));
    assert_eq!(configured.map(|event| event["targets"][0]["key_parameter"].clone()), input.map(|key| json!(key)));

    let role = target["RoleArn"].as_str().and_then(|arn| arn.rsplit('/').next()).expect("a role");
    let trust = moto.ok(&["iam", "get-role", "--role-name", role]).await;
    let trust = &trust["Role"]["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(trust["Principal"], json!({"Service": "scheduler.amazonaws.com"}));
    let policy = moto.ok(&["iam", "get-role-policy", "--role-name", role, "--policy-name", "porchlight"]).await;
    // moto keeps a stack's policy as Python writes it.
    let text = policy["PolicyDocument"].as_str().expect("a text").replace('\'', "\"");
    let policy: Value = serde_json::from_str(&text).expect("JSON, but for its quotes");
    let may = json!([{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": target["Arn"]}]);
    assert_eq!(policy["Statement"], may);
    // What CloudFormation deletes with its stack.
    moto.ok(&["scheduler", "delete-schedule", "--name", stack]).await;
}

/// What the reader set by hand stays; the code is that of the file.
async fn a_second_deploy_renews_the_code_and_nothing_else(walk: &Walk) {
    let mut variables = walk.configuration().await["Environment"]["Variables"].clone();
    variables["ATTEMPTS"] = json!("4");
    let environment = json!({"Variables": variables}).to_string();
    let words = ["lambda", "update-function-configuration", "--function-name", FUNCTION, "--environment", &environment];
    walk.moto.ok(&words).await;
    let before = walk.code().await;
    // Another build of the same program: a byte behind its end.
    let link = walk.reader.path().join("target");
    fs::remove_file(&link).expect("the link");
    let folder = link.join("lambda/lambda-prober");
    fs::create_dir_all(&folder).expect("a folder");
    let mut code = fs::read(root().join("target/lambda/lambda-prober/bootstrap")).expect("the function");
    code.push(0);
    fs::write(folder.join("bootstrap"), code).expect("it is written");
    let block = walk.blocks.iter().find(|block| block.heading == "Later").expect("the guide says how to deploy again");
    walk.reader.run(block, "").await;
    assert_ne!(walk.code().await, before);
    assert_eq!(walk.configuration().await["Environment"]["Variables"], variables);
    // The reader thinks better of it.
    variables.as_object_mut().expect("variables").remove("ATTEMPTS");
    let environment = json!({"Variables": variables}).to_string();
    let words = ["lambda", "update-function-configuration", "--function-name", FUNCTION, "--environment", &environment];
    walk.moto.ok(&words).await;
}

/// A function in another region, with the first one's role, parameters and state.
async fn a_second_location_comes_and_goes(walk: &Walk) {
    const OTHER: &str = "eu-west-1";
    walk.marked("Later", "second-location").await;
    let there = ["lambda", "get-function-configuration", "--function-name", FUNCTION, "--region", OTHER];
    let (first, second) = (walk.configuration().await, walk.moto.ok(&there).await);
    assert_eq!(first["Role"], second["Role"]);
    let mut variables = first["Environment"]["Variables"].clone();
    assert_eq!(variables["OTHER_LOCATION"], OTHER);
    variables["OTHER_LOCATION"] = json!(REGION);
    variables["PARAMETERS_REGION"] = json!(REGION);
    assert_eq!(second["Environment"]["Variables"], variables);
    let role = first["Role"].as_str().and_then(|arn| arn.rsplit('/').next()).expect("a role");
    let names = walk.moto.ok(&["iam", "list-role-policies", "--role-name", role]).await;
    assert!(names["PolicyNames"].as_array().expect("a list").contains(&json!("porchlight-other-log")), "{names:#}");
    walk.marked("Take it down", "second-location").await;
    let left = walk.moto.ok(&["lambda", "list-functions", "--region", OTHER]).await;
    assert_eq!(left["Functions"], json!([]));
    let left = walk.moto.ok(&["logs", "describe-log-groups", "--region", OTHER]).await;
    assert_eq!(left["logGroups"], json!([]));
}

async fn nothing_is_left(walk: &Walk) {
    for (words, field) in [
        (["lambda", "list-functions"], "Functions"),
        (["logs", "describe-log-groups"], "logGroups"),
        (["ssm", "describe-parameters"], "Parameters"),
        (["iam", "list-roles"], "Roles"),
        (["events", "list-rules"], "Rules"),
        (["sns", "list-topics"], "Topics"),
        (["cloudformation", "list-exports"], "Exports"),
    ] {
        let left = walk.moto.ok(&words).await;
        assert_eq!(left[field], json!([]), "{words:?}");
    }
    for secret in ["beacon.key", "cabin.key", "statuspage.token", "prober.env"] {
        assert!(!walk.reader.path().join(secret).exists(), "{secret}");
    }
}
