//! From looks and statuses to stretches of time in one state.

use std::ops::Range;

use shared::{statuspage::ComponentStatus, verdict::Verdict};

/// For how long a look speaks, in milliseconds: a component that nobody has looked at for longer is not looked at.
pub const COVERED_BY_A_LOOK: i64 = 5 * 60 * 1000;

/// What a component was at a time, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It worked.
    Up,
    /// It worked, but not as it should, or not as seen from everywhere.
    Degraded,
    /// It did not work.
    Down,
    /// A person worked on it.
    Maintenance,
    /// Nobody looked.
    NotLookedAt,
}

/// Consecutive looks from one place that concluded the same. Times are milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The first of them.
    pub began: i64,
    /// The last of them.
    pub ended: i64,
    /// What they concluded; `None` of one whose verdict is not known yet.
    pub verdict: Option<Verdict>,
    /// Which place, by any number.
    pub place: u32,
}

/// All that is known of a component's time.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The statuses that it took, the oldest first: when, and which.
    pub statuses: &'a [(i64, Option<ComponentStatus>)],
    /// The looks from outside, the oldest first for each place.
    pub looks: &'a [Look],
    /// Whether anybody is expected to look. Where nobody is, the status alone counts.
    pub needs_looks: bool,
}

/// A stretch of time in one state. Times are milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The beginning.
    pub from: i64,
    /// Not part of it.
    pub to: i64,
    /// What the component was.
    pub state: State,
    /// What was concluded in it by who looked, where that explains the state.
    pub verdict: Option<Verdict>,
}

impl Segment {
    /// How long it is, in milliseconds.
    pub const fn length(&self) -> i64 {
        self.to - self.from
    }
}

/// The stretches of a window, which is the past: without gaps, in order, and no two neighbours alike.
pub fn segments(record: &Record<'_>, window: Range<i64>) -> Vec<Segment> {
    if window.is_empty() {
        return Vec::new();
    }
    let covers = covers(record.looks);
    let mut bounds: Vec<i64> = covers.iter().flat_map(|cover| [cover.from, cover.to]).collect();
    bounds.extend(record.statuses.iter().map(|(since, _)| *since));
    bounds.retain(|bound| window.contains(bound));
    bounds.extend([window.start, window.end]);
    bounds.sort_unstable();
    bounds.dedup();
    let mut segments: Vec<Segment> = Vec::new();
    let (mut begun, mut open) = (covers.iter().peekable(), Vec::new());
    for pair in bounds.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        while let Some(cover) = begun.next_if(|cover| cover.from <= from) {
            open.push(cover);
        }
        open.retain(|cover| cover.to > from);
        let status = record.statuses[..record.statuses.partition_point(|(since, _)| *since <= from)].last();
        let (state, verdict) = state(status.and_then(|(_, status)| *status), &open, record.needs_looks);
        match segments.last_mut() {
            Some(last) if last.state == state && last.verdict == verdict => last.to = to,
            _ => segments.push(Segment { from, to, state, verdict }),
        }
    }
    segments
}

/// The time for which looks speak.
#[derive(Clone, Copy, Debug)]
struct Cover {
    from: i64,
    to: i64,
    verdict: Option<Verdict>,
}

/// Sorted by their beginning. A look speaks until the next one from its place; one that saw nothing ends what the one before
/// it said, and says nothing itself.
fn covers(looks: &[Look]) -> Vec<Cover> {
    let mut sorted: Vec<&Look> = looks.iter().collect();
    sorted.sort_by_key(|look| (look.place, look.began));
    let cover = |(index, look): (usize, &&Look)| {
        let next = sorted.get(index + 1).filter(|next| next.place == look.place).map_or(i64::MAX, |next| next.began);
        let to = look.ended.saturating_add(COVERED_BY_A_LOOK).min(next);
        let speaks = !matches!(look.verdict, Some(Verdict::Unknown(_)));
        (speaks && to > look.began).then_some(Cover { from: look.began, to, verdict: look.verdict })
    };
    let mut covers: Vec<Cover> = sorted.iter().enumerate().filter_map(cover).collect();
    covers.sort_by_key(|cover| cover.from);
    covers
}

/// What a component is by its status and by those who look at it at that time.
fn state(status: Option<ComponentStatus>, open: &[&Cover], needs_looks: bool) -> (State, Option<Verdict>) {
    match status {
        // A person's word, which nobody's look contradicts.
        Some(ComponentStatus::UnderMaintenance) => return (State::Maintenance, None),
        _ if !needs_looks => return (by_status(status), None),
        _ if open.is_empty() => return (State::NotLookedAt, None),
        _ => (),
    }
    let known = || open.iter().filter_map(|cover| cover.verdict);
    let best = known().min_by_key(|verdict| rank(*verdict));
    let worst = known().max_by_key(|verdict| rank(*verdict));
    match (best, worst) {
        // It answers here and not there.
        (Some(best), Some(worst)) if best.answers() && !worst.answers() => (State::Degraded, Some(worst)),
        (Some(Verdict::Up), _) => (State::Up, None),
        (Some(best @ Verdict::Degraded(_)), _) => (State::Degraded, Some(best)),
        (Some(best), _) => (State::Down, Some(best)),
        (None, _) => (by_status(status), None),
    }
}

fn by_status(status: Option<ComponentStatus>) -> State {
    match status {
        Some(ComponentStatus::Operational) => State::Up,
        Some(ComponentStatus::DegradedPerformance) => State::Degraded,
        Some(ComponentStatus::PartialOutage | ComponentStatus::MajorOutage) => State::Down,
        Some(ComponentStatus::UnderMaintenance) => State::Maintenance,
        None => State::NotLookedAt,
    }
}

/// The best first; of several ways to be down, the most specific is the best known.
fn rank(verdict: Verdict) -> (u8, usize) {
    let place = |found: Option<usize>| found.unwrap_or_default();
    match verdict {
        Verdict::Up => (0, 0),
        Verdict::Degraded(cause) => (1, place(shared::verdict::DegradedCause::ALL.iter().position(|it| *it == cause))),
        Verdict::Down(cause) => (2, place(shared::verdict::DownCause::ALL.iter().position(|it| *it == cause))),
        Verdict::Unknown(_) => (3, 0),
    }
}

#[cfg(test)]
mod tests {
    use shared::verdict::{DegradedCause, DownCause, UnknownCause};

    use super::*;

    const MINUTE: i64 = 60_000;
    const REFUSED: Verdict = Verdict::Down(DownCause::Refused);
    const SLOW: Verdict = Verdict::Degraded(DegradedCause::Slow);

    fn look(began: i64, ended: i64, verdict: Verdict) -> Look {
        Look { began: began * MINUTE, ended: ended * MINUTE, verdict: Some(verdict), place: 0 }
    }

    const OPERATIONAL: &[(i64, Option<ComponentStatus>)] = &[(0, Some(ComponentStatus::Operational))];

    /// In minutes.
    fn played(statuses: &[(i64, Option<ComponentStatus>)], looks: &[Look]) -> Vec<(i64, i64, State)> {
        let record = Record { statuses, looks, needs_looks: true };
        let segments = segments(&record, 0..60 * MINUTE);
        segments.iter().map(|it| (it.from / MINUTE, it.to / MINUTE, it.state)).collect()
    }

    #[test]
    fn a_green_status_that_nobody_looked_at_is_not_looked_at() {
        assert_eq!(played(OPERATIONAL, &[]), [(0, 60, State::NotLookedAt)]);
    }

    #[test]
    fn a_look_speaks_for_five_minutes() {
        let expected = [(0, 10, State::NotLookedAt), (10, 35, State::Up), (35, 60, State::NotLookedAt)];
        assert_eq!(played(OPERATIONAL, &[look(10, 30, Verdict::Up)]), expected);
    }

    #[test]
    fn what_was_seen_counts_and_not_what_the_page_said() {
        let looks = [look(0, 19, Verdict::Up), look(20, 29, REFUSED), look(30, 39, SLOW), look(40, 60, Verdict::Up)];
        let expected = [(0, 20, State::Up), (20, 30, State::Down), (30, 40, State::Degraded), (40, 60, State::Up)];
        assert_eq!(played(OPERATIONAL, &looks), expected);
        let record = Record { statuses: OPERATIONAL, looks: &looks, needs_looks: true };
        assert_eq!(segments(&record, 0..60 * MINUTE)[1].verdict, Some(REFUSED));
    }

    #[test]
    fn a_blind_prober_ends_what_it_said_and_says_nothing() {
        let blind = Verdict::Unknown(UnknownCause::Blind);
        let looks = [look(0, 9, Verdict::Up), look(10, 60, blind)];
        assert_eq!(played(OPERATIONAL, &looks), [(0, 10, State::Up), (10, 60, State::NotLookedAt)]);
    }

    #[test]
    fn maintenance_is_a_persons_word() {
        let statuses =
            [(0, Some(ComponentStatus::Operational)), (20 * MINUTE, Some(ComponentStatus::UnderMaintenance))];
        let looks = [look(0, 60, REFUSED)];
        assert_eq!(played(&statuses, &looks), [(0, 20, State::Down), (20, 60, State::Maintenance)]);
    }

    #[test]
    fn a_home_that_answers_one_of_two_places_is_degraded() {
        let mut other = look(20, 39, REFUSED);
        other.place = 1;
        let looks = [look(0, 60, Verdict::Up), other];
        // The other place says nothing after its last look.
        assert_eq!(played(OPERATIONAL, &looks), [(0, 20, State::Up), (20, 44, State::Degraded), (44, 60, State::Up)]);
    }

    #[test]
    fn a_look_without_a_verdict_shows_the_status() {
        let pending = Look { began: 10 * MINUTE, ended: 10 * MINUTE, verdict: None, place: 0 };
        let statuses = [(0, Some(ComponentStatus::MajorOutage))];
        let expected = [(0, 10, State::NotLookedAt), (10, 15, State::Down), (15, 60, State::NotLookedAt)];
        assert_eq!(played(&statuses, &[pending]), expected);
    }

    #[test]
    fn where_nobody_is_expected_to_look_the_status_counts() {
        let statuses = [(10 * MINUTE, Some(ComponentStatus::Operational)), (20 * MINUTE, None)];
        let record = Record { statuses: &statuses, looks: &[], needs_looks: false };
        let states: Vec<State> = segments(&record, 0..30 * MINUTE).iter().map(|it| it.state).collect();
        assert_eq!(states, [State::NotLookedAt, State::Up, State::NotLookedAt]);
    }
}
