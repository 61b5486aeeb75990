//! When the page upstream could be read. The relay notes each copy, copies that follow each other are one span, and spans are written
//! with a reading, which spares the disk: a keeper that dies loses the last minutes of the one that goes on.

use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::Outbox;
use crate::keeper::{
    KeeperError,
    db::{Tx, query},
};

/// Copies that are no farther apart, in milliseconds, belong together: the page is read once a minute.
const TOGETHER: i64 = 150_000;

/// By how much the disk may be behind a span that goes on, in milliseconds.
const BEHIND: i64 = 600_000;

/// The most spans that wait for a reading: of more, the oldest are forgotten.
const MAX_WAITING: usize = 64;

/// From the first copy of a span to the last, in milliseconds since 1970, and up to where the disk knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    began: i64,
    ended: i64,
    saved: Option<i64>,
}

/// The spans that the disk does not know whole, the oldest first; the last one may go on. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads(Arc<Mutex<Vec<Span>>>);

/// What a transaction has written of them, to be remembered once it is committed.
#[derive(Debug)]
pub(super) struct Written(Vec<Range<i64>>);

impl Reads {
    fn lock(&self) -> MutexGuard<'_, Vec<Span>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, at: i64) {
        let mut spans = self.lock();
        match spans.last_mut() {
            Some(last) if (0..=TOGETHER).contains(&(at - last.ended)) => last.ended = at,
            _ => spans.push(Span { began: at, ended: at, saved: None }),
        }
        if spans.len() > MAX_WAITING {
            spans.remove(0);
        }
    }

    /// Those that are to be written now.
    fn due(&self) -> Vec<Range<i64>> {
        let spans = self.lock();
        let is_due = |(index, span): &(usize, &Span)| {
            let may_go_on = index + 1 == spans.len();
            span.saved.is_none_or(|saved| if may_go_on { span.ended - saved >= BEHIND } else { span.ended > saved })
        };
        spans.iter().enumerate().filter(is_due).map(|(_, span)| span.began..span.ended).collect()
    }

    fn written(&self, written: &[Range<i64>]) {
        let mut spans = self.lock();
        for span in written {
            if let Some(known) = spans.iter_mut().find(|known| known.began == span.start) {
                known.saved = Some(span.end);
            }
        }
        let last = spans.last().copied();
        spans.retain(|span| Some(*span) == last || span.saved != Some(span.ended));
    }
}

impl Outbox {
    /// The page upstream was read then.
    pub(in crate::keeper) fn note_read(&self, at: Timestamp) {
        self.reads.note(at.as_millisecond());
    }

    /// Writes when it was read, in a transaction of the caller's.
    pub(super) async fn write_reads(&self, tx: &mut Tx) -> Result<Written, KeeperError> {
        let due = self.reads.due();
        for span in &due {
            let write = query(
                "INSERT INTO upstream_reads (began, ended) VALUES (?, ?)
                 ON CONFLICT (began) DO UPDATE SET ended = MAX(ended, excluded.ended)",
            );
            write.bind(span.start).bind(span.end).execute(tx).await?;
        }
        Ok(Written(due))
    }

    /// That transaction is on disk.
    pub(super) fn reads_written(&self, Written(written): &Written) {
        self.reads.written(written);
    }

    /// When the page upstream could be read within a time, in milliseconds since 1970, each from the first copy to the last. What
    /// cannot be learned, as from a database of an earlier version on a full disk, is not known.
    pub async fn reads_within(&self, time: Range<i64>) -> Vec<Range<i64>> {
        self.all_reads(time).await.unwrap_or_default()
    }

    async fn all_reads(&self, time: Range<i64>) -> Result<Vec<Range<i64>>, KeeperError> {
        let list = query("SELECT began, ended FROM upstream_reads WHERE ended >= ? AND began < ? ORDER BY began");
        let rows: Vec<(i64, i64)> = list.bind(time.start).bind(time.end).all(&mut self.db.read().await?).await?;
        let waiting = self.reads.lock().clone();
        // What is written of one that waits is a part of it.
        let rows = rows.into_iter().filter(|(began, _)| waiting.iter().all(|span| span.began != *began));
        let waiting = waiting.iter().map(|span| (span.began, span.ended));
        let all = rows.chain(waiting).map(|(began, ended)| began.max(time.start)..ended.min(time.end));
        let mut all: Vec<_> = all.filter(|span| span.start <= span.end).collect();
        all.sort_by_key(|span| span.start);
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    #[test]
    fn copies_that_follow_each_other_are_one_span_and_it_is_written_now_and_then() {
        let reads = Reads::default();
        let due = || reads.due().iter().map(|span| (span.start, span.end)).collect::<Vec<_>>();
        reads.note(0);
        assert_eq!(due(), [(0, 0)], "the first is written with the next reading");
        reads.written(&reads.due());
        for minute in 1..=9 {
            reads.note(minute * MINUTE);
        }
        assert_eq!(due(), [], "it may be ten minutes behind");
        reads.note(10 * MINUTE);
        assert_eq!(due(), [(0, 10 * MINUTE)]);
        reads.written(&reads.due());
        reads.note(11 * MINUTE);
        reads.note(20 * MINUTE);
        assert_eq!(due(), [(0, 11 * MINUTE), (20 * MINUTE, 20 * MINUTE)], "one that is over is written to its end");
        reads.written(&reads.due());
        assert_eq!(reads.lock().len(), 1, "and forgotten");
        reads.note(5 * MINUTE);
        assert_eq!(reads.lock().len(), 2, "a clock that was set back begins another one");
    }
}
