//! What the latest readings of a series say of a job, and of the line. Pure.

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

/// The job that reports what changes, and nothing of a run that finds all as it was.
const REPORTS_CHANGES: &str = "dns";

/// What is older says nothing of now: the rarest job runs once a day.
const STALE: SignedDuration = SignedDuration::from_hours(50);

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
pub(super) fn of_readings(series: &str, newest: &[Read], thresholds: Thresholds, at: Timestamp) -> Vec<Condition> {
    if is_stale(newest, at) {
        return Vec::new();
    }
    let mut conditions: Vec<_> = failing(series, newest).into_iter().collect();
    if is_ping(series) {
        conditions.extend(lossy(series, newest, thresholds.loss));
    }
    if let Some(promised) = thresholds.promised(series) {
        conditions.extend(slow(series, newest, promised));
    }
    conditions
}

/// Whether nothing has come for so long that these say nothing of now.
pub(super) fn is_stale(newest: &[Read], at: Timestamp) -> bool {
    newest.first().is_none_or(|newest| at.duration_since(newest.at) > STALE)
}

fn is_ping(series: &str) -> bool {
    series == "ping" || series.starts_with("ping:")
}

/// One job makes several series; it fails, or is silent, with the first of them.
fn is_a_jobs(series: &str) -> bool {
    let is_of_another = matches!(
        series,
        "upload"
            | "latency_idle"
            | "latency_loaded"
            | "resolve"
            | "router"
            | "router_outside"
            | "first_hop"
            | "far"
            | "names"
            | "names_outside"
            | "beacon"
    );
    !is_of_another && !series.starts_with("resolve:")
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
    let seen_at = tried().next()?.at;
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
            seen_at,
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
            seen_at,
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
    let is_so = |read: &Read| read.loss.is_some_and(|loss| loss >= threshold);
    // Where all is lost, that pings fail says enough.
    if measured().take(IN_A_ROW).all(|read| read.failure.is_some()) {
        return None;
    }
    let now = now(measured().next(), in_a_row(measured(), is_so), is_so)?;
    let seen_at = measured().next()?.at;
    let loss = measured().next().and_then(|read| read.loss).unwrap_or_default();
    let target = series.strip_prefix("ping:").map(|target| format!(" on the way to {target}")).unwrap_or_default();
    Some(Condition {
        key: format!("line/{series}/loss"),
        subject: Subject::Line,
        is_serious: false,
        missed: Missed::Sent,
        now,
        seen_at,
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
    let seen_at = measured().next()?.at;
    let value = measured().next().and_then(|read| read.value).unwrap_or_default();
    let way = if series == "upload" { "Upload" } else { "Download" };
    Some(Condition {
        key: format!("line/{series}"),
        subject: Subject::Line,
        is_serious: false,
        missed: Missed::Sent,
        now,
        seen_at,
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
    if !is_a_jobs(series) || series.starts_with("ping:") || series == REPORTS_CHANGES {
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
    let (seen_at, ago, every) = (at, length(silence), length(period));
    Some(Condition {
        key: format!("job/{series}/silent"),
        subject: Subject::Job,
        is_serious: false,
        missed: Missed::Dropped,
        now,
        seen_at,
        words: Words {
            title: format!("Nothing comes from the job {series}"),
            text: format!("Its last reading is {ago} old, and there was one each {every} before."),
            ended: format!("The job {series} reports again"),
        },
    })
}

/// How often a job runs: the median of the times between its readings, or the newest where that is longer; `None` where there are too few to say.
fn period(newest: &[Read]) -> Option<SignedDuration> {
    let mut between: Vec<_> = newest.windows(2).map(|pair| pair[0].at.duration_since(pair[1].at)).collect();
    if between.len() < IN_A_ROW {
        return None;
    }
    // A job may have begun to run less often.
    let newest = between[0];
    between.sort_unstable();
    Some(between[between.len() / 2].max(newest).max(SignedDuration::from_secs(1)))
}

#[cfg(test)]
mod tests;
