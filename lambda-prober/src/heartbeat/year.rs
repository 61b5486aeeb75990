//! Years of heartbeats: cuts at home, a way that is shut, a prober that pauses, and what gets lost. No outage is concluded that was
//! none, and none is missed that could be known.

use fastrand::Rng;

use super::judge::{Way, by_age, open_for};
use crate::judge::verdict::{DownCause, Verdict};

const NOON: i64 = 1_800_000_000;
const YEAR: i64 = 365 * 86_400;

/// Times in seconds of the year, each with an end.
fn times(rng: &mut Rng, number: usize, longest: i64) -> Vec<(i64, i64)> {
    let mut times: Vec<_> = (0..number)
        .map(|_| {
            let begin = rng.i64(3600..YEAR - 2 * 86_400);
            (begin, begin + rng.i64(30..longest))
        })
        .collect();
    times.sort_unstable();
    times
}

fn within(times: &[(i64, i64)], from: i64, to: i64) -> bool {
    times.iter().any(|(begin, end)| *begin <= to && from <= *end)
}

/// One year of one home; how many outages were known, and how late the latest of them was, in seconds.
fn play(seed: u64) -> (usize, i64) {
    let rng = &mut Rng::with_seed(seed);
    let (cuts, shut, pauses) = (times(rng, 150, 20_000), times(rng, 80, 5_000), times(rng, 60, 9_000));
    let (phase, run_phase) = (rng.i64(0..55), rng.i64(0..45));
    let (mut received, mut own, mut down) = (None, None, Vec::new());
    for minute in 0..YEAR / 60 {
        let sent = minute * 60 + phase + rng.i64(0..5);
        let run = minute * 60 + run_phase + rng.i64(0..15);
        let arrives = |at: i64, rng: &mut Rng| !within(&shut, at, at) && rng.u32(0..500) > 0;
        let received_at = (!within(&cuts, sent, sent) && arrives(sent, rng)).then_some(NOON + sent).or(received);
        // Whichever of the two comes first in this minute.
        let last = if sent <= run { received_at } else { received };
        if !within(&pauses, run, run) {
            let open = open_for(own, NOON + run);
            let way = if arrives(run, rng) {
                own = Some((NOON + run, open.as_secs()));
                Way::Open(open)
            } else {
                Way::Shut("lost".into())
            };
            if by_age(last, NOON + run, &way) == Verdict::Down(DownCause::Silent) {
                // A home that is back speaks within a minute, and the first of its heartbeats may be lost.
                assert!(within(&cuts, run - 130, run), "seed {seed}: down at {run}, and nothing was cut");
                down.push(run);
            }
        }
        received = received_at;
    }
    let clear = |from: i64, to: i64| !within(&shut, from, to) && !within(&pauses, from, to);
    let (mut known, mut latest) = (0, 0);
    for (begin, end) in cuts.iter().filter(|(begin, end)| end - begin > 600 && clear(begin - 400, *end)) {
        let noticed = down.iter().find(|run| (*begin..=*end).contains(*run));
        let noticed = noticed.unwrap_or_else(|| panic!("seed {seed}: a cut from {begin} to {end} was missed"));
        known += 1;
        latest = latest.max(noticed - begin);
    }
    (known, latest)
}

#[test]
fn years_have_no_outage_that_was_none_and_miss_none() {
    let (mut known, mut latest) = (0, 0);
    for seed in 0..2 {
        let (of_it, late) = play(seed);
        known += of_it;
        latest = latest.max(late);
    }
    println!("of 2 years, each of {known} outages that could be known was, the latest after {latest} s; and no other");
    assert!(known > 200, "{known}");
    // One of the prober's own that is lost meanwhile costs three minutes more.
    assert!(latest <= 190 + 75 + 60 + 250, "the latest was noticed after {latest} s");
}
