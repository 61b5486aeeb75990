//! How long a home that was without a line for 27 days sends them afterwards, at the pace that leaves the prober its share
//! of the token's calls.

use std::collections::{BTreeMap, VecDeque};

use fastrand::Rng;
use home_beacon::{
    keeper::relay::planner::{MAX_CALLS, MAX_POINTS, RESERVED_FOR_MIRROR},
    reading::{Field, MAX_READINGS},
};
use jiff::{SignedDuration, Timestamp};
use tests::{
    clock::Hand,
    history::{BANDWIDTH, LATENCY, LOSS, bandwidth, open, ping},
};

use super::world::{WRITES, held, step, upstream, worker};

/// Without a line, with a reading each minute.
const MINUTES: i64 = 27 * 24 * 60;

#[tokio::test]
async fn twenty_seven_days_without_a_line_are_delivered_as_fast_as_the_budget_allows() {
    let _busy = WRITES.lock().await;
    let upstream = upstream().await;
    let folder = tempfile::tempdir().expect("a folder");
    // Upstream has a clock of its own, and takes nothing that is yet to come.
    let hour = Timestamp::now().as_second() / 3600 - 1;
    let (from, to) = (hour * 3600 - MINUTES * 60, hour * 3600);
    let clock = Hand::at(Timestamp::from_second(to).expect("a time"));
    let home = open(folder.path(), clock.host(), true).await;
    let mut rng = Rng::with_seed(27);
    let (mut readings, mut shown) = (Vec::new(), BTreeMap::<_, BTreeMap<i64, f64>>::new());
    for minute in 0..MINUTES {
        let at = Timestamp::from_second(from + minute * 60).expect("a time");
        let ([ping, _], [bandwidth, ..]) = (ping(&mut rng, at), bandwidth(&mut rng, at));
        for (metric, reading, field) in
            [(LATENCY, &ping, Field::Value), (LOSS, &ping, Field::Loss), (BANDWIDTH, &bandwidth, Field::Value)]
        {
            let value = reading.shown(field).expect("a value");
            shown.entry(metric).or_default().insert(at.as_second(), value);
        }
        readings.extend([ping, bandwidth]);
    }
    for batch in readings.chunks(MAX_READINGS) {
        home.recorder.add_readings(batch).await.expect("they are stored");
    }

    let points: usize = shown.values().map(BTreeMap::len).sum();
    assert_eq!(points, 3 * 38_880);
    let mut worker = worker(&home, &upstream);
    let reports = worker.reports();
    let late = clock.now() + SignedDuration::from_mins(40);
    let mut lately = VecDeque::new();
    while reports.latest().points < points as u64 {
        let (now, calls) = (clock.passed(), reports.latest().calls);
        assert!(step(&mut worker, &clock, late).await, "it is delivered in time: {:?}", reports.latest());
        lately.extend((calls..reports.latest().calls).map(|_| now));
        lately.retain(|call| call.as_secs() + 60 > now.as_secs());
        assert!(lately.len() <= MAX_CALLS, "{} calls in a minute", lately.len());
    }
    let (took, report) = (clock.passed().as_secs_f64() / 60.0, reports.latest());
    let (calls, pace) = (points.div_ceil(MAX_POINTS), MAX_CALLS - RESERVED_FOR_MIRROR);
    #[expect(clippy::cast_precision_loss, reason = "they are few")]
    let least = calls as f64 / pace as f64;
    eprintln!(
        "27 days without a line: {points} points of three metrics delivered within {took:.1} min by {} calls, the reads of the \
         page among them (the limit: {calls} calls at {pace} a minute, {least:.1} min)",
        report.calls
    );
    assert_eq!(report.failed_calls, 0, "{report:?}");
    // In its first minute it leaves room for the calls of the keeper before it.
    assert!(took < least + 1.5, "{took:.1} min");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes")]
    let reads = RESERVED_FOR_MIRROR * (took as usize + 2);
    assert!(report.calls <= (calls + reads) as u64, "{} calls", report.calls);
    for (metric, values) in shown {
        assert!(held(&upstream, metric, from, to).await == values, "upstream holds what was measured of {metric}");
    }
    home.db.close().await;
}
