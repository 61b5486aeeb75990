//! The files of `infra/examples/home-k8s`: each alert in the cases of `tests/prometheus/home-k8s`, and the form of the access log,
//! written by a real nginx and counted as Alloy is told to.
//!
//! - `alloy`: that its configuration is one, and what it makes of lines; `syntax`: as much of its syntax as that is written in

mod alloy;
mod syntax;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use tests::{
    binaries::{python, root},
    process::{Process, command, file, own_address, run},
    skip::{program, skip},
};

const LIMIT: Duration = Duration::from_secs(60);

fn example(path: &str) -> PathBuf {
    root().join("infra/examples/home-k8s").join(path)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[tokio::test]
async fn each_alert_of_a_cluster_at_home_rings_in_its_cases_and_in_no_other() {
    let Some(promtool) = program("promtool") else {
        return skip("the alerts of home-k8s", "promtool (Debian: prometheus) is missing");
    };
    let folder = tempfile::tempdir().expect("a folder");
    for group in ["pods", "ingress", "node"] {
        let (rules, cases) = (format!("{group}.rules.yaml"), format!("{group}.yaml"));
        fs::copy(example("prometheus").join(&rules), folder.path().join(&rules)).expect("the rules");
        let from = root().join("tests/prometheus/home-k8s").join(&cases);
        fs::copy(&from, folder.path().join(&cases)).expect("the cases");
        for words in [["check", "rules", rules.as_str()], ["test", "rules", &cases]] {
            let mut asked = command(&promtool);
            asked.args(words).current_dir(folder.path());
            let ended = run(asked, LIMIT).await;
            assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        }
        // A rule without a case could be wrong unnoticed.
        let cases = text(&from);
        for alert in text(&example("prometheus").join(&rules)).lines() {
            let Some(alert) = alert.trim().strip_prefix("- alert: ") else { continue };
            assert!(cases.contains(&format!("alertname=\"{alert}\"")), "no case lets {alert} ring");
        }
    }
}

/// Neither an address nor a path is a label, and a rule asks for no label that is not made.
#[test]
fn the_labels_of_the_ingress_are_bounded_and_those_that_the_rules_ask_for() {
    let alloy = alloy::configuration();
    let stages: Vec<_> = alloy::stages(&alloy).iter().map(|stage| stage.name.as_str()).collect();
    let last = ["stage.labels", "stage.label_keep", "stage.metrics"];
    assert!(stages.ends_with(&last), "labels are made, and bounded before they are counted: {stages:?}");
    assert_eq!(stages[0], "stage.drop", "a restart counts nothing of long ago");
    let kept: BTreeSet<_> = alloy::stage(&alloy, "stage.label_keep").list("values").into_iter().collect();
    assert_eq!(kept, BTreeSet::from(["by", "ingress", "ingress_namespace", "status"]));
    let counter = &alloy::stage(&alloy, "stage.metrics").blocks[0];
    let (prefix, name) = (counter.text("prefix"), counter.text("name"));
    let rules = text(&example("prometheus/ingress.rules.yaml"));
    assert!(rules.contains(&format!("increase({prefix}{name}[")), "{prefix}{name} is counted");
    assert!(rules.contains("sum by (ingress_namespace, ingress, status, by) ("), "{rules}");
}

/// The form of the log, as the controller's chart gets it.
async fn log_format(python: &Path) -> String {
    let mut load = command(python);
    load.args([
        "-c",
        "import sys,yaml;print(yaml.safe_load(open(sys.argv[1]))['controller']['config']['log-format-upstream'])",
    ]);
    load.arg(example("ingress-nginx/values.yaml"));
    let ended = run(load, LIMIT).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stdout.trim().to_owned()
}

/// What ingress-nginx makes of an Ingress, as far as the log is concerned: a service that refuses by itself, a limit, a filter.
fn configuration(folder: &Path, format: &str, address: &str) -> String {
    let folder = folder.display();
    format!(
        "daemon off;\npid {folder}/pid;\nerror_log {folder}/errors;\nevents {{}}\nhttp {{\n\
         client_body_temp_path {folder}/a;\nproxy_temp_path {folder}/b;\nfastcgi_temp_path {folder}/c;\n\
         uwsgi_temp_path {folder}/d;\nscgi_temp_path {folder}/e;\n\
         log_format upstreaminfo escape=json '{format}';\naccess_log {folder}/log upstreaminfo;\n\
         limit_req_zone $binary_remote_addr zone=one:1m rate=1r/m;\nlimit_req_status 429;\n\
         server {{\nlisten {address}:8480;\nset $namespace apps;\nset $ingress_name shop;\n\
         location / {{ proxy_pass http://{address}:8481; }}\n\
         location /blocked {{ deny all; }}\n\
         location /limited {{ limit_req zone=one; proxy_pass http://{address}:8481/ok; }}\n}}\n\
         server {{\nlisten {address}:8481;\naccess_log off;\nlocation /ok {{ return 200; }}\nlocation /login {{ return 401; }}\n\
         location /forbidden {{ return 403; }}\n}}\n}}\n"
    )
}

#[tokio::test]
async fn the_access_log_is_json_that_has_what_is_counted_and_who_refused() {
    let test = "the access log of home-k8s";
    let (Some(nginx), Some(python)) = (program("nginx"), python()) else {
        return skip(test, "nginx (Debian: nginx-light) or TESTS_PYTHON is missing");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let address = own_address().to_string();
    let format = log_format(&python).await;
    assert!(!format.contains('\n') && !format.contains('\''), "{format}");
    let path = file(folder.path(), "nginx.conf", &configuration(folder.path(), &format, &address));
    let mut serve = command(nginx);
    serve.args(["-e", "stderr", "-p"]).arg(folder.path()).arg("-c").arg(path);
    let nginx = Process::start(serve);
    let http = reqwest::Client::builder().no_proxy().user_agent("a \"b\" \\ \u{e9}").build().expect("a client");
    let get = async |path: &str| {
        let until = tokio::time::Instant::now() + LIMIT;
        loop {
            match http.get(format!("http://{address}:8480{path}")).send().await {
                Ok(answer) => return answer.status().as_u16(),
                Err(error) => assert!(tokio::time::Instant::now() < until, "{error}: {:?}", nginx.lines()),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let paths = ["/ok", "/login", "/forbidden", "/blocked?x=%22", "/limited", "/limited", "/gone%22%0a"];
    let mut answered = Vec::new();
    for path in paths {
        answered.push(get(path).await);
    }
    assert_eq!(answered, [200, 401, 403, 403, 200, 429, 404]);
    // A log is written before the next request of the connection is read, and all of it at the end.
    nginx.terminate().await;
    let lines: Vec<Value> =
        text(&folder.path().join("log")).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let counted = alloy::counted(&python, &lines).await;
    let of = |label: &str| counted.iter().map(|labels| labels[label].clone()).collect::<Vec<_>>();
    assert_eq!(of("status"), ["2xx", "401", "403", "403", "2xx", "429", "4xx"]);
    assert_eq!(of("by"), ["service", "service", "service", "ingress", "service", "ingress", "service"]);
    assert!(of("ingress_namespace").iter().all(|it| it == "apps") && of("ingress").iter().all(|it| it == "shop"));
    for line in &lines {
        assert!(line["client_ip"].is_string() && line["path"].is_string(), "what the README's queries ask for: {line}");
    }
}
