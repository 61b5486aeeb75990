use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use checks::{
    cause::Cause,
    check::{Check, Kind},
};
use tokio::{sync::oneshot, time::sleep};

use super::{
    super::{
        defined::Defined,
        fixtures::check,
        trial::{Left, Turn},
    },
    *,
};

/// What the host of a check answers: the state, and after how long.
#[derive(Clone, Debug, Default)]
struct World(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    states: HashMap<String, (State, Duration)>,
    runs: HashMap<String, usize>,
    /// What was left of a check: when it began.
    left: HashMap<String, Vec<Timestamp>>,
    now: usize,
    most: usize,
}

impl World {
    fn set(&self, host: &str, state: State, takes: Duration) {
        self.lock().states.insert(host.to_owned(), (state, takes));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn runs(&self, host: &str) -> usize {
        self.lock().runs.get(host).copied().unwrap_or_default()
    }
}

impl Try for World {
    async fn left(&self, check: &Check, _: Instant) -> Option<Left> {
        let mut inner = self.lock();
        let left = inner.left.get_mut(check.name.as_str()).filter(|left| !left.is_empty())?;
        let (began, has_more) = (left.remove(0), !left.is_empty());
        Some(Left { began, outcome: Outcome::ok("left"), tries: 0, has_more })
    }

    async fn once(&self, check: &Check, _: Turn) -> Outcome {
        let Kind::Tcp(tcp) = &check.kind else { unreachable!("fixtures are of that kind") };
        assert!(tcp.host != "boom" || self.runs("boom") >= 2, "as a fault of ours would");
        let (state, takes) = {
            let mut inner = self.lock();
            *inner.runs.entry(tcp.host.clone()).or_default() += 1;
            inner.now += 1;
            inner.most = inner.most.max(inner.now);
            inner.states.get(&tcp.host).copied().unwrap_or((State::Ok, Duration::ZERO))
        };
        sleep(takes).await;
        self.lock().now -= 1;
        match state {
            State::Ok => Outcome::ok("fine"),
            _ => Outcome::because(Cause::Refused, "closed"),
        }
    }
}

struct Running {
    world: World,
    results: Results,
    definitions: mpsc::Sender<Definitions>,
    stop: Option<oneshot::Sender<()>>,
    engine: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(limit: usize) -> Self {
        let (world, totals) = (World::default(), Arc::<Totals>::default());
        let results = Results::new(Arc::clone(&totals));
        let engine = Engine::new(world.clone(), limit, HomeLine::unknown(), results.clone(), totals);
        let (definitions, receiver) = mpsc::channel(1);
        let (stop, stopped) = oneshot::channel::<()>();
        let engine = tokio::spawn(engine.run(receiver, async move { drop(stopped.await) }));
        Self { world, results, definitions, stop: Some(stop), engine }
    }

    async fn define(&self, checks: &[Check]) {
        let defined = checks.iter().cloned().map(Defined::new);
        self.definitions.send(Definitions::new(defined.collect(), true)).await.unwrap();
    }

    fn of(&self, name: &str) -> Vec<Finished> {
        let all = self.results.all();
        all.into_iter().filter(|finished| finished.check.name.as_str() == name).collect()
    }

    async fn end(mut self) {
        drop(self.stop.take());
        self.engine.await.unwrap();
    }
}

fn depending(name: &str, on: &str) -> Check {
    Check { depends_on: vec![Dependency::Check(on.parse().unwrap())], ..check(name) }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn what_was_begun_before_the_program_was_is_waited_for_at_once_and_the_rest_at_its_time() {
    let running = Running::start(10);
    let defined = |name: &str, is_due| {
        let ran_at = Some(Timestamp::now());
        let check = Check { every: SECOND * 3600, ..check(name) };
        Defined { ran_at, is_due, ..Defined::new(check) }
    };
    running.definitions.send(Definitions::new(vec![defined("left", true), defined("ran", false)], true)).await.unwrap();
    sleep(SECOND).await;
    assert_eq!((running.world.runs("left"), running.world.runs("ran")), (1, 0));
    sleep(SECOND * 3590).await;
    assert_eq!(running.world.runs("ran"), 0, "an interval after its last run");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_left_is_told_at_once_and_one_by_one_with_the_time_that_each_has() {
    let running = Running::start(10);
    let began: Vec<Timestamp> = (0..5).map(|second| Timestamp::from_second(second).unwrap()).collect();
    running.world.lock().left.insert("a".into(), began.clone());
    let daily = Check { every: SECOND * 86_400, ..check("a") };
    let defined = Defined { is_due: true, ran_at: Some(Timestamp::now()), ..Defined::new(daily) };
    running.definitions.send(Definitions::new(vec![defined], true)).await.unwrap();
    sleep(SECOND).await;
    let reported: Vec<Timestamp> = running.of("a").iter().map(|finished| finished.at).collect();
    assert_eq!((reported, running.world.runs("a")), (began, 0));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_check_delays_no_other_and_is_never_run_twice_at_once() {
    let running = Running::start(10);
    running.world.set("slow", State::Ok, SECOND * 1000);
    running.define(&[check("slow"), check("fast")]).await;
    sleep(SECOND * 600).await;
    assert_eq!(running.world.runs("slow"), 1);
    assert!((9..=12).contains(&running.of("fast").len()), "{}", running.of("fast").len());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn no_more_run_at_once_than_may() {
    let running = Running::start(3);
    let many: Vec<Check> = (0..30).map(|index| check(&format!("c{index}"))).collect();
    for check in &many {
        running.world.set(check.name.as_str(), State::Ok, SECOND);
    }
    running.define(&many).await;
    sleep(SECOND * 300).await;
    assert_eq!(running.world.lock().most, 3);
    assert!(many.iter().all(|check| running.world.runs(check.name.as_str()) >= 4));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_by_a_fault_of_ours_is_unknown_and_the_check_goes_on() {
    let running = Running::start(10);
    running.define(&[check("boom")]).await;
    for _ in 0..2 {
        sleep(SECOND * 70).await;
        *running.world.lock().runs.entry("boom".into()).or_default() += 1;
    }
    sleep(SECOND * 200).await;
    let results = running.of("boom");
    assert_eq!((results[0].outcome.state, results[0].outcome.cause), (State::Unknown, Some(Cause::Local)));
    assert_eq!(results.last().unwrap().outcome.state, State::Ok);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_down_hides_nothing_once_it_is_up_again() {
    let running = Running::start(10);
    let daily = Check { every: SECOND * 86_400, ..check("router") };
    running.define(&[daily, depending("nas", "router")]).await;
    running.world.set("router", State::Critical, Duration::ZERO);
    running.world.set("nas", State::Critical, Duration::ZERO);
    sleep(SECOND * 300).await;
    assert_eq!(running.of("nas").pop().unwrap().outcome.cause, Some(Cause::Dependency));
    // It would not be run for a day by itself.
    running.world.set("router", State::Ok, Duration::ZERO);
    sleep(SECOND * 300).await;
    assert_eq!(running.of("nas").pop().unwrap().standing.counts, Some(State::Critical));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_router_that_is_down_is_one_event_and_not_thirty() {
    let running = Running::start(10);
    let mut all: Vec<Check> = (0..30).map(|index| depending(&format!("c{index}"), "router")).collect();
    all.push(depending("behind", "c0"));
    all.push(check("router"));
    running.define(&all).await;
    sleep(SECOND * 120).await;
    for check in &all {
        running.world.set(check.name.as_str(), State::Critical, Duration::ZERO);
    }
    sleep(SECOND * 300).await;
    let down = |name: &str| running.of(name).iter().any(|finished| finished.standing.counts == Some(State::Critical));
    let names: Vec<_> = all.iter().map(|check| check.name.as_str()).filter(|name| down(name)).collect();
    assert_eq!(names, ["router"]);
    let last = running.of("c7").pop().unwrap();
    assert_eq!((last.outcome.cause, last.outcome.state), (Some(Cause::Dependency), State::Unknown));
    // That nothing can be told of it any more is told at once, and once.
    assert_eq!(running.of("c7").iter().filter(|it| it.has_turned).count(), 2, "up, and then not known");
    // Once the router is back, what goes on failing is its own.
    running.world.set("router", State::Ok, Duration::ZERO);
    sleep(SECOND * 300).await;
    assert!(down("c7") && running.of("behind").pop().unwrap().outcome.text.starts_with("c0 is down"));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_edit_keeps_what_is_known_and_a_removed_check_says_nothing_more() {
    let running = Running::start(10);
    running.world.set("a", State::Critical, Duration::ZERO);
    running.world.set("gone", State::Ok, SECOND * 30);
    running.define(&[check("a"), check("b"), check("gone")]).await;
    sleep(SECOND * 200).await;
    let (runs, results) = (running.world.runs("b"), running.of("gone").len());
    let renamed = Check { name: "c".parse().unwrap(), was: Some("a".parse().unwrap()), ..check("a") };
    running.define(&[renamed, check("b")]).await;
    sleep(SECOND * 200).await;
    assert!(running.of("c").iter().all(|finished| !finished.has_turned), "it was down already, under its name before");
    assert!(!running.of("c").is_empty() && running.world.runs("b") > runs);
    assert_eq!(running.of("gone").len(), results);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn names_that_are_given_on_take_along_what_is_known() {
    let running = Running::start(10);
    running.world.set("a", State::Critical, Duration::ZERO);
    running.define(&[check("a"), check("b")]).await;
    sleep(SECOND * 200).await;
    let named =
        |name: &str, was: &str| Check { name: name.parse().unwrap(), was: Some(was.parse().unwrap()), ..check(was) };
    let (before, chain) = (running.of("b").len(), [named("b", "a"), named("c", "b")]);
    for _ in 0..2 {
        running.define(&chain).await;
        sleep(SECOND * 200).await;
    }
    let of_b = running.of("b").split_off(before);
    let is_down = |finished: &Finished| finished.standing.counts == Some(State::Critical) && !finished.has_turned;
    assert!(of_b.len() > 4 && of_b.iter().all(is_down), "a was down, and is called b");
    let of_c = running.of("c");
    let is_well = |finished: &Finished| finished.standing.counts == Some(State::Ok) && !finished.has_turned;
    assert!(of_c.len() > 4 && of_c.iter().all(is_well), "b was well, and is called c");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn under_a_hundred_edits_no_check_is_lost_or_doubled() {
    let running = Running::start(50);
    let mut random = fastrand::Rng::with_seed(19);
    let mut all: Vec<Check> = (0..40).map(|index| check(&format!("c{index}"))).collect();
    for _ in 0..100 {
        let index = random.usize(..all.len());
        match random.u8(..3) {
            0 => all[index].every = SECOND * random.u32(30..90),
            1 => all.push(check(&format!("n{}", random.u32(..)))),
            _ => drop(all.remove(index)),
        }
        running.define(&all).await;
        sleep(Duration::from_millis(random.u64(..3000))).await;
    }
    let since = Timestamp::now();
    let before: HashMap<_, _> =
        all.iter().map(|check| (check.name.clone(), running.of(check.name.as_str()).len())).collect();
    sleep(SECOND * 900).await;
    for check in &all {
        let runs = running.of(check.name.as_str()).len() - before[&check.name];
        let expected = 900 / check.every.as_secs();
        assert!(
            (expected - 1..=expected + 2).contains(&(runs as u64)),
            "{}: {runs} of {expected} since {since}",
            check.name
        );
    }
    running.end().await;
}
