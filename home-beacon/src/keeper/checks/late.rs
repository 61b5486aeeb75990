//! Whether the results of checks stop. Pure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use notify::{event::Subject, rules::Now};

use super::{
    conditions::{conditions, late_key},
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

    fn lasting(self, is_late: bool) -> Now {
        if is_late { Now::Lasting(self.newest) } else { Now::Well }
    }
}

/// What is worth a notice of all checks at that time; the keeper has run since `began`. Where nothing at all comes from a program
/// any more, that is one notice and not one for each of its checks.
pub(super) fn late(all: &[Known], now: Timestamp, began: Timestamp) -> Vec<Condition> {
    let mut sources: BTreeMap<&str, (usize, Waiting)> = BTreeMap::new();
    for (known, waiting) in all.iter().filter_map(|known| Some((known, Waiting::of(known)?))) {
        let (count, of_all) = sources.entry(&known.source).or_insert((0, waiting));
        *count += 1;
        *of_all = Waiting { newest: of_all.newest.max(waiting.newest), pause: of_all.pause.min(waiting.pause) };
    }
    let is_silent =
        |source: &str| sources.get(source).is_some_and(|(count, waiting)| *count > 1 && waiting.is_late(now, began));
    // One that has a single check left by now ends what was said of several.
    let silent =
        sources.iter().map(|(source, (count, waiting))| silent(source, *count, *waiting, is_silent(source), now));
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
        now: waiting.lasting(waiting.is_late(now, began)),
        seen_at: now,
        words: Words {
            title: format!("{title} is not checked any more"),
            text: format!("Its last result is {ago} old, and nothing is known of it since."),
            ended: format!("{title} is checked again"),
        },
    }
}

fn silent(source: &str, count: usize, waiting: Waiting, is_silent: bool, now: Timestamp) -> Condition {
    let ago = length(now.duration_since(waiting.newest));
    Condition {
        key: format!("job/{source}/silent"),
        subject: Subject::Job,
        is_serious: false,
        missed: Missed::Dropped,
        now: waiting.lasting(is_silent),
        seen_at: now,
        words: Words {
            title: format!("Nothing comes from the program {source}"),
            text: format!("Its last result is {ago} old, and of none of its {count} checks anything is known since."),
            ended: format!("The program {source} reports again"),
        },
    }
}

/// Everything that is worth a notice of a check, but that its results stop.
pub(super) fn failing(all: &[Known], is_maintained: impl Fn(&Known) -> bool) -> Vec<Condition> {
    all.iter().filter(|known| !is_maintained(known)).flat_map(conditions).collect()
}
