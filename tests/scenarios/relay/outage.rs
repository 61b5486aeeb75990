//! A line that is cut again and again, an upstream that fails in every way, and a keeper that is killed at random moments
//! while jobs write: at the end upstream holds everything that was acknowledged. Beside it an old shell script, which posts
//! once and forgets, goes through the same.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Method};
use serde_json::json;
use tests::{
    keeper::{Keeper, PAGE, TOKEN, keeper_command},
    link::{CABLE, FAR, Link},
    namespace::Namespace,
    process::{Process, file, ours},
    statuspage::{Fault, Statuspage},
    upstream::{LATENCY, LOSS, OTHERS, ping, points, public, relaying, slot},
};
use tokio::{process::Command, time::sleep};

/// Where the keeper at home listens, inside its network.
const KEEPER: &str = "127.0.0.1:8030";

/// How many times the keeper is killed, one in each step of the faults, and about how long a step takes.
const KILLS: usize = 20;
const STEP: Duration = Duration::from_millis(3200);

/// The jobs write of a minute each time, long ago, so that each has a slot of its own.
const MINUTES: i64 = 20_000;

/// How often a job writes, and the script.
const JOB: Duration = Duration::from_millis(25);
const SCRIPT: Duration = Duration::from_millis(200);

/// Upstream's own: a keeper does not send its token to another host.
const UPSTREAMS: &str = "upstream-token-of-the-tests";

/// The token that upstream takes after its owner has replaced it.
const NEW_TOKEN: &str = "another-token-of-the-tests";

/// One kind of fault.
enum Outage {
    None,
    /// The interface is down.
    Unplugged,
    /// Packets go nowhere.
    Swallowed,
    Upstream(Fault),
    /// Upstream's token is replaced, and a step later the one at home.
    TokenReplaced,
}

fn outage(step: usize) -> Outage {
    let error = |status, headers| Fault::Answer { status, headers, body: r#"{"error":"sorry"}"# };
    match step % 10 {
        1 => Outage::Unplugged,
        2 => Outage::Upstream(error(500, "")),
        3 => Outage::Upstream(Fault::AnswerLost),
        4 => Outage::Swallowed,
        5 => Outage::Upstream(error(420, "Retry-After: 1\r\n")),
        6 => Outage::Upstream(Fault::Silence(Duration::from_secs(30))),
        7 => Outage::Upstream(error(429, "Retry-After: 2\r\n")),
        8 if step == 8 => Outage::TokenReplaced,
        8 => Outage::Upstream(Fault::Answer { status: 200, headers: "", body: "<html>a hotel</html>" }),
        9 => Outage::Upstream(Fault::Dropped),
        _ => Outage::None,
    }
}

/// What those at home share.
struct Home {
    start: Timestamp,
    ended: AtomicBool,
    token: Mutex<String>,
    /// What the keeper has acknowledged: the value of each slot.
    acknowledged: Mutex<BTreeMap<i64, f64>>,
    retries: AtomicUsize,
    /// What the script has posted.
    posted: AtomicUsize,
}

impl Home {
    fn minute(&self, number: usize) -> Timestamp {
        self.start - SignedDuration::from_mins(MINUTES) + SignedDuration::from_mins(i64::try_from(number).expect("few"))
    }

    fn is_over(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Writes as a job does: again and again until it is acknowledged.
    async fn job(&self) {
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().expect("a client");
        for number in 0.. {
            let (at, value) = (self.minute(number), f64::from(u32::try_from(number).expect("few")));
            let body = json!({"readings": [ping(at, value)]});
            loop {
                let call = http.post(format!("http://{KEEPER}/porchlight/v1/readings"));
                let sent = call.header("authorization", format!("OAuth {TOKEN}")).json(&body).send().await;
                if sent.is_ok_and(|answer| answer.status() == 201) {
                    self.acknowledged.lock().expect("no holder panics").insert(slot(at), value);
                    break;
                }
                self.retries.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(100)).await;
            }
            if self.is_over() {
                break;
            }
            sleep(JOB).await;
        }
    }

    /// Posts as the old script does: once.
    async fn script(self: Arc<Self>) {
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().expect("a client");
        let mut calls = tokio::task::JoinSet::new();
        for number in 0.. {
            let body = json!({"data": {"timestamp": self.minute(number).as_second(), "value": 1.5}});
            let token = self.token.lock().expect("no holder panics").clone();
            let call = http.post(format!("http://{FAR}:8030/v1/pages/{PAGE}/metrics/{OTHERS}/data"));
            calls.spawn(call.header("authorization", format!("OAuth {token}")).json(&body).send());
            self.posted.fetch_add(1, Ordering::Relaxed);
            if self.is_over() {
                break;
            }
            sleep(SCRIPT).await;
        }
        while calls.join_next().await.is_some() {}
    }
}

/// Runs something on a thread inside a network.
fn inside<F: Future<Output = ()>>(
    namespace: &Namespace,
    work: impl FnOnce() -> F + Send + 'static,
) -> thread::JoinHandle<()> {
    let enter = namespace.entrance();
    thread::spawn(move || {
        enter();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(work());
    })
}

async fn keeper(namespace: &Namespace, command: &Command) -> Process {
    let mut process = Process::start(namespace.inside(command));
    process.wait_for_message("listening").await;
    process
}

fn keeper_at_home(folder: &Path) -> Command {
    let mut command = keeper_command(folder);
    relaying(&mut command, folder, &format!("http://{FAR}:8030/v1"));
    command.env("KEEPER_ADDR", KEEPER);
    command
}

async fn begin(link: &Link, way: &Statuspage, outage: &Outage) {
    match outage {
        Outage::Unplugged => link.far.run(&["ip", "link", "set", CABLE, "down"]).await,
        Outage::Swallowed => link.far.drop_arriving(&["iifname", CABLE]).await,
        Outage::Upstream(fault) => way.play(fault.clone()),
        Outage::None | Outage::TokenReplaced => (),
    }
}

async fn end(link: &Link, way: &Statuspage, outage: &Outage) {
    match outage {
        Outage::Unplugged => link.far.run(&["ip", "link", "set", CABLE, "up"]).await,
        Outage::Swallowed => link.far.run(&["nft", "delete", "table", "inet", "t"]).await,
        _ => way.play(Fault::None),
    }
}

#[tokio::test]
async fn everything_that_was_acknowledged_arrives() {
    let Some(link) = Link::new("relay").await else { return };
    let mut upstream = Keeper::with_token_file_and(|command, folder| public(command, folder, 0)).await;
    upstream.replace_token(UPSTREAMS);
    let listener = link.far.listen(SocketAddr::new(FAR.parse().expect("an address"), 8030));
    let way = Statuspage::open_on(listener, &upstream.url, [], Fault::None);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let command = keeper_at_home(folder.path());
    file(folder.path(), "upstream-token", UPSTREAMS);
    let home = Arc::new(Home {
        start: Timestamp::now(),
        ended: AtomicBool::new(false),
        token: Mutex::new(UPSTREAMS.into()),
        acknowledged: Mutex::default(),
        retries: AtomicUsize::new(0),
        posted: AtomicUsize::new(0),
    });
    let mut process = keeper(&link.near, &command).await;
    let (worker, visitor) = (Arc::clone(&home), Arc::clone(&home));
    let job = inside(&link.near, move || async move { worker.job().await });
    let script = inside(&link.near, move || visitor.script());
    let mut pings = ours("ping");
    pings.args(["--every", "15s"]).env("TARGET_HOST", FAR).env("COUNT", "1").env("DEADLINE", "12s");
    pings.env("KEEPER_URL", format!("http://{KEEPER}")).env("KEEPER_TOKEN", TOKEN);
    let pings = Process::start(link.near.inside(&pings));

    let mut rng = Rng::with_seed(7);
    let mut kills = 0;
    for step in 0..=KILLS {
        let outage = outage(step);
        begin(&link, &way, &outage).await;
        if let Outage::TokenReplaced = outage {
            upstream.replace_token(NEW_TOKEN);
        }
        let moment = STEP.mul_f64(rng.f64());
        sleep(moment).await;
        if kills < KILLS {
            process.kill().await;
            kills += 1;
            process = keeper(&link.near, &command).await;
        }
        sleep(STEP.saturating_sub(moment)).await;
        if let Outage::TokenReplaced = outage {
            file(folder.path(), "upstream-token", NEW_TOKEN);
            NEW_TOKEN.clone_into(&mut home.token.lock().expect("no holder panics"));
        }
        end(&link, &way, &outage).await;
    }
    home.ended.store(true, Ordering::Relaxed);
    for thread in [job, script] {
        thread.join().expect("it does not panic");
    }
    pings.terminate().await;
    process.terminate().await;

    // The keeper's own network is not ours: it goes on in this one, on the same files and to the same upstream.
    let way = Statuspage::open(&upstream, [], Fault::None).await;
    let place = folder.path().to_owned();
    let keeper = Keeper::restart_with(folder, |command| {
        relaying(command, &place, &way.api);
        file(&place, "upstream-token", NEW_TOKEN);
    })
    .await;
    let began = Instant::now();
    let report = loop {
        let (_, report) = keeper.own(Method::GET, "/relay", None).await;
        if report["relay"]["waiting"] == 0 {
            break report;
        }
        assert!(began.elapsed() < Duration::from_secs(150), "{report:#}");
        sleep(Duration::from_millis(200)).await;
    };
    let since = home.start - SignedDuration::from_mins(MINUTES + 1);
    let acknowledged = home.acknowledged.lock().expect("no holder panics").clone();
    let there = points(&upstream, LATENCY, since).await;
    let missing = acknowledged.iter().filter(|(slot, value)| there.get(slot) != Some(value)).count();
    let posted = home.posted.load(Ordering::Relaxed);
    let arrived = points(&upstream, OTHERS, since).await.len();
    println!(
        "{kills} kills, {} retries of jobs; keeper: {} acknowledged, {missing} missing upstream, {} rejected, drained in \
         {:.0} s; script: {posted} posted, {} missing upstream",
        home.retries.load(Ordering::Relaxed),
        acknowledged.len(),
        report["relay"]["rejected"],
        began.elapsed().as_secs_f64(),
        posted - arrived,
    );
    assert_eq!((kills, missing), (KILLS, 0));
    assert_eq!(report["relay"]["rejected"], 0, "{report:#}");
    assert!(acknowledged.len() > 500, "{}", acknowledged.len());
    // The real pings, too, and nothing that was never measured.
    for metric in [LATENCY, LOSS] {
        assert_eq!(points(&upstream, metric, since).await, points(&keeper, metric, since).await, "{metric}");
    }
    assert!(there.keys().any(|slot| *slot > home.start.as_second() - 60), "the pings of now are among them");
    assert!(posted - arrived > posted / 4, "the faults were real: {} of {posted} are missing", posted - arrived);
}
