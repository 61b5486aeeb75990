//! Requests that a prober signs: those that count are reported at the private port, and every one gets its proof.

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::{
    look::{LastVerdict, SignedLook},
    proof::{Challenge, Key, Proof},
    verdict::{DownCause, Verdict},
};
use tests::beacon::Beacon;

use super::{ask, metric};

const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";

/// A request as a prober sends it, some seconds from now by its clock.
struct Request {
    challenge: Challenge,
    look: String,
}

fn request(number: u8, location: &str, seconds: i64) -> Request {
    signed_with(&KEY.parse().expect("a key"), number, location, seconds)
}

fn signed_with(key: &Key, number: u8, location: &str, seconds: i64) -> Request {
    let (challenge, at) = (Challenge::new([number; 32]), Timestamp::now().as_second() + seconds);
    let last = Some(LastVerdict { verdict: Verdict::Down(DownCause::Refused), since: at - 60 });
    let look = SignedLook::new(key, &challenge, at, location.parse().expect("a location"), last);
    Request { challenge, look: look.to_string() }
}

impl Request {
    /// Sends it, and returns the answer without its proof, which is valid.
    async fn sent(&self, beacon: &Beacon) -> String {
        self.sent_with(beacon, &format!("Porchlight-Prober: {}\r\n", self.look)).await
    }

    async fn sent_with(&self, beacon: &Beacon, look: &str) -> String {
        let challenge = self.challenge.as_str();
        let request = format!("GET / HTTP/1.1\r\nHost: h\r\nPorchlight-Challenge: {challenge}\r\n{look}\r\n");
        let answer = ask(beacon.public, request.as_bytes()).await;
        let line = answer.lines().find(|line| line.starts_with("porchlight-proof: "));
        let line = line.unwrap_or_else(|| panic!("a proof in {answer}"));
        let proof: Proof = line["porchlight-proof: ".len()..].parse().expect("a proof");
        assert!(proof.is_made_with(&KEY.parse().expect("a key"), &self.challenge), "{answer}");
        answer.lines().filter(|other| *other != line && !other.starts_with("date: ")).collect::<Vec<_>>().join("\n")
    }
}

/// What the beacon reports the keeper.
async fn reported(beacon: &Beacon) -> Vec<Value> {
    let answer = ask(beacon.private, b"GET /looks HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("cache-control: no-store"), "{answer}");
    assert!(answer.contains("content-type: application/json"), "{answer}");
    let body = answer.split_once("\r\n\r\n").expect("a body").1;
    let looks: Value = serde_json::from_str(body).expect("JSON");
    looks["looks"].as_array().expect("a list").clone()
}

async fn locations(beacon: &Beacon) -> Vec<String> {
    reported(beacon).await.iter().map(|look| look["location"].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn signed_requests_are_reported_to_the_home_and_nobody_else() {
    let beacon = Beacon::with_key("127.0.0.1:0", KEY).await;
    assert_eq!(reported(&beacon).await, Vec::<Value>::new());
    let first = request(1, "eu-central-1", 0);
    first.sent(&beacon).await;
    // A second prober, whose clock is a minute behind.
    request(2, "us-east-1", -60).sent(&beacon).await;
    request(3, "eu-central-1", 1).sent(&beacon).await;
    let looks = reported(&beacon).await;
    let look: SignedLook = first.look.parse().expect("a look");
    let last = json!({"verdict": "down", "cause": "refused", "since": look.at - 60});
    assert_eq!(looks[0], json!({"at": look.at, "location": "eu-central-1", "last": last}));
    assert_eq!(locations(&beacon).await, ["eu-central-1", "us-east-1", "eu-central-1"]);
    assert_eq!((metric(&beacon, "looks_total").await, metric(&beacon, "looks_rejected_total").await), (3, 0));
    assert_eq!(Value::from(metric(&beacon, "last_look_timestamp_seconds").await), looks[2]["at"]);
    let public = ask(beacon.public, b"GET /looks HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(public.ends_with("porchlight\n") && !public.contains("eu-central-1"), "{public}");
}

#[tokio::test]
async fn forged_replayed_reordered_and_oversized_ones_are_answered_alike_and_block_nothing() {
    let beacon = Beacon::with_key("127.0.0.1:0", KEY).await;
    let good = request(1, "a", 0);
    let answer = good.sent(&beacon).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("porchlight"), "{answer}");
    let forged = signed_with(&Key::new([9; 32]), 2, "a", 0);
    let of_another = Request { challenge: Challenge::new([3; 32]), look: good.look.clone() };
    let reordered = request(4, "a", -1_000);
    let oversized = Request { challenge: Challenge::new([5; 32]), look: format!("{}{}", good.look, "A".repeat(5_000)) };
    let without_shape = Request { challenge: Challenge::new([6; 32]), look: "v1;at=1".into() };
    for (name, request) in [
        ("forged", &forged),
        ("replayed", &good),
        ("of another request", &of_another),
        ("reordered", &reordered),
        ("oversized", &oversized),
        ("without shape", &without_shape),
    ] {
        assert_eq!(request.sent(&beacon).await, answer, "{name}");
        assert_eq!(locations(&beacon).await, ["a"], "{name}");
    }
    let twice = request(7, "a", 0);
    let header = format!("Porchlight-Prober: {}\r\n", twice.look);
    assert_eq!(twice.sent_with(&beacon, &format!("{header}{header}")).await, answer);
    assert_eq!(twice.sent_with(&beacon, "").await, answer, "who does not sign");
    assert_eq!((metric(&beacon, "looks_total").await, metric(&beacon, "looks_rejected_total").await), (1, 7));
    // Far ahead: whatever becomes of it, the next one with the right time counts.
    assert_eq!(request(8, "ahead", 86_400).sent(&beacon).await, answer);
    assert_eq!(request(9, "ahead", 0).sent(&beacon).await, answer);
    assert_eq!(request(10, "a", 0).sent(&beacon).await, answer);
    let locations = locations(&beacon).await;
    assert_eq!((locations[0].as_str(), &locations[locations.len() - 2..]), ("a", &["ahead".into(), "a".into()][..]));
    let ahead = reported(&beacon).await[locations.len() - 2]["at"].as_i64().expect("a time");
    assert!(ahead.abs_diff(Timestamp::now().as_second()) < 60, "{ahead}");
}

#[tokio::test]
async fn after_a_restart_it_knows_of_no_look_and_answers_an_old_request_as_before() {
    let beacon = Beacon::with_key("127.0.0.1:0", KEY).await;
    let (first, old) = (request(1, "a", 0), request(2, "a", -1_000));
    let answer = first.sent(&beacon).await;
    assert_eq!(old.sent(&beacon).await, answer);
    let public = beacon.public.to_string();
    assert_eq!(beacon.process.terminate().await.code(), Some(0));
    let beacon = Beacon::with_key(&public, KEY).await;
    assert_eq!(reported(&beacon).await, Vec::<Value>::new());
    // The keeper, which has it, knows it by its location and time.
    assert_eq!(first.sent(&beacon).await, answer);
    assert_eq!(old.sent(&beacon).await, answer);
    assert_eq!(locations(&beacon).await, ["a"]);
}

#[tokio::test]
async fn without_a_key_no_request_is_a_look() {
    let beacon = Beacon::start().await;
    let request = request(1, "a", 0);
    let text = format!(
        "GET / HTTP/1.1\r\nHost: h\r\nPorchlight-Challenge: {}\r\nPorchlight-Prober: {}\r\n\r\n",
        request.challenge.as_str(),
        request.look
    );
    let answer = ask(beacon.public, text.as_bytes()).await;
    assert!(answer.ends_with("porchlight\n") && !answer.contains("porchlight-proof"), "{answer}");
    assert_eq!(reported(&beacon).await, Vec::<Value>::new());
    assert_eq!(metric(&beacon, "looks_total").await, 0);
}
