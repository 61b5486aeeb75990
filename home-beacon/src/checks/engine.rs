//! Runs checks when they are due, many at once, and says what came of each. One task owns all that is known; runs are tasks of
//! their own, so that a slow one delays no other. `defining` takes up what is defined.

mod defining;

use std::{collections::HashMap, sync::Arc, time::Duration};

use checks::{
    cause::Cause,
    check::{Check, CheckName, Dependency},
    outcome::{Outcome, State},
};
use jiff::Timestamp;
use tokio::{
    sync::mpsc,
    task::{self, AbortHandle, JoinSet},
    time::{Instant, sleep_until},
};

use super::{
    clock::Clock,
    defined::Definitions,
    dependencies::{Blame, Known, blame, blocked},
    home::HomeLine,
    results::{Finished, Results},
    schedule::{Due, Id, Schedule},
    totals::Totals,
    trial::{self, Ran, Try},
};

/// How long a failure waits for what it depends on to be looked into: a check is run at once, but whether the home is up is
/// seen once a minute.
const HOLD: Duration = Duration::from_secs(20);
const HOLD_FOR_HOME: Duration = Duration::from_secs(75);

/// What an engine works with.
#[derive(Debug)]
pub struct Engine<P> {
    probe: P,
    /// How many runs go on at once.
    limit: usize,
    schedule: Schedule,
    known: HashMap<Id, Entry>,
    ids: HashMap<CheckName, Id>,
    last_id: u64,
    runs: JoinSet<Ended>,
    /// Whose they are.
    running: HashMap<task::Id, (Id, AbortHandle)>,
    held: Vec<Held>,
    home: HomeLine,
    results: Results,
    totals: Arc<Totals>,
    random: fastrand::Rng,
    clock: Clock,
}

#[derive(Debug)]
struct Entry {
    check: Arc<Check>,
    known: Known,
}

/// A run that has ended.
#[derive(Debug)]
struct Ended {
    id: Id,
    began: Instant,
    at: Timestamp,
    outcome: Outcome,
    /// Whether newer runs of it were left, and are to be told at once.
    has_more: bool,
}

/// A failure of which it is not known yet whose it is.
#[derive(Debug)]
struct Held {
    ended: Ended,
    until: Instant,
}

impl<P: Try> Engine<P> {
    /// With what makes a try, so many at once.
    pub fn new(probe: P, limit: usize, home: HomeLine, results: Results, totals: Arc<Totals>) -> Self {
        Self {
            probe,
            limit,
            schedule: Schedule::default(),
            known: HashMap::new(),
            ids: HashMap::new(),
            last_id: 0,
            runs: JoinSet::new(),
            running: HashMap::new(),
            held: Vec::new(),
            home,
            results,
            totals,
            random: fastrand::Rng::new(),
            clock: Timestamp::now,
        }
    }

    /// By that time of day, and these places of checks within their intervals.
    #[must_use]
    pub fn by(self, clock: Clock, random: fastrand::Rng) -> Self {
        Self { random, clock, ..self }
    }

    /// Runs until `stop`; runs under way are given up then. Definitions come as whole lists, each in the place of the one before.
    pub async fn run(mut self, mut definitions: mpsc::Receiver<Definitions>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let may_begin = self.runs.len() < self.limit;
            let due = self.schedule.next().filter(|_| may_begin);
            let held = self.held.iter().map(|held| held.until).min();
            let wake = [due, held].into_iter().flatten().min();
            tokio::select! {
                biased;
                () = &mut stop => return,
                Some(new) = definitions.recv() => self.define(new),
                Some(joined) = self.runs.join_next_with_id(), if !self.runs.is_empty() => self.joined(joined),
                () = self.home.changed() => (),
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => self.begin_due(),
            }
            self.settle();
        }
    }

    fn begin_due(&mut self) {
        let now = Instant::now();
        while self.runs.len() < self.limit {
            match self.schedule.take(now, || self.random.f64()) {
                None => return,
                Some(Due::LeftOut(_)) => self.totals.left_out(),
                Some(Due::Run(id, late)) => {
                    self.totals.began(late);
                    if let Some(entry) = self.known.get(&id) {
                        self.begin(id, Arc::clone(&entry.check));
                    }
                }
            }
        }
    }

    fn begin(&mut self, id: Id, check: Arc<Check>) {
        let (probe, clock) = (self.probe.clone(), self.clock);
        let task = self.runs.spawn(async move {
            let began = Instant::now();
            let Ran { at, outcome, has_more } = trial::run(&check, &probe, clock).await;
            Ended { id, began, at, outcome, has_more }
        });
        self.running.insert(task.id(), (id, task));
    }

    fn joined(&mut self, joined: Result<(task::Id, Ended), task::JoinError>) {
        match joined {
            Ok((task, ended)) => {
                self.running.remove(&task);
                self.ended(ended);
            }
            // A fault of ours says nothing of what is checked, and must not end the check.
            Err(error) => {
                let Some((id, _)) = self.running.remove(&error.id()) else { return };
                let outcome = Outcome::because(Cause::Local, "the program failed at it: this is a fault of Porchlight");
                self.ended(Ended { id, began: Instant::now(), at: (self.clock)(), outcome, has_more: false });
            }
        }
    }

    fn ended(&mut self, ended: Ended) {
        self.schedule.ended(ended.id);
        // Of a check that has gone or changed meanwhile nothing is to be said.
        let Some(entry) = self.known.get(&ended.id) else { return };
        if ended.outcome.state != State::Critical || entry.check.depends_on.is_empty() {
            return self.conclude(ended, None);
        }
        let needs_home = entry.check.depends_on.contains(&Dependency::Home);
        let hold = if needs_home { HOLD_FOR_HOME } else { HOLD };
        self.held.push(Held { ended, until: Instant::now() + hold });
    }

    /// Concludes what can be of the failures that are held.
    fn settle(&mut self) {
        loop {
            let now = Instant::now();
            let concluded = self.held.iter().enumerate().find_map(|(index, held)| match self.blame_for(held) {
                Blame::Own => Some((index, None)),
                Blame::Of(dependency) => Some((index, Some(dependency))),
                // Nothing newer is known: then what was known last counts.
                Blame::Open(open) if held.until <= now => Some((
                    index,
                    open.into_iter()
                        .find(|it| self.known_of(it, held.ended.began).is_some_and(|known| known.is_down())),
                )),
                Blame::Open(_) => None,
            });
            let Some((index, blamed)) = concluded else { break };
            let held = self.held.remove(index);
            self.conclude(held.ended, blamed.as_ref());
        }
        let open: Vec<Dependency> = self.held.iter().flat_map(|held| self.open(held)).collect();
        for dependency in open {
            match dependency {
                Dependency::Home => self.home.ask(),
                Dependency::Check(name) => {
                    if let Some(id) = self.ids.get(&name) {
                        self.schedule.bring_forward(*id, Instant::now());
                    }
                }
            }
        }
    }

    fn open(&self, held: &Held) -> Vec<Dependency> {
        if let Blame::Open(open) = self.blame_for(held) { open } else { Vec::new() }
    }

    fn blame_for(&self, held: &Held) -> Blame {
        let Some(entry) = self.known.get(&held.ended.id) else { return Blame::Own };
        let began = held.ended.began;
        blame(&entry.check.depends_on, began, |dependency| self.known_of(dependency, began))
    }

    /// What is known of a dependency, for a run that began then.
    fn known_of(&self, dependency: &Dependency, began: Instant) -> Option<Known> {
        let Dependency::Check(name) = dependency else { return self.home.known() };
        let id = self.ids.get(name)?;
        let known = self.known.get(id)?.known;
        // What fails and waits for others itself is down in any case.
        if self.held.iter().any(|held| held.ended.id == *id) {
            return Some(Known { is_blocked: true, as_of: Some(began), ..known });
        }
        Some(known)
    }

    fn conclude(&mut self, ended: Ended, blamed: Option<&Dependency>) {
        let Ended { id, began, at, outcome, has_more } = ended;
        let Some(entry) = self.known.get_mut(&id) else { return };
        let outcome = blamed.map_or(outcome.clone(), |dependency| blocked(&outcome, dependency));
        let before = entry.known.standing;
        let standing = before.after(outcome.state, entry.check.thresholds);
        let was_blocked = entry.known.is_blocked;
        entry.known = Known { standing, as_of: Some(began), is_blocked: blamed.is_some() };
        self.totals.ended(&outcome);
        if standing.counts != before.counts {
            log_turn(&entry.check, standing.counts, &outcome);
        }
        let has_turned = standing.counts != before.counts || was_blocked != blamed.is_some();
        let check = Arc::clone(&entry.check);
        let left = self.schedule.due(id).map(|due| due.saturating_duration_since(Instant::now()));
        let next = left.and_then(|left| (self.clock)().saturating_add(left).ok());
        if has_more {
            // One by one, each when the one before it is told: the oldest goes first.
            self.schedule.bring_forward(id, Instant::now());
        }
        self.results.add(Finished { check, at, outcome, standing, next, has_turned });
    }
}

fn log_turn(check: &Check, counts: Option<State>, outcome: &Outcome) {
    let (name, state) = (&check.name, counts.map_or("unknown", State::label));
    let cause = outcome.cause.map(Cause::label);
    if counts == Some(State::Critical) {
        tracing::warn!(check = %name, state, cause, "{}", outcome.text);
    } else {
        tracing::info!(check = %name, state, cause, "{}", outcome.text);
    }
}

#[cfg(test)]
mod tests;
