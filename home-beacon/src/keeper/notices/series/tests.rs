use super::*;

const THRESHOLDS: Thresholds = Thresholds { down: Some(100.0), up: None, loss: 20.0 };

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).unwrap()
}

fn read(minute: i64) -> Read {
    Read { at: at(minute), value: Some(12.0), loss: Some(0.0), failure: None, is_skipped: false }
}

fn failed(minute: i64) -> Read {
    Read { value: None, loss: None, failure: Some("no answer.".into()), ..read(minute) }
}

fn now_of(conditions: &[Condition], key: &str) -> Option<Now> {
    conditions.iter().find(|condition| condition.key == key).map(|condition| condition.now)
}

#[test]
fn a_job_fails_by_three_in_a_row_and_works_by_one() {
    let of = |reads: &[Read]| now_of(&of_readings("dns", reads, THRESHOLDS, at(10)), "job/dns");
    assert_eq!(of(&[failed(9), failed(8), failed(7), read(6)]), Some(Now::Lasting(at(7))));
    assert_eq!(of(&[failed(9), failed(8), read(7)]), None, "it is not known yet");
    assert_eq!(of(&[read(10), failed(9), failed(8), failed(7)]), Some(Now::Well));
    let skipped = Read { is_skipped: true, ..read(10) };
    assert_eq!(of(&[skipped, failed(9), failed(8), failed(7)]), Some(Now::Lasting(at(7))));
}

#[test]
fn pings_that_fail_are_about_the_line() {
    let conditions = of_readings("ping:1.1.1.1", &[failed(9), failed(8), failed(7)], THRESHOLDS, at(10));
    assert_eq!(now_of(&conditions, "line/ping:1.1.1.1"), Some(Now::Lasting(at(7))));
    assert_eq!(conditions[0].words.title, "Pings to 1.1.1.1 from home fail");
    assert_eq!(conditions[0].words.text, "The last one: no answer.");
}

#[test]
fn a_ping_that_loses_all_does_not_end_what_is_said_of_loss_and_says_nothing_of_it_alone() {
    let lossy = |minute, loss| Read { loss: Some(loss), ..read(minute) };
    let lost = |minute| Read { loss: Some(100.0), ..failed(minute) };
    let of = |reads: &[Read]| now_of(&of_readings("ping", reads, THRESHOLDS, at(10)), "line/ping/loss");
    assert_eq!(of(&[lost(4), lossy(3, 40.0), lossy(2, 60.0), lossy(1, 40.0)]), Some(Now::Lasting(at(1))));
    assert_eq!(of(&[lost(4), lost(3), lost(2), lossy(1, 40.0)]), None, "pings fail, which is another notice");
    assert_eq!(of(&[lossy(5, 0.0), lost(4), lost(3), lost(2)]), Some(Now::Well));
}

#[test]
fn what_is_old_or_of_another_job_says_nothing() {
    let reads = [failed(3), failed(2), failed(1)];
    assert_eq!(of_readings("ping", &reads, THRESHOLDS, at(3 + 51 * 60)), []);
    for series in ["resolve", "resolve:fritz.box", "latency_idle"] {
        assert_eq!(of_readings(series, &reads, THRESHOLDS, at(10)), [], "{series}");
    }
}

#[test]
fn loss_and_speed_are_judged_by_three_in_a_row() {
    let lossy = |minute, loss| Read { loss: Some(loss), ..read(minute) };
    let of = |reads: &[Read]| now_of(&of_readings("ping", reads, THRESHOLDS, at(10)), "line/ping/loss");
    assert_eq!(of(&[lossy(3, 20.0), lossy(2, 90.0), lossy(1, 30.0)]), Some(Now::Lasting(at(1))));
    assert_eq!(of(&[lossy(3, 20.0), lossy(2, 19.9), lossy(1, 30.0)]), None);
    let slow = |minute, value| Read { value: Some(value), ..read(minute) };
    let of = |reads: &[Read]| now_of(&of_readings("bandwidth", reads, THRESHOLDS, at(10)), "line/bandwidth");
    assert_eq!(of(&[slow(3, 99.0), failed(3), slow(2, 10.0), slow(1, 30.0)]), Some(Now::Lasting(at(1))));
    assert_eq!(of(&[slow(3, 100.0), slow(2, 10.0), slow(1, 30.0)]), Some(Now::Well));
    let upload = of_readings("upload", &[slow(3, 1.0), slow(2, 1.0), slow(1, 1.0)], THRESHOLDS, at(10));
    assert_eq!(upload, [], "nothing is promised, and the job is bandwidth");
}

#[test]
fn a_job_is_silent_after_three_of_its_own_periods() {
    let hourly: Vec<_> = (0..8).map(|hour| read(-60 * hour)).collect();
    let of = |minute, began| silent("bandwidth", &hourly, at(minute), at(began)).map(|condition| condition.now);
    assert_eq!(of(181, -9000), Some(Now::Well));
    assert_eq!(of(182, -9000), Some(Now::Lasting(at(0))));
    assert_eq!(of(182, 100), Some(Now::Well), "the keeper itself was off");
    assert_eq!(of(8 * 24 * 60, -9000), None, "it was taken away");
    assert_eq!(silent("bandwidth", &hourly[..3], at(900), at(-9000)), None, "its period is not known");
    assert_eq!(silent("upload", &hourly, at(900), at(-9000)), None);
    assert_eq!(silent("dns", &hourly, at(900), at(-9000)), None, "it reports what changes");
    let slower = [&[read(60)], &(0..7).map(|minute| read(-minute)).collect::<Vec<_>>()[..]].concat();
    let of = |minute| silent("ping", &slower, at(minute), at(-9000)).map(|condition| condition.now);
    assert_eq!((of(120), of(242)), (Some(Now::Well), Some(Now::Lasting(at(60)))), "it runs each hour from now on");
}
