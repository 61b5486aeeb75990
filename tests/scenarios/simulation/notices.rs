//! The notices of a year: planned and claimed by the product over a store of ours, to one channel that takes each. And what is
//! demanded of them.

use std::{collections::BTreeSet, time::Duration};

use lambda_prober::{
    kept::state::StateRecord,
    notices::{
        plan::{Done, HomeNow, Run as Noticing, Seen, confirmed, is_idle, plan},
        record::NoticeRecord,
    },
    run::TargetState,
};
use notify::{event::Stage, rules::Rules};
use shared::statuspage::ComponentStatus;

use super::{
    demands::{Demands, Unmet, breach, readable_time},
    page::{component_id, timestamp},
    prober::Run,
    rng::{MINUTE, Ms},
    truth::{RUN, State},
    weather::YEAR,
};

const RULES: Rules = Rules { after: Duration::from_mins(2), every: None };

/// How far the time of what happened may be from that of a notice of it: two minutes, and the runs that saw it.
const NOTICE_AFTER: Ms = 2 * MINUTE + 2 * RUN;

/// How near outages are to each other that may make one notice: three, each less than half an hour after the one before.
const FLAPPING: Ms = 90 * MINUTE;

/// How many times what was sent is noted, where other runs come between.
const CONFIRMATIONS: usize = 3;

/// The record between runs, and what came.
#[derive(Debug, Default)]
pub(crate) struct Phone {
    record: NoticeRecord,
    version: i64,
    pub(crate) got: Vec<Got>,
}

/// A notice that came.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) at: Ms,
    pub(crate) stage: Stage,
    /// The same for each that is one.
    id: (i64, i64),
}

impl Phone {
    /// As the product has it: what is known of outages that are over asks for nothing.
    pub(crate) fn is_settled(&self) -> bool {
        self.record.outages.is_empty() && self.record.open.is_empty()
    }

    /// Whether it is the successor of what was read.
    fn write(&mut self, record: NoticeRecord, read: i64) -> bool {
        let holds = self.version == read;
        if holds {
            (self.record, self.version) = (record, read + 1);
        }
        holds
    }

    /// How many notices came, and how many of them a second time.
    pub(crate) fn count(&self) -> (usize, usize) {
        let all: BTreeSet<_> = self.got.iter().map(|got| (got.stage.as_str(), got.id)).collect();
        (self.got.len(), self.got.len() - all.len())
    }

    /// The stages in their order, each notice once.
    fn in_order(&self) -> Vec<Stage> {
        let mut known = BTreeSet::new();
        self.got.iter().filter(|got| known.insert((got.stage.as_str(), got.id))).map(|got| got.stage).collect()
    }

    /// Those of a stage in `from..to`, each once.
    fn of(&self, stage: Stage, from: Ms, to: Ms) -> usize {
        let all = self.got.iter().filter(|got| got.stage == stage && (from..to).contains(&got.at));
        all.map(|got| got.id).collect::<BTreeSet<_>>().len()
    }
}

/// What a run knows of the home, for notices.
pub(crate) fn seen(state: &TargetState<'_>, record: &StateRecord, is_guessed: bool) -> Seen {
    let shown = state.component.as_ref().ok().and_then(|component| component.status);
    Seen {
        component: component_id(),
        now: HomeNow::of(state.verdict, (!is_guessed).then_some(record)),
        up_since: record.up_since,
        is_maintained: shown == Some(ComponentStatus::UnderMaintenance),
        cause: state.verdict.cause().unwrap_or_default().to_owned(),
    }
}

impl Run<'_, '_> {
    /// As the product's `Notices`: reads, claims, sends, and notes what was sent.
    pub(crate) async fn notify(&self, seen: Seen, is_maintained: bool) {
        let seen = [Seen { is_maintained: seen.is_maintained || is_maintained, ..seen }];
        let (phone, at) = (&self.prober.phone, timestamp(self.began));
        if phone.borrow().is_settled() && is_idle(&seen, RULES, at) {
            return;
        }
        let Some((stored, version)) = self.read_notices().await else { return };
        let (id, channels) = (format!("{:016x}", self.number()), ["phone".to_owned()]);
        let planned =
            plan(&stored, &seen, Noticing { id: &id, at, rules: RULES, is_quiet: false, channels: &channels });
        if planned.record == stored || !self.write_notices(planned.record, version).await {
            return;
        }
        self.pass(200).await;
        for notice in &planned.mine {
            let got = Got { at: self.prober.now(), stage: notice.stage, id: (notice.since, notice.at) };
            phone.borrow_mut().got.push(got);
        }
        self.pass(100).await;
        let settled = Done { settled: channels.to_vec(), ..Done::default() };
        let done = vec![settled; planned.mine.len()];
        for _ in 0..CONFIRMATIONS {
            let Some((stored, version)) = self.read_notices().await else { return };
            let after = confirmed(&stored, &planned.mine, &done);
            if after == stored || self.write_notices(after, version).await {
                return;
            }
        }
    }

    async fn read_notices(&self) -> Option<(NoticeRecord, i64)> {
        self.pass(60).await;
        let phone = self.prober.phone.borrow();
        (!self.is_without_state()).then(|| (phone.record.clone(), phone.version))
    }

    async fn write_notices(&self, record: NoticeRecord, version: i64) -> bool {
        self.pass(80).await;
        !self.is_without_state() && self.prober.phone.borrow_mut().write(record, version)
    }

    async fn pass(&self, time: Ms) {
        self.prober.wait_until(self.prober.now() + time).await;
    }
}

/// What is demanded of the notices of a year.
pub(crate) fn unmet(demands: &Demands<'_>) -> Vec<Unmet> {
    let Demands { weather, truth, phone, .. } = demands;
    let mut unmet = Vec::new();
    for got in phone.got.iter().filter(|got| got.stage != Stage::Ended) {
        if truth.state(got.at - NOTICE_AFTER - 10 * MINUTE, got.at) == State::Up {
            unmet.push(breach(got.at, "a notice of a home that was up"));
        }
        if truth.maintenance.cover(got.at - NOTICE_AFTER, got.at) {
            unmet.push(breach(got.at, "a notice in a maintenance"));
        }
    }
    for (from, to, _) in truth.measured() {
        let (able, end) = (truth.able_within(from, to), truth.right_by(truth.right_by(to) + 3 * MINUTE) + RUN);
        let lasted = able.first().zip(able.last()).is_some_and(|(first, last)| last - first > NOTICE_AFTER);
        // What comes and goes is one notice.
        if truth.down.within(from - FLAPPING, end + FLAPPING).len() > 2 {
            continue;
        }
        // Without its record a run knows neither since when a home is down nor what was sent.
        let faults = weather.state_faults.iter().any(|(at, _)| (from..end).contains(at));
        if weather.no_state.touch(from, end) || faults {
            continue;
        }
        if !lasted || end >= YEAR || !truth.down.within(to + MINUTE, end).is_empty() || truth.maintenance.touch(to, end)
        {
            continue;
        }
        let (began, ended) = (phone.of(Stage::Began, from, end), phone.of(Stage::Ended, from, end));
        if (began, ended) != (1, 1) {
            let to = readable_time(to);
            unmet.push(breach(from, format!("an outage until {to} has {began} begins and {ended} ends")));
        }
    }
    let stages: Vec<_> = phone.in_order();
    if stages.windows(2).any(|pair| pair[0] == pair[1]) {
        unmet.push(breach(YEAR, "two begins without an end between them"));
    }
    unmet
}
