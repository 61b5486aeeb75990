//! Operators that are killed again and again, fifty times for each seed, by virtual time: beside an API server that is late, loses
//! answers and goes on with Jobs that nobody waits for, and a keeper that is away now and then. No run is lost without being told, none
//! is told twice, and none is doubled in an interval.

mod cluster;
mod keeper;
mod life;

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use self::{cluster::Cluster, keeper::Keeper, life::Life};

/// How often an operator is killed for each seed.
const KILLS: usize = 50;

thread_local! {
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The time of day, which goes as virtual time does.
fn clock() -> Timestamp {
    let passed = START.get().map_or(Duration::ZERO, |start| start.elapsed());
    let noon = Timestamp::constant(1_796_000_000, 0);
    noon + SignedDuration::try_from(passed).unwrap()
}

/// The checks, and how often each runs, in seconds.
const CHECKS: [(&str, i64); 4] = [("often", 5), ("minutely", 60), ("tried-again", 90), ("seldom", 1200)];

/// A moment of up to so many seconds.
fn moment(random: &mut fastrand::Rng, seconds: f64) -> Duration {
    Duration::from_secs_f64(random.f64() * seconds)
}

/// One seed; what was wrong.
async fn chaos(seed: u64) -> Vec<String> {
    START.set(Some(Instant::now()));
    let mut random = fastrand::Rng::with_seed(seed);
    let (cluster, keeper) = (Cluster::new(random.fork()), Keeper::new(random.fork()));
    let mut life = Life::begin(&cluster, &keeper, &mut random);
    // What has never run and was never told leaves no trace; this is about what has.
    sleep(Duration::from_secs(150)).await;
    for _ in 0..KILLS {
        let lasts = [3.0, 40.0, 400.0][random.usize(..3)];
        sleep(moment(&mut random, lasts)).await;
        keeper.set_there(random.u8(..3) > 0);
        sleep(moment(&mut random, lasts)).await;
        drop(life);
        sleep(moment(&mut random, lasts / 4.0)).await;
        if random.bool() {
            keeper.set_there(random.bool());
        }
        life = Life::begin(&cluster, &keeper, &mut random);
    }
    keeper.set_there(true);
    sleep(Duration::from_secs(600)).await;
    drop(life);
    wrong(&cluster, &keeper)
}

/// What is wrong with what was made and told.
fn wrong(cluster: &Cluster, keeper: &Keeper) -> Vec<String> {
    let (made, reported) = (cluster.made(), keeper.reported());
    let mut wrong = cluster.wrong();
    wrong.extend(keeper.wrong());
    for (check, every) in CHECKS {
        // Of the newest ones nothing may have come yet.
        let recent = clock() - SignedDuration::from_secs(180);
        let runs: Vec<i64> = made.get(check).into_iter().flatten().copied().collect();
        let lost =
            runs.iter().filter(|run| **run < recent.as_millisecond() && !reported.contains(&(check.to_owned(), **run)));
        wrong.extend(lost.map(|run| format!("{check}: the run of {run} was lost")));
        let close = runs.windows(2).filter(|pair| pair[1] - pair[0] < every * 500);
        wrong.extend(close.map(|pair| format!("{check}: two runs in an interval: {pair:?}")));
        if runs.len() < 3 {
            wrong.push(format!("{check}: {} runs alone", runs.len()));
        }
    }
    wrong
}

/// Of each check, when the runs began that Jobs were made for, in milliseconds and in their order.
type Made = BTreeMap<String, std::collections::BTreeSet<i64>>;

#[tokio::test(start_paused = true)]
async fn operators_that_are_killed_fifty_times_lose_no_run_tell_none_twice_and_double_none() {
    let seeds = if std::env::var_os("LONG").is_some() { 0..100 } else { 0..3 };
    for seed in seeds {
        let wrong = chaos(seed).await;
        assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
    }
}
