//! What a prober remembers between runs: written only on change, read only when needed, and never needed.

use serde_json::{Value, json};
use shared::proof::Key;
use tests::{
    aws::{Moto, REGION, Reply, ScriptedStore, point},
    beacon::Beacon,
    home::{Home, Manner},
    keeper::{COMPONENT, Keeper, PAGE},
    lambda::{Lambda, probes, rule},
    prober::{Run, probe_with, prober_command},
    process::file,
};
use tokio::process::Command;

const PREFIX: &str = "/porchlight/state";

fn key() -> String {
    Key::new([1; 32]).expose()
}

async fn with_file(home: &str, keeper: &Keeper, path: &str) -> Run {
    let mut command = prober_command(home, &keeper.api());
    command.env("STATE_FILE", path);
    probe_with(command).await
}

fn records(path: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("it is there")).expect("it is JSON")
}

#[tokio::test]
async fn an_outage_is_remembered_in_a_file_until_it_is_over() {
    let (keeper, folder) = (Keeper::start().await, tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("state.json").display().to_string();
    let beacon = Beacon::start().await;
    let (url, at) = (beacon.url(), beacon.public.to_string());
    with_file(&url, &keeper, &path).await;
    let up = records(&path)[COMPONENT].clone();
    assert!(up["up_since"].is_string() && up["down_since"].is_null(), "{up:#}");

    beacon.process.terminate().await;
    let run = with_file(&url, &keeper, &path).await;
    let down = records(&path)[COMPONENT].clone();
    assert_eq!((down["cause"].as_str(), &down["down_since"]), (Some("refused"), &run.report["at"]), "{down:#}");
    assert_eq!(run.target["state"], down, "the report shows what is remembered");

    let written = std::fs::metadata(&path).and_then(|file| file.modified()).expect("a time");
    with_file(&url, &keeper, &path).await;
    assert_eq!(std::fs::metadata(&path).and_then(|file| file.modified()).expect("a time"), written, "only on change");

    let _beacon = Beacon::start_at(&at).await;
    let run = with_file(&url, &keeper, &path).await;
    let again = records(&path)[COMPONENT].clone();
    assert_eq!((&again["down_since"], &again["up_since"]), (&down["down_since"], &run.report["at"]), "{again:#}");

    // Three minutes later: the outage is over.
    let earlier = json!({COMPONENT: {"down_since": "2026-11-21T08:00:00Z", "up_since": "2026-11-21T08:10:00Z", "cause": "refused"}});
    file(folder.path(), "state.json", &earlier.to_string());
    with_file(&url, &keeper, &path).await;
    assert_eq!(records(&path)[COMPONENT], json!({"up_since": "2026-11-21T08:10:00Z"}));
}

#[tokio::test]
async fn a_state_that_is_broken_or_cannot_be_kept_stops_nothing() {
    let (keeper, home) = (Keeper::start().await, Home::open(Manner::Refuses).await);
    let folder = tempfile::tempdir().expect("a folder");
    let broken = file(folder.path(), "broken.json", r#"{"8kbf7d35c070": "half a rec"#);
    let run = with_file(&home.url(), &keeper, &broken).await;
    assert_eq!((run.target["outcome"].as_str(), run.code), (Some("changed"), Some(0)), "{:#}", run.report);
    assert_eq!(records(&broken)[COMPONENT]["cause"], "refused", "it is made anew");

    keeper.set_status("operational").await;
    // A folder in which no file can be made, not even by root.
    let run = with_file(&home.url(), &keeper, "/proc/porchlight-state.json").await;
    assert_eq!((run.target["outcome"].as_str(), run.code), (Some("changed"), Some(0)), "{:#}", run.report);
    let error = run.target["state_error"].as_str().expect("it is reported");
    assert!(error.contains("STATE_FILE") && error.contains("cannot be"), "{error}");
}

#[tokio::test]
async fn a_dry_run_remembers_nothing() {
    let (keeper, home) = (Keeper::start().await, Home::open(Manner::Refuses).await);
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = prober_command(&home.url(), &keeper.api());
    command.env("STATE_FILE", folder.path().join("state.json")).arg("--dry-run");
    let run = probe_with(command).await;
    assert_eq!(run.target["state"]["cause"], "refused", "it says what it would remember");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
}

#[tokio::test]
async fn each_component_has_a_parameter_below_the_prefix() {
    let Some(moto) = Moto::start("state_parameters").await else { return };
    let (keeper, beacon) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", &key()).await);
    let prober = || {
        let mut command = prober_command(&beacon.url(), &keeper.api());
        point(&mut command, &moto.endpoint);
        command.env("BEACON_KEY", key()).env("STATE_PARAMETER", PREFIX);
        command
    };
    let name = format!("{PREFIX}/{COMPONENT}");
    let record = async || serde_json::from_str::<Value>(&moto.parameter(&name).await.expect("a record")).expect("JSON");

    let run = probe_with(prober()).await;
    assert_eq!(run.code, Some(0), "{:#}{}", run.report, run.stderr);
    assert_eq!(record().await["last_proven_address"], beacon.public.ip().to_string());
    let kind = moto.ok(&["ssm", "get-parameter", "--name", &name]).await;
    assert_eq!(kind["Parameter"]["Type"], "String");
    assert_eq!(kind["Parameter"]["Version"], 1);

    moto.ok(&["ssm", "put-parameter", "--overwrite", "--name", &name, "--value", "no record"]).await;
    let run = probe_with(prober()).await;
    assert_eq!((run.target["verdict"].as_str(), run.code), (Some("up"), Some(0)));
    assert_eq!(record().await["last_proven_address"], beacon.public.ip().to_string(), "made anew");
}

/// The variables of a function with state in a scripted store, and nothing else there.
fn remembers<'a>(home: &'a str, store: &'a ScriptedStore) -> impl FnOnce(&mut Command) + 'a {
    move |command| {
        probes(home)(command);
        point(command, &store.endpoint);
        command.env("STATE_PARAMETER", PREFIX);
    }
}

fn operations(store: &ScriptedStore) -> Vec<String> {
    store.calls().into_iter().map(|(operation, _)| operation).collect()
}

#[tokio::test]
async fn a_quiet_function_asks_for_its_state_once_and_writes_only_what_changes() {
    let keeper = Keeper::start().await;
    let beacon = Beacon::start().await;
    let at = beacon.public.to_string();
    let record = json!({"up_since": "2026-11-21T08:00:00Z"}).to_string();
    let name: &str = String::leak(format!("{PREFIX}/{COMPONENT}"));
    let known = Reply::Parameters(vec![(name, record)]);
    let store = ScriptedStore::open([], known).await;
    let Some(lambda) = Lambda::start("state_quiet", &keeper.api(), remembers(&beacon.url(), &store)).await else {
        return;
    };
    for _ in 0..3 {
        assert_eq!(lambda.invoke(&rule()).await["targets"][0]["outcome"], "agrees");
    }
    assert_eq!(operations(&store), ["GetParameters"], "a cold start reads it, quiet runs do not");

    beacon.process.terminate().await;
    let report = lambda.invoke(&rule()).await;
    assert_eq!(report["targets"][0]["outcome"], "changed", "{report:#}");
    assert_eq!(operations(&store), ["GetParameters", "GetParameters", "PutParameter"]);
    let (_, written) = store.calls().pop().expect("a call");
    assert_eq!((written["Name"].as_str(), written["Type"].as_str()), (Some(name), Some("String")));
    assert_eq!(written["Overwrite"], true);

    let _beacon = Beacon::start_at(&at).await;
    lambda.invoke(&rule()).await;
    assert_eq!(operations(&store).len(), 4, "the scripted store still says up, so that nothing has changed");
}

#[tokio::test]
async fn many_homes_are_read_ten_at_a_time() {
    let (keeper, home) = (Keeper::start().await, Home::open(Manner::Refuses).await);
    let store = ScriptedStore::open([], Reply::Parameters(Vec::new())).await;
    let target = |number| json!({"url": home.url(), "page_id": PAGE, "component_id": format!("8kbf7d35c0{number:02}")});
    let targets: Vec<Value> = (0..23).map(target).collect();
    let mut command = prober_command(&home.url(), &keeper.api());
    for single in ["CANARY_URL", "PAGE_ID", "COMPONENT_ID"] {
        command.env_remove(single);
    }
    point(&mut command, &store.endpoint);
    command.env("TARGETS", json!(targets).to_string()).env("STATE_PARAMETER", PREFIX);
    let run = probe_with(command).await;
    assert_eq!(run.report["targets"].as_array().map(Vec::len), Some(23));
    // They are asked for at once, and arrive in any order.
    let mut names: Vec<usize> =
        store.calls().iter().filter_map(|(_, body)| Some(body["Names"].as_array()?.len())).collect();
    names.sort_unstable();
    assert_eq!(names, [3, 10, 10]);
    assert_eq!(operations(&store).iter().filter(|operation| *operation == "PutParameter").count(), 23);
}

#[tokio::test]
async fn a_failing_store_stops_no_run() {
    let (keeper, home) = (Keeper::start().await, Home::open(Manner::Refuses).await);
    let denied = Reply::Error(400, "AccessDeniedException", "not authorized to perform: ssm:GetParameters");
    let store = ScriptedStore::open([], denied).await;
    let mut command = prober_command(&home.url(), &keeper.api());
    point(&mut command, &store.endpoint);
    command.env("STATE_PARAMETER", PREFIX);
    let run = probe_with(command).await;
    assert_eq!((run.target["outcome"].as_str(), run.code), (Some("changed"), Some(0)), "{:#}", run.report);
    let error = run.target["state_error"].as_str().expect("it is reported");
    assert!(error.contains("AccessDeniedException") && error.contains(PREFIX), "{error}");
    assert_eq!(operations(&store), ["GetParameters"], "what was not read is not overwritten");
    assert_eq!(keeper.status().await, "major_outage");
}

#[tokio::test]
async fn a_second_prober_reads_parameters_and_state_of_the_first_ones_region() {
    let Some(moto) = Moto::start("two regions").await else { return };
    let (keeper, home) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", &key()).await);
    moto.put_secret("/porchlight/beacon-key", &key()).await;
    let gone = Home::open(Manner::Refuses).await;
    let prober = |url: &str, region: &str, other: &str| {
        let mut command = prober_command(url, &keeper.api());
        point(&mut command, &moto.endpoint);
        command
            .env("BEACON_KEY_PARAMETER", "/porchlight/beacon-key")
            .env("STATE_PARAMETER", PREFIX)
            .env("LOCATION", region)
            .env("AWS_REGION", region)
            .env("PARAMETERS_REGION", REGION)
            .env("OTHER_LOCATION", other);
        command
    };
    let run = probe_with(prober(&home.url(), "eu-west-1", REGION)).await;
    assert_eq!((run.target["verdict"].as_str(), run.code), (Some("up"), Some(0)), "{:#}", run.report);
    let seen = moto.parameter(&format!("{PREFIX}/at-eu-west-1")).await.expect("it is in the first region");
    assert!(seen.contains(COMPONENT), "{seen}");
    let run = probe_with(prober(&gone.url(), REGION, "eu-west-1")).await;
    assert_eq!(run.target["cause"], "other_location", "{:#}", run.report);
    assert_eq!(keeper.status().await, "operational");
}
