//! What was seen from outside: when the home was down, and when somebody looked at all.

use std::{collections::BTreeMap, ops::Range};

use shared::verdict::Verdict;

use super::{
    Moment, Observed,
    classify::LEAST,
    ranges::{length, merged, without},
};
use crate::keeper::history::{COVERED_BY_A_LOOK, Look};

/// A time in which the home was down as seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Down {
    pub(super) began: Moment,
    pub(super) ended: Option<Moment>,
    /// What was concluded last; `None` where only the page upstream says that it was down.
    pub(super) verdict: Option<Verdict>,
}

impl Down {
    pub(super) fn extent(&self, now: i64) -> Range<i64> {
        self.began.earliest..self.ended.map_or(now, |ended| ended.latest)
    }
}

/// Whether it was down as seen from outside at some moment of a time.
pub(super) fn is_down_outside(downs: &[Down], time: &Range<i64>, now: i64) -> bool {
    downs.iter().any(|down| overlap(&down.extent(now), time) > 0)
}

/// When the home was down by the looks of any place that no other place contradicts; and by the page upstream where nobody looked.
pub(super) fn downs(observed: &Observed) -> Vec<Down> {
    let mut places: BTreeMap<u32, Vec<&Look>> = BTreeMap::new();
    for look in &observed.looks {
        places.entry(look.place).or_default().push(look);
    }
    let mut found: Vec<Down> = places.keys().flat_map(|place| of_place(&places, *place)).collect();
    let looked = covered(observed);
    let unseen = observed.down_upstream.iter().filter(|down| length(&without(down, &looked)) >= LEAST);
    found.extend(unseen.map(|down| {
        let before = observed.looks.iter().map(|look| look.ended).filter(|ended| *ended <= down.start).max();
        let began = Moment { earliest: before.unwrap_or(down.start), latest: down.start };
        let ended = (down.end < observed.window.end).then_some(Moment { earliest: down.end, latest: down.end });
        Down { began, ended, verdict: None }
    }));
    together(found)
}

/// What several places saw at one time is one.
fn together(mut found: Vec<Down>) -> Vec<Down> {
    found.sort_by_key(|down| down.began.latest);
    let mut merged: Vec<Down> = Vec::new();
    for down in found {
        match merged.last_mut().filter(|last| last.ended.is_none_or(|ended| down.began.latest <= ended.earliest)) {
            Some(last) => {
                last.began.earliest = last.began.earliest.max(down.began.earliest.min(last.began.latest));
                last.ended =
                    last.ended.zip(down.ended).map(|(one, other)| if other.latest > one.latest { other } else { one });
                last.verdict = last.verdict.or(down.verdict);
            }
            None => merged.push(down),
        }
    }
    merged
}

fn of_place(places: &BTreeMap<u32, Vec<&Look>>, place: u32) -> Vec<Down> {
    let mut found: Vec<Down> = Vec::new();
    let mut last_well: Option<i64> = None;
    // The last look that saw it down, while that goes on.
    let mut last_down: Option<i64> = None;
    for look in &places[&place] {
        match look.verdict {
            Some(verdict @ Verdict::Down(_)) if is_uncontradicted(places, look) => {
                match found.last_mut() {
                    Some(down) if last_down.is_some() => down.verdict = Some(verdict),
                    _ => {
                        let began = Moment { earliest: last_well.unwrap_or(look.began), latest: look.began };
                        found.push(Down { began, ended: None, verdict: Some(verdict) });
                    }
                }
                last_down = Some(look.ended);
            }
            Some(verdict) if verdict.answers() => {
                if let (Some(down), Some(earliest)) = (found.last_mut(), last_down) {
                    down.ended = Some(Moment { earliest, latest: look.began });
                }
                (last_well, last_down) = (Some(look.ended), None);
            }
            _ => (),
        }
    }
    found
}

/// Whether no other place saw it answer for most of that time.
fn is_uncontradicted(places: &BTreeMap<u32, Vec<&Look>>, down: &Look) -> bool {
    let time = down.began..down.ended + 1;
    let others = places.iter().filter(|(place, _)| **place != down.place);
    let answered = |looks: &Vec<&Look>| -> i64 {
        let first = looks.partition_point(|look| look.ended < time.start);
        let within = looks[first..].iter().take_while(|look| look.began < time.end);
        let answers = within.filter(|look| look.verdict.is_some_and(Verdict::answers));
        answers.map(|look| overlap(&(look.began..look.ended + 1), &time)).sum()
    };
    others.map(|(_, looks)| answered(looks)).sum::<i64>() * 2 <= time.end - time.start
}

/// The times of which a look speaks.
pub(super) fn covered(observed: &Observed) -> Vec<Range<i64>> {
    let looked = observed.looks.iter().filter(|look| !matches!(look.verdict, Some(Verdict::Unknown(_))));
    merged(looked.map(|look| look.began..look.ended + COVERED_BY_A_LOOK).collect())
}

pub(super) fn overlap(one: &Range<i64>, other: &Range<i64>) -> i64 {
    (one.end.min(other.end) - one.start.max(other.start)).max(0)
}
