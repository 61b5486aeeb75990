//! Homes that nobody can reach: heartbeats posted to the function's URL (of cargo lambda's emulator), kept in moto's `DynamoDB`, and
//! judged by the minute's run.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::{
    heartbeat::{Answer, Heartbeat, Hosts, Outage, OutageKind, Outcome, Reach, Seen, Signed, View},
    proof::{Key, Running},
};
use tests::{
    aws::{Moto, point},
    beacon::Beacon,
    home::{Home, Manner},
    keeper::{COMPONENT, Keeper, PAGE},
    lambda::Lambda,
    prober::{Run, probe_with, prober_command},
    process::{ours, run},
};

pub(crate) const TABLE: &str = "porchlight-heartbeats";
/// The item of the prober's own heartbeats: `shared::id::derived` of their name.
const CANARY: &str = "porchlight's own heartbeat";

pub(crate) fn key() -> Key {
    Key::new([1; 32])
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs()
}

pub(crate) fn heartbeat(sequence: u64) -> Heartbeat {
    Heartbeat {
        home: COMPONENT.parse().expect("an id"),
        at: now(),
        sequence,
        boot: "0b7e2a6c".parse().expect("a boot"),
        running: Running { up: 86_400, age: 900 },
        view: View { world: Seen { reach: Reach::Up, since: 600 }, ..View::UNKNOWN },
        last: None,
    }
}

/// The function that takes heartbeats, with AWS at that endpoint.
pub(crate) async fn receiver(test: &str, endpoint: &str) -> Option<Lambda> {
    Lambda::start(test, "http://127.0.0.1:9/v1", |command| {
        point(command, endpoint);
        command.env_remove("STATUSPAGE_URL").env_remove("TOKEN");
        command.env("RECEIVE_HEARTBEATS", "true").env("HEARTBEAT_TABLE", TABLE);
        command.env("PAGE_ID", PAGE).env("COMPONENT_ID", COMPONENT).env("BEACON_KEY", key().expose());
    })
    .await
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// The function that takes heartbeats, and its table.
struct World {
    moto: Moto,
    function: Lambda,
    url: String,
    http: reqwest::Client,
}

impl World {
    async fn new(test: &str) -> Option<Self> {
        let moto = Moto::start(test).await?;
        let attributes = "AttributeName=home,AttributeType=S";
        let keys = "AttributeName=home,KeyType=HASH";
        let units = "ReadCapacityUnits=1,WriteCapacityUnits=1";
        let create = ["dynamodb", "create-table", "--table-name", TABLE, "--attribute-definitions", attributes];
        moto.ok(&[&create[..], &["--key-schema", keys, "--provisioned-throughput", units]].concat()).await;
        let function = receiver(test, &moto.endpoint).await?;
        let (url, http) = (function.url(), client());
        Some(Self { moto, function, url, http })
    }

    async fn post(&self, body: impl Into<reqwest::Body>) -> (StatusCode, String) {
        let answer = self.http.post(&self.url).body(body).send().await.expect("an answer");
        (answer.status(), answer.text().await.expect("a text"))
    }

    async fn send(&self, signed: &Signed) -> (u16, Answer) {
        let (status, text) = self.post(signed.as_str().to_owned()).await;
        let answer = signed.answer(&key(), text.as_bytes());
        (status.as_u16(), answer.unwrap_or_else(|error| panic!("{status}: {text}: {error}")))
    }

    /// The home's item.
    async fn item(&self) -> Value {
        let of = json!({"home": {"S": COMPONENT}}).to_string();
        self.moto.ok(&["dynamodb", "get-item", "--table-name", TABLE, "--key", &of]).await["Item"].clone()
    }

    /// What was last heard of the home, and of the prober itself: so many seconds ago, and for how long then.
    async fn stored(&self, home: Option<u64>, own: Option<(u64, u64)>) {
        let canary = Heartbeat { home: shared::id::derived(CANARY).parse().expect("an id"), ..heartbeat(1) };
        let item = |heartbeat: &Heartbeat, ago: u64| {
            json!({"home": {"S": heartbeat.home}, "seq": {"N": heartbeat.sequence.to_string()},
                "received": {"N": (now() - ago).to_string()}, "line": {"S": heartbeat.to_string()}})
            .to_string()
        };
        let mut items: Vec<String> = home.iter().map(|ago| item(&heartbeat(1), *ago)).collect();
        items.extend(own.map(|(ago, open)| item(&Heartbeat { running: Running { up: 0, age: open }, ..canary }, ago)));
        for item in items {
            self.moto.ok(&["dynamodb", "put-item", "--table-name", TABLE, "--item", &item]).await;
        }
    }

    /// A run of the prober, on a home that has no address, or one that has.
    async fn run(&self, keeper: &Keeper, home: Option<&str>) -> Run {
        let mut command = prober_command(home.unwrap_or_default(), &keeper.api());
        if home.is_none() {
            command.env_remove("CANARY_URL");
        }
        point(&mut command, &self.moto.endpoint);
        command.env("BEACON_KEY", key().expose()).env("HEARTBEAT_TABLE", TABLE).env("HEARTBEAT_URL", &self.url);
        probe_with(command).await
    }
}

pub(crate) fn said(run: &Run) -> (&str, &str) {
    (run.target["verdict"].as_str().unwrap_or_default(), run.target["cause"].as_str().unwrap_or("none"))
}

#[tokio::test]
async fn a_heartbeat_is_stored_answered_and_judged() {
    let Some(world) = World::new("hearts_stored").await else { return };
    let keeper = Keeper::start().await;
    let none = world.run(&keeper, None).await;
    assert_eq!(said(&none), ("unknown", "heartbeats"), "none has ever come: {:#}", none.report);

    let sent = heartbeat(7);
    let (status, answer) = world.send(&sent.sign(&key())).await;
    assert_eq!((status, answer.outcome, answer.newest, answer.hosts), (200, Outcome::Stored, 7, Hosts::One));
    assert!(answer.at.abs_diff(now()) < 30, "{answer:?}");
    let item = world.item().await;
    assert_eq!((&item["seq"]["N"], &item["line"]["S"]), (&json!("7"), &json!(sent.to_string())), "{item:#}");

    let run = world.run(&keeper, None).await;
    assert_eq!((said(&run), run.code), (("up", "none"), Some(0)), "{:#}", run.report);
    let stored = &run.target["heartbeat"];
    assert_eq!((&stored["sequence"], &stored["world"]), (&json!(7), &json!("up/600")), "{stored:#}");
    assert_eq!(run.target["attempts"], json!([]), "nobody was probed");
    for text in [&run.stderr, &run.report.to_string(), &world.function.function.lines().join("\n")] {
        assert!(!text.contains("lambda-url"), "the URL is a secret: {text}");
    }
}

/// Both halves: what a home runs, and what it is judged by.
#[tokio::test]
async fn the_homes_own_program_is_taken_and_judged() {
    let Some(world) = World::new("hearts_home").await else { return };
    let (keeper, folder) = (Keeper::start().await, tempfile::tempdir().expect("a folder"));
    let mut home = ours("porchlight");
    home.arg("heartbeat").env("HEARTBEAT_URL", &world.url).env("BEACON_KEY", key().expose());
    home.env("COMPONENT_ID", COMPONENT).env("STATE_DIR", folder.path());
    let ended = run(home, Duration::from_secs(60)).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "The heartbeat was taken.\n"), "{ended:?}");
    assert_eq!(said(&world.run(&keeper, None).await), ("up", "none"));
}

#[tokio::test]
async fn what_is_forged_replayed_reordered_or_too_long_writes_nothing() {
    let Some(world) = World::new("hearts_refused").await else { return };
    let ten = heartbeat(10).sign(&key());
    assert_eq!(world.send(&ten).await.0, 200);
    let before = world.item().await;

    let forged = heartbeat(11).sign(&Key::new([9; 32]));
    assert_eq!(world.post(forged.as_str().to_owned()).await.0, StatusCode::UNAUTHORIZED);
    let changed = ten.as_str().replace("seq=10", "seq=12");
    assert_eq!(world.post(changed).await.0, StatusCode::UNAUTHORIZED);
    let stranger = Heartbeat { home: "zzzzzzzzzzzz".parse().unwrap(), ..heartbeat(11) }.sign(&key());
    assert_eq!(world.post(stranger.as_str().to_owned()).await.0, StatusCode::UNAUTHORIZED);

    let (status, replayed) = world.send(&ten).await;
    assert_eq!((status, replayed.outcome, replayed.newest), (409, Outcome::NotLater, 10), "replayed");
    let (status, reordered) = world.send(&heartbeat(9).sign(&key())).await;
    assert_eq!(
        (status, reordered.outcome, reordered.newest),
        (409, Outcome::NotLater, 10),
        "and how a lost sequence is found"
    );

    let long = format!("{}{}", heartbeat(11).sign(&key()).as_str(), " ".repeat(2048));
    assert_eq!(world.post(long).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(world.post("x".repeat(1 << 20)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(world.post("hello").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(world.http.get(&world.url).send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(world.item().await, before);
}

#[tokio::test]
async fn a_clock_that_is_a_year_off_is_told_the_time_and_right_the_next_moment() {
    let Some(world) = World::new("hearts_clock").await else { return };
    let year = 365 * 86_400;
    for wrong in [now() - year, now() + year] {
        let (status, answer) = world.send(&Heartbeat { at: wrong, ..heartbeat(3) }.sign(&key())).await;
        assert_eq!((status, answer.outcome), (401, Outcome::Stale));
        assert!(world.item().await.is_null(), "it wrote nothing");
        assert!(answer.at.abs_diff(now()) < 30);
    }
    let (_, answered) = world.send(&Heartbeat { at: now() - year, ..heartbeat(3) }.sign(&key())).await;
    let (status, answer) = world.send(&Heartbeat { at: answered.at, ..heartbeat(3) }.sign(&key())).await;
    assert_eq!((status, answer.outcome), (200, Outcome::Stored));
}

#[tokio::test]
async fn two_hosts_with_one_key_are_noticed_kept_and_told() {
    let Some(world) = World::new("hearts_two").await else { return };
    let keeper = Keeper::start().await;
    let other = |sequence| Heartbeat { boot: "c0ffee".parse().unwrap(), ..heartbeat(sequence) };
    let answered = async |heartbeat: Heartbeat| world.send(&heartbeat.sign(&key())).await.1.hosts;
    assert_eq!(answered(heartbeat(1)).await, Hosts::One);
    assert_eq!(answered(other(2)).await, Hosts::One, "a keeper may move once");
    assert_eq!(answered(heartbeat(3)).await, Hosts::Several);
    assert_eq!(answered(heartbeat(4)).await, Hosts::Several, "and is told for an hour");
    assert!(world.item().await["several"]["N"].is_string());
    let run = world.run(&keeper, None).await;
    let warning = run.target["warning"].as_str().expect("a warning");
    assert!(said(&run) == ("up", "none") && warning.starts_with("two hosts send heartbeats"), "{warning}");
}

#[tokio::test]
async fn silence_is_late_then_down_and_only_where_the_way_was_open() {
    let Some(world) = World::new("hearts_silence").await else { return };
    let keeper = Keeper::start().await;
    world.stored(Some(150), Some((50, 600))).await;
    assert_eq!(said(&world.run(&keeper, None).await), ("degraded", "late"));
    assert_eq!(keeper.status().await, "degraded_performance");
    // The prober paused for an hour, so nobody knows whether the way was open.
    world.stored(Some(3600), Some((3600, 86_400))).await;
    assert_eq!(said(&world.run(&keeper, None).await), ("unknown", "heartbeats"));
    assert_eq!(keeper.status().await, "degraded_performance", "what is unknown changes nothing");
    world.stored(Some(3600), Some((50, 600))).await;
    assert_eq!(said(&world.run(&keeper, None).await), ("down", "silent"));
    assert_eq!(keeper.status().await, "major_outage");
}

#[tokio::test]
async fn a_way_that_is_shut_is_nobody_s_outage() {
    let Some(mut world) = World::new("hearts_shut").await else { return };
    let (keeper, dead) = (Keeper::start().await, Home::open(Manner::Refuses).await);
    world.stored(Some(3600), Some((50, 600))).await;
    let alive = std::mem::replace(&mut world.url, format!("{}/lambda-url/x/", dead.url().trim_end_matches('/')));
    let shut = world.run(&keeper, None).await;
    assert_eq!((said(&shut), shut.code), (("unknown", "heartbeats"), Some(0)), "{:#}", shut.report);
    assert!(shut.stderr.contains("the way of heartbeats does not work"), "{}", shut.stderr);
    assert!(!shut.stderr.contains("lambda-url"), "the URL is a secret: {}", shut.stderr);
    assert_eq!(keeper.status().await, "operational");
    // Somebody else's page is no answer of the function.
    let stranger = Home::open(Manner::Answers("HTTP/1.1 200 OK")).await;
    world.url = stranger.url();
    assert_eq!(said(&world.run(&keeper, None).await), ("unknown", "heartbeats"));
    world.url = alive;
    world.stored(Some(3600), Some((50, 600))).await;
    assert_eq!(said(&world.run(&keeper, None).await), ("down", "silent"));
}

#[tokio::test]
async fn a_home_that_speaks_and_cannot_be_reached_has_lost_its_way_in() {
    let Some(world) = World::new("hearts_inbound").await else { return };
    let (keeper, beacon) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", &key().expose()).await);
    world.stored(Some(3600), Some((50, 600))).await;
    let up = world.run(&keeper, Some(&beacon.url())).await;
    assert_eq!(said(&up), ("up", "none"), "an answer is enough: {:#}", up.report);
    let refusing = Home::open(Manner::Refuses).await;
    let down = world.run(&keeper, Some(&refusing.url())).await;
    assert_eq!(said(&down), ("down", "refused"), "silent as well: {:#}", down.report);
    // The page says since when; a heartbeat of after that is a home that has only lost its way in.
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    assert_eq!(world.send(&heartbeat(2).sign(&key())).await.0, 200);
    let inbound = world.run(&keeper, Some(&refusing.url())).await;
    assert_eq!(said(&inbound), ("down", "inbound"), "{:#}", inbound.report);
    assert_eq!(keeper.status().await, "major_outage");
}

#[tokio::test]
async fn what_the_home_saw_is_in_the_report_of_its_return() {
    let Some(world) = World::new("hearts_return").await else { return };
    let keeper = Keeper::start().await;
    let last = Some(Outage { kind: OutageKind::Line, began: 900, ended: 60 });
    assert_eq!(world.send(&Heartbeat { last, ..heartbeat(1) }.sign(&key())).await.0, 200);
    let run = world.run(&keeper, None).await;
    assert_eq!(run.target["heartbeat"]["last_outage"], "line/900/60", "{:#}", run.report);
}
