//! Whether a component is up now, and since when. Pure.

use shared::verdict::Verdict;

use super::{Segment, State};

/// How a component is at the end of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether it answers; `None` where nobody looked.
    pub is_up: Option<bool>,
    /// What is wrong with it.
    pub cause: Option<Verdict>,
    /// Since when it is up, down or not looked at, in milliseconds since 1970. What is wrong may have changed meanwhile.
    pub since: i64,
    /// Whether that is no more than the window's beginning, so that it may have been so before.
    pub is_cut: bool,
}

impl Standing {
    /// At the end of these segments; `None` of none.
    pub fn of(segments: &[Segment]) -> Option<Self> {
        let last = segments.last()?;
        let first = segments.iter().rev().take_while(|segment| is_up(segment.state) == is_up(last.state)).last()?;
        Some(Self {
            is_up: is_up(last.state),
            cause: last.verdict.filter(|verdict| *verdict != Verdict::Up),
            since: first.from,
            is_cut: first.from == segments[0].from,
        })
    }
}

const fn is_up(state: State) -> Option<bool> {
    match state {
        State::Up | State::Degraded => Some(true),
        State::Down => Some(false),
        State::Maintenance | State::NotLookedAt => None,
    }
}

#[cfg(test)]
mod tests {
    use shared::verdict::{DegradedCause, DownCause};

    use super::*;

    const REFUSED: Verdict = Verdict::Down(DownCause::Refused);
    const SLOW: Verdict = Verdict::Degraded(DegradedCause::Slow);

    /// Segments of ten milliseconds each, from 100 on.
    fn standing(states: &[(State, Option<Verdict>)]) -> Option<Standing> {
        let segment = |(index, &(state, verdict)): (i64, &(State, Option<Verdict>))| Segment {
            from: 100 + 10 * index,
            to: 110 + 10 * index,
            state,
            verdict,
        };
        Standing::of(&(0..).zip(states).map(segment).collect::<Vec<_>>())
    }

    #[test]
    fn it_is_so_since_it_was_last_otherwise_whatever_the_cause() {
        let (up, down) = ((State::Up, Some(Verdict::Up)), (State::Down, Some(REFUSED)));
        let degraded = (State::Degraded, Some(SLOW));
        let name = (State::Down, Some(Verdict::Down(DownCause::Name)));
        for (states, is_up, cause, since, is_cut) in [
            (&[up][..], Some(true), None, 100, true),
            (&[up, degraded], Some(true), Some(SLOW), 100, true),
            (&[down, degraded, up], Some(true), None, 110, false),
            (&[up, name, down], Some(false), Some(REFUSED), 110, false),
            (&[down, (State::NotLookedAt, None)], None, None, 110, false),
            (&[(State::NotLookedAt, None), down], Some(false), Some(REFUSED), 110, false),
        ] {
            assert_eq!(standing(states), Some(Standing { is_up, cause, since, is_cut }), "{states:?}");
        }
        assert_eq!(standing(&[]), None);
    }
}
