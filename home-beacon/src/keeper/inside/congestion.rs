//! A line that is there and does not carry what it should.

use std::ops::Range;

use super::{
    Confidence, Detail, Interval, Kind, Observed, Probe, Role,
    classify::MINUTE,
    failing::failing,
    outside::{Down, is_down_outside},
    ranges::{length, without},
};

/// The loss, in per cent, from which a line does not carry what it should.
const LOSSY: f64 = 20.0;

/// How many slow or lossy measurements in a row are more than a moment's.
const SLOW_IN_A_ROW: usize = 3;

/// Looks that fail for longer than this do not fail because some packets are lost.
const UNLUCKY: i64 = 5 * MINUTE;

/// Whether looks that failed then are explained by a line that lost or delayed much of what it carried.
pub(super) fn explains(congested: &[Interval], time: &Range<i64>, now: i64) -> bool {
    let holds = |interval: &Interval| {
        let Range { start, end } = interval.extent(now);
        start <= time.start && time.end <= end
    };
    time.end - time.start <= UNLUCKY && congested.iter().any(holds)
}

/// Without the times that are mostly explained otherwise.
pub(super) fn unexplained(congested: Vec<Interval>, taken: &[Range<i64>], now: i64) -> impl Iterator<Item = Interval> {
    congested.into_iter().filter(move |it| {
        let time = it.began.latest..it.ended.map_or(now, |ended| ended.earliest + 1);
        length(&without(&time, taken)) * 2 > time.end - time.start
    })
}

/// Loss, or answers that take far longer than usual.
pub(super) fn congested(observed: &Observed, downs: &[Down]) -> Vec<Interval> {
    let all = observed.probes.get(&Role::World).map_or(&[][..], Vec::as_slice);
    let mut usual: Vec<f64> = all.iter().filter(|probe| !probe.in_test).filter_map(|probe| probe.latency).collect();
    usual.sort_by(f64::total_cmp);
    // Of the better ones: what was slow for hours must not be what is usual.
    let usual = usual.get(usual.len() / 4).copied().unwrap_or(f64::MAX);
    let slow = (usual * 3.0).max(usual + 100.0);
    let is_bad = |probe: &Probe| {
        !probe.answered
            || probe.loss.is_some_and(|loss| loss >= LOSSY)
            || probe.latency.is_some_and(|latency| latency > slow)
    };
    let found = failing(all, is_bad, |_| false).into_iter().filter(|it| it.count >= SLOW_IN_A_ROW);
    let found = found.filter_map(|it| {
        let time = it.began.latest..it.ended.map_or(observed.window.end, |ended| ended.earliest + 1);
        let probes = observed.within(Role::World, &time);
        if !probes.iter().any(|probe| probe.answered) {
            return None;
        }
        let in_test = probes.iter().filter(|probe| probe.in_test).count();
        let worst = probes.iter().filter_map(|probe| probe.loss).fold(0.0, f64::max);
        let longest = probes.iter().filter_map(|probe| probe.latency).fold(0.0, f64::max);
        let mut evidence =
            vec![format!("up to {worst:.0} % lost"), format!("answers took up to {longest:.0} ms, usually {usual:.0}")];
        if is_down_outside(downs, &time, observed.window.end) {
            evidence.push("down as seen from outside".into());
        }
        let detail = (in_test * 2 > probes.len()).then_some(Detail::DuringTest);
        let (kind, confidence) = (Kind::Congestion, Confidence::Medium);
        Some(Interval { kind, began: it.began, ended: it.ended, confidence, evidence, detail })
    });
    found.collect()
}
