//! What samples of a transfer come to: where its ramp-up ended, how fast it was from then on, and whether that is
//! settled. Ramp-up is left out and a later drop counts, as on the page of fast.com (techblog.netflix.com 2016-08); its
//! thresholds are not published, so these are ours.

use std::time::Duration;

/// How often a sample is taken.
pub(crate) const EVERY: Duration = Duration::from_millis(100);

/// The ramp-up ends where the rate first comes this near to the median of all rates.
const RISEN: f64 = 0.9;

/// At least so much of the beginning is left out, but no more than a quarter of the whole: full buffers on the way, and
/// an allowance for bursts, make the first moments faster than the line.
const BEGINNING: Duration = Duration::from_secs(1);

/// A measurement with all streams takes at least so long.
const ENOUGH: Duration = Duration::from_millis(500);

/// How near the ends of a measurement their best samples are looked for: lost packets have come again by then.
const NEAR: Duration = Duration::from_secs(1);

/// Settled: so long after the ramp-up, the average has moved by no more than this share for so long.
const LEAST: Duration = Duration::from_secs(3);
const CALM: Duration = Duration::from_secs(2);
const WITHIN: f64 = 0.02;
/// The fewest samples that a calm is found by.
const MIN_SAMPLES: usize = 5;

/// All that had come so long after the first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) at: Duration,
    pub(crate) bytes: u64,
}

/// What a transfer came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Speed {
    /// Decimal Mbit/s of payload.
    pub(crate) mbit_s: f64,
    /// What it was measured over.
    pub(crate) time: Duration,
    pub(crate) stable: bool,
}

/// The speed of a transfer with these samples, oldest first, whose last stream joined so long after its first byte;
/// `None` while there is too little.
pub(crate) fn speed(samples: &[Sample], joined: Duration) -> Option<Speed> {
    let measured = &samples[ramp_end(samples, joined)?..];
    let (begin, last) = ends(measured)?;
    let mbit_s = rate(begin, last)?;
    let whole = measured.last()?.at.saturating_sub(measured[0].at);
    let stable = whole >= LEAST && is_calm(measured, mbit_s);
    Some(Speed { mbit_s, time: last.at.saturating_sub(begin.at), stable })
}

/// Between which samples the rate is taken. Where a packet is lost, what came after it is seen only when it has come
/// again: a total may lag behind the line, but never runs ahead of it. So the rate is taken from where it lags least near
/// the beginning to where it lags least near the end.
fn ends(measured: &[Sample]) -> Option<(Sample, Sample)> {
    let (mut begin, mut last) = (*measured.first()?, *measured.last()?);
    let near = NEAR.min(last.at.saturating_sub(begin.at) / 4);
    let (until, since) = (begin.at + near, last.at.saturating_sub(near));
    // The rate says what lags, which says the rate; the second round changes little.
    for _ in 0..2 {
        let Some(rate) = rate(begin, last) else { break };
        let best = |a: &&Sample, b: &&Sample| ahead(**a, rate).total_cmp(&ahead(**b, rate));
        begin = *measured.iter().filter(|sample| sample.at <= until).max_by(best)?;
        last = *measured.iter().filter(|sample| sample.at >= since).max_by(best)?;
    }
    Some((begin, last))
}

/// How far a sample is ahead of a line of that rate, in Mbit.
#[expect(clippy::cast_precision_loss, reason = "petabytes are exact enough")]
fn ahead(sample: Sample, mbit_s: f64) -> f64 {
    sample.bytes as f64 * 8.0 / 1e6 - mbit_s * sample.at.as_secs_f64()
}

/// The rate of the last moments, for showing.
pub(crate) fn live(samples: &[Sample]) -> Option<f64> {
    let last = *samples.last()?;
    let since = samples.iter().rev().find(|sample| last.at.saturating_sub(sample.at) >= Duration::from_secs(1));
    rate(*since.or(samples.first())?, last)
}

/// The index of the first sample after the ramp-up.
fn ramp_end(samples: &[Sample], joined: Duration) -> Option<usize> {
    let (first, last) = (samples.first()?, samples.last()?);
    let whole = last.at.saturating_sub(first.at);
    let mut rates: Vec<f64> = samples.windows(2).filter_map(|pair| rate_or_zero(pair[0], pair[1])).collect();
    rates.sort_by(f64::total_cmp);
    let risen = RISEN * rates.get(rates.len() / 2)?;
    let rise = samples.windows(2).find(|pair| rate_or_zero(pair[0], pair[1]).is_some_and(|rate| rate >= risen));
    // A line that is slow for half of the time is no line that ramps up.
    let rise = rise.map_or(first.at, |pair| pair[0].at).min(first.at + whole / 2);
    // Before all streams are there, the rate is theirs and not the line's; but little is better than nothing.
    let joined = if whole >= joined + ENOUGH { joined } else { Duration::ZERO };
    let end = rise.max(first.at + BEGINNING.min(whole / 4)).max(joined);
    // The last sample cannot be the first as well.
    Some(samples[..samples.len() - 1].iter().position(|sample| sample.at >= end).unwrap_or(0))
}

/// Whether the rate since the ramp-up has hardly moved of late.
fn is_calm(measured: &[Sample], mbit_s: f64) -> bool {
    let Some(last) = measured.last() else { return false };
    let late = (2..=measured.len()).filter(|end| last.at.saturating_sub(measured[end - 1].at) <= CALM);
    let rates = late.filter_map(|end| ends(&measured[..end]).and_then(|(begin, last)| rate(begin, last)));
    let rates: Vec<f64> = rates.collect();
    let (min, max) = (rates.iter().copied().fold(f64::MAX, f64::min), rates.iter().copied().fold(0.0, f64::max));
    rates.len() >= MIN_SAMPLES && max - min <= WITHIN * mbit_s
}

/// Decimal Mbit/s; `None` where nothing came, or in no time.
pub(crate) fn rate(from: Sample, to: Sample) -> Option<f64> {
    rate_or_zero(from, to).filter(|rate| *rate > 0.0)
}

#[expect(clippy::cast_precision_loss, reason = "petabytes are exact enough")]
fn rate_or_zero(from: Sample, to: Sample) -> Option<f64> {
    let time = to.at.checked_sub(from.at).filter(|time| !time.is_zero())?;
    Some(to.bytes.saturating_sub(from.bytes) as f64 * 8.0 / 1e6 / time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples of a line with these rates in Mbit/s, each for so many samples.
    fn line(rates: &[(f64, u32)]) -> Vec<Sample> {
        let mut samples = vec![Sample { at: Duration::ZERO, bytes: 0 }];
        let (mut at, mut bytes) = (Duration::ZERO, 0.0);
        for (rate, times) in rates {
            for _ in 0..*times {
                at += EVERY;
                bytes += rate * 1e6 / 8.0 * EVERY.as_secs_f64();
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a test's")]
                samples.push(Sample { at, bytes: bytes as u64 });
            }
        }
        samples
    }

    fn measured(rates: &[(f64, u32)]) -> (f64, bool) {
        let speed = speed(&line(rates), Duration::ZERO).unwrap();
        (speed.mbit_s.round(), speed.stable)
    }

    #[test]
    fn the_ramp_is_left_out_and_a_later_drop_counts() {
        for (what, rates, expected) in [
            ("a steady line", &[(100.0, 60)][..], (100.0, true)),
            ("one that ramps up for 2 s", &[(1.0, 5), (10.0, 5), (50.0, 10), (100.0, 60)], (100.0, true)),
            ("one that begins with a burst", &[(400.0, 5), (100.0, 50)], (100.0, true)),
            ("one that drops by half after 5 s", &[(100.0, 50), (50.0, 50)], (72.0, false)),
            ("one that drops, and settles", &[(100.0, 20), (50.0, 400)], (51.0, true)),
            ("one that is slow for longer than it is fast", &[(50.0, 60), (100.0, 40)], (72.0, false)),
            ("a steady line, too short to be sure", &[(100.0, 30)], (100.0, false)),
            ("a short burst of a test", &[(20.0, 1), (100.0, 3)], (100.0, false)),
            ("a wavering line", &[(150.0, 7), (50.0, 7), (150.0, 7), (50.0, 7), (150.0, 7)], (104.0, false)),
        ] {
            let (mbit_s, stable) = measured(rates);
            assert!((mbit_s - expected.0).abs() <= 1.0 && stable == expected.1, "{what}: {mbit_s} {stable}");
        }
    }

    #[test]
    fn what_came_before_all_streams_were_there_is_left_out() {
        let growing = line(&[(8.0, 5), (16.0, 5), (40.0, 8)]);
        let mbit_s = |joined| speed(&growing, Duration::from_millis(joined)).unwrap().mbit_s;
        assert!((mbit_s(1000) - 40.0).abs() < 0.1, "{}", mbit_s(1000));
        // One that joined at the very end has changed nothing yet.
        assert!((mbit_s(1700) - mbit_s(0)).abs() < 0.1 && mbit_s(0) < 39.0, "{}", mbit_s(0));
    }

    #[test]
    fn what_is_seen_late_after_a_loss_does_not_count_twice() {
        // 10 Mbit/s; for a second around the first one nothing is seen of it, and then all at once.
        let rates = [(10.0, 9), (0.5, 5), (105.0, 1), (10.0, 45), (0.5, 3)];
        let mbit_s = speed(&line(&rates), Duration::ZERO).unwrap().mbit_s;
        assert!((mbit_s - 10.0).abs() < 0.2, "{mbit_s}");
    }

    #[test]
    fn what_came_in_steps_is_measured_too() {
        // A slow upload is seen in whole buffers: nothing, nothing, a step.
        let rates: Vec<_> = std::iter::repeat_n([(0.0, 2), (3.0, 1)], 60).flatten().collect();
        let speed = speed(&line(&rates), Duration::ZERO).unwrap();
        assert!((speed.mbit_s - 1.0).abs() < 0.02, "{speed:?}");
    }

    #[test]
    fn nothing_is_no_speed() {
        assert_eq!(speed(&[], Duration::ZERO), None);
        assert_eq!(speed(&line(&[]), Duration::ZERO), None);
        assert_eq!(speed(&line(&[(0.0, 50)]), Duration::ZERO), None);
        assert_eq!(live(&line(&[(0.0, 50)])), None);
    }

    #[test]
    fn the_live_speed_is_that_of_the_last_second() {
        let live = live(&line(&[(100.0, 30), (50.0, 10)])).unwrap();
        assert!((live - 50.0).abs() < 0.1, "{live}");
    }

    #[test]
    fn two_samples_are_enough_for_a_speed() {
        let samples = [(0, 0), (40, 5_000_000)].map(|(ms, bytes)| Sample { at: Duration::from_millis(ms), bytes });
        assert!((speed(&samples, Duration::ZERO).unwrap().mbit_s - 1000.0).abs() < 1e-6);
    }
}
