//! How it really was, as far as it counts: when the home was down, when that could not be known, and which runs could do what they
//! are there for. The same for every rule.

use super::{
    rng::{MINUTE, Ms, SECOND},
    schedule::Schedule,
    spell::Spells,
    weather::{Act, Sight, Weather, YEAR},
};

/// How long a handshake with three tries takes to fail; what is shorter cannot be distinguished from a home that is up.
const THREE_TRIES: Ms = 15 * SECOND;

/// How long a probe may take where witnesses answer.
const MAX_PROBE: Ms = 16 * SECOND;

/// The longest run.
pub(crate) const RUN: Ms = 50 * SECOND;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Up,
    Down,
    /// It changed, or it is nothing that counts.
    Unsure,
}

#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) down: Spells<()>,
    /// Minutes that count for neither side.
    pub(crate) grey: Spells<()>,
    /// Maintenance, by hand or planned.
    pub(crate) maintenance: Spells<()>,
    /// When humans set the component.
    pub(crate) by_hand: Vec<Ms>,
    /// When runs began that went to their end, with a witness, the name service and a page that could be written.
    pub(crate) able: Vec<Ms>,
}

impl Truth {
    pub(crate) fn of(weather: &Weather, schedule: &Schedule) -> Self {
        let cuts = weather.cuts.iter().map(|cut| (cut.from, cut.to));
        // While the name leads to a stranger, the home cannot be reached, whatever answers.
        let moves = weather.moves.iter().map(|it| (it.at, it.known));
        let all = Spells::joined(cuts.chain(moves), 0);
        let (long, short): (Vec<_>, Vec<_>) =
            all.iter().map(|spell| (spell.from, spell.to)).partition(|(from, to)| to - from >= THREE_TRIES);
        let loss = weather.loss.iter().filter(|spell| spell.what >= 0.4).map(|spell| (spell.from, spell.to));
        let naming = weather.naming.iter().map(|spell| (spell.from, spell.to));
        let grey = Spells::joined(loss.chain(naming).chain(short), 0);
        let hands = weather.by_hand.iter().chain(weather.planned.iter()).map(|spell| (spell.from, spell.to));
        let maintenance = Spells::joined(hands, 0);
        let sets = |act: Act| matches!(act, Act::Maintain | Act::EndMaintenance | Act::SetOperational);
        let by_hand = weather.acts.iter().filter(|(_, act)| sets(*act)).map(|(at, _)| *at).collect();
        let is_able = |from: Ms| {
            let to = from + RUN;
            let blind = weather.sight.within(from, to).iter().any(|sight| sight.what != Sight::OneWitness);
            !blind && !weather.naming.touch(from, to) && !weather.page.touch(from, to) && !maintenance.touch(from, to)
        };
        let whole = schedule.starts.iter().filter(|start| start.cut_off.is_none());
        let able = whole.map(|start| start.at).filter(|at| is_able(*at)).collect();
        Self { down: Spells::joined(long, 0), grey, maintenance, by_hand, able }
    }

    pub(crate) fn state(&self, from: Ms, to: Ms) -> State {
        if self.down.cover(from, to) {
            State::Down
        } else if self.down.touch(from, to) || self.grey.touch(from, to) {
            State::Unsure
        } else {
            State::Up
        }
    }

    /// Able runs that began in `from..to`.
    pub(crate) fn able(&self, from: Ms, to: Ms) -> &[Ms] {
        let first = self.able.partition_point(|at| *at < from);
        &self.able[first..self.able.partition_point(|at| *at < to).max(first)]
    }

    /// Able runs that only saw the home down in `from..to`.
    pub(crate) fn able_within(&self, from: Ms, to: Ms) -> &[Ms] {
        self.able(from, to - MAX_PROBE)
    }

    /// By when the page should be right again after `time`: when the first able run has ended.
    pub(crate) fn right_by(&self, time: Ms) -> Ms {
        self.able(time, YEAR).first().map_or(YEAR, |at| at + RUN)
    }

    pub(crate) fn is_touched_by_hand(&self, from: Ms, to: Ms) -> bool {
        self.by_hand.iter().any(|at| (from..to).contains(at))
    }

    /// Outages that can be measured by themselves: seen by two able runs, with nothing else near them. With each, until
    /// when the page is read.
    pub(crate) fn measured(&self) -> impl Iterator<Item = (Ms, Ms, Ms)> + '_ {
        let near = 5 * MINUTE;
        self.down.iter().filter_map(move |outage| {
            let (from, to) = (outage.from, outage.to);
            let until = self.right_by(to) + near;
            let alone = self.down.within(from - near, until).len() == 1
                && !self.grey.touch(from - near, until)
                && !self.maintenance.touch(from - near, until)
                && !self.is_touched_by_hand(from - near, until);
            (alone && self.able_within(from, to).len() >= 2).then_some((from, to, until))
        })
    }
}
