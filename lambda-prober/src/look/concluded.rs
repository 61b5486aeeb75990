//! What the run before concluded of a home, and since when every run has: a signed request says so, because nobody at home
//! can know what was seen while nothing got through. Pure but for its memory; times come from the caller.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use shared::{id::ComponentId, look::LastVerdict, verdict::Verdict};

/// The longest time between two runs, in seconds, over which one still continues the other. The home does not count as
/// looked at beyond it either.
const MAX_BREAK: i64 = 5 * 60;

/// How many homes are remembered: those of several schedules of one function, each of up to 200.
const MAX_REMEMBERED: usize = 1024;

/// What a run concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concluded {
    /// Unix time of the run, in seconds.
    at: i64,
    last: LastVerdict,
}

impl Concluded {
    /// What a run at `at` concluded, after the run `before`.
    pub fn after(before: Option<Self>, verdict: Verdict, at: i64) -> Self {
        let same = before.and_then(|before| before.reported_at(at)).filter(|last| last.verdict == verdict);
        Self { at, last: LastVerdict { verdict, since: same.map_or(at, |last| last.since) } }
    }

    /// What the run at `at` reports of it: nothing beyond five minutes, nor where the clock was put back meanwhile.
    pub fn reported_at(self, at: i64) -> Option<LastVerdict> {
        (0..=MAX_BREAK).contains(&at.saturating_sub(self.at)).then_some(self.last)
    }
}

/// What the last runs of this process concluded, by component.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<HashMap<ComponentId, Concluded>>);

impl Memory {
    /// What the run at `at` reports of the one before.
    pub(crate) fn reported_at(&self, component: &ComponentId, at: i64) -> Option<LastVerdict> {
        self.lock().get(component)?.reported_at(at)
    }

    /// Notes what the run at `at` concluded, and forgets what no run will report any more; `None` for a home that was looked at
    /// from inside, of which no run from outside may say anything.
    pub(crate) fn note<'a>(&self, concluded: impl IntoIterator<Item = (&'a ComponentId, Option<Verdict>)>, at: i64) {
        let mut known = self.lock();
        known.retain(|_, before| before.reported_at(at).is_some());
        for (component, verdict) in concluded {
            let Some(verdict) = verdict else {
                known.remove(component);
                continue;
            };
            let before = known.get(component).copied();
            if before.is_some() || known.len() < MAX_REMEMBERED {
                known.insert(component.clone(), Concluded::after(before, verdict, at));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ComponentId, Concluded>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use shared::verdict::DownCause;

    use super::*;

    const DOWN: Verdict = Verdict::Down(DownCause::Refused);

    /// What the run after these reports, which begins at the last time.
    fn reported(runs: &[(i64, Verdict)], at: i64) -> Option<(Verdict, i64)> {
        let concluded = runs.iter().fold(None, |before, (at, verdict)| Some(Concluded::after(before, *verdict, *at)));
        concluded?.reported_at(at).map(|last| (last.verdict, last.since))
    }

    #[test]
    fn a_verdict_is_reported_with_the_time_since_when_it_is_the_same() {
        assert_eq!(reported(&[], 60), None);
        assert_eq!(reported(&[(60, Verdict::Up)], 120), Some((Verdict::Up, 60)));
        assert_eq!(reported(&[(60, Verdict::Up), (120, Verdict::Up)], 180), Some((Verdict::Up, 60)));
        assert_eq!(reported(&[(60, Verdict::Up), (120, DOWN), (180, DOWN)], 240), Some((DOWN, 120)));
        let other = Verdict::Down(DownCause::Unreachable);
        assert_eq!(reported(&[(60, DOWN), (120, other)], 180), Some((other, 120)), "another cause is another verdict");
        assert_eq!(reported(&[(60, DOWN), (120, Verdict::Up), (180, DOWN)], 240), Some((DOWN, 180)));
    }

    #[test]
    fn a_break_of_more_than_five_minutes_ends_what_is_reported() {
        assert_eq!(reported(&[(60, Verdict::Up)], 360), Some((Verdict::Up, 60)));
        assert_eq!(reported(&[(60, Verdict::Up)], 361), None);
        assert_eq!(reported(&[(60, Verdict::Up), (360, Verdict::Up)], 420), Some((Verdict::Up, 60)));
        assert_eq!(reported(&[(60, Verdict::Up), (361, Verdict::Up)], 420), Some((Verdict::Up, 361)));
    }

    #[test]
    fn a_clock_that_was_put_back_ends_it_too() {
        assert_eq!(reported(&[(60, Verdict::Up)], 60), Some((Verdict::Up, 60)));
        assert_eq!(reported(&[(60, Verdict::Up)], 59), None);
        assert_eq!(reported(&[(60, Verdict::Up), (30, Verdict::Up)], 90), Some((Verdict::Up, 30)));
        assert_eq!(reported(&[(i64::MAX, Verdict::Up)], i64::MIN), None);
    }

    #[test]
    fn homes_are_remembered_by_component_and_forgotten_with_time() {
        let (one, other): (ComponentId, ComponentId) =
            ("8kbf7d35c070".parse().unwrap(), "8kbf7d35c071".parse().unwrap());
        let memory = Memory::default();
        memory.note([(&one, Some(Verdict::Up))], 60);
        memory.note([(&other, Some(DOWN))], 70);
        assert_eq!(memory.reported_at(&one, 120), Some(LastVerdict { verdict: Verdict::Up, since: 60 }));
        assert_eq!(memory.reported_at(&other, 120), Some(LastVerdict { verdict: DOWN, since: 70 }));
        memory.note([(&other, Some(DOWN))], 365);
        assert_eq!(memory.lock().len(), 1);
        assert_eq!(memory.reported_at(&other, 400), Some(LastVerdict { verdict: DOWN, since: 70 }));
    }

    #[test]
    fn what_was_seen_from_inside_is_no_verdict_that_a_run_from_outside_reports() {
        let one: ComponentId = "8kbf7d35c070".parse().unwrap();
        let memory = Memory::default();
        memory.note([(&one, Some(Verdict::Up))], 60);
        memory.note([(&one, None)], 120);
        assert_eq!(memory.reported_at(&one, 180), None);
        memory.note([(&one, Some(Verdict::Up))], 180);
        assert_eq!(memory.reported_at(&one, 240), Some(LastVerdict { verdict: Verdict::Up, since: 180 }));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let memory = Memory::default();
        let ids: Vec<ComponentId> = (0..2000).map(|number| format!("c{number:011}").parse().unwrap()).collect();
        memory.note(ids.iter().map(|id| (id, Some(Verdict::Up))), 60);
        assert_eq!(memory.lock().len(), MAX_REMEMBERED);
        memory.note(ids.iter().map(|id| (id, Some(Verdict::Up))), 120);
        assert_eq!(memory.reported_at(&ids[0], 180), Some(LastVerdict { verdict: Verdict::Up, since: 60 }));
    }
}
