//! From what was recorded to what it was.

use std::ops::Range;

use super::{
    Confidence, Detail, Interval, Kind, Moment, Observed, Role,
    congestion::{congested, explains, unexplained},
    failing::failing,
    outside::{Down, covered, downs, is_down_outside, overlap},
    ranges::{length, merged, without},
    reach::{self, Piece},
};
use crate::keeper::history::{COVERED_BY_A_LOOK, kinds::Silence};

/// One minute, in milliseconds.
pub(super) const MINUTE: i64 = 60_000;

/// Whoever is alive has recorded something again by then.
const RECORDED_WITHIN: i64 = 2 * MINUTE;

/// What follows from something else is over soon after it: a router and a modem take so long to come back after a power cut.
const RETURN: i64 = 10 * MINUTE;

/// How far looks, which come once a minute and are confirmed once, may be from what happened at home.
const SLACK: i64 = 3 * MINUTE;

/// What was measured as near to a look is of its time.
const NEAR: i64 = 45 * 1000;

/// What is shorter is the edge of something else.
pub(super) const LEAST: i64 = 2 * MINUTE;

/// What happened in the window, the oldest first.
pub fn classify(observed: &Observed) -> Vec<Interval> {
    let now = observed.window.end;
    let downs = downs(observed);
    let mut pieces = reach::pieces(observed, &downs);
    let mut found: Vec<Interval> = powers(observed, &downs, &mut pieces);
    found.extend(pieces.into_iter().map(|piece| of_reach(observed, &downs, piece)));
    found.extend(names(observed, &taken(&found, now)));
    let congested = congested(observed, &downs);
    found.extend(seen_alone(observed, &downs, &taken(&found, now), &congested));
    found.extend(not_looked(observed, &taken(&found, now)));
    let explained = taken(&found, now);
    found.extend(unexplained(congested, &explained, now));
    found.sort_by_key(|interval| (interval.began.latest, interval.kind));
    found
}

/// The times that are explained, and a little around them.
fn taken(found: &[Interval], now: i64) -> Vec<Range<i64>> {
    let around = |interval: &Interval| {
        let Range { start, end } = interval.extent(now);
        start - SLACK..end + SLACK
    };
    merged(found.iter().filter(|interval| interval.kind != Kind::Names).map(around).collect())
}

/// The times in which the host was off. What had not failed before, and came back soon after, followed from that.
fn powers(observed: &Observed, downs: &[Down], pieces: &mut Vec<Piece>) -> Vec<Interval> {
    let now = observed.window.end;
    let off = observed.silences.iter().filter(|silence| silence.host_started);
    let power = |silence: &Silence| {
        let seen = downs.iter().map(|down| down.began.latest);
        let seen = seen.filter(|at| (silence.began..silence.ended).contains(at)).min();
        let by = seen.unwrap_or(i64::MAX).min(silence.began + RECORDED_WITHIN).min(silence.ended);
        // It was still off at the last look that saw it down.
        let time = silence.began..silence.ended;
        let down = downs.iter().filter(|down| overlap(&down.extent(now), &time) > 0);
        let down = down.map(|down| down.ended.map_or(now, |ended| ended.earliest).min(silence.ended - MINUTE));
        let mut ended = Moment { earliest: down.fold(by, i64::max), latest: silence.ended };
        pieces.retain_mut(|piece| {
            let follows = (silence.began..silence.ended + SLACK).contains(&piece.began.latest);
            if !follows {
                return true;
            }
            match piece.ended {
                Some(end) if end.earliest <= silence.ended + RETURN => {
                    ended = Moment { earliest: end.earliest.max(ended.earliest), latest: end.latest.max(ended.latest) };
                    false
                }
                // It has not come back with the power: that is something of its own.
                _ => {
                    piece.began = Moment { earliest: silence.began, latest: piece.began.latest };
                    true
                }
            }
        });
        let is_seen = is_down_outside(downs, &time, now);
        let mut evidence =
            vec!["nothing was recorded at home".to_owned(), "the host was started in that time".to_owned()];
        if is_seen {
            evidence.push("down as seen from outside".into());
        }
        Interval {
            kind: Kind::Power,
            began: Moment { earliest: silence.began, latest: by },
            ended: Some(ended),
            confidence: if is_seen { Confidence::High } else { Confidence::Medium },
            evidence,
            detail: None,
        }
    };
    off.map(power).collect()
}

fn of_reach(observed: &Observed, downs: &[Down], piece: Piece) -> Interval {
    let time = piece.began.earliest..piece.ended.map_or(observed.window.end, |ended| ended.latest);
    let is_seen = is_down_outside(downs, &time, observed.window.end);
    let mut evidence = Vec::new();
    for (role, what) in
        [(Role::Router, "the router"), (Role::FirstHop, "the provider's first hop"), (Role::World, "hosts far away")]
    {
        // The edges belong to what was before and after.
        let within = piece.began.latest..piece.ended.map_or(observed.window.end, |ended| ended.earliest);
        let (answered, asked) = observed.answered(role, &within);
        if asked > 0 {
            evidence.push(format!("{what} answered {answered} of {asked} times"));
        }
    }
    if is_seen {
        evidence.push("down as seen from outside".into());
    }
    let confidence = match (piece.is_sure, is_seen) {
        (false, _) => Confidence::Low,
        (true, true) => Confidence::High,
        (true, false) => Confidence::Medium,
    };
    let Piece { kind, began, ended, .. } = piece;
    Interval { kind, began, ended, confidence, evidence, detail: None }
}

/// Name servers that did not answer while hosts did.
fn names(observed: &Observed, taken: &[Range<i64>]) -> Vec<Interval> {
    let now = observed.window.end;
    let all = observed.probes.get(&Role::HomeNames).map_or(&[][..], Vec::as_slice);
    let found = failing(all, |probe| !probe.answered, |_| false);
    let found = found.into_iter().filter_map(|it| {
        let time = it.began.latest..it.ended.map_or(now, |ended| ended.earliest + 1);
        let is_alone = length(&without(&time, taken)) * 2 > time.end - time.start;
        let (world, _) = observed.answered(Role::World, &time);
        if !is_alone || world == 0 {
            return None;
        }
        // One that never answers is not to be had from this home.
        let is_there = reach::is_usable(observed, Role::OtherNames);
        let (others, asked) = if is_there { observed.answered(Role::OtherNames, &time) } else { (0, 0) };
        let mut evidence = vec![format!("the home's name servers did not answer {} times", it.count)];
        evidence.push(format!("hosts far away answered {world} times"));
        if asked > 0 {
            evidence.push(format!("another name server answered {others} of {asked} times"));
        }
        let confidence = if asked > 0 { Confidence::High } else { Confidence::Medium };
        Some(Interval { kind: Kind::Names, began: it.began, ended: it.ended, confidence, evidence, detail: None })
    });
    found.collect()
}

/// What was seen from outside alone: the way in, the beacon, or nothing that is known here.
fn seen_alone(observed: &Observed, downs: &[Down], taken: &[Range<i64>], congested: &[Interval]) -> Vec<Interval> {
    let now = observed.window.end;
    let mut found = Vec::new();
    for down in downs {
        let whole = down.extent(now);
        for part in without(&whole, taken) {
            if part.end - part.start < LEAST.min(whole.end - whole.start) || explains(congested, &part, now) {
                continue;
            }
            let began = if part.start == whole.start {
                down.began
            } else {
                Moment { earliest: part.start - SLACK, latest: part.start }
            };
            let ended = if part.end == whole.end {
                down.ended
            } else {
                Some(Moment { earliest: part.end, latest: part.end + SLACK })
            };
            found.push(of_outside(observed, down, &part, began, ended));
        }
    }
    found
}

fn of_outside(observed: &Observed, down: &Down, time: &Range<i64>, began: Moment, ended: Option<Moment>) -> Interval {
    let mut evidence = vec![match down.verdict.and_then(shared::verdict::Verdict::cause) {
        Some(cause) => format!("down as seen from outside ({cause})"),
        None => "down by the page upstream".to_owned(),
    }];
    // Without the edges, which are of before and after.
    let end = ended.map_or(observed.window.end, |ended| ended.earliest).min(time.end);
    let within = began.latest.max(time.start) - NEAR..end + NEAR;
    let (world, asked) = observed.answered(Role::World, &within);
    let (beacon, beacon_asked) = observed.answered(Role::Beacon, &within);
    let mut detail = None;
    let kind = if asked == 0 {
        evidence.push("nothing was measured at home".into());
        Kind::NotKnown
    } else if world * 2 < asked {
        evidence.push(format!("hosts far away answered {world} of {asked} times from home"));
        Kind::NotKnown
    } else if beacon_asked > 0 && beacon * 2 < beacon_asked {
        evidence.push(format!("the beacon answered {beacon} of {beacon_asked} times at home"));
        Kind::Beacon
    } else {
        evidence.push(format!("hosts far away answered {world} of {asked} times from home"));
        let around = time.start - 15 * MINUTE..time.end;
        // The newest counts: router and name may tell of one and the same.
        let changed = observed.addresses.iter().rfind(|(at, _)| around.contains(at));
        if let Some((_, is_shared)) = changed {
            detail = is_shared.then_some(Detail::BehindCgnat);
            evidence.push(if *is_shared {
                "the home's address became one that nobody can call (CGNAT)".into()
            } else {
                "the home's address changed".to_owned()
            });
        }
        Kind::Inbound
    };
    // One look alone may have been unlucky.
    let is_short = time.end - time.start < LEAST + MINUTE && ended.is_some();
    let confidence = match kind {
        _ if is_short => Confidence::Low,
        Kind::NotKnown => Confidence::Low,
        // A beacon that is down would look the same.
        Kind::Inbound if !observed.asks_beacon => Confidence::Medium,
        _ => Confidence::High,
    };
    Interval { kind, began, ended, confidence, evidence, detail }
}

/// The times in which nobody looked although the home was there.
fn not_looked(observed: &Observed, taken: &[Range<i64>]) -> Vec<Interval> {
    let (now, looked) = (observed.window.end, covered(observed));
    let mut found = Vec::new();
    let Some(first) = looked.first() else { return found };
    let silent = observed.silences.iter().map(|silence| silence.began - SLACK..silence.ended + SLACK);
    let explained = merged(silent.chain(taken.iter().cloned()).collect());
    for hole in without(&(first.start..now), &looked) {
        if length(&without(&hole, &explained)) < LEAST {
            continue;
        }
        let (world, asked) = observed.answered(Role::World, &hole);
        if asked > 0 && world * 2 < asked {
            continue;
        }
        let last = hole.start - COVERED_BY_A_LOOK;
        let read: i64 = observed.upstream_read.iter().map(|read| overlap(read, &hole)).sum();
        let is_read = read * 2 > hole.end - hole.start;
        let mut evidence = vec!["nobody looked from outside".to_owned()];
        if asked > 0 {
            evidence.push(format!("hosts far away answered {world} of {asked} times from home"));
        }
        if is_read {
            evidence.push("the page upstream had it up".into());
        }
        found.push(Interval {
            kind: Kind::ProberSilent,
            began: Moment { earliest: last, latest: last + RECORDED_WITHIN },
            ended: (hole.end < now)
                .then_some(Moment { earliest: last.max(hole.end - RECORDED_WITHIN), latest: hole.end }),
            // Where the looks come by the beacon, a way in that is lost would look the same.
            confidence: if is_read { Confidence::High } else { Confidence::Low },
            evidence,
            detail: None,
        });
    }
    found
}
