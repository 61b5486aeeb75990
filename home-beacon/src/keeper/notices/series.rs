//! What the latest readings of a series say of a job, and of the line. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use notify::{event::Subject, rules::Now};

use super::condition::{Condition, Missed, Words};
use crate::keeper::length::length;

/// How many readings in a row say that something is so, and how many of a job's periods it may be silent.
const IN_A_ROW: usize = 3;

/// How many readings are looked at: as many as it takes to know how often a job runs.
pub(super) const READ: u32 = 8;

/// A job that was silent for so long was taken away, and is not waited for any more.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24 * 7);

/// What a run may be late by.
const SLACK: SignedDuration = SignedDuration::from_secs(90);

/// A reading, as far as it can be worth a notice.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Read {
    pub(super) at: Timestamp,
    pub(super) value: Option<f64>,
    pub(super) loss: Option<f64>,
    pub(super) failure: Option<String>,
    /// Not measured, or spoilt by something else.
    pub(super) is_skipped: bool,
}

/// What is worth a notice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thresholds {
    /// What the contract promises towards the home and from it, in Mbit/s.
    pub(super) down: Option<f64>,
    pub(super) up: Option<f64>,
    /// In per cent.
    pub(super) loss: f64,
}

impl Thresholds {
    fn promised(&self, series: &str) -> Option<f64> {
        match series {
            "bandwidth" => self.down,
            "upload" => self.up,
            _ => None,
        }
    }
}

/// What the latest readings of that series say, the newest first.
pub(super) fn of_readings(series: &str, newest: &[Read], thresholds: Thresholds) -> Vec<Condition> {
    let mut conditions: Vec<_> = failing(series, newest).into_iter().collect();
    if is_ping(series) {
        conditions.extend(lossy(series, newest, thresholds.loss));
    }
    if let Some(promised) = thresholds.promised(series) {
        conditions.extend(slow(series, newest, promised));
    }
    conditions
}

fn is_ping(series: &str) -> bool {
    series == "ping" || series.starts_with("ping:")
}

/// One job makes several series; it fails, or is silent, with the first of them.
fn is_a_jobs(series: &str) -> bool {
    !matches!(series, "upload" | "latency_idle" | "latency_loaded")
}

/// The first of what follows each other, as long as they are so; `None` where those are fewer than three.
fn in_a_row<'a>(newest: impl Iterator<Item = &'a Read>, is_so: impl Fn(&Read) -> bool) -> Option<&'a Read> {
    let so: Vec<_> = newest.take_while(|read| is_so(read)).collect();
    so.last().copied().filter(|_| so.len() >= IN_A_ROW)
}

/// How it is by measurements of which the newest is `newest`: one that is not so ends it.
fn now(newest: Option<&Read>, first: Option<&Read>, is_so: impl Fn(&Read) -> bool) -> Option<Now> {
    match (newest, first) {
        (_, Some(first)) => Some(Now::Lasting(first.at)),
        (Some(newest), None) if !is_so(newest) => Some(Now::Well),
        // Too few to say.
        _ => None,
    }
}

fn failing(series: &str, newest: &[Read]) -> Option<Condition> {
    if !is_a_jobs(series) {
        return None;
    }
    let tried = || newest.iter().filter(|read| !read.is_skipped);
    let is_so = |read: &Read| read.failure.is_some();
    let now = now(tried().next(), in_a_row(tried(), is_so), is_so)?;
    let why = tried().next().and_then(|read| read.failure.as_deref()).unwrap_or_default();
    let why = if why.is_empty() { String::new() } else { format!("The last one: {}.", why.trim_end_matches('.')) };
    Some(if is_ping(series) {
        let target = series.strip_prefix("ping:").map(|target| format!(" to {target}")).unwrap_or_default();
        Condition {
            key: format!("line/{series}"),
            subject: Subject::Line,
            is_serious: false,
            missed: Missed::SentUnlessSeen,
            now,
            words: Words {
                title: format!("Pings{target} from home fail"),
                text: why,
                ended: format!("Pings{target} from home are answered again"),
            },
        }
    } else {
        Condition {
            key: format!("job/{series}"),
            subject: Subject::Job,
            is_serious: false,
            missed: Missed::Dropped,
            now,
            words: Words {
                title: format!("The job {series} fails"),
                text: why,
                ended: format!("The job {series} works again"),
            },
        }
    })
}

fn lossy(series: &str, newest: &[Read], threshold: f64) -> Option<Condition> {
    let measured = || newest.iter().filter(|read| !read.is_skipped && read.loss.is_some());
    let is_so = |read: &Read| read.loss.is_some_and(|loss| loss >= threshold) && read.failure.is_none();
    let now = now(measured().next(), in_a_row(measured(), is_so), is_so)?;
    let loss = measured().next().and_then(|read| read.loss).unwrap_or_default();
    let target = series.strip_prefix("ping:").map(|target| format!(" on the way to {target}")).unwrap_or_default();
    Some(Condition {
        key: format!("line/{series}/loss"),
        subject: Subject::Line,
        is_serious: false,
        missed: Missed::Sent,
        now,
        words: Words {
            title: format!("The line loses packets{target}"),
            text: format!("{loss:.0} % by the last ping; {threshold:.0} % or more in at least three in a row."),
            ended: format!("The line loses few packets{target} again"),
        },
    })
}

fn slow(series: &str, newest: &[Read], promised: f64) -> Option<Condition> {
    let measured = || newest.iter().filter(|read| read.value.is_some());
    let is_so = |read: &Read| read.value.is_some_and(|value| value < promised);
    let now = now(measured().next(), in_a_row(measured(), is_so), is_so)?;
    let value = measured().next().and_then(|read| read.value).unwrap_or_default();
    let way = if series == "upload" { "Upload" } else { "Download" };
    Some(Condition {
        key: format!("line/{series}"),
        subject: Subject::Line,
        is_serious: false,
        missed: Missed::Sent,
        now,
        words: Words {
            title: format!("{way} is slower than promised"),
            text: format!(
                "{value:.1} Mbit/s by the last test; the contract promises {promised}, and at least three tests in a row were below."
            ),
            ended: format!("{way} is as fast as promised again"),
        },
    })
}

/// Whether a job is silent: nothing has come for three of its periods, while the keeper ran.
pub(super) fn silent(series: &str, newest: &[Read], at: Timestamp, keeper_began: Timestamp) -> Option<Condition> {
    if !is_a_jobs(series) || series.starts_with("ping:") {
        return None;
    }
    let last = newest.first()?.at;
    let silence = at.duration_since(last);
    if silence > FORGOTTEN {
        return None;
    }
    let period = period(newest)?;
    let allowed = period.saturating_mul(3).saturating_add(SLACK);
    let waited = at.duration_since(last.max(keeper_began));
    let now = if waited > allowed { Now::Lasting(last) } else { Now::Well };
    let (ago, every) = (length(silence), length(period));
    Some(Condition {
        key: format!("job/{series}/silent"),
        subject: Subject::Job,
        is_serious: false,
        missed: Missed::Dropped,
        now,
        words: Words {
            title: format!("Nothing comes from the job {series}"),
            text: format!("Its last reading is {ago} old, and there was one each {every} before."),
            ended: format!("The job {series} reports again"),
        },
    })
}

/// How often a job runs: the median of the times between its readings; `None` where there are too few to say.
fn period(newest: &[Read]) -> Option<SignedDuration> {
    let mut between: Vec<_> = newest.windows(2).map(|pair| pair[0].at.duration_since(pair[1].at)).collect();
    if between.len() < IN_A_ROW {
        return None;
    }
    between.sort_unstable();
    let shortest = SignedDuration::try_from(Duration::from_secs(1)).unwrap_or_default();
    Some(between[between.len() / 2].max(shortest))
}

#[cfg(test)]
mod tests {
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
        let of = |reads: &[Read]| now_of(&of_readings("dns", reads, THRESHOLDS), "job/dns");
        assert_eq!(of(&[failed(9), failed(8), failed(7), read(6)]), Some(Now::Lasting(at(7))));
        assert_eq!(of(&[failed(9), failed(8), read(7)]), None, "it is not known yet");
        assert_eq!(of(&[read(10), failed(9), failed(8), failed(7)]), Some(Now::Well));
        let skipped = Read { is_skipped: true, ..read(10) };
        assert_eq!(of(&[skipped, failed(9), failed(8), failed(7)]), Some(Now::Lasting(at(7))));
    }

    #[test]
    fn pings_that_fail_are_about_the_line() {
        let conditions = of_readings("ping:1.1.1.1", &[failed(9), failed(8), failed(7)], THRESHOLDS);
        assert_eq!(now_of(&conditions, "line/ping:1.1.1.1"), Some(Now::Lasting(at(7))));
        assert_eq!(conditions[0].words.title, "Pings to 1.1.1.1 from home fail");
        assert_eq!(conditions[0].words.text, "The last one: no answer.");
    }

    #[test]
    fn loss_and_speed_are_judged_by_three_in_a_row() {
        let lossy = |minute, loss| Read { loss: Some(loss), ..read(minute) };
        let of = |reads: &[Read]| now_of(&of_readings("ping", reads, THRESHOLDS), "line/ping/loss");
        assert_eq!(of(&[lossy(3, 20.0), lossy(2, 90.0), lossy(1, 30.0)]), Some(Now::Lasting(at(1))));
        assert_eq!(of(&[lossy(3, 20.0), lossy(2, 19.9), lossy(1, 30.0)]), None);
        let slow = |minute, value| Read { value: Some(value), ..read(minute) };
        let of = |reads: &[Read]| now_of(&of_readings("bandwidth", reads, THRESHOLDS), "line/bandwidth");
        assert_eq!(of(&[slow(3, 99.0), failed(3), slow(2, 10.0), slow(1, 30.0)]), Some(Now::Lasting(at(1))));
        assert_eq!(of(&[slow(3, 100.0), slow(2, 10.0), slow(1, 30.0)]), Some(Now::Well));
        let upload = of_readings("upload", &[slow(3, 1.0), slow(2, 1.0), slow(1, 1.0)], THRESHOLDS);
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
    }
}
