//! What a keeper takes after a year: memory, the time of its answers, and that of its start. Upstream has been silent all
//! year, so that as much waits as ever may.

use jiff::{SignedDuration, Timestamp};
use tests::{
    clock::Hand,
    cost::{Peak, SHIPPED, median},
    history::{LATENCY, Old, live, open, seed},
    keeper::{Keeper, TOKEN},
    process::file,
    skip::long,
};
use tokio::time::Instant;

use super::world::{WRITES, on_disk, size};

const DAYS: u16 = 365;

/// How often each answer is timed.
const TIMES: usize = 15;

/// What is promised of the programs as they are shipped: MiB, ms and s.
const MEMORY: f64 = 24.0;
const ANSWER: f64 = 50.0;
const START: f64 = 1.0;

/// How much longer a debug build may take.
const DEBUG: f64 = 10.0;

#[tokio::test]
async fn a_year_of_readings_takes_little_memory_and_is_answered_at_once() {
    let busy = WRITES.lock().await;
    let folder = on_disk();
    let hour = Timestamp::now().as_second() / 3600 * 3600;
    let began = Timestamp::from_second(hour).expect("a time") - SignedDuration::from_hours(24 * i64::from(DAYS));
    let clock = Hand::at(began);
    let home = open(folder.path(), clock.standing_host(), true).await;
    let old = if long() { Old::EachMinute } else { Old::Hourly };
    let start = Instant::now();
    let readings = live(&home, &clock, DAYS, old).await;
    let backlog = home.backlog().await;
    home.db.close().await;
    drop(home);
    drop(busy);
    eprintln!(
        "a year: {readings} readings in {:.0} s, {:.1} MiB, {} points that wait for upstream",
        start.elapsed().as_secs_f64(),
        size(folder.path()),
        backlog.waiting
    );
    assert!(backlog.waiting > 3 * 27 * 24 * 60, "{backlog:?}");

    let start = Instant::now();
    let keeper = aged(folder).await;
    let started = start.elapsed().as_secs_f64();
    let year = format!("/porchlight/v1/series?metric=@{LATENCY}&from={}&step=24h", began.as_second());
    let (page, metrics) = (answer(&keeper, "/").await, answer(&keeper, "/metrics").await);
    let (health, series) = (answer(&keeper, "/healthz").await, answer(&keeper, &year).await);
    let memory = Peak::of(keeper.process.pid()).expect("it runs");
    eprintln!(
        "after a year: {memory}; listens after {started:.2} s; page {page:.1} ms, /metrics {metrics:.1} ms, /healthz \
         {health:.1} ms, the series of the year {series:.1} ms"
    );
    let slower = if SHIPPED { 1.0 } else { DEBUG };
    // The executable of a debug build is several times as long as the one that is shipped.
    let memory = if SHIPPED { memory.whole } else { memory.own };
    assert!(memory < MEMORY, "{memory:.1} MiB");
    assert!(started < START * slower, "{started:.2} s");
    assert!(page < ANSWER * slower && metrics < ANSWER * slower, "{page:.1} ms, {metrics:.1} ms");
}

/// A keeper on that folder, whose upstream is gone.
async fn aged(folder: tempfile::TempDir) -> Keeper {
    let seed = file(folder.path(), "relaying.toml", &seed(true));
    Keeper::restart_with(folder, |keeper| {
        keeper.env("KEEPER_SEED", seed).env("UPSTREAM_URL", "http://127.0.0.1:9/v1").env("UPSTREAM_TOKEN", TOKEN);
    })
    .await
}

/// How long an answer takes to be there, in ms: the median.
async fn answer(keeper: &Keeper, path: &str) -> f64 {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let start = Instant::now();
        let request = keeper.http.get(format!("{}{path}", keeper.url));
        let answer = request.header("authorization", format!("OAuth {TOKEN}")).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let text = answer.text().await.expect("a body");
        assert!(text.len() > 50, "{path}: {text}");
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    median(&mut times)
}
