use std::time::Duration;

use axum::http::HeaderValue;
use jiff::Timestamp;
use proptest::prelude::*;
use shared::{look::LastVerdict, proof::CHALLENGE_HEADER, verdict::Verdict};

use super::*;
use crate::clock::{BootClock, Clock};

const NOW: i64 = 1_800_000_000;

fn key() -> Key {
    Key::new([7; 32])
}

/// Looks of a host whose clock is right.
fn looks() -> Looks {
    let wall = Clock::new(|| Timestamp::from_second(NOW).unwrap());
    let uptime = BootClock::new(|| Duration::from_secs(1_000));
    Looks::new(Host { wall, uptime, synchronised: Clock::new(|| true), ..Host::system() })
}

fn headers(challenge: &Challenge, looks: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CHALLENGE_HEADER, HeaderValue::from_str(challenge.as_str()).unwrap());
    for look in looks {
        headers.append(PROBER_HEADER, HeaderValue::from_str(look).unwrap());
    }
    headers
}

fn signed(key: &Key, challenge: &Challenge, at: i64) -> String {
    let last = Some(LastVerdict { verdict: Verdict::Up, since: at - 60 });
    SignedLook::new(key, challenge, at, "eu-central-1".parse().unwrap(), last).to_string()
}

#[test]
fn a_signed_request_counts_once_and_is_reported() {
    let (looks, challenge) = (looks(), Challenge::new([1; 32]));
    let headers = headers(&challenge, &[&signed(&key(), &challenge, NOW - 5)]);
    looks.consider(&headers, Some(&challenge), key);
    assert_eq!(looks.totals(), LookTotals { counted: 1, rejected: 0, last: Some(NOW - 5) });
    looks.consider(&headers, Some(&challenge), key);
    assert_eq!(looks.totals(), LookTotals { counted: 1, rejected: 1, last: Some(NOW - 5) });
    assert_eq!(
        serde_json::to_value(looks.reported()).unwrap(),
        serde_json::json!({"looks": [{
            "at": NOW - 5, "location": "eu-central-1",
            "last": {"verdict": "up", "cause": null, "since": NOW - 65},
        }]})
    );
}

#[test]
fn what_is_not_one_look_signed_for_one_challenge_is_none() {
    let (first, second) = (Challenge::new([1; 32]), Challenge::new([2; 32]));
    let good = signed(&key(), &first, NOW);
    let long = format!("{good}{}", "A".repeat(7_000));
    let last = good.replace("last=up", "last=down");
    for (name, challenge, written) in [
        ("another key", Some(&first), vec![signed(&Key::new([8; 32]), &first, NOW)]),
        ("another challenge", Some(&second), vec![good.clone()]),
        ("no challenge", None, vec![good.clone()]),
        ("twice", Some(&first), vec![good.clone(), good.clone()]),
        ("another verdict", Some(&first), vec![last]),
        ("oversized", Some(&first), vec![long]),
        ("empty", Some(&first), vec![String::new()]),
        ("far ahead", Some(&first), vec![signed(&key(), &first, NOW + 301)]),
        ("old", Some(&first), vec![signed(&key(), &first, NOW - 301)]),
    ] {
        let looks = looks();
        let written: Vec<&str> = written.iter().map(String::as_str).collect();
        looks.consider(&headers(challenge.unwrap_or(&first), &written), challenge, key);
        assert_eq!(looks.totals(), LookTotals { counted: 0, rejected: 1, last: None }, "{name}");
    }
}

#[test]
fn who_does_not_sign_costs_nothing_and_is_not_counted() {
    let (looks, challenge) = (looks(), Challenge::new([1; 32]));
    looks.consider(&headers(&challenge, &[]), Some(&challenge), || unreachable!("no key is looked for"));
    looks.consider(&headers(&challenge, &["v1;at=1"]), Some(&challenge), || unreachable!("its shape is wrong"));
    assert_eq!(looks.totals(), LookTotals { counted: 0, rejected: 1, last: None });
}

#[test]
fn a_hundred_thousand_requests_of_strangers_change_neither_memory_nor_looks() {
    let looks = looks();
    for second in 0..256 {
        let challenge = Challenge::new([u8::try_from(second).unwrap(); 32]);
        looks.consider(&headers(&challenge, &[&signed(&key(), &challenge, NOW - second)]), Some(&challenge), key);
    }
    let (reported, size) = (looks.reported(), looks.log().capacity());
    assert_eq!(reported.looks.len(), 256);
    // One that nobody has sent before.
    let challenge = Challenge::new(std::array::from_fn(|index| u8::try_from(index).unwrap()));
    let forged = signed(&Key::new([8; 32]), &challenge, NOW);
    let strangers = [
        headers(&challenge, &[&forged]),
        headers(&challenge, &[&forged, &forged]),
        headers(&challenge, &["v1;at=1800000000;loc=a;last=none;since=0;mac=A"]),
        headers(&challenge, &[&"v1;".repeat(2_000)]),
    ];
    for _ in 0..25_000 {
        for headers in &strangers {
            looks.consider(headers, Some(&challenge), key);
        }
    }
    assert_eq!((looks.reported(), looks.log().capacity()), (reported, size));
    assert_eq!(looks.totals().rejected, 100_000);
}

proptest! {
    #[test]
    fn no_header_is_a_panic_or_a_look(text in "[ -~]{0,300}", at in NOW - 300..=NOW + 300, location in "[a-z0-9-]{0,18}") {
        let (looks, challenge) = (looks(), Challenge::new([1; 32]));
        for text in [
            text.clone(),
            format!("v1;at={at};loc={location};last=up/none;since={at};mac={text}"),
            signed(&Key::new([8; 32]), &challenge, at),
        ] {
            looks.consider(&headers(&challenge, &[&text]), Some(&challenge), key);
        }
        prop_assert_eq!(looks.totals(), LookTotals { counted: 0, rejected: 3, last: None });
    }
}
