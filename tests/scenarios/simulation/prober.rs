//! The prober's runs under virtual time: what to do is decided by the product, the order of things is that of its `run`
//! and `apply`, and calls that fail are tried again by its own `retry`.

use std::{
    cell::{Cell, RefCell},
    net::IpAddr,
    time::Duration,
};

use lambda_prober::{
    judge::{judge, observation::Attempt, verdict::Verdict},
    kept::state::StateRecord,
    plan::{Rules, statuses::Statuses},
    run::TargetState,
    target::{Target, Targets},
    timing::Timing,
};
use shared::{api::ApiError, look::Vantage, retry};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{
    demands::readable_time,
    memory::{Memory, Unavailable},
    notices::{self, Phone},
    page::{Ask, Page, PageAnswer, component_id, timestamp},
    publication::{ours, publish, view},
    rng::{DAY, Ms, SeededRng},
    schedule::Start,
    sky::{DEGRADED_ABOVE, Sky, length, ms},
    weather::Weather,
};

/// What a run came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ran {
    pub(crate) at: Ms,
    pub(crate) verdict: Verdict,
    /// Whether it went its way to the end, and record and page with it.
    pub(crate) complete: bool,
}

#[derive(Debug)]
pub(crate) struct Prober<'w> {
    seed: u64,
    weather: &'w Weather,
    pub(crate) page: RefCell<Page<'w>>,
    pub(crate) memory: RefCell<Memory<'w>>,
    pub(crate) phone: RefCell<Phone>,
    pub(crate) ran: RefCell<Vec<Ran>>,
    /// Whether each run is printed, to find what went wrong.
    pub(crate) verbose: Cell<bool>,
    pub(crate) story: RefCell<Vec<(Ms, String)>>,
    rules: Rules,
    pub(crate) timing: Timing,
    targets: Targets,
    /// When the year began.
    origin: Instant,
}

/// One run under way.
pub(crate) struct Run<'p, 'w> {
    pub(crate) prober: &'p Prober<'w>,
    pub(crate) began: Ms,
    instance: usize,
    /// When the page was read.
    decided: Cell<Ms>,
    calls: Cell<usize>,
    hiccup: Option<usize>,
    rng: RefCell<SeededRng>,
}

impl<'w> Prober<'w> {
    pub(crate) fn new(seed: u64, weather: &'w Weather) -> Self {
        let target = format!(
            r#"[{{"url":"http://home.example:30008","page_id":"gytm4qzbx9t6","component_id":"{}"}}]"#,
            component_id()
        );
        Self {
            seed,
            weather,
            page: RefCell::new(Page::new(weather)),
            memory: RefCell::new(Memory::new(weather)),
            phone: RefCell::default(),
            ran: RefCell::default(),
            verbose: Cell::new(false),
            story: RefCell::default(),
            rules: Rules {
                statuses: Statuses::default(),
                incident_after: Some(Duration::from_mins(5)),
                resolve_after: Duration::from_mins(2),
                notify: true,
            },
            timing: Timing::every(Duration::from_mins(1), 3),
            targets: target.parse().expect("a target"),
            origin: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Ms {
        ms(self.origin.elapsed())
    }

    pub(crate) async fn wait_until(&self, time: Ms) {
        sleep_until(self.instant(time)).await;
    }

    /// Whether runs that find the home up change nothing.
    pub(crate) fn is_quiet(&self, at: Ms) -> bool {
        if !self.phone.borrow().is_settled() {
            return false;
        }
        let mut page = self.page.borrow_mut();
        page.act_until(at);
        let addresses = [self.weather.named(at)];
        let (attempts, _) = self.sky(at).observe(at, None);
        let component = page.obey(at, &Ask::Component, at, at).ok().and_then(|answer| answer.component);
        let Some(component) = component.filter(|_| !page.has_open_incident()) else { return false };
        let seen = TargetState {
            target: self.target(),
            verdict: judge(&attempts, DEGRADED_ABOVE),
            attempts,
            last_heartbeat: None,
            from: Vantage::Outside,
            component: Ok(&component),
            incident: None,
        };
        let finding = seen.finding(timestamp(at), "", &self.rules);
        addresses == finding.addresses && self.memory.borrow_mut().is_settled(at, &finding)
    }

    /// A run from its beginning to its end, or until it is cut off.
    pub(crate) async fn run(&self, start: Start) {
        let instance = self.memory.borrow_mut().engage();
        let rng = SeededRng::of(self.seed + ((instance as u64) << 32), 0x7_0000_0000 + start.at.unsigned_abs()).into();
        let (decided, calls) = (Cell::new(start.at), Cell::new(0));
        let run = Run { prober: self, began: start.at, instance, decided, calls, hiccup: start.hiccup, rng };
        let until = start.cut_off.unwrap_or(start.at + DAY);
        let ended = timeout_at(self.instant(until), run.play()).await;
        let mut memory = self.memory.borrow_mut();
        match ended {
            Ok(()) => memory.release(instance),
            Err(_) => memory.lose(instance),
        }
    }

    fn sky(&self, at: Ms) -> Sky<'_> {
        let rng = SeededRng::of(self.seed, 0x5_0000_0000 + at.unsigned_abs());
        Sky { weather: self.weather, timing: &self.timing, rng }
    }

    fn note(&self, at: Ms, what: String) {
        self.story.borrow_mut().push((at, what));
    }

    fn target(&self) -> &Target {
        self.targets.iter().next().expect("one target")
    }

    pub(crate) fn instant(&self, time: Ms) -> Instant {
        self.origin + length(time)
    }
}

impl Run<'_, '_> {
    async fn play(&self) {
        let Prober { rules, timing, ran, .. } = self.prober;
        let observed = self.prober.instant(self.began) + timing.observing;
        let reading = async {
            let listed = retry::until(observed, || self.call(Ask::Component)).await?;
            self.decided.set(self.prober.now());
            let incidents = retry::until(observed, || self.call(Ask::Unresolved)).await?;
            let component = listed.component.expect("the component");
            Ok::<_, ApiError>((component, ours(&incidents.incidents)))
        };
        let (attempts, read) = tokio::join!(self.observe(), reading);
        let probed = self.prober.now();
        let read = read.map_err(|error| error.to_string());

        let verdict = judge(&attempts, DEGRADED_ABOVE);
        let incident = read.as_ref().ok().and_then(|(_, incidents)| {
            let about = incidents.iter().filter(|it| it.is_open() && it.names(&component_id()));
            about.min_by_key(|it| it.age())
        });
        let component = read.as_ref().map(|(component, _)| component).map_err(Clone::clone);
        let seen = TargetState {
            target: self.prober.target(),
            attempts,
            last_heartbeat: None,
            verdict,
            from: Vantage::Outside,
            component,
            incident,
        };
        let number = ran.borrow().len();
        ran.borrow_mut().push(Ran { at: self.began, verdict, complete: false });
        let (record, change) = self.prepare(&seen).await;
        if self.prober.verbose.get() {
            let says = seen.component.as_ref().ok().and_then(|component| component.status);
            self.prober
                .note(probed, format!("run of {}: {verdict:?} over {says:?}, {record:?}", readable_time(self.began)));
        }
        let noticed = notices::seen(&seen, &record, matches!(change, Some(Err(_))));
        let subject = seen.subject(record, timestamp(self.began));
        let publishing = async {
            match &read {
                Ok((component, incidents)) => {
                    let view = view(component, incidents.clone());
                    publish(self, &[subject], &view, rules).await.ok()
                }
                Err(_) => None,
            }
        };
        let (published, kept) = tokio::join!(publishing, self.keep(change));
        ran.borrow_mut()[number].complete = published.is_some() && kept;
        self.notify(noticed, published == Some(true)).await;
    }

    /// A number that no other run has.
    pub(crate) fn number(&self) -> u64 {
        self.began.unsigned_abs() << 8 | self.instance as u64
    }

    pub(crate) fn is_without_state(&self) -> bool {
        self.prober.weather.no_state.at(self.prober.now()).is_some()
    }

    async fn observe(&self) -> Vec<Attempt> {
        let recall = self.recall();
        let (attempts, ended) = self.prober.sky(self.began).observe(self.began, recall);
        self.prober.wait_until(ended).await;
        attempts
    }

    /// Where the home last proved itself.
    fn recall(&self) -> Option<IpAddr> {
        let mut memory = self.prober.memory.borrow_mut();
        match memory.remembered(self.instance, self.began) {
            Some(record) => record.last_proven_address,
            None => memory.read(self.began).ok()??.last_proven_address,
        }
    }

    /// The record after this run, and what is to be written of it.
    async fn prepare(&self, seen: &TargetState<'_>) -> (StateRecord, Option<Result<(StateRecord, bool), Unavailable>>) {
        let at = timestamp(self.began);
        let new_key = format!("{}-{}", component_id(), at.as_second());
        let finding = seen.finding(at, &new_key, &self.prober.rules);
        let now = self.prober.now();
        let needed = finding.needs_record(self.prober.memory.borrow().remembered(self.instance, now));
        if !needed {
            return (StateRecord::default(), None);
        }
        self.prober.wait_until(now + 60).await;
        match self.prober.memory.borrow_mut().read(now + 60) {
            Ok(before) => {
                let after = finding.record(before.as_ref());
                let changed = after != before.unwrap_or_default();
                (after.clone(), Some(Ok((after, changed))))
            }
            Err(unavailable) => (finding.record(None), Some(Err(unavailable))),
        }
    }

    /// Writes the record and remembers it; whether it is on record.
    async fn keep(&self, change: Option<Result<(StateRecord, bool), Unavailable>>) -> bool {
        let Some(change) = change else { return true };
        let kept = match change {
            Ok((record, true)) => {
                self.prober.wait_until(self.prober.now() + 80).await;
                let written = self.prober.memory.borrow_mut().write(self.prober.now(), &record);
                written.map(|()| record)
            }
            Ok((record, false)) => Ok(record),
            Err(unavailable) => Err(unavailable),
        };
        let is_kept = kept.is_ok();
        self.prober.memory.borrow_mut().remember(self.instance, self.prober.now(), kept);
        is_kept
    }

    /// Makes one call, once.
    pub(crate) async fn call(&self, ask: Ask) -> Result<PageAnswer, ApiError> {
        let now = self.prober.now();
        let hiccup = self.hiccup == Some(self.calls.replace(self.calls.get() + 1));
        let fate = self.prober.page.borrow_mut().fate(now, &mut self.rng.borrow_mut(), hiccup);
        if self.prober.verbose.get() {
            let error = fate.error.as_ref().map(ToString::to_string).unwrap_or_default();
            self.prober.note(now, format!("run of {}: {ask:?} {error}", readable_time(self.began)));
        }
        let arrived = now + fate.going;
        self.prober.wait_until(arrived).await;
        let answer = if fate.obeyed {
            self.prober.page.borrow_mut().obey(arrived, &ask, self.began, self.decided.get())
        } else {
            Ok(PageAnswer::default())
        };
        self.prober.wait_until(arrived + fate.coming).await;
        fate.error.map_or(answer, Err)
    }
}
