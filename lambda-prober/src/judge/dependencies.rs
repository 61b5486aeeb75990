//! What is put down to the outage of something else: a service behind a line that is down says nothing of itself. Pure.

use super::verdict::{UnknownCause, Verdict};

/// The verdicts of all targets of a run, with regard to what each depends on, by its place: one that is down while that is down
/// or not known is not known itself. One that answers is as it is, and what depends on it is held against that: whatever the
/// line is, it leads there. Of one of which nothing is known already, its own cause says more.
pub fn with_dependencies(verdicts: &[Verdict], depend_on: &[Option<usize>]) -> Vec<Verdict> {
    let answers = |place: &usize| verdicts.get(*place).is_none_or(|verdict| verdict.answers());
    let concluded = |(place, verdict): (usize, &Verdict)| {
        let excused = depend_on.get(place).copied().flatten().is_some_and(|on| !answers(&on));
        match verdict {
            Verdict::Down(_) if excused => Verdict::Unknown(UnknownCause::Dependency),
            verdict => *verdict,
        }
    };
    verdicts.iter().enumerate().map(concluded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::verdict::{DegradedCause, DownCause};

    const UP: Verdict = Verdict::Up;
    const SLOW: Verdict = Verdict::Degraded(DegradedCause::Slow);
    const DOWN: Verdict = Verdict::Down(DownCause::Unreachable);
    const WRONG: Verdict = Verdict::Down(DownCause::Unexpected);
    const BLIND: Verdict = Verdict::Unknown(UnknownCause::Blind);
    const KEY: Verdict = Verdict::Unknown(UnknownCause::Key);
    const EXCUSED: Verdict = Verdict::Unknown(UnknownCause::Dependency);

    #[test]
    fn what_is_down_behind_a_line_that_is_not_up_is_not_known() {
        for (home, service, concluded) in [
            (UP, DOWN, DOWN),
            (UP, WRONG, WRONG),
            (SLOW, DOWN, DOWN),
            (DOWN, DOWN, EXCUSED),
            (DOWN, WRONG, EXCUSED),
            (BLIND, DOWN, EXCUSED),
            (DOWN, UP, UP),
            (DOWN, SLOW, SLOW),
            (DOWN, BLIND, BLIND),
            (DOWN, KEY, KEY),
        ] {
            assert_eq!(
                with_dependencies(&[home, service], &[None, Some(0)]),
                [home, concluded],
                "{home:?} {service:?}"
            );
        }
    }

    #[test]
    fn it_goes_on_along_a_chain_until_something_answers() {
        let chain = [None, Some(0), Some(1), Some(2)];
        assert_eq!(with_dependencies(&[DOWN; 4], &chain), [DOWN, EXCUSED, EXCUSED, EXCUSED]);
        // The line leads to the second one, so the third one is down by itself.
        assert_eq!(with_dependencies(&[DOWN, UP, DOWN, WRONG], &chain), [DOWN, UP, DOWN, EXCUSED]);
        let before = [Some(1), Some(2), None];
        assert_eq!(
            with_dependencies(&[DOWN; 3], &before),
            [EXCUSED, EXCUSED, DOWN],
            "in whatever order they are listed"
        );
    }

    #[test]
    fn what_depends_on_nothing_is_as_it_is() {
        assert_eq!(with_dependencies(&[DOWN, UP, BLIND], &[None, None, None]), [DOWN, UP, BLIND]);
    }
}
