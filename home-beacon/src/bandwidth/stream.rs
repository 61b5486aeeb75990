//! One stream of a transfer: piece after piece over one connection, which is replaced when it fails.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use shared::backoff::Backoff;
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};
use url::Url;

use super::{
    allowance::{Allowance, HANDSHAKE},
    dial::Buffer,
    line::Line,
    source::Servers,
    trouble::Trouble,
};

/// A smaller piece of what has no end cannot be cut off in time.
const LEAST_ENDLESS: u64 = 512 << 10;

/// A server that sends nothing for so long is as good as gone; all of them are sooner, so that those who take turns at
/// being silent are noticed.
pub(super) const STALL: Duration = Duration::from_secs(6);
const ALL_STALL: Duration = Duration::from_secs(4);

/// How long the answer to an upload may take once all has left our hands: what waits on the way takes its time.
pub(super) const TAKEN: Duration = Duration::from_secs(10);

/// Uploads begin small, so that a slow line ends one in time, and grow.
const FIRST_UPLOAD: u64 = 128 << 10;

/// The pauses before another attempt, and how many attempts all streams share.
const BACKOFF: Backoff = Backoff::constant(Duration::from_millis(250));
const MAX_FAILURES: u32 = 8;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Down,
    Up,
}

/// What the streams of a transfer share.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    pub(super) servers: &'a Servers<'a>,
    pub(super) direction: Direction,
    pub(super) allowance: Allowance,
    /// Payload so far, in bytes, and when its first came.
    pub(super) moved: Cell<u64>,
    pub(super) began: Cell<Option<Instant>>,
    /// Tells that a server has taken its first upload, and how many have been.
    pub(super) taken: Notify,
    pub(super) uploads: Cell<u32>,
    pub(super) failures: Cell<u32>,
    /// Whether somebody has sent, or may send, more than was asked for.
    pub(super) endless: Cell<bool>,
    /// What was wrong with the latest of them.
    pub(super) trouble: RefCell<Option<Trouble>>,
    pub(super) streams: usize,
    pub(super) until: Instant,
}

/// Why a stream ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// There is nothing left that may be asked for.
    Dry,
    Failed(Trouble),
}

impl Shared<'_> {
    /// How long nothing may move.
    pub(super) fn patience(&self) -> Duration {
        match self.direction {
            Direction::Down => ALL_STALL,
            Direction::Up => TAKEN,
        }
    }

    /// After how long without a byte a speed is not told any more.
    pub(super) fn silence(&self) -> Duration {
        match self.direction {
            Direction::Down => ALL_STALL / 2,
            Direction::Up => TAKEN / 2,
        }
    }

    /// The time since the first byte.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.get().map_or(Duration::ZERO, |began| began.elapsed())
    }

    /// Runs until the allowance is used up, or nothing works.
    pub(super) async fn stream(&self, index: usize) -> Ended {
        let (mut line, mut turn, mut upload) = (None, index, FIRST_UPLOAD);
        loop {
            let server = self.servers.pick(turn).await;
            let reused = line.as_ref().is_some_and(|line: &Line| line.used);
            let largest = if self.direction == Direction::Up { upload } else { self.servers.source.largest() };
            let Some(piece) = self.allowance.take(largest) else { return Ended::Dry };
            if self.endless.get() && piece < LEAST_ENDLESS {
                return Ended::Dry;
            }
            let trouble = match self.piece(&mut line, &server, piece).await {
                Ok(()) => {
                    upload = (2 * upload).min(self.servers.source.largest());
                    continue;
                }
                Err(trouble) => trouble,
            };
            tracing::debug!(%trouble, stream = index, "a stream is replaced");
            line = None;
            match trouble {
                // The other side may end a connection that it has answered over; that tells nothing.
                Trouble::Broken { .. } if reused => continue,
                Trouble::Refused { .. } => match self.servers.renew(&server, trouble, self.until).await {
                    Ok(()) => continue,
                    Err(trouble) => return Ended::Failed(trouble),
                },
                Trouble::Limited { .. } => return Ended::Failed(trouble),
                _ => (),
            }
            self.trouble.replace(Some(trouble.clone()));
            self.failures.set(self.failures.get() + 1);
            if self.failures.get() >= MAX_FAILURES {
                return Ended::Failed(trouble);
            }
            // Another server's turn.
            turn += 1;
            sleep(BACKOFF.pause(self.failures.get() - 1, fastrand::f64())).await;
        }
    }

    /// Moves a piece over a connection, which is left where it can be used again.
    async fn piece(&self, line: &mut Option<Line>, server: &Url, piece: u64) -> Result<(), Trouble> {
        let used = Cell::new(0);
        let buffer = if self.direction == Direction::Up { Buffer::Small } else { Buffer::Large };
        let moved = async {
            let open = if let Some(open) = line.take().filter(Line::is_open) {
                open
            } else {
                self.allowance.charge(HANDSHAKE);
                self.servers.dialer.dial(server, buffer).await?
            };
            match self.direction {
                Direction::Down => self.download(open, server, piece, &used).await,
                Direction::Up => self.upload(open, server, piece, &used).await,
            }
        };
        let moved = moved.await;
        self.allowance.give_back(piece.saturating_sub(used.get()));
        *line = moved?;
        Ok(())
    }

    pub(super) fn count(&self, bytes: u64) {
        if self.began.get().is_none() {
            self.began.set(Some(Instant::now()));
        }
        self.moved.set(self.moved.get() + bytes);
    }

    /// What was counted was no payload after all.
    pub(super) fn take_back(&self, bytes: u64) {
        self.moved.set(self.moved.get().saturating_sub(bytes));
        if self.moved.get() == 0 {
            self.began.set(None);
        }
    }
}
