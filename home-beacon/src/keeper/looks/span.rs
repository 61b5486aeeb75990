//! Looks that follow each other with the same verdict are one span: a year of a look a minute is a few hundred rows. Pure: what
//! a look changes of the newest spans of one component, place and vantage.

use shared::verdict::Verdict;

/// How far apart the looks of a prober may be, in milliseconds, for the time between them to count as looked at.
pub(super) const MAX_PAUSE: i64 = 5 * 60 * 1000;

/// How many of the newest spans are held: what comes late, or closes a gap, concerns one of them.
pub(super) const KEPT: usize = 8;

/// From the first to the last of the looks that saw the same, in milliseconds since 1970, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) began: i64,
    pub(super) ended: i64,
    /// What they saw; `None` while that is not known.
    pub(super) seen: Option<Verdict>,
    /// How far apart they could be, in milliseconds; so long what they saw holds. It is that of the day on which they were made: who
    /// looks less often later has not looked at the gaps of before.
    pub(super) pause: i64,
}

/// The newest spans of one place, the oldest first. No moment is in two of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Track {
    spans: Vec<Span>,
    /// Whether there are older ones, on disk.
    has_older: bool,
}

/// A row that is to be written: the span that begins then, or that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) began: i64,
    pub(super) span: Option<Span>,
    /// Whether there was none before.
    pub(super) is_new: bool,
}

/// What a look changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Added {
    /// Whether anything was not known before.
    pub(super) is_news: bool,
    /// Whether a verdict began that is another one than before.
    pub(super) has_turned: bool,
    pub(super) changes: Vec<Change>,
}

impl Span {
    pub(super) fn at(at: i64, seen: Option<Verdict>) -> Self {
        Self { began: at, ended: at, seen, pause: MAX_PAUSE }
    }

    /// Whether it shows that somebody looked at the component, and not only that they tried.
    pub(super) fn is_looked(&self) -> bool {
        !matches!(self.seen, Some(Verdict::Unknown(_)))
    }

    /// Whether the next one is of the same time: who looked at that pace saw the same.
    fn goes_on_with(&self, next: &Self) -> bool {
        (self.seen, self.pause) == (next.seen, next.pause) && next.began - self.ended <= self.pause
    }

    /// What is left of it beside the other one.
    fn without(self, other: &Self) -> impl Iterator<Item = Self> {
        let before = Self { ended: self.ended.min(other.began - 1), ..self };
        let after = Self { began: self.began.max(other.ended + 1), ..self };
        [before, after].into_iter().filter(|part| part.began <= part.ended)
    }
}

impl Track {
    /// Of the newest spans, the oldest first; more than [`KEPT`] show that there are older ones.
    pub(super) fn new(mut spans: Vec<Span>) -> Self {
        let surplus = spans.len().saturating_sub(KEPT);
        spans.drain(..surplus);
        Self { spans, has_older: surplus > 0 }
    }

    /// There are older ones now.
    pub(super) fn older_on_disk(&mut self) {
        self.has_older = true;
    }

    pub(super) fn newest(&self) -> Option<&Span> {
        self.spans.last()
    }

    /// The newest one that shows what somebody saw: a run that could not tell says nothing about the home.
    pub(super) fn newest_seen(&self) -> Option<&Span> {
        self.spans.iter().rev().find(|span| span.seen.is_some() && span.is_looked())
    }

    /// The newest time of the spans in memory at which somebody looked.
    pub(super) fn looked(&self) -> Option<i64> {
        self.newest_looked().map(|span| span.ended)
    }

    /// For how long what the newest look saw holds, in milliseconds.
    pub(super) fn pause(&self) -> i64 {
        self.newest_looked().map_or(MAX_PAUSE, |span| span.pause)
    }

    fn newest_looked(&self) -> Option<&Span> {
        self.spans.iter().rev().find(|span| span.is_looked())
    }

    /// Whoever looks is to look more often from `now` on, each `pause` at the latest: so long what was seen before holds yet.
    pub(super) fn hurry(&mut self, pause: i64, now: i64) -> Vec<Change> {
        let before = self.spans.clone();
        if let Some(newest) = self.spans.iter_mut().rfind(|span| span.is_looked()) {
            newest.pause = newest.pause.min((now - newest.ended).max(0) + pause);
        }
        self.changes_since(&before)
    }

    /// Adds a time in which every look saw the same; two that are no further apart than they may be are one. The first word about a
    /// moment stands, so that a replay adds nothing; but a verdict takes the place of looks that have none yet.
    pub(super) fn add(&mut self, new: Span) -> Added {
        let before = self.spans.clone();
        // What lies before the spans in memory is known on disk.
        let first = before.first().filter(|_| self.has_older).map_or(i64::MIN, |first| first.ended + 1);
        let new = Span { began: new.began.max(first), ..new };
        let mut news = if new.began <= new.ended { vec![new] } else { Vec::new() };
        for known in before.iter().filter(|span| new.seen.is_none() || span.seen.is_some()) {
            news = news.into_iter().flat_map(|part| part.without(known)).collect();
        }
        if news.is_empty() {
            return Added::default();
        }
        let gives_way = |span: &Span| span.seen.is_none() && new.seen.is_some();
        let stays =
            |span: &Span| -> Vec<Span> { if gives_way(span) { span.without(&new).collect() } else { vec![*span] } };
        let mut spans: Vec<Span> = before.iter().flat_map(stays).chain(news).collect();
        spans.sort_by_key(|span| span.began);
        self.spans = joined(spans);
        let has_turned = self.spans.iter().any(|span| {
            span.seen.is_some() && !before.iter().any(|known| (known.began, known.seen) == (span.began, span.seen))
        });
        Added { is_news: true, has_turned, changes: self.changes_since(&before) }
    }

    /// Forgets a look without a verdict at that time: it was another vantage's.
    pub(super) fn forget_pending(&mut self, at: i64) -> Vec<Change> {
        let before = self.spans.clone();
        let look = Span::at(at, None);
        let stays = |span: &Span| -> Vec<Span> {
            if span.seen.is_none() { span.without(&look).collect() } else { vec![*span] }
        };
        self.spans = before.iter().flat_map(stays).collect();
        self.changes_since(&before)
    }

    /// Takes back what a clock that was ahead has said of the time after `time`. That there were looks at all stays.
    pub(super) fn cut(&mut self, time: i64) -> Vec<Change> {
        let before = self.spans.clone();
        let ahead = before.iter().find(|span| span.began > time && span.is_looked());
        self.spans.retain(|span| span.began <= time);
        if let Some(last) = self.spans.last_mut() {
            last.ended = last.ended.min(time);
        }
        if self.spans.is_empty() {
            self.spans.extend(ahead.map(|span| Span { pause: span.pause, ..Span::at(time, span.seen) }));
        }
        self.changes_since(&before)
    }

    /// The rows that differ; then only the newest spans stay in memory.
    fn changes_since(&mut self, before: &[Span]) -> Vec<Change> {
        let gone = before.iter().filter(|old| self.spans.iter().all(|span| span.began != old.began));
        let gone = gone.map(|old| Change { began: old.began, span: None, is_new: false });
        let written = self.spans.iter().filter(|span| !before.contains(span)).map(|span| Change {
            began: span.began,
            span: Some(*span),
            is_new: before.iter().all(|old| old.began != span.began),
        });
        let changes = gone.chain(written).collect();
        let surplus = self.spans.len().saturating_sub(KEPT);
        self.spans.drain(..surplus);
        self.has_older |= surplus > 0;
        changes
    }
}

/// Neighbours that saw the same, and are not too far apart, as one.
fn joined(spans: Vec<Span>) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if last.goes_on_with(&span) => last.ended = span.ended,
            _ => joined.push(span),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
