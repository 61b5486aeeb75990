//! Where on the way to the world it ended, while hosts far away did not answer.

use std::ops::Range;

use shared::verdict::Verdict;

use super::{
    Kind, Moment, Observed, Probe, Role,
    classify::MINUTE,
    failing::{Failing, failing},
    outside::Down,
};
use crate::keeper::history::Look;

/// Runs of the same minute.
const SAME_RUN: i64 = 90 * 1000;

/// What answers seldom is there if it has answered within so long.
const SELDOM: i64 = 3 * MINUTE;

/// A modem finds its line again within that after its router came back.
const RESYNC: i64 = 10 * MINUTE;

/// The last to come back after a line is the way beyond it.
const BEYOND: i64 = 3 * MINUTE;

/// A time in which the way ended at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    pub(super) began: Moment,
    pub(super) ended: Option<Moment>,
    /// Whether all is measured that tells this place from others.
    pub(super) is_sure: bool,
}

/// The times in which hosts far away did not answer, each by where the way ended.
pub(super) fn pieces(observed: &Observed, downs: &[Down]) -> Vec<Piece> {
    let world = observed.probes.get(&Role::World).map_or(&[][..], Vec::as_slice);
    let now = observed.window.end;
    // Within an outage that was seen from outside, one measurement alone counts where no other says that the world was there.
    let counts = |at: i64| {
        let seen = downs.iter().find(|down| down.extent(now).contains(&at));
        seen.is_some_and(|down| {
            let time = down.began.latest..down.ended.map_or(now, |ended| ended.earliest);
            observed.answered(Role::World, &time).0 == 0
        })
    };
    let is_seen = |at: i64| {
        let near = |look: &&Look| look.began <= at + SAME_RUN && at <= look.ended + SAME_RUN;
        observed.looks.iter().filter(near).any(|look| look.verdict.is_some_and(Verdict::answers))
    };
    let is_there = |at: i64| {
        // A router may answer for name servers from what it remembers.
        let reaches = nearest(observed, Role::FirstHop, at) != Some(false);
        reaches && nearest(observed, Role::OtherNames, at) == Some(true) && is_seen(at)
    };
    // What a bandwidth test crowds out is no world that is gone; nor are hosts that are silent while others answer and are answered.
    let is_gone = |probe: &Probe| !probe.answered && !is_there(probe.at) && (!probe.in_test || counts(probe.at));
    let runs = failing(world, is_gone, counts);
    let there = [Role::Router, Role::FirstHop].map(|role| trust(observed, role, &runs));
    runs.iter().flat_map(|run| of_run(observed, run, there)).collect()
}

/// How often a role answers while nothing is the matter. What it answers always counts, and its silence where it mostly answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// Some routers never answer a ping.
    Never,
    /// Others limit them, as many a provider's first hop does.
    Seldom,
    Mostly,
}

fn trust(observed: &Observed, role: Role, runs: &[Failing]) -> Trust {
    if !is_usable(observed, role) {
        return Trust::Never;
    }
    let (mut answered, mut asked) = observed.answered(role, &(i64::MIN..i64::MAX));
    for run in runs {
        let within = observed.answered(role, &span(run, observed.window.end));
        (answered, asked) = (answered - within.0, asked - within.1);
    }
    if answered * 5 >= asked * 4 { Trust::Mostly } else { Trust::Seldom }
}

/// The time of a run without what was before and after.
fn span(run: &Failing, now: i64) -> Range<i64> {
    run.began.latest..run.ended.map_or(now, |ended| ended.earliest)
}

/// Whether a role answers now and then.
pub(super) fn is_usable(observed: &Observed, role: Role) -> bool {
    observed.probes.get(&role).is_some_and(|all| all.iter().any(|probe| probe.answered))
}

fn of_run(observed: &Observed, run: &Failing, [router, hop]: [Trust; 2]) -> Vec<Piece> {
    let time = span(run, observed.window.end);
    let failed = observed.within(Role::World, &time);
    let mut kinds: Vec<(Kind, Range<i64>)> = Vec::new();
    // Whether the router was asked in each of these runs: without a gateway there is none to ask.
    let mut is_asked = true;
    for probe in failed {
        let answered = |role, trust| match trust {
            Trust::Never => None,
            Trust::Mostly => nearest(observed, role, probe.at),
            Trust::Seldom => {
                let near = time.start.max(probe.at - SELDOM)..time.end.min(probe.at + SELDOM);
                (observed.answered(role, &near).0 > 0).then_some(true)
            }
        };
        let asked = answered(Role::Router, router);
        is_asked &= asked.is_some();
        let kind = match (asked, answered(Role::FirstHop, hop)) {
            (Some(false), _) => Kind::Router,
            (_, Some(true)) => Kind::Provider,
            _ => Kind::Line,
        };
        match kinds.last_mut() {
            Some((last, range)) if *last == kind => range.end = probe.at,
            _ => kinds.push((kind, probe.at..probe.at)),
        }
    }
    smooth(&mut kinds);
    let is_sure = |kind| match kind {
        Kind::Router => router == Trust::Mostly,
        Kind::Line => router != Trust::Never && hop == Trust::Mostly && is_asked,
        _ => hop != Trust::Never,
    };
    let mut pieces: Vec<Piece> = Vec::new();
    for (index, (kind, range)) in kinds.iter().enumerate() {
        let began = match index.checked_sub(1) {
            None => run.began,
            Some(before) => Moment { earliest: kinds[before].1.end, latest: range.start },
        };
        let ended = match kinds.get(index + 1) {
            None => run.ended,
            Some((_, next)) => Some(Moment { earliest: range.end, latest: next.start }),
        };
        pieces.push(Piece { kind: *kind, began, ended, is_sure: is_sure(*kind) });
    }
    follow(pieces)
}

/// Whether the role answered in the run of that moment.
fn nearest(observed: &Observed, role: Role, at: i64) -> Option<bool> {
    let near = observed.within(role, &(at - SAME_RUN..at + SAME_RUN));
    near.iter().min_by_key(|probe| (probe.at - at).abs()).map(|probe: &Probe| probe.answered)
}

/// One measurement that is another one than those around it is a lost packet.
fn smooth(kinds: &mut Vec<(Kind, Range<i64>)>) {
    let mut index = 1;
    while index + 1 < kinds.len() {
        let is_single = kinds[index].1.start == kinds[index].1.end;
        if is_single && kinds[index - 1].0 == kinds[index + 1].0 {
            let end = kinds[index + 1].1.end;
            kinds[index - 1].1.end = end;
            kinds.drain(index..=index + 1);
        } else {
            index += 1;
        }
    }
}

/// What only follows from the place before it belongs to that: a line that finds itself again after its router.
fn follow(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut kept: Vec<Piece> = Vec::new();
    for piece in pieces {
        let lasts = piece.ended.map(|ended| ended.earliest - piece.began.latest);
        let follows = |before: &Piece, most: i64| lasts.is_some_and(|lasts| lasts <= most) && before.ended.is_some();
        match kept.last_mut() {
            Some(before) if before.kind == Kind::Router && follows(before, RESYNC) => before.ended = piece.ended,
            Some(before) if before.kind == Kind::Line && piece.kind == Kind::Provider && follows(before, BEYOND) => {
                before.ended = piece.ended;
            }
            _ => kept.push(piece),
        }
    }
    kept
}
