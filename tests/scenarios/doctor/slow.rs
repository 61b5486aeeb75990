//! Every deadline spent, and a bundle without secrets.

use std::{collections::BTreeMap, io::Read, os::unix::fs::PermissionsExt, time::Duration};

use flate2::read::GzDecoder;
use serde_json::json;
use tests::{
    duckdns::Fault,
    home::{Home, Manner},
    name_server::Manner as Answers,
};

use crate::world::World;

/// A script that hangs; it goes with who runs it.
const HANGS: &str = "#!/bin/sh\nexec sleep 60\n";

#[tokio::test]
async fn where_nothing_answers_it_ends_within_half_a_minute_and_nothing_is_called_well() {
    let Some(world) = World::new("slow").await else { return };
    let silent = Home::open(Manner::Silent).await;
    let mut variant = world.variant("slow");
    let url = silent.url();
    let base = url.trim_end_matches('/');
    for name in ["aws", "kubectl"] {
        std::fs::write(variant.folder.join(name), HANGS).expect("it is written");
    }
    world.duckdns.play([], Fault::Slow(Duration::from_secs(60)));
    world.public.iter().for_each(|server| server.turn(Answers::Silent));
    world.namespace.resolv_conf("search lan\nnameserver 127.0.0.99\nnameserver 127.0.0.98\n");
    variant
        .set("STATUSPAGE_URL", &format!("{base}/v1"))
        .set("KEEPER_URL", base)
        .set("ADDRESS_SOURCES", &format!("{url},{url}?2"));
    variant.set("PUBLIC_ADDR", &silent.address.to_string()).set("CANARY_URL", base).set("PORT_TO", "127.0.0.1");
    variant.set("PORT_INTERNAL", &silent.address.port().to_string()).set("ROUTER", "127.0.0.88");
    let said = variant.said(&world.namespace).await;
    println!("with every deadline spent it took {:?}", said.took);
    assert!(said.took < Duration::from_secs(30), "{:?}", said.took);
    let well: Vec<_> = said.all["links"].as_array().expect("links").iter().filter(|it| it["outcome"] == "ok").collect();
    let may_be = ["settings", "disk", "clock"];
    assert!(well.iter().all(|it| may_be.iter().any(|link| it["link"] == *link)), "{well:#?}");
}

/// Answers the first questions, one of them after a while, and none of those that come of them.
const SLOW: &str = "#!/bin/sh\nf=\"${0%/*}/$1-$2\"\ncase \"$*\" in\n*/porchlight/targets*) exec sleep 60;;\n\
                    ssm*) exec cat \"$f\";;\n*get-function-configuration*) sleep 9; exec cat \"$f\";;\nesac\nexec sleep 60\n";

/// Each call has a deadline of its own, and they come one after the other: together these would be 33 s.
#[tokio::test]
async fn where_aws_hangs_again_and_again_it_ends_within_half_a_minute_too() {
    let Some(world) = World::new("hangs").await else { return };
    let mut variant = world.variant("hangs");
    std::fs::write(variant.folder.join("aws"), SLOW).expect("it is written");
    variant.aws_says("lambda-get-function-configuration", |it| {
        it["Environment"]["Variables"]["TARGETS_PARAMETER"] = json!("/porchlight/targets");
    });
    variant.unset("STATUSPAGE_TOKEN").arguments("--no-router --no-kubectl");
    let said = variant.said(&world.namespace).await;
    println!("where AWS hangs again and again it took {:?}", said.took);
    assert!(said.took < Duration::from_secs(25), "{:?}", said.took);
    assert_eq!(said.failed(), [""; 0], "{:#}", said.all);
    for (link, outcome) in [("parameters", "not_conclusive"), ("role", "not_conclusive"), ("beacon", "ok")] {
        assert_eq!(said.outcome(link), outcome, "{link}: {:#}", said.all);
    }
}

#[tokio::test]
async fn a_bundle_has_what_was_seen_and_no_secret() {
    let Some(world) = World::new("bundle").await else { return };
    let mut variant = world.variant("bundle");
    // Each is planted where it may be met: in settings, in files, in the environment, in what others answer.
    let planted = [
        "planted-page-token",
        "planted-keeper-token",
        "planted-env-secret",
        "planted-topic",
        "planted-parameter",
        "planted-variable",
        "planted-session",
        "planted-password",
    ];
    variant.set("STATUSPAGE_TOKEN", planted[0]).set("KEEPER_TOKEN", planted[1]);
    variant.set("NOTIFY_URLS", &format!("ntfy://ntfy.sh/{}", planted[3]));
    variant.set("UPSTREAM_URL", &format!("https://me:{}@example.org/v1", planted[7]));
    variant.environment("AWS_SECRET_ACCESS_KEY", planted[2]).environment("AWS_SESSION_TOKEN", planted[6]);
    variant.aws_says("ssm-get-parameters", |it| it["Parameters"][0]["Value"] = json!(planted[4]));
    variant.aws_says("lambda-get-function-configuration", |it| {
        it["Environment"]["Variables"]["SOMETHING_OF_MINE"] = json!(planted[5]);
        it["StateReason"] = json!(format!("{} {} {}", planted[2], planted[4], planted[0]));
    });
    let mut nowhere = world.variant("nowhere");
    let (ended, took) = nowhere.arguments("--bundle /nowhere/bundle.tar.gz").ended(&world.namespace).await;
    let said = "--bundle: /nowhere is no folder: make it, or name another place";
    assert!(ended.code == Some(2) && ended.stderr.starts_with(said), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.is_empty() && took < Duration::from_secs(5), "nothing is looked at in vain: {took:?}");
    let said = planted[1].to_owned();
    variant.aws_says("logs-filter-log-events", move |it| it["events"][0]["message"] = json!(format!("{said} {}", "x")));
    let path = variant.folder.join("bundle.tar.gz");
    variant.arguments(&format!("--no-router --bundle {}", path.display()));
    let (ended, _) = variant.ended(&world.namespace).await;
    let files = unpacked(&path);
    assert_eq!(path.metadata().expect("it is there").permissions().mode() & 0o777, 0o600);
    for name in files.keys() {
        let name = name.trim_start_matches("porchlight-doctor/");
        assert!(ended.stderr.contains(name), "{name} is not listed: {}", ended.stderr);
    }
    let everything: String = files.values().cloned().chain([ended.stdout, ended.stderr]).collect();
    assert!(everything.contains("gytm4qzbx9t6") && everything.contains("home.duckdns.org"), "it says what was seen");
    for secret in planted.iter().copied().chain([world.key.as_str(), tests::duckdns::TOKEN]) {
        assert!(!everything.contains(secret), "{secret} is in it: {everything}");
    }
}

fn unpacked(path: &std::path::Path) -> BTreeMap<String, String> {
    let mut archive = Vec::new();
    GzDecoder::new(std::fs::File::open(path).expect("it is there")).read_to_end(&mut archive).expect("gzip");
    let mut archive = tar::Archive::new(&archive[..]);
    let entries = archive.entries().expect("a tar");
    entries
        .map(|entry| {
            let mut entry = entry.expect("an entry");
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("text");
            (entry.path().expect("a name").display().to_string(), text)
        })
        .collect()
}
