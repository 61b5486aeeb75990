//! When something did not answer, to the precision of what was recorded.

use super::{Moment, Probe};

/// So many in a row say that something does not answer; one alone may be a lost packet.
const IN_A_ROW: usize = 2;

/// A time in which nothing answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failing {
    pub(super) began: Moment,
    /// `None` where it still does not.
    pub(super) ended: Option<Moment>,
    /// How many in a row.
    pub(super) count: usize,
}

/// The times in which `is_so` holds for at least two probes in a row, or for one where `counts` says so of its moment.
pub(super) fn failing(probes: &[Probe], is_so: impl Fn(&Probe) -> bool, counts: impl Fn(i64) -> bool) -> Vec<Failing> {
    let mut found = Vec::new();
    let mut rest = probes;
    let mut before: Option<i64> = None;
    while let Some(first) = rest.iter().position(&is_so) {
        if first > 0 {
            before = Some(rest[first - 1].at);
        }
        rest = &rest[first..];
        let count = rest.iter().position(|probe| !is_so(probe)).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(count);
        let (Some(oldest), Some(newest)) = (run.first(), run.last()) else { break };
        if count >= IN_A_ROW || run.iter().any(|probe| counts(probe.at)) {
            let began = Moment { earliest: before.unwrap_or(oldest.at), latest: oldest.at };
            let ended = behind.first().map(|next| Moment { earliest: newest.at, latest: next.at });
            found.push(Failing { began, ended, count });
        }
        rest = behind;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probes(answers: &str) -> Vec<Probe> {
        let probe = |(at, answer)| Probe { at, answered: answer == '+', loss: None, latency: None, in_test: false };
        (0..).map(|minute| minute * 60).zip(answers.chars()).map(probe).collect()
    }

    /// Between which times it began, and between which it ended.
    type Times = (i64, i64, Option<(i64, i64)>);

    fn found(answers: &str, counts: impl Fn(i64) -> bool) -> Vec<Times> {
        let all = failing(&probes(answers), |probe| !probe.answered, counts);
        let ended = |ended: Moment| (ended.earliest, ended.latest);
        all.iter().map(|it| (it.began.earliest, it.began.latest, it.ended.map(ended))).collect()
    }

    #[test]
    fn two_in_a_row_fail_and_one_only_where_it_counts() {
        assert_eq!(found("+++--++", |_| false), [(120, 180, Some((240, 300)))]);
        assert_eq!(found("++-+++", |_| false), []);
        assert_eq!(found("++-+++", |at| at == 120), [(60, 120, Some((120, 180)))]);
        assert_eq!(found("+--", |_| false), [(0, 60, None)]);
        assert_eq!(found("--+--+", |_| false), [(0, 0, Some((60, 120))), (120, 180, Some((240, 300)))]);
        assert_eq!(found("", |_| true), []);
    }
}
