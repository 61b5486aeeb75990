//! When each check runs. Pure: time and randomness are handed in. Every check keeps a place of its own within its interval, so
//! that many of them spread over it; one that could not run in time is moved on, so that a stall is followed by no burst.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use tokio::time::Instant;

/// By what a check is known here. A definition that changes is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id(pub(super) u64);

/// A run that is later than this is moved on instead.
const STALL: Duration = Duration::from_secs(5);

/// Within this time a check runs for the first time, and again after a stall.
const SOON: Duration = Duration::from_secs(60);

/// When each check runs.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    entries: HashMap<Id, Entry>,
    queue: BTreeSet<(Instant, Id)>,
}

#[derive(Debug)]
struct Entry {
    every: Duration,
    due: Instant,
    /// A moment of its place: the others lie whole intervals before and behind it.
    place: Instant,
    is_running: bool,
}

/// A run that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// It is to begin now, so much later than planned.
    Run(Id, Duration),
    /// Its run before has not ended, or it is much too late: it is left out.
    LeftOut(Id),
}

impl Schedule {
    /// Adds a check. `random` draws from 0 up to 1.
    pub(super) fn add(&mut self, id: Id, every: Duration, now: Instant, mut random: impl FnMut() -> f64) {
        let due = now + every.min(SOON).mul_f64(random());
        let place = now + every.mul_f64(random());
        self.entries.insert(id, Entry { every, due, place, is_running: false });
        self.queue.insert((due, id));
    }

    /// Has a check run then, and not before.
    pub(super) fn put_off(&mut self, id: Id, until: Instant) {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.due < until) else { return };
        self.queue.remove(&(entry.due, id));
        (entry.due, entry.place) = (until, until);
        self.queue.insert((until, id));
    }

    /// Has `new` take the place of `old`, whose definition has changed: it runs when that would have, or sooner where that is long
    /// to wait for who has just edited it.
    pub(super) fn replace(&mut self, old: Id, new: Id, every: Duration, now: Instant, mut random: impl FnMut() -> f64) {
        let before = self.entries.get(&old).filter(|entry| entry.every == every).map(|entry| (entry.due, entry.place));
        self.remove(old);
        let Some((due, place)) = before else { return self.add(new, every, now, random) };
        let due = if every > SOON { due.min(now + SOON.mul_f64(random())) } else { due };
        self.entries.insert(new, Entry { every, due, place, is_running: false });
        self.queue.insert((due, new));
    }

    /// Forgets a check; a run of it may go on.
    pub(super) fn remove(&mut self, id: Id) {
        if let Some(entry) = self.entries.remove(&id) {
            self.queue.remove(&(entry.due, id));
        }
    }

    /// When the next run of that check is due.
    pub(super) fn due(&self, id: Id) -> Option<Instant> {
        self.entries.get(&id).map(|entry| entry.due)
    }

    /// When the next run is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(due, _)| *due)
    }

    /// The next run that is due by now.
    pub(super) fn take(&mut self, now: Instant, mut random: impl FnMut() -> f64) -> Option<Due> {
        let (due, id) = *self.queue.first().filter(|(due, _)| *due <= now)?;
        self.queue.remove(&(due, id));
        let entry = self.entries.get_mut(&id)?;
        let is_late = now - due > STALL;
        entry.due = if is_late && !entry.is_running {
            now + entry.every.min(SOON).mul_f64(random())
        } else {
            entry.next_place(now)
        };
        self.queue.insert((entry.due, id));
        if is_late || entry.is_running {
            return Some(Due::LeftOut(id));
        }
        entry.is_running = true;
        Some(Due::Run(id, now - due))
    }

    /// The run of a check has ended.
    pub(super) fn ended(&mut self, id: Id) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.is_running = false;
        }
    }

    /// A run of it is wanted now; one that is under way is waited for.
    pub(super) fn bring_forward(&mut self, id: Id, now: Instant) {
        if let Some(entry) = self.entries.get_mut(&id).filter(|entry| !entry.is_running && entry.due > now) {
            self.queue.remove(&(entry.due, id));
            entry.due = now;
            self.queue.insert((now, id));
        }
    }
}

impl Entry {
    /// The first moment of its place that lies behind `now`, and far enough from it.
    fn next_place(&self, now: Instant) -> Instant {
        let earliest = now + self.every / 2;
        let (every, place) = (self.every.as_nanos(), self.place);
        if place > earliest {
            let whole = (place - earliest).as_nanos() / every;
            return place - times(self.every, whole);
        }
        let whole = (earliest - place).as_nanos() / every + 1;
        place + times(self.every, whole)
    }
}

fn times(every: Duration, whole: u128) -> Duration {
    every.saturating_mul(u32::try_from(whole).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn schedule(count: u64, every: Duration, start: Instant) -> Schedule {
        let mut schedule = Schedule::default();
        let mut random = fastrand::Rng::with_seed(7);
        for id in 0..count {
            schedule.add(Id(id), every, start, || random.f64());
        }
        schedule
    }

    /// What begins within that time, second by second, runs ending at once.
    fn begun(schedule: &mut Schedule, start: Instant, seconds: u64) -> Vec<Vec<Id>> {
        let mut random = fastrand::Rng::with_seed(8);
        let of_second = |second| {
            let now = start + Duration::from_secs(second);
            let mut begun = Vec::new();
            while let Some(due) = schedule.take(now, || random.f64()) {
                if let Due::Run(id, _) = due {
                    begun.push(id);
                    schedule.ended(id);
                }
            }
            begun
        };
        (0..seconds).map(of_second).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn checks_spread_over_their_interval_and_each_runs_once_in_it() {
        let start = Instant::now();
        let mut schedule = schedule(600, MINUTE, start);
        let seconds = begun(&mut schedule, start, 600);
        // After the first minutes, in which each finds its place.
        let steady = &seconds[120..];
        assert!(steady.iter().all(|begun| begun.len() <= 30), "at most three times the mean");
        let runs = steady.iter().flatten().filter(|id| id.0 == 5).count();
        assert_eq!((runs, steady.iter().flatten().count()), (8, 600 * 8));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_run_comes_soon_although_the_interval_is_long() {
        let start = Instant::now();
        let mut schedule = schedule(50, Duration::from_hours(24), start);
        assert_eq!(begun(&mut schedule, start, 61).iter().flatten().count(), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_is_followed_by_no_burst() {
        let start = Instant::now();
        let mut schedule = schedule(600, MINUTE, start);
        begun(&mut schedule, start, 120);
        let after = begun(&mut schedule, start + Duration::from_secs(1000), 120);
        let most = after.iter().map(Vec::len).max();
        assert!(most < Some(60), "{most:?} at once");
        let first: Vec<_> = after[..61].iter().flatten().collect();
        assert!((0..600).all(|id| first.contains(&&Id(id))), "and none waits for long");
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_has_not_ended_is_not_begun_again() {
        let start = Instant::now();
        let mut schedule = schedule(1, MINUTE, start);
        let later = |seconds| start + Duration::from_secs(seconds);
        let mut runs = Vec::new();
        for second in 0..300 {
            runs.extend(schedule.take(later(second), || 0.5));
        }
        assert!(matches!(runs[0], Due::Run(..)) && runs[1..].iter().all(|due| *due == Due::LeftOut(Id(0))));
        schedule.ended(Id(0));
        let next = (300..400).find_map(|second| schedule.take(later(second), || 0.5));
        assert!(matches!(next, Some(Due::Run(..))), "{next:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_wanted_now_runs_now_and_then_at_its_place() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        schedule.add(Id(1), MINUTE, start, || 0.9);
        schedule.bring_forward(Id(1), start);
        assert_eq!(schedule.take(start, || 0.9), Some(Due::Run(Id(1), Duration::ZERO)));
        assert_eq!(schedule.next(), Some(start + MINUTE.mul_f64(0.9)));
        schedule.remove(Id(1));
        assert_eq!(schedule.next(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_put_off_runs_then_and_an_interval_after_that_and_never_sooner_is_later() {
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let mut schedule = Schedule::default();
        schedule.add(Id(1), MINUTE, start, || 0.1);
        schedule.put_off(Id(1), later(40));
        assert_eq!(schedule.next(), Some(later(40)), "although its place was six seconds from the start");
        schedule.put_off(Id(1), later(20));
        assert_eq!(schedule.next(), Some(later(40)), "what is later already stays so");
        assert_eq!(schedule.take(later(39), || 0.5), None);
        assert_eq!(schedule.take(later(40), || 0.5), Some(Due::Run(Id(1), Duration::ZERO)));
        assert_eq!(
            (schedule.next(), schedule.due(Id(1)), schedule.queue.len()),
            (Some(later(100)), Some(later(100)), 1)
        );
        schedule.put_off(Id(2), later(200));
        assert_eq!(schedule.queue.len(), 1, "what is not there is not put off");
    }

    #[test]
    fn what_is_edited_keeps_its_place_and_does_not_wait_for_long() {
        let (start, mut random) = (Instant::now(), fastrand::Rng::with_seed(9));
        for (every, latest) in [(Duration::from_secs(5), None), (60 * MINUTE, Some(MINUTE))] {
            let mut schedule = schedule(1, every, start);
            let due = schedule.next().unwrap();
            let edited = start + Duration::from_secs(1);
            schedule.replace(Id(0), Id(1), every, edited, || random.f64());
            let now_due = schedule.next().unwrap();
            assert!(latest.map_or(now_due == due, |latest| now_due <= edited + latest && now_due <= due), "{every:?}");
            let first = schedule.take(now_due, || random.f64());
            assert_eq!(first, Some(Due::Run(Id(1), Duration::ZERO)), "and there is one of it");
        }
        let mut schedule = schedule(1, MINUTE, start);
        schedule.replace(Id(0), Id(1), 2 * MINUTE, start, || random.f64());
        assert!(schedule.next().unwrap() <= start + MINUTE && schedule.entries.len() == 1);
    }
}
