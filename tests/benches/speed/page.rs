//! The page of a keeper with a year behind it: its size, how long it takes, how many visitors it bears, and the memory it takes
//! meanwhile, beside the keeper before pages had a past (`BEFORE`, a folder of programs that `tests/speed` builds). That one shows
//! words alone, so it does much less.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, StatusCode};
use serde_json::json;
use tempfile::TempDir;
use tests::{
    history,
    keeper::TOKEN,
    past,
    process::{command, file},
    skip::program,
};
use tokio::{
    process::{Child, Command},
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{median, milliseconds, proc_mib, released};

const CONNECTIONS: usize = 32;
const LASTS: Duration = Duration::from_secs(5);
const TIMES: usize = 31;

/// Between two requests of a connection, so that all of them together make some 500 a second.
const PACE: Duration = Duration::from_millis(60);

/// For how many days the keeper before has readings: both keep so many of each minute.
const RAW_DAYS: i64 = 30;

/// How many readings one call brings.
const BATCH: usize = 400;

pub(super) async fn measure(release: &Path) {
    let Some(sqlite) = program("sqlite3") else {
        println!("the page after a year: not measured, sqlite3 is missing");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    past::make(folder.path(), Timestamp::now(), 365, &sqlite).await;
    let seed = file(folder.path(), "seed.toml", &past::seed());
    report("the page after a year", Running::start(&released(release, "keeper"), folder, &seed).await).await;
    let Some(before) = std::env::var_os("BEFORE").map(PathBuf::from) else {
        println!("the page before: not measured, BEFORE names no folder with its programs");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let seed = file(folder.path(), "seed.toml", &history::seed(false));
    let keeper = Running::start(&released(&before, "keeper"), folder, &seed).await;
    keeper.live().await;
    report("the page before, after a month", keeper).await;
}

async fn report(what: &str, keeper: Running) {
    let [private, public] = [&keeper.private, &keeper.public];
    let (first, _) = keeper.visit(private).await;
    let mut times = Vec::new();
    for _ in 0..TIMES {
        times.push(milliseconds(keeper.visit(private).await.0));
    }
    let size = keeper.visit(public).await.1;
    println!(
        "{what}: drawn in {:.1} ms at first and {:.1} ms then (goal: below 20), {:.1} KB compressed (goal: below 40)",
        milliseconds(first),
        median(&mut times),
        f64::from(u32::try_from(size).unwrap_or(u32::MAX)) / 1000.0
    );
    let pid = keeper.child.id().expect("it runs");
    let peak = || proc_mib(pid, "status", "VmHWM:");
    let [steady, _] = keeper.load(false, Some(PACE)).await;
    println!(
        "{what}: {:.1} MiB resident at most at {steady:.0} requests/s over {CONNECTIONS} connections (goal: 16)",
        peak()
    );
    let ([plain, _], [tagged, known]) = (keeper.load(false, None).await, keeper.load(true, None).await);
    println!(
        "{what}: {plain:.0} requests/s over {CONNECTIONS} connections (goal: 500), {tagged:.0} with the ETag (goal: 5000), of \
         which {known:.0} were answered 304"
    );
    println!("{what}: {:.1} MiB resident at most as fast as it can", peak());
}

struct Running {
    child: Child,
    private: String,
    public: String,
    http: Client,
    _folder: TempDir,
}

impl Running {
    async fn start(binary: &Path, folder: TempDir, seed: &str) -> Self {
        let address = || std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
        let (private, public) = (address(), address());
        let mut keeper: Command = command(binary);
        keeper
            .env("KEEPER_ADDR", private.to_string())
            .env("KEEPER_PUBLIC_ADDR", public.to_string())
            .env("DATABASE_URL", format!("sqlite:{}", folder.path().join("keeper.db").display()))
            .env("KEEPER_SEED", seed)
            .env("KEEPER_TOKEN", TOKEN)
            .env("LOG_LEVEL", "warn");
        let child = keeper.kill_on_drop(true).spawn().expect("the keeper starts");
        let http = Client::builder().no_proxy().pool_max_idle_per_host(CONNECTIONS).build().expect("a client");
        let url = |address| format!("http://{address}/");
        let running = Self { child, private: url(private), public: url(public), http, _folder: folder };
        for _ in 0..200 {
            if running.http.get(format!("{}healthz", running.private)).send().await.is_ok() {
                return running;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("the keeper does not listen");
    }

    /// How long an answer takes, and how long its body is, compressed.
    async fn visit(&self, url: &str) -> (Duration, usize) {
        let start = Instant::now();
        let answer = self
            .http
            .get(url)
            .header("accept-encoding", "gzip")
            .send()
            .await
            .expect("an answer")
            .error_for_status()
            .expect("a page");
        let body = answer.bytes().await.expect("a body");
        (start.elapsed(), body.len())
    }

    /// Requests a second, all of them and those answered with 304, of visitors who ask for the page again and again; and who send
    /// the tag of what they have. With a pause, each waits for so long between two.
    async fn load(&self, tagged: bool, pause: Option<Duration>) -> [f64; 2] {
        let (http, url) = (self.http.clone(), Arc::new(self.public.clone()));
        let until = Instant::now() + LASTS;
        let mut visitors = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (http, url) = (http.clone(), Arc::clone(&url));
            visitors.spawn(async move {
                let (mut all, mut known, mut tag) = (0_u32, 0_u32, None);
                while Instant::now() < until {
                    let mut request = http.get(url.as_str()).header("accept-encoding", "gzip");
                    if let Some(tag) = tag.as_ref().filter(|_| tagged) {
                        request = request.header("if-none-match", tag);
                    }
                    let answer = request.send().await.expect("an answer");
                    all += 1;
                    known += u32::from(answer.status() == StatusCode::NOT_MODIFIED);
                    tag = answer.headers().get("etag").cloned().or(tag);
                    answer.bytes().await.expect("a body");
                    if let Some(pause) = pause {
                        sleep(pause).await;
                    }
                }
                [all, known]
            });
        }
        let counts = visitors.join_all().await;
        [0, 1].map(|which| f64::from(counts.iter().map(|count| count[which]).sum::<u32>()) / LASTS.as_secs_f64())
    }

    /// Hands over a month of readings of each minute, of two metrics.
    async fn live(&self) {
        let now = Timestamp::now();
        let mut readings = Vec::with_capacity(BATCH);
        for minute in (1..RAW_DAYS * 24 * 60).rev() {
            let at = (now - SignedDuration::from_mins(minute)).to_string();
            let value = 20.0 + f64::from(u8::try_from(minute % 7).unwrap_or(0));
            readings.push(json!({"metric": "ping", "at": at, "value": value, "min": 12.0, "max": 31.0, "loss": 0.0}));
            readings.push(json!({"metric": "bandwidth", "at": at, "value": value * 5.0}));
            if readings.len() >= BATCH || minute == 1 {
                let body = json!({"readings": std::mem::take(&mut readings)});
                let call = self.http.post(format!("{}porchlight/v1/readings", self.private)).json(&body);
                let call = call.header("authorization", format!("OAuth {TOKEN}"));
                call.send().await.expect("an answer").error_for_status().expect("they are taken");
            }
        }
    }
}
