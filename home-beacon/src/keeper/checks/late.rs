//! Whether the results of checks stop. Pure.

use std::collections::BTreeMap;

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

/// The checks that a program runs.
#[derive(Debug, Default)]
struct Source {
    count: usize,
    late: usize,
    /// When the newest result came, of all and of those that are late.
    newest: Option<Timestamp>,
    newest_of_late: Option<Timestamp>,
}

impl Source {
    fn add(&mut self, waiting: Waiting, is_late: bool) {
        let newest = Some(waiting.newest);
        self.count += 1;
        self.newest = self.newest.max(newest);
        if is_late {
            self.late += 1;
            self.newest_of_late = self.newest_of_late.max(newest);
        }
    }

    /// Whether nothing comes of several that should have: a slower one that has come since shows that the program runs.
    fn is_silent(&self) -> bool {
        self.late > 1 && self.newest_of_late == self.newest
    }
}

/// What is worth a notice of all checks at that time; the keeper has run since `began`. Where nothing at all comes from a program
/// any more, that is one notice and not one for each of its checks.
pub(super) fn late(all: &[Known], now: Timestamp, began: Timestamp) -> Vec<Condition> {
    let mut sources: BTreeMap<&str, Source> = BTreeMap::new();
    for (known, waiting) in all.iter().filter_map(|known| Some((known, Waiting::of(known)?))) {
        sources.entry(&known.source).or_default().add(waiting, waiting.is_late(now, began));
    }
    let is_silent = |source: &str| sources.get(source).is_some_and(Source::is_silent);
    let silent = sources.iter().filter_map(|(name, source)| Some(silent(name, source, source.newest?, now)));
    let each = all.iter().filter(|known| known.check.notices.wanted && !is_silent(&known.source));
    let each = each.filter_map(|known| Some(of_one(known, Waiting::of(known)?, now, began)));
    silent.chain(each).collect()
}

fn of_one(known: &Known, waiting: Waiting, now: Timestamp, began: Timestamp) -> Condition {
    let (title, ago) = (&known.check.title, length(now.duration_since(waiting.newest)));
    Condition {
        key: late_key(&known.check.name),
        subject: Subject::Check,
        is_serious: false,
        missed: Missed::Dropped,
        now: if waiting.is_late(now, began) { Now::Lasting(waiting.newest) } else { Now::Well },
        seen_at: now,
        words: Words {
            title: format!("{title} is not checked any more"),
            text: format!("Its last result is {ago} old, and nothing is known of it since."),
            ended: format!("{title} is checked again"),
        },
    }
}

fn silent(name: &str, source: &Source, newest: Timestamp, now: Timestamp) -> Condition {
    let ago = length(now.duration_since(newest));
    Condition {
        key: silent_key(name),
        subject: Subject::Job,
        is_serious: false,
        missed: Missed::Dropped,
        now: if source.is_silent() { Now::Lasting(newest) } else { Now::Well },
        seen_at: now,
        words: Words {
            title: format!("Nothing comes from the program {name}"),
            text: format!(
                "Its last result is {ago} old, and of none of its {} checks anything is known since.",
                source.count
            ),
            ended: format!("The program {name} reports again"),
        },
    }
}

/// Everything that is worth a notice of a check, but that its results stop.
pub(super) fn failing(all: &[Known], is_maintained: impl Fn(&Known) -> bool) -> Vec<Condition> {
    all.iter().filter(|known| !is_maintained(known)).flat_map(conditions).collect()
}
