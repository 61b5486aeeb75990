//! What a heartbeat tells of the line: whether each step on the way answers and since when, and the last outage. No address and no
//! name is in it. Pure; times are milliseconds since 1970.

use std::collections::BTreeMap;

use shared::heartbeat::{Outage, OutageKind, Reach, Seen, View};

use crate::keeper::inside::{Interval, Kind, Probe, Role};

/// What was asked longer ago says nothing of now.
const RECENT: i64 = 10 * 60 * 1000;

/// What is known of each step from one heartbeat to the next: it has answered, or not, for longer than what is read each time.
#[derive(Clone, Debug, Default)]
pub(super) struct Line(BTreeMap<Role, Known>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    answers: bool,
    since: i64,
}

/// An outage that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Over {
    kind: OutageKind,
    began: i64,
    ended: i64,
}

impl Line {
    /// What is seen now, and whether a step answers that did not, or the other way round.
    pub(super) fn view(&mut self, probes: &BTreeMap<Role, Vec<Probe>>, now: i64) -> (View, bool) {
        let mut has_changed = false;
        let mut step = |role| {
            let before = self.0.get(&role).copied();
            let known = probes.get(&role).and_then(|probes| Known::of(probes, before, now));
            has_changed |= matches!((before, known), (Some(one), Some(other)) if one.answers != other.answers);
            match known {
                Some(known) => self.0.insert(role, known),
                None => self.0.remove(&role),
            };
            known.map_or(Seen::UNKNOWN, |known| known.seen(now))
        };
        let view = View {
            router: step(Role::Router),
            provider: step(Role::FirstHop),
            world: step(Role::World),
            names: step(Role::HomeNames),
        };
        (view, has_changed)
    }
}

impl Known {
    /// `None` where it was not asked lately.
    fn of(probes: &[Probe], before: Option<Self>, now: i64) -> Option<Self> {
        let last = probes.last().filter(|last| now - last.at <= RECENT)?;
        let same = probes.iter().rev().take_while(|probe| probe.answered == last.answered);
        let (mut count, mut since) = (0, last.at);
        for probe in same {
            (count, since) = (count + 1, probe.at);
        }
        // As far as it was read it was so, and before that, too.
        let before = before.filter(|before| count == probes.len() && before.answers == last.answered);
        Some(Self { answers: last.answered, since: before.map_or(since, |before| before.since.min(since)) })
    }

    fn seen(self, now: i64) -> Seen {
        Seen { reach: if self.answers { Reach::Up } else { Reach::Down }, since: seconds(now - self.since) }
    }
}

impl Over {
    /// As it is told then.
    pub(super) fn as_of(self, now: i64) -> Outage {
        let ended = seconds(now - self.ended);
        Outage { kind: self.kind, began: seconds(now - self.began).max(ended), ended }
    }
}

/// The last of these that kept the home from the world, and is over.
pub(super) fn last_over(intervals: &[Interval]) -> Option<Over> {
    let over = intervals.iter().filter_map(|interval| {
        let (kind, ended) = (kind(interval.kind)?, interval.ended?);
        Some(Over { kind, began: interval.began.earliest, ended: ended.latest })
    });
    over.max_by_key(|over| over.ended)
}

fn kind(kind: Kind) -> Option<OutageKind> {
    Some(match kind {
        Kind::Power => OutageKind::Power,
        Kind::Router => OutageKind::Router,
        Kind::Line => OutageKind::Line,
        Kind::Provider => OutageKind::Provider,
        Kind::Names => OutageKind::Names,
        Kind::Inbound => OutageKind::Inbound,
        Kind::Beacon => OutageKind::Beacon,
        // The home was not away then, or nobody knows why.
        Kind::ProberSilent | Kind::Congestion | Kind::NotKnown => return None,
    })
}

fn seconds(millis: i64) -> u64 {
    u64::try_from(millis / 1000).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keeper::inside::{Confidence, Moment};

    const MINUTE: i64 = 60_000;

    fn asked(role: Role, answers: &[(i64, bool)]) -> BTreeMap<Role, Vec<Probe>> {
        let probe = |&(minute, answered): &(i64, bool)| Probe {
            at: minute * MINUTE,
            answered,
            loss: None,
            latency: None,
            in_test: false,
        };
        BTreeMap::from([(role, answers.iter().map(probe).collect())])
    }

    #[test]
    fn a_step_answers_or_does_not_since_its_last_change_and_what_was_not_asked_lately_is_unknown() {
        let seen = |reach, minutes: u64| Seen { reach, since: minutes * 60 };
        for (answers, now, expected) in [
            (&[(1, true), (2, false), (3, false)][..], 4, seen(Reach::Down, 2)),
            (&[(1, false), (2, false), (3, true)], 3, seen(Reach::Up, 0)),
            (&[(1, true)], 11, seen(Reach::Up, 10)),
            (&[(1, true)], 12, Seen::UNKNOWN),
            (&[], 12, Seen::UNKNOWN),
        ] {
            let (view, _) = Line::default().view(&asked(Role::World, answers), now * MINUTE);
            assert_eq!(view, View { world: expected, ..View::UNKNOWN }, "{answers:?}");
        }
        for (role, of) in [
            (Role::Router, View { router: seen(Reach::Up, 1), ..View::UNKNOWN }),
            (Role::FirstHop, View { provider: seen(Reach::Up, 1), ..View::UNKNOWN }),
            (Role::HomeNames, View { names: seen(Reach::Up, 1), ..View::UNKNOWN }),
            (Role::Beacon, View::UNKNOWN),
        ] {
            assert_eq!(Line::default().view(&asked(role, &[(1, true)]), 2 * MINUTE).0, of);
        }
    }

    #[test]
    fn how_long_is_known_beyond_what_is_read_each_time() {
        let mut line = Line::default();
        let mut since = |answers: &[(i64, bool)], now: i64| {
            let (view, has_changed) = line.view(&asked(Role::World, answers), now * MINUTE);
            (view.world.reach, view.world.since / 60, has_changed)
        };
        assert_eq!(since(&[(1, true), (2, true)], 2), (Reach::Up, 1, false));
        assert_eq!(since(&[(121, true), (122, true)], 122), (Reach::Up, 121, false));
        assert_eq!(since(&[(122, true), (123, false)], 123), (Reach::Down, 0, true));
        assert_eq!(since(&[(122, true), (123, false), (124, true)], 124), (Reach::Up, 0, true));
    }

    #[test]
    fn the_last_outage_that_is_over_is_told_from_its_earliest_begin() {
        let interval = |kind, began: i64, ended: Option<i64>| Interval {
            kind,
            began: Moment { earliest: began * MINUTE, latest: (began + 1) * MINUTE },
            ended: ended.map(|ended| Moment { earliest: (ended - 1) * MINUTE, latest: ended * MINUTE }),
            confidence: Confidence::Medium,
            evidence: Vec::new(),
            detail: None,
        };
        let all = [
            interval(Kind::Power, 10, Some(20)),
            interval(Kind::Line, 30, Some(50)),
            interval(Kind::Congestion, 60, Some(70)),
            interval(Kind::ProberSilent, 60, Some(70)),
            interval(Kind::Router, 75, None),
        ];
        let as_of = last_over(&all).map(|over| over.as_of(80 * MINUTE));
        assert_eq!(as_of, Some(Outage { kind: OutageKind::Line, began: 50 * 60, ended: 30 * 60 }));
        assert_eq!(last_over(&all[2..]), None);
        let back = Over { kind: OutageKind::Line, began: 9, ended: 9 * MINUTE }.as_of(0);
        assert_eq!((back.began, back.ended), (0, 0), "a clock that was set back");
    }
}
