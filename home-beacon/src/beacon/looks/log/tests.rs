use std::collections::HashSet;

use proptest::prelude::*;
use shared::proof::Key;

use super::*;

/// The true time when each test begins, in seconds since 1970.
const NOW: i64 = 1_800_000_000;

/// How far the clock of a Pi may be back after a power cut, in seconds.
const YEAR: i64 = 365 * 86_400;

fn look(location: &str, at: i64) -> SignedLook {
    let challenge = Challenge::new([1; 32]);
    SignedLook::new(&Key::new([0; 32]), &challenge, at, location.parse().unwrap(), None)
}

/// A challenge for each number.
fn challenge(number: u32) -> Challenge {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Challenge::new(bytes)
}

/// What the clocks show `passed` seconds after `NOW`, the wall clock being `off` by some.
fn moment(passed: i64, off: i64, synchronised: bool) -> Moment {
    Moment {
        wall: Timestamp::from_second(NOW + passed + off).unwrap(),
        uptime: Duration::from_secs(1_000 + passed.unsigned_abs()),
        synchronised,
    }
}

/// A clock, what comes one after the other (seconds passed, location, `at` relative to `NOW`), and what of it counts.
type Case<'a> = (&'a str, bool, i64, &'a [(i64, &'a str, i64, bool)]);

const CASES: &[Case] = &[
    (
        "a synchronised clock takes five minutes either way, in any order",
        true,
        0,
        &[
            (0, "a", 0, true),
            (0, "a", -300, true),
            (0, "a", -301, false),
            (0, "a", 300, true),
            (0, "a", 301, false),
            (60, "a", -240, true),
            (60, "a", 86_400, false),
            (61, "a", 61, true),
        ],
    ),
    (
        "two locations whose clocks are a minute apart both count, whatever the home's shows",
        false,
        -YEAR,
        &[(0, "a", 0, true), (1, "b", -60, true), (60, "a", 60, true), (61, "b", 0, true), (62, "a", 62, true)],
    ),
    (
        "two locations count by a synchronised clock, too",
        true,
        0,
        &[(0, "a", 30, true), (1, "b", -30, true), (60, "b", 30, true), (60, "a", 90, true)],
    ),
    (
        "without a synchronised clock what is two minutes older than its location's newest is an old one",
        false,
        0,
        &[(0, "a", 0, true), (1, "a", -120, true), (1, "a", -121, false), (1, "b", -86_400, true), (60, "a", 60, true)],
    ),
    (
        "one far ahead is no mark: those with the right time go on counting",
        false,
        0,
        &[
            (0, "a", 0, true),
            (60, "a", 86_400, true),
            (61, "a", 61, true),
            (62, "a", -59, true),
            (120, "a", -60, false),
        ],
    ),
    (
        "nor is it where it comes first",
        false,
        0,
        &[(0, "a", 86_400, true), (60, "a", 60, true), (60, "a", -60, true), (60, "a", -61, false)],
    ),
    (
        "where the home's clock is a year back everything counts, as nothing shows which is right",
        false,
        -YEAR,
        &[(0, "a", 0, true), (60, "a", 60, true), (61, "a", -6_000, true)],
    ),
    (
        "after an outage the mark goes on",
        false,
        0,
        &[(0, "a", 0, true), (7_200, "a", 7_200, true), (7_201, "a", 7_080, true), (7_202, "a", 6_000, false)],
    ),
];

#[test]
fn what_is_of_now_counts_and_what_is_old_or_far_ahead_blocks_nothing() {
    for (name, synchronised, off, comes) in CASES {
        let mut log = LookLog::new();
        for (number, (passed, location, at, counts)) in comes.iter().enumerate() {
            let counted = log.count(
                &look(location, NOW + at),
                &challenge(u32::try_from(number).unwrap()),
                &moment(*passed, *off, *synchronised),
            );
            assert_eq!(counted, *counts, "{name}: {location} at {at}, after {passed} s");
        }
    }
}

#[test]
fn a_challenge_counts_once_for_each_location() {
    let mut log = LookLog::new();
    let now = moment(0, 0, true);
    let mut counted = |location, at, number| log.count(&look(location, NOW + at), &challenge(number), &now);
    assert!(counted("a", 0, 1));
    assert!(!counted("a", 0, 1));
    assert!(!counted("a", 5, 1));
    assert!(counted("b", 0, 1));
    assert!(counted("a", 0, 2), "two runs in one second are two looks");
    let reported: Vec<_> = log.looks().map(|look| (look.location.as_str(), look.at)).collect();
    assert_eq!(reported, [("a", NOW), ("b", NOW), ("a", NOW)]);
}

#[test]
fn a_mark_of_a_clock_that_was_wrong_gives_way_once_the_clock_is_synchronised() {
    let mut log = LookLog::new();
    // Home and prober were both a day ahead.
    assert!(log.count(&look("a", NOW + 86_400), &challenge(1), &moment(0, 86_400, false)));
    assert!(!log.count(&look("a", NOW + 60), &challenge(2), &moment(60, 86_400, false)));
    assert!(log.count(&look("a", NOW + 120), &challenge(3), &moment(120, 0, true)));
    assert!(log.count(&look("a", NOW + 180), &challenge(4), &moment(180, 0, false)));
}

#[test]
fn a_mark_goes_on_by_the_boot_clock_where_the_wall_clock_was_set_back() {
    let mut log = LookLog::new();
    assert!(log.count(&look("a", NOW), &challenge(1), &moment(0, 0, false)));
    // Two hours of outage, in which something set the clock back.
    assert!(log.count(&look("a", NOW + 7_200), &challenge(2), &moment(7_200, -YEAR, false)));
    assert!(!log.count(&look("a", NOW + 7_079), &challenge(3), &moment(7_201, -YEAR, false)));
    assert!(log.count(&look("a", NOW + 20_000), &challenge(4), &moment(7_202, -YEAR, false)), "far ahead");
    assert!(log.count(&look("a", NOW + 7_260), &challenge(5), &moment(7_260, -YEAR, false)), "which blocks nothing");
}

#[test]
fn the_last_256_are_kept_and_the_marks_of_16_locations() {
    let mut log = LookLog::new();
    let (looks, marks) = (log.kept.capacity(), log.marks.capacity());
    for number in 0..2_000_u32 {
        let passed = i64::from(number);
        let location = format!("location-{}", number % 40);
        assert!(log.count(&look(&location, NOW + passed), &challenge(number), &moment(passed, 0, false)));
    }
    let kept: Vec<i64> = log.looks().map(|look| look.at - NOW).collect();
    assert_eq!(kept, (2_000 - 256..2_000).collect::<Vec<i64>>());
    let marked: HashSet<i64> = log.marks.iter().map(|mark| mark.at - NOW).collect();
    assert_eq!(marked, (2_000 - 16..2_000).collect::<HashSet<i64>>());
    assert_eq!((log.kept.capacity(), log.marks.capacity()), (looks, marks));
}

/// Something that comes: after how many seconds, from which location, with what `at` relative to the true time, with
/// which challenge.
fn any_arrival() -> impl Strategy<Value = (i64, usize, i64, u32)> {
    let at = prop_oneof![-200..200_i64, -100_000..100_000_i64, Just(i64::from(u32::MAX) - NOW - 100_000), Just(-NOW)];
    (0..600_i64, 0..20_usize, at, 0..50_u32)
}

proptest! {
    /// Whatever has come, with whatever clock: an honest prober's next look counts, and its repetition does not.
    #[test]
    fn an_honest_look_counts_after_anything(
        arrivals in proptest::collection::vec(any_arrival(), 0..300), off in -YEAR..600, synchronised: bool,
        between in 121..100_000_i64,
    ) {
        let off = if synchronised { off.clamp(-200, 200) } else { off.min(0) };
        let mut log = LookLog::new();
        let mut passed = 0;
        for (later, location, at, number) in arrivals {
            passed += later;
            let location = format!("location-{location}");
            log.count(&look(&location, NOW + passed + at), &challenge(number), &moment(passed, off, synchronised));
            prop_assert!(log.kept.len() <= MAX_LOOKS && log.marks.len() <= MAX_MARKS);
        }
        passed += between + 2 * TOLERANCE;
        let (honest, now) = (look("location-1", NOW + passed), moment(passed, off, synchronised));
        prop_assert!(log.count(&honest, &challenge(1_000), &now));
        prop_assert!(!log.count(&honest, &challenge(1_000), &now));
        prop_assert_eq!(log.looks().next_back().map(|look| look.at), Some(NOW + passed));
    }

    /// By a synchronised clock nothing is kept that is not of these ten minutes.
    #[test]
    fn a_synchronised_clock_keeps_what_is_far_out(arrivals in proptest::collection::vec(any_arrival(), 0..300)) {
        let mut log = LookLog::new();
        let mut passed = 0;
        for (number, (later, location, at, _)) in (0..).zip(arrivals) {
            passed += later;
            let look = look(&format!("location-{location}"), NOW + passed + at);
            let counted = log.count(&look, &challenge(number), &moment(passed, 0, true));
            prop_assert_eq!(counted, at.abs() <= TOLERANCE);
        }
    }
}
