//! What the figures have in common: the keeper upstream, the relay that is stepped by hand, and what a keeper holds.

use std::{collections::BTreeMap, path::Path, time::Duration};

use home_beacon::keeper::relay::{RelayWorker, Step, Upstream};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use shared::secret::Secret;
use tempfile::TempDir;
use tests::{
    clock::Hand,
    history::seed,
    in_process::Home,
    keeper::{Keeper, PAGE, TOKEN},
    process::file,
};
use tokio::sync::Mutex;

/// Held by who counts what this process writes, and by who writes meanwhile.
pub(crate) static WRITES: Mutex<()> = Mutex::const_new(());

/// How long a call upstream is taken to last.
const CALL: Duration = Duration::from_millis(100);

/// The most buckets of one answer.
const MAX_BUCKETS: i64 = 5000;

/// A folder on a real disk: that of temporary files may be in memory.
pub(crate) fn on_disk() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

/// A keeper that has the page and its metrics, and relays nothing.
pub(crate) async fn upstream() -> Keeper {
    let folder = tempfile::tempdir().expect("a folder");
    let seed = file(folder.path(), "upstream.toml", &seed(false));
    Keeper::restart_with(folder, |keeper| {
        keeper.env("KEEPER_SEED", seed);
    })
    .await
}

/// A relay to it. It repeats nothing: repetitions are beside the point.
pub(crate) fn worker(home: &Home, upstream: &Keeper) -> RelayWorker {
    let upstream = Upstream {
        url: upstream.api().parse().expect("an address"),
        token: Secret::new(TOKEN).into(),
        fingerprint: None,
        hold: Duration::ZERO,
        causes: false,
    };
    home.worker(PAGE.parse().expect("an id"), &upstream)
}

/// Takes a step, and lets the time pass until the next one is due, but not beyond `until`; whether there is time left.
pub(crate) async fn step(worker: &mut RelayWorker, clock: &Hand, until: Timestamp) -> bool {
    let pause = match worker.step().await {
        Step::Again => CALL,
        // A pause of nothing would be one for ever here.
        Step::After(pause) => pause.max(Duration::from_millis(1)),
    };
    let due = clock.now() + SignedDuration::try_from(pause).expect("a short time");
    let left = due < until;
    if left {
        clock.pass(pause);
    } else {
        clock.reach(until);
    }
    left
}

/// What a keeper holds of a metric with a point a minute: the values by their times, in seconds.
pub(crate) async fn held(keeper: &Keeper, metric: &str, from: i64, to: i64) -> BTreeMap<i64, f64> {
    let mut held = BTreeMap::new();
    let mut begin = from;
    while begin < to {
        let end = to.min(begin + (MAX_BUCKETS - 1) * 60);
        let path = format!("/series?metric=@{metric}&from={begin}&to={end}&step=60");
        let (status, series) = keeper.own(Method::GET, &path, None).await;
        assert_eq!(status, 200, "{series}");
        for bucket in series["points"].as_array().expect("points") {
            assert_eq!(bucket["measured"], 1, "one point in a minute: {bucket}");
            let at: Timestamp = bucket["at"].as_str().and_then(|at| at.parse().ok()).expect("a time");
            held.insert(at.as_second(), bucket["value"].as_f64().expect("a value"));
        }
        begin = end;
    }
    held
}

/// A folder's database, in MiB.
pub(crate) fn size(folder: &Path) -> f64 {
    let length = folder.join("keeper.db").metadata().expect("a database").len();
    #[expect(clippy::cast_precision_loss, reason = "it is rounded anyway")]
    let mib = length as f64 / f64::from(1 << 20);
    mib
}
