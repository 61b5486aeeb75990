//! A thousand points a second from many clients, while the relay carries some of them on.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    cost::median,
    history::{LATENCY, seed},
    keeper::{Keeper, TOKEN},
    process::file,
    skip::long,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::world::upstream;

/// Each brings so many points with a call, and makes so many calls a second.
const CLIENTS: usize = 50;
const POINTS: usize = 10;
const CALLS_A_SECOND: u32 = 2;

/// The time from a call to the next one, and from a point to the next one.
const EVERY: Duration = Duration::from_millis(500);
const APART: SignedDuration = SignedDuration::from_millis(50);

/// What a client saw.
#[derive(Debug, Default)]
struct Seen {
    /// Milliseconds.
    answers: Vec<f64>,
    /// How often it was asked to come again.
    again: u32,
}

#[tokio::test]
async fn a_thousand_points_a_second_are_all_there_afterwards() {
    let seconds = if long() { 60 } else { 10 };
    let calls = CALLS_A_SECOND * seconds;
    let upstream = upstream().await;
    let keeper = Arc::new(relaying(&upstream).await);
    let began = Timestamp::from_second(Timestamp::now().as_second()).expect("a time");
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(bring(Arc::clone(&keeper), client, calls, began));
    }
    let seen = clients.join_all().await;
    let took = start.elapsed().as_secs_f64();
    let again: u32 = seen.iter().map(|seen| seen.again).sum();
    let mut answers: Vec<_> = seen.into_iter().flat_map(|seen| seen.answers).collect();
    let middle = median(&mut answers);
    let points = answers.len() * POINTS;
    #[expect(clippy::cast_precision_loss, reason = "it is rounded anyway")]
    let rate = points as f64 / took;
    eprintln!(
        "{points} points of {CLIENTS} clients, {POINTS} in a call, within {took:.1} s: {rate:.0} a second; answers after \
         {middle:.1} ms, p99 {:.1} ms, {again} asked to come again",
        answers[answers.len() * 99 / 100]
    );
    for client in 0..CLIENTS {
        all_there(&keeper, client, calls, began).await;
    }
    let (_, relay) = keeper.own(Method::GET, "/relay", None).await;
    assert_eq!((&relay["relay"]["failed_calls"], &relay["rejected_points"]), (&json!(0), &json!([])), "{relay}");
    if long() {
        is_delivered(&keeper, &upstream, began).await;
    }
}

/// A keeper that relays what `ping` and `bandwidth` measure.
async fn relaying(upstream: &Keeper) -> Keeper {
    let folder = tempfile::tempdir().expect("a folder");
    let seed = file(folder.path(), "relaying.toml", &seed(true));
    Keeper::restart_with(folder, |keeper| {
        keeper.env("KEEPER_SEED", seed).env("UPSTREAM_URL", upstream.api()).env("UPSTREAM_TOKEN", TOKEN);
    })
    .await
}

/// What a client measures: two of them are relayed.
fn metric(client: usize) -> String {
    match client {
        0 => "ping".into(),
        1 => "bandwidth".into(),
        _ => format!("home-{client}"),
    }
}

/// Brings points at its pace, and again what was not taken, as the jobs do.
async fn bring(keeper: Arc<Keeper>, client: usize, calls: u32, began: Timestamp) -> Seen {
    let (mut seen, metric) = (Seen::default(), metric(client));
    // Not all at the same moment.
    let first = Instant::now() + EVERY.mul_f64(fastrand::f64());
    for call in 0..calls {
        sleep_until(first + EVERY * call).await;
        let reading = |point: usize| {
            let number = call as usize * POINTS + point;
            let at = began + APART * i32::try_from(number).expect("a small number");
            json!({"metric": metric, "at": at.to_string(), "value": number, "loss": 0})
        };
        let body = json!({"readings": (0..POINTS).map(reading).collect::<Vec<_>>()});
        let asked = Instant::now();
        loop {
            match keeper.own(Method::POST, "/readings", Some(body.clone())).await {
                (201, _) => break,
                (503, _) => seen.again += 1,
                (status, answer) => panic!("{status}: {answer}"),
            }
            sleep(EVERY).await;
        }
        seen.answers.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    seen
}

/// Checks that all that a client brought is there, once.
async fn all_there(keeper: &Keeper, client: usize, calls: u32, began: Timestamp) {
    let points = calls as usize * POINTS;
    let to = began.as_second() + i64::from(calls / CALLS_A_SECOND) + 1;
    let path = format!("/series?metric={}&from={}&to={to}&step=1", metric(client), began.as_second());
    let (_, series) = keeper.own(Method::GET, &path, None).await;
    let buckets = series["points"].as_array().unwrap_or_else(|| panic!("{series}"));
    let sum = |of: &dyn Fn(&Value) -> f64| buckets.iter().map(of).sum::<f64>();
    let count = sum(&|bucket| bucket["measured"].as_f64().expect("a count"));
    let total =
        sum(&|bucket| bucket["measured"].as_f64().expect("a count") * bucket["value"].as_f64().expect("a value"));
    let (points, all) = (f64::from(u32::try_from(points).expect("few")), points * (points - 1) / 2);
    assert!((count - points).abs() < 0.5, "{count} of {points} of {}", metric(client));
    let all = f64::from(u32::try_from(all).expect("few"));
    assert!((total - all).abs() < 0.5, "each with its value: {total}, not {all}");
}

/// Waits until upstream holds what the keeper holds: the last value of each slot, which the budget of calls lets through
/// within a minute or two.
async fn is_delivered(keeper: &Keeper, upstream: &Keeper, began: Timestamp) {
    let (from, to) = (began.as_second() / 60 * 60 - 60, began.as_second() + 180);
    let waiting = async || keeper.own(Method::GET, "/relay", None).await.1["relay"]["waiting"].clone();
    for _ in 0..300 {
        if waiting().await == 0 {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    let path = format!("/series?metric=@{LATENCY}&from={from}&to={to}&step=30");
    let points = async |keeper: &Keeper| keeper.own(Method::GET, &path, None).await.1["points"].clone();
    let here = points(keeper).await;
    assert!(here.as_array().is_some_and(|here| here.len() >= 2), "{here}");
    assert_eq!(points(upstream).await, here, "upstream holds the same");
}
