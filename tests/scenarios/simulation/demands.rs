//! What is demanded of a year, and where it was not met: each in a sentence with its time.

use std::fmt;

use lambda_prober::{judge::verdict::Verdict, plan::OutageKind};
use shared::statuspage::ComponentStatus::{DegradedPerformance, MajorOutage, Operational};

use super::{
    figures::{overlap, published},
    notices::{self, Phone},
    page::{A_MINUTE, Opened, Page, Who},
    prober::Ran,
    rng::{DAY, HOUR, MINUTE, Ms, SECOND},
    truth::{RUN, State, Truth},
    weather::{Cut, StateFault, Weather, YEAR},
};

/// What an outage ends after, and what an incident begins after.
const RESOLVE_AFTER: Ms = 2 * MINUTE;
const INCIDENT_AFTER: Ms = 5 * MINUTE;

/// Where a demand was not met.
#[derive(Debug)]
pub(crate) struct Unmet {
    pub(crate) at: Ms,
    what: String,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", readable_time(self.at), self.what)
    }
}

pub(crate) fn breach(at: Ms, what: impl Into<String>) -> Unmet {
    Unmet { at, what: what.into() }
}

pub(crate) struct Demands<'a> {
    pub(crate) weather: &'a Weather,
    pub(crate) truth: &'a Truth,
    pub(crate) page: &'a Page<'a>,
    pub(crate) ran: &'a [Ran],
    pub(crate) phone: &'a Phone,
}

impl Demands<'_> {
    pub(crate) fn unmet(&self) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        unmet.extend(self.false_downs());
        unmet.extend(self.missed());
        unmet.extend(self.not_right());
        unmet.extend(self.wrong_lengths());
        unmet.extend(self.page.overwritten.iter().map(|at| breach(*at, "a human state was overwritten")));
        unmet.extend(self.page.reopened.iter().map(|at| breach(*at, "a resolved incident was reopened")));
        unmet.extend(self.incidents());
        unmet.extend(self.unreported());
        unmet.extend(self.unresolved());
        unmet.extend(self.wrong_kinds());
        unmet.extend(notices::unmet(self));
        if self.page.most_a_minute > A_MINUTE {
            unmet.push(breach(YEAR, format!("{} calls within a minute", self.page.most_a_minute)));
        }
        unmet
    }

    /// No run says that a home is down which was up all the time that it was probed.
    fn false_downs(&self) -> impl Iterator<Item = Unmet> {
        let downs = self.page.history.iter().filter(|said| said.status == MajorOutage);
        downs.filter_map(|said| {
            let Who::Run(began) = said.who else { return None };
            let up = self.truth.state(began, said.at) == State::Up;
            up.then(|| breach(said.at, format!("false down, by the run of {}", readable_time(began))))
        })
    }

    /// What two able runs saw was published.
    fn missed(&self) -> impl Iterator<Item = Unmet> {
        let down = published(&self.page.history);
        self.truth.down.iter().filter_map(move |outage| {
            let seen = self.truth.able_within(outage.from, outage.to).len();
            let missed = seen >= 2 && !down.touch(outage.from, self.truth.right_by(outage.to));
            missed.then(|| breach(outage.from, format!("an outage until {} was missed", readable_time(outage.to))))
        })
    }

    /// After an able run that saw what all runs beside it saw, the page is right.
    fn not_right(&self) -> impl Iterator<Item = Unmet> {
        self.truth.able.iter().filter_map(|began| {
            let (before, end) = (began - RUN, began + RUN);
            let state = self.truth.state(before, end);
            if state == State::Unsure || self.truth.is_touched_by_hand(before, end) {
                return None;
            }
            let index = self.page.history.partition_point(|said| said.at <= end);
            let says = self.page.history[index - 1].status;
            // What one of two runs at once saw through loss, or while its own line was in trouble, may be published after the other.
            let is_touched = self.weather.loss.touch(before, end) || self.weather.sight.touch(before, end);
            let slow = says == DegradedPerformance && is_touched;
            let right = if state == State::Down { says == MajorOutage } else { says == Operational || slow };
            (!right).then(|| breach(end, format!("the page says {says} although the home is {state:?}")))
        })
    }

    /// Published and true downtime differ by no more than it took until the first able run after beginning and end: where
    /// nothing was in the way that is within a minute and a run.
    fn wrong_lengths(&self) -> impl Iterator<Item = Unmet> {
        let down = published(&self.page.history);
        self.truth.measured().filter_map(move |(from, to, until)| {
            let (is, should) = (overlap(&down, from, until), to - from);
            let (late, long) = (self.truth.right_by(from) - from, self.truth.right_by(to) - to);
            let right = (should - late..=should + long).contains(&is);
            (!right).then(|| breach(from, format!("{} s of {} s were published", is / SECOND, should / SECOND)))
        })
    }

    /// Outages as the design has them, from what complete runs found: with the time of their end.
    fn outages(&self) -> Vec<(Ms, Ms)> {
        let (mut outages, mut began, mut up) = (Vec::new(), None, None);
        let mut ran = self.ran.to_vec();
        ran.sort_by_key(|ran| ran.at);
        for run in ran {
            match run.verdict {
                Verdict::Down(_) => {
                    began = began.or(Some(run.at));
                    // What a run found that could not record it, no other run knows.
                    up = up.filter(|_| !run.complete);
                }
                Verdict::Up | Verdict::Degraded(_) => {
                    let since = *up.get_or_insert(run.at);
                    if run.at - since >= RESOLVE_AFTER {
                        outages.extend(began.take().map(|began| (began, run.at)));
                    }
                }
                Verdict::Unknown(_) => (),
            }
            if began.is_none() && !run.verdict.answers() {
                up = None;
            }
        }
        outages
    }

    /// Each outage has at most one incident, and there is no other.
    fn incidents(&self) -> Vec<Unmet> {
        let outages = self.outages();
        let mut unmet = Vec::new();
        let mut seen: Option<(Ms, &Opened)> = None;
        for opened in self.page.opened.iter().filter(|opened| !opened.deleted) {
            let index = outages.partition_point(|(from, _)| *from <= opened.at);
            let outage = index.checked_sub(1).map(|index| outages[index]).filter(|(_, to)| opened.at <= to + RUN);
            let Some((from, _)) = outage else {
                unmet.push(breach(opened.at, "an incident without an outage"));
                continue;
            };
            if let Some((other, first)) = seen
                && other == from
                && !self.is_new_to_all(first, opened)
            {
                let one = readable_time(first.at);
                let (keys, ended) = ((&first.key, &opened.key), first.resolved);
                unmet.push(breach(
                    opened.at,
                    format!("a second incident of one outage, after {one} ({ended:?}, {keys:?})"),
                ));
            }
            seen = Some((from, opened));
        }
        unmet
    }

    /// Whether nothing was left that could show that the second is about the first's outage: the record was lost, or of
    /// another time, and the page did not say all the time since the first was resolved that the home is down.
    fn is_new_to_all(&self, first: &Opened, second: &Opened) -> bool {
        let Some((resolved, Who::Human)) = first.resolved else { return false };
        let (no_state, faults) = (&self.weather.no_state, &self.weather.state_faults);
        let forgotten = no_state.touch(second.at - RUN, second.at)
            || faults.iter().any(|(at, _)| (first.at..second.at).contains(at));
        forgotten && !published(&self.page.history).cover(resolved, second.at)
    }

    /// An outage that was seen for long enough has an incident: opened since it began, as the design has it. A record that
    /// could not be closed, or is of another time, may hide that a new outage began: it is taken for one that goes on,
    /// whose incident a human has resolved.
    fn unreported(&self) -> impl Iterator<Item = Unmet> {
        let outages = self.outages();
        self.truth.down.iter().filter_map(move |outage| {
            let able = self.truth.able_within(outage.from + RUN, outage.to - RUN);
            let (first, last) = (*able.first()?, *able.last()?);
            let began = outages.iter().rev().map(|(from, _)| *from).find(|from| *from <= first).unwrap_or(first);
            let began = began.min(outage.from);
            let near = began - 15 * MINUTE..last;
            let old = |(at, fault): &(Ms, StateFault)| *fault != StateFault::Lost && near.contains(at);
            let is_old = self.weather.no_state.touch(near.start, near.end) || self.weather.state_faults.iter().any(old);
            let mut opened = self.page.opened.iter().filter(|opened| !opened.deleted);
            let reported = opened.any(|opened| (began..=last + RUN).contains(&opened.at));
            let lasted = last - first >= INCIDENT_AFTER + RUN;
            let from = readable_time(outage.from);
            (lasted && !reported && !is_old)
                .then(|| breach(last + RUN, format!("an outage since {from} without an incident")))
        })
    }

    /// An incident is resolved by the first able run that finds the home up for long enough.
    fn unresolved(&self) -> impl Iterator<Item = Unmet> {
        self.page.opened.iter().filter(|opened| !opened.deleted).filter_map(|opened| {
            let mut since = None;
            for began in self.truth.able(opened.at, YEAR) {
                since = match self.truth.state(began - RUN, began + RUN) {
                    State::Up => since.or(Some(*began)),
                    State::Down | State::Unsure => None,
                };
                if since.is_some_and(|since| began - since > RESOLVE_AFTER) {
                    let end = began + RUN;
                    let late = opened.resolved.is_none_or(|(at, _)| at > end);
                    return late.then(|| breach(end, format!("an incident of {} is open", readable_time(opened.at))));
                }
            }
            None
        })
    }

    /// Where one thing alone happened, the ending names its kind.
    fn wrong_kinds(&self) -> impl Iterator<Item = Unmet> {
        self.page.opened.iter().filter_map(|opened| {
            let (end, who) = opened.resolved?;
            let [cut] = self.weather.cuts.within(opened.down_since - 10 * MINUTE, end) else { return None };
            let moved = self.weather.moves.iter().any(|it| it.known > opened.down_since - 10 * MINUTE && it.at < end);
            // A cut that no run saw begin may be reported as longer, or as shorter, than it was.
            let seen = (opened.down_since - cut.from).abs() < MINUTE + RUN;
            if who == Who::Human || moved || !seen || opened.ending.starts_with("Another") {
                return None;
            }
            let kind = match cut.what {
                Cut::Line => OutageKind::NotRestarted,
                Cut::Power => OutageKind::PowerOrReboot,
                Cut::Beacon => OutageKind::BeaconRestart,
            };
            // Where the record was lost nothing is known of before, and nothing is said.
            let right = opened.ending.ends_with(kind.sentence()) || !opened.ending.contains("The machine at home");
            // A record of days ago, and runs that were missed, leave more than this cut between the last probe and the end:
            // what is said must have happened since then.
            let since = self.weather.cuts.within(opened.down_since - 2 * DAY, end);
            let happened = since.iter().any(|cut| match cut.what {
                Cut::Line => false,
                Cut::Power => opened.ending.ends_with(OutageKind::PowerOrReboot.sentence()),
                Cut::Beacon => opened.ending.ends_with(OutageKind::BeaconRestart.sentence()),
            });
            (!right && !happened).then(|| breach(end, format!("{kind:?} is reported as {:?}", opened.ending)))
        })
    }
}

/// A time as it can be found in the printed runs.
pub(crate) fn readable_time(time: Ms) -> String {
    let (day, hour, minute) = (time / DAY, time % DAY / HOUR, time % HOUR / MINUTE);
    format!("day {day} {hour:02}:{minute:02}:{:02}.{:03}", time % MINUTE / SECOND, time % SECOND)
}
