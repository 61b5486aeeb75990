//! Times without others.

use std::ops::Range;

/// The same times, in order, none of them within another.
pub(super) fn merged(mut times: Vec<Range<i64>>) -> Vec<Range<i64>> {
    times.sort_by_key(|time| time.start);
    let mut merged: Vec<Range<i64>> = Vec::new();
    for time in times {
        match merged.last_mut() {
            Some(last) if time.start <= last.end => last.end = last.end.max(time.end),
            _ => merged.push(time),
        }
    }
    merged
}

/// What is left of a time without those, which are [`merged`].
pub(super) fn without(time: &Range<i64>, others: &[Range<i64>]) -> Vec<Range<i64>> {
    let mut left = Vec::new();
    let mut from = time.start;
    let first = others.partition_point(|other| other.end <= time.start);
    for other in others[first..].iter().take_while(|other| other.start < time.end) {
        if other.start > from {
            left.push(from..other.start);
        }
        from = from.max(other.end);
    }
    if from < time.end {
        left.push(from..time.end);
    }
    left
}

/// How long they are together.
pub(super) fn length(times: &[Range<i64>]) -> i64 {
    times.iter().map(|time| time.end - time.start).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_no_other_holds() {
        let times = |list: &[(i64, i64)]| -> Vec<Range<i64>> { list.iter().map(|(from, to)| *from..*to).collect() };
        for (time, others, left) in [
            (0..10, &[][..], &[(0, 10)][..]),
            (0..10, &[(2, 4)], &[(0, 2), (4, 10)]),
            (0..10, &[(3, 6), (2, 4)], &[(0, 2), (6, 10)]),
            (0..10, &[(-5, 3), (8, 20)], &[(3, 8)]),
            (0..10, &[(-5, 30)], &[]),
            (5..10, &[(0, 2), (20, 30)], &[(5, 10)]),
        ] {
            assert_eq!(without(&time, &merged(times(others))), times(left), "{time:?} {others:?}");
        }
    }
}
