//! Whether the results of checks stop, or tell nothing. Pure.

use std::{collections::BTreeMap, time::Duration};

use checks::cause::Cause;
use jiff::{SignedDuration, Timestamp};
use notify::{event::Subject, rules::Now};

use super::{
    conditions::{conditions, late_key, silent_key},
    definition::Kind,
    known::Known,
    pause,
};
use crate::keeper::{
    length::length,
    notices::condition::{Condition, Missed, Words},
};

/// When results of a check are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// When the newest came, or the check was registered.
    pub(super) newest: Timestamp,
    /// How long the next may take.
    pub(super) pause: SignedDuration,
}

impl Waiting {
    /// Of a check that a program runs; `None` of one that calls us.
    pub(super) fn of(known: &Known) -> Option<Self> {
        if known.check.kind == Kind::Passive {
            return None;
        }
        let registered = known.registered_at.timestamp();
        let newest = known.last.as_ref().map_or(registered, |last| last.at.timestamp());
        let pause = SignedDuration::try_from(pause(known.check.every())).unwrap_or(SignedDuration::MAX);
        Some(Self { newest, pause })
    }

    /// Whether it has not come, at a time when the keeper has run since `began`.
    pub(super) fn is_late(self, now: Timestamp, began: Timestamp) -> bool {
        now.duration_since(self.newest.max(began)) > self.pause
    }
}

/// When each program was last found silent: what has begun to run again needs its time, as after a start of the keeper.
pub(in crate::keeper) type Silences = BTreeMap<String, Timestamp>;

/// The checks that a program runs.
#[derive(Debug)]
struct Source<'a> {
    checks: Vec<(&'a Known, Waiting)>,
    /// When its newest result came.
    newest: Timestamp,
    /// Since when the keeper has run, and this program since then and since it was silent.
    began: Timestamp,
    resumed: Timestamp,
}

impl Source<'_> {
    /// Whether the program went on for longer than a result of this check may take, and this one did not come.
    fn is_stuck(&self, waiting: Waiting, now: Timestamp) -> bool {
        waiting.is_late(now, self.resumed) && (self.checks.len() < 2 || waiting.is_late(self.newest, self.resumed))
    }

    /// Whether nothing comes from the program any more, as far as can be told: of what is not stuck, that which runs most often shows
    /// it first.
    fn is_silent(&self, now: Timestamp) -> bool {
        let going = self.checks.iter().filter(|(_, waiting)| !self.is_stuck(*waiting, now));
        let least = going.map(|(_, waiting)| waiting.pause).min();
        self.checks.len() > 1
            && least.is_some_and(|pause| Waiting { newest: self.newest, pause }.is_late(now, self.began))
    }
}

/// What is worth a notice of all checks at that time; the keeper has run since `began`. Where nothing at all comes from a program
/// any more, that is one notice and not one for each of its checks.
pub(super) fn late(all: &[Known], now: Timestamp, began: Timestamp, silences: &mut Silences) -> Vec<Condition> {
    let mut sources: BTreeMap<&str, Source<'_>> = BTreeMap::new();
    for (known, waiting) in all.iter().filter_map(|known| Some((known, Waiting::of(known)?))) {
        let resumed = silences.get(&known.source).copied().unwrap_or(began).max(began);
        let fresh = || Source { checks: Vec::new(), newest: waiting.newest, began, resumed };
        let source = sources.entry(&known.source).or_insert_with(fresh);
        source.newest = source.newest.max(waiting.newest);
        source.checks.push((known, waiting));
    }
    let mut found = Vec::new();
    for (name, source) in sources {
        let is_silent = source.is_silent(now);
        found.push(silent(name, &source, is_silent, now));
        if is_silent {
            // What was told of single ones before goes on, and no more is told.
            silences.insert(name.to_owned(), now);
            continue;
        }
        let wanted = source.checks.iter().filter(|(known, _)| known.check.notices.wanted);
        // Of one that is late, and not known to be stuck, nothing is said yet.
        let said = wanted.filter(|(_, waiting)| !waiting.is_late(now, source.began) || source.is_stuck(*waiting, now));
        found.extend(said.map(|(known, waiting)| of_one(known, *waiting, now, source.began)));
    }
    found
}

/// How many intervals, and how long at least, runs may come to nothing because they cannot be started until somebody is told.
const UNKNOWN_INTERVALS: u32 = 3;
const UNKNOWN_AT_LEAST: Duration = Duration::from_secs(300);

/// Since when the runs of a check cannot be started, where that is for too long; what the newest says of why.
fn not_started(known: &Known, now: Timestamp) -> Option<(Timestamp, &str)> {
    let last = known.last.as_ref().filter(|last| last.cause == Some(Cause::NotStarted))?;
    let since = known.unknown_since?.timestamp();
    let most = (known.check.every() * UNKNOWN_INTERVALS).max(UNKNOWN_AT_LEAST);
    let is_long = now > since && now.duration_since(since).unsigned_abs() > most;
    is_long.then_some((since, last.text.as_str()))
}

fn of_one(known: &Known, waiting: Waiting, now: Timestamp, began: Timestamp) -> Condition {
    let (title, ago) = (&known.check.title, |since| length(now.duration_since(since)));
    let (state, text) = match (waiting.is_late(now, began), not_started(known, now)) {
        (false, Some((since, why))) => {
            let text = format!("For {} its runs have come to nothing. The newest said: {}", ago(since), sentence(why));
            (Now::Lasting(since), text)
        }
        (is_late, _) => {
            let text = format!("Its last result is {} old, and nothing is known of it since.", ago(waiting.newest));
            (if is_late { Now::Lasting(waiting.newest) } else { Now::Well }, text)
        }
    };
    Condition {
        key: late_key(&known.check.name),
        subject: Subject::Check,
        is_serious: false,
        missed: Missed::Dropped,
        now: state,
        seen_at: now,
        words: Words {
            title: format!("{title} is not checked any more"),
            text,
            ended: format!("{title} is checked again"),
        },
    }
}

/// What a run said, as the end of a sentence.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim().trim_end_matches('.'))
}

fn silent(name: &str, source: &Source<'_>, is_silent: bool, now: Timestamp) -> Condition {
    let ago = length(now.duration_since(source.newest));
    Condition {
        key: silent_key(name),
        subject: Subject::Job,
        is_serious: false,
        missed: Missed::Dropped,
        now: if is_silent { Now::Lasting(source.newest) } else { Now::Well },
        seen_at: now,
        words: Words {
            title: format!("Nothing comes from the program {name}"),
            text: format!(
                "Its last result is {ago} old, and of none of its {} checks anything is known since.",
                source.checks.len()
            ),
            ended: format!("The program {name} reports again"),
        },
    }
}

/// Everything that is worth a notice of a check, but that its results stop.
pub(super) fn failing(all: &[Known], is_maintained: impl Fn(&Known) -> bool) -> Vec<Condition> {
    all.iter().filter(|known| !is_maintained(known)).flat_map(conditions).collect()
}
