//! When runs begin: one a minute, of which some are missed, late, doubled or cut off.

use super::{
    rng::{HOUR, MINUTE, Ms, SECOND, SeededRng},
    spell::{Spell, Spells},
    weather::{Weather, YEAR},
};

/// How long before and after something a run may have to do with it.
const BEFORE: Ms = 3 * MINUTE;
const AFTER: Ms = 3 * MINUTE;

/// A run and its neighbours.
const BESIDE: Ms = 61 * SECOND;

/// An EventBridge rule begins its runs at one second of the minute, as those of the year before show.
pub(crate) const BY_RULE: Ms = 300;

/// EventBridge Scheduler promises the minute and not the second: two runs are from nearly none to nearly two minutes apart.
pub(crate) const BY_SCHEDULER: Ms = MINUTE;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) at: Ms,
    /// When it is stopped, whatever it does: the machine fails, or is taken away.
    pub(crate) cut_off: Option<Ms>,
    /// Which of its calls fails although all is well.
    pub(crate) hiccup: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Schedule {
    pub(crate) starts: Vec<Start>,
    /// When something is, or was, or is going to be amiss; at other times one run is like the one before.
    busy: Spells<()>,
    pub(crate) missed: usize,
    pub(crate) late: usize,
    pub(crate) doubled: usize,
    pub(crate) cut_off: usize,
}

impl Schedule {
    /// `spread`: within how long of its minute a run begins.
    pub(crate) fn of(seed: u64, weather: &Weather, spread: Ms) -> Self {
        let mut rng = SeededRng::of(seed, 1_000);
        let silent = (0..12).map(|_| {
            let from = rng.between(0, YEAR);
            Spell { from, to: from + rng.length(2 * MINUTE, 2 * HOUR), what: () }
        });
        let silent = Spells::new(silent.collect());
        let offset = rng.between(0, MINUTE);
        let (mut starts, mut odd) = (Vec::new(), Vec::new());
        let (mut missed, mut late, mut doubled, mut cut_off) = (0, 0, 0, 0);
        for due in (0..YEAR - MINUTE).step_by(60_000).map(|minute| minute + offset) {
            if silent.at(due).is_some() || rng.chance(0.002) {
                missed += 1;
                odd.push((due - BEFORE, due + AFTER));
                continue;
            }
            let mut at = due + rng.between(0, spread);
            if rng.chance(0.004) {
                at += rng.between(SECOND, MINUTE);
                late += 1;
                odd.push((at - BESIDE, at + BESIDE));
            }
            let stopped = rng.chance(0.002).then(|| at + rng.between(0, 50 * SECOND));
            if stopped.is_some() {
                cut_off += 1;
                odd.push((at - BESIDE, at + BESIDE));
            }
            let hiccup = rng.chance(0.003).then(|| rng.one_of(&[0, 1, 2, 3, 4, 5, 6, 7]));
            if hiccup.is_some() {
                odd.push((at - BESIDE, at + BESIDE));
            }
            starts.push(Start { at, cut_off: stopped, hiccup });
            if rng.chance(0.002) {
                let again = at + rng.between(0, 2) * rng.between(0, 50 * SECOND);
                starts.push(Start { at: again, cut_off: None, hiccup: None });
                doubled += 1;
                odd.push((at - BESIDE, again + BESIDE));
            }
        }
        starts.sort_by_key(|start| start.at);
        odd.extend(amiss(weather).map(|(from, to)| (from - BEFORE, to + AFTER)));
        Self { starts, busy: Spells::joined(odd, 0), missed, late, doubled, cut_off }
    }

    /// The index of the first start that may differ from the one before; `index` itself where it may.
    pub(crate) fn next_busy(&self, index: usize) -> usize {
        let at = self.starts[index].at;
        let until = self.busy.next(at).unwrap_or(YEAR);
        if until <= at { index } else { self.starts.partition_point(|start| start.at < until) }
    }
}

/// When something is amiss.
fn amiss(weather: &Weather) -> impl Iterator<Item = (Ms, Ms)> + '_ {
    fn times<T>(spells: &Spells<T>) -> impl Iterator<Item = (Ms, Ms)> + '_ {
        spells.iter().map(|spell| (spell.from, spell.to))
    }
    times(&weather.cuts)
        .chain(times(&weather.loss))
        .chain(weather.moves.iter().map(|it| (it.at, it.known)))
        .chain(times(&weather.naming))
        .chain(times(&weather.sight))
        .chain(times(&weather.page))
        .chain(times(&weather.no_state))
        .chain(times(&weather.by_hand))
        .chain(times(&weather.planned))
        .chain(weather.state_faults.iter().map(|(at, _)| (*at, *at + 15 * MINUTE)))
        .chain(weather.acts.iter().map(|(at, _)| (*at, *at)))
}
