//! How much a run may use: the month's data budget is spread over the runs that are still to come in it.

use std::cmp::Ordering;

use jiff::{
    SignedDuration, Timestamp, ToSpan, Unit,
    civil::{Date, date},
    tz::TimeZone,
};

use crate::job::line_use::{LineUse, Test};

/// The least that says anything of a line; with less a run is left out.
const USEFUL: u64 = 5_000_000;

/// A day at which this program was already being written.
const WRITTEN: &str = "2026-11-21T00:00:00Z";

/// By how much a clock that a power cut has reset may be behind.
const RESET: SignedDuration = SignedDuration::from_hours(40 * 24);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Of one run, in bytes.
    pub(super) max_bytes: u64,
    /// Of a month, in bytes.
    pub(super) data_budget: u64,
    pub(super) runs_per_day: u32,
}

/// The least that a run of these limits makes sense with.
pub(super) fn useful(max_bytes: u64) -> u64 {
    USEFUL.min(max_bytes)
}

/// The tolerance for two runs that start at the same time. A clock that shows a time long before a reservation is behind, and
/// the reservation does not count.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(1);

/// How many bytes a run that begins `now` may use, with what is remembered of those before it.
///
/// # Errors
/// Why it is left out, in words.
pub(super) fn allowance(line_use: &LineUse, now: Timestamp, limits: &Limits) -> Result<u64, String> {
    if let Some(test) = line_use.test.filter(|test| test.from <= now + MAX_CLOCK_SKEW && now < test.until) {
        return Err(format!("left out: another test has the line until {:.0}", test.until));
    }
    let (month, used) = so_far(line_use, now);
    let left = limits.data_budget.saturating_sub(used);
    let runs = runs_to_come(now, limits.runs_per_day);
    let share = left / runs;
    let allowance = share.min(limits.max_bytes);
    if allowance >= useful(limits.max_bytes) {
        return Ok(allowance);
    }
    Err(format!(
        "left out: {} of the {} for {month} (UTC) are used, which leaves {} for each of the {runs} runs still to come, and \
         one needs {}; DATA_BUDGET and RUNS_PER_DAY set that",
        amount(used),
        amount(limits.data_budget),
        amount(share),
        amount(useful(limits.max_bytes)),
    ))
}

/// What is remembered while a run is under way that may use `bytes` and ends at `until` at the latest. Where the clock
/// says an earlier month than the one stored (a Pi has no battery for its clock), what is used counts in that one.
pub(super) fn reserve(line_use: &LineUse, bytes: u64, now: Timestamp, until: Timestamp) -> LineUse {
    let test = Some(Test { from: now, until });
    let (month, used) = so_far(line_use, now);
    LineUse { month, used: used.saturating_add(bytes), test, budget: line_use.budget }
}

/// What is remembered after it: the real figures in the place of those reserved.
pub(super) fn settle(reserved: &LineUse, bytes: u64, used: u64, now: Timestamp) -> LineUse {
    let test = reserved.test.map(|test| Test { until: now.min(test.until).max(test.from), ..test });
    LineUse { used: reserved.used.saturating_sub(bytes).saturating_add(used), test, ..reserved.clone() }
}

/// The month that counts, and what is used of it.
fn so_far(line_use: &LineUse, now: Timestamp) -> (String, u64) {
    let this = month(now);
    match line_use.month.cmp(&this) {
        Ordering::Less => (this, 0),
        Ordering::Greater if is_behind(line_use, now) => (line_use.month.clone(), line_use.used),
        // A later month was written by a clock that was ahead. What was used then was used, but must not count for ever.
        Ordering::Equal | Ordering::Greater => (this, line_use.used),
    }
}

/// Whether it is the clock that is wrong where it says an earlier month than what is remembered: it is older than this
/// program, or was reset by a power cut to a time not long ago.
pub(super) fn is_behind(line_use: &LineUse, now: Timestamp) -> bool {
    let lately = line_use.test.is_some_and(|test| test.from.duration_since(now) < RESET);
    line_use.month > month(now) && (lately || WRITTEN.parse().is_ok_and(|written: Timestamp| now < written))
}

/// The month in UTC, like `2026-11`.
fn month(now: Timestamp) -> String {
    now.to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string()
}

/// The runs until the end of the month in UTC, the one that begins now included.
fn runs_to_come(now: Timestamp, runs_per_day: u32) -> u64 {
    let today: Date = now.to_zoned(TimeZone::UTC).date();
    let first = date(today.year(), today.month(), 1);
    let end = first.checked_add(1.month()).and_then(|next| next.to_zoned(TimeZone::UTC)).map(|next| next.timestamp());
    let seconds = end.ok().and_then(|end| now.until((Unit::Second, end)).ok()).map_or(0, |left| left.get_seconds());
    let seconds = u64::try_from(seconds).unwrap_or(0);
    (seconds * u64::from(runs_per_day)).div_ceil(24 * 60 * 60).max(1)
}

/// A number of bytes in MB or GB (decimal).
pub(super) fn amount(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "it is rounded anyway")]
    let mb = bytes as f64 / 1e6;
    if mb >= 999.95 { format!("{:.1} GB", mb / 1e3) } else { format!("{mb:.1} MB") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_bytes: 500_000_000, data_budget: 60_000_000_000, runs_per_day: 8 };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn used(month: &str, used: u64) -> LineUse {
        LineUse { month: month.into(), used, ..LineUse::default() }
    }

    #[test]
    fn the_runs_still_to_come_include_this_one_and_end_with_the_month_in_utc() {
        for (now, per_day, runs) in [
            ("2026-11-01T00:00:00Z", 8, 240),
            ("2026-11-01T03:00:00Z", 8, 239),
            ("2026-11-01T03:00:01Z", 8, 239),
            ("2026-02-01T00:00:00Z", 8, 224),
            ("2028-02-01T00:00:00Z", 8, 232),
            ("2026-12-31T21:00:00Z", 8, 1),
            ("2026-12-31T23:59:59Z", 8, 1),
            ("2026-12-31T23:59:59Z", 1, 1),
            ("2026-11-30T00:00:00Z", 96, 96),
        ] {
            assert_eq!(runs_to_come(at(now), per_day), runs, "{now}");
        }
    }

    #[test]
    fn a_run_may_use_its_share_of_what_is_left() {
        for (what, line_use, now, expected) in [
            ("the first run ever", LineUse::default(), "2026-11-01T00:00:00Z", 250_000_000),
            ("nothing used yet", used("2026-11", 0), "2026-11-01T00:00:00Z", 250_000_000),
            ("half used by the middle", used("2026-11", 30_000_000_000), "2026-11-16T00:00:00Z", 250_000_000),
            ("much left at the end", used("2026-11", 50_000_000_000), "2026-11-30T21:00:00Z", 500_000_000),
            ("last month's use", used("2026-10", 60_000_000_000), "2026-11-01T00:00:00Z", 250_000_000),
            ("last year's use", used("2025-12", 60_000_000_000), "2026-11-01T00:00:00Z", 250_000_000),
            ("a clock that is behind", used("2026-11", 59_000_000_000), "1970-01-31T21:00:00Z", 500_000_000),
            ("just enough", used("2026-11", 59_995_000_000), "2026-11-30T21:00:00Z", 5_000_000),
        ] {
            assert_eq!(allowance(&line_use, at(now), &LIMITS), Ok(expected), "{what}");
        }
    }

    #[test]
    fn a_month_that_a_wrong_clock_wrote_counts_once_and_then_no_more() {
        let now = at("2026-12-05T00:00:00Z");
        let ahead = used("2099-01", 1_000_000_000);
        let next = reserve(&ahead, 5, now, now);
        assert_eq!((next.month.as_str(), next.used), ("2026-12", 1_000_000_005));
        // One that a power cut reset to last month is behind.
        let test = Some(Test { from: at("2026-12-04T23:00:00Z"), until: at("2026-12-04T23:01:00Z") });
        let next = reserve(&LineUse { test, ..used("2026-12", 7) }, 5, at("2026-11-29T00:00:00Z"), now);
        assert_eq!((next.month.as_str(), next.used), ("2026-12", 12));
    }

    #[test]
    fn a_run_with_too_small_a_share_is_left_out_and_says_why() {
        for (what, line_use, now, limits) in [
            ("all used", used("2026-11", 60_000_000_000), "2026-11-30T21:00:00Z", LIMITS),
            ("more than all used", used("2026-11", u64::MAX), "2026-11-30T21:00:00Z", LIMITS),
            ("almost all used", used("2026-11", 59_000_000_000), "2026-11-05T00:00:00Z", LIMITS),
            ("all used, and the clock behind", used("2026-11", 60_000_000_000), "1970-01-01T00:00:00Z", LIMITS),
            ("a tiny budget", LineUse::default(), "2026-11-01T00:00:00Z", Limits { data_budget: 1_000_000, ..LIMITS }),
        ] {
            let why = allowance(&line_use, at(now), &limits).unwrap_err();
            assert!(why.contains("DATA_BUDGET"), "{what}: {why}");
        }
        let why = allowance(&used("2026-11", 59_999_000_000), at("2026-11-30T12:00:00Z"), &LIMITS).unwrap_err();
        assert_eq!(
            why,
            "left out: 60.0 GB of the 60.0 GB for 2026-11 (UTC) are used, which leaves 0.2 MB for each of the 4 runs still \
             to come, and one needs 5.0 MB; DATA_BUDGET and RUNS_PER_DAY set that"
        );
    }

    #[test]
    fn a_run_that_is_allowed_little_by_its_own_limit_is_not_left_out() {
        let limits = Limits { max_bytes: 1_000_000, ..LIMITS };
        assert_eq!(allowance(&LineUse::default(), at("2026-11-01T00:00:00Z"), &limits), Ok(1_000_000));
    }

    #[test]
    fn two_tests_never_share_the_line() {
        let (from, until) = (at("2026-11-21T04:30:00Z"), at("2026-11-21T04:30:40Z"));
        let line_use = reserve(&LineUse::default(), 7, from, until);
        for (now, free) in
            [("04:28:59", true), ("04:29:59", false), ("04:30:00", false), ("04:30:39", false), ("04:30:40", true)]
        {
            let answer = allowance(&line_use, at(&format!("2026-11-21T{now}Z")), &LIMITS);
            assert_eq!(answer.is_ok(), free, "{now}: {answer:?}");
        }
    }

    #[test]
    fn a_reservation_counts_until_real_figures_replace_it() {
        let (now, later, latest) = (at("2026-11-21T04:30:00Z"), at("2026-11-21T04:30:12Z"), at("2026-11-21T04:30:40Z"));
        let before = used("2026-11", 1_000);
        let reserved = reserve(&before, 500, now, latest);
        assert_eq!((reserved.used, reserved.test), (1_500, Some(Test { from: now, until: latest })));
        let settled = settle(&reserved, 500, 321, later);
        assert_eq!((settled.used, settled.test), (1_321, Some(Test { from: now, until: later })));
        assert_eq!(settled.month, "2026-11");
    }

    #[test]
    fn a_new_month_begins_at_nothing_and_a_clock_that_is_behind_begins_none() {
        let (now, until) = (at("2026-12-01T00:00:00Z"), at("2026-12-01T00:00:40Z"));
        let reserved = reserve(&used("2026-11", 1_000), 500, now, until);
        assert_eq!((reserved.month.as_str(), reserved.used), ("2026-12", 500));
        let behind = reserve(&used("2026-11", 1_000), 500, at("1970-01-01T00:00:09Z"), at("1970-01-01T00:00:49Z"));
        assert_eq!((behind.month.as_str(), behind.used), ("2026-11", 1_500));
    }
}
