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
    super::{
        connection::{Buffer, Connection},
        error::MeasureError,
        sources::Servers,
    },
    allowance::{Allowance, HANDSHAKE},
};

/// A smaller piece of what has no end cannot be cut off in time.
const MIN_ENDLESS: u64 = 512 << 10;

/// A server that sends nothing for so long is taken for gone.
pub(crate) const STALL_TIMEOUT: Duration = Duration::from_secs(6);

/// The same for all streams together: shorter, so that servers that are silent by turns are noticed.
const ALL_STALL_TIMEOUT: Duration = Duration::from_secs(4);

/// How long the answer to an upload may take once all has left our hands: what waits on the way takes its time.
pub(crate) const UPLOAD_ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Uploads begin small, so that a slow line ends one in time, and grow.
const FIRST_UPLOAD: u64 = 128 << 10;

/// The pauses before another attempt, and how many attempts all streams share.
const BACKOFF: Backoff = Backoff::constant(Duration::from_millis(250));
const MAX_FAILURES: u32 = 8;

/// The direction of a transfer, as seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Down,
    Up,
}

/// What the streams of a transfer share.
#[derive(Debug)]
pub(crate) struct TransferState<'a> {
    pub(crate) servers: &'a Servers<'a>,
    pub(crate) direction: Direction,
    pub(crate) allowance: Allowance,
    /// Payload so far, in bytes, and when its first came.
    pub(crate) moved: Cell<u64>,
    pub(crate) began: Cell<Option<Instant>>,
    /// Notifies that a server has taken its first upload; and how many have been.
    pub(crate) taken: Notify,
    pub(crate) uploads: Cell<u32>,
    pub(crate) failures: Cell<u32>,
    /// Whether a server has sent, or may send, more than was asked for.
    pub(crate) endless: Cell<bool>,
    /// The latest failure.
    pub(crate) error: RefCell<Option<MeasureError>>,
    pub(crate) streams: usize,
    pub(crate) until: Instant,
}

/// Why a stream ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// There is nothing left that may be asked for.
    Dry,
    Failed(MeasureError),
}

impl TransferState<'_> {
    /// How long nothing may move.
    pub(crate) fn stall_timeout(&self) -> Duration {
        match self.direction {
            Direction::Down => ALL_STALL_TIMEOUT,
            Direction::Up => UPLOAD_ANSWER_TIMEOUT,
        }
    }

    /// After how long without a byte no speed is reported any more.
    pub(crate) fn silence(&self) -> Duration {
        match self.direction {
            Direction::Down => ALL_STALL_TIMEOUT / 2,
            Direction::Up => UPLOAD_ANSWER_TIMEOUT / 2,
        }
    }

    /// The time since the first byte.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.get().map_or(Duration::ZERO, |began| began.elapsed())
    }

    /// Runs until the allowance is used up, or nothing works.
    pub(crate) async fn stream(&self, index: usize) -> Ended {
        let (mut connection, mut turn, mut upload) = (None, index, FIRST_UPLOAD);
        loop {
            let server = self.servers.pick(turn).await;
            let reused = connection.as_ref().is_some_and(|connection: &Connection| connection.used);
            let largest = if self.direction == Direction::Up { upload } else { self.servers.source.largest() };
            let Some(piece) = self.allowance.take(largest) else { return Ended::Dry };
            if self.endless.get() && piece < MIN_ENDLESS {
                return Ended::Dry;
            }
            let error = match self.piece(&mut connection, &server, piece).await {
                Ok(()) => {
                    upload = (2 * upload).min(self.servers.source.largest());
                    continue;
                }
                Err(error) => error,
            };
            tracing::debug!(%error, stream = index, "a stream is replaced");
            connection = None;
            match error {
                // The other side may end a connection that it has answered over; that means nothing.
                MeasureError::Broken { .. } if reused => continue,
                MeasureError::Refused { .. } => match self.servers.renew(&server, error, self.until).await {
                    Ok(()) => continue,
                    Err(error) => return Ended::Failed(error),
                },
                MeasureError::Limited { .. } => return Ended::Failed(error),
                _ => (),
            }
            self.error.replace(Some(error.clone()));
            self.failures.set(self.failures.get() + 1);
            if self.failures.get() >= MAX_FAILURES {
                return Ended::Failed(error);
            }
            // Another server's turn.
            turn += 1;
            sleep(BACKOFF.pause(self.failures.get() - 1, fastrand::f64())).await;
        }
    }

    /// Moves a piece over a connection, which is left where it can be used again.
    async fn piece(&self, connection: &mut Option<Connection>, server: &Url, piece: u64) -> Result<(), MeasureError> {
        let used = Cell::new(0);
        let buffer = if self.direction == Direction::Up { Buffer::Small } else { Buffer::Large };
        let moved = async {
            let open = if let Some(open) = connection.take().filter(Connection::is_open) {
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
        *connection = moved?;
        Ok(())
    }

    pub(crate) fn count(&self, bytes: u64) {
        if self.began.get().is_none() {
            self.began.set(Some(Instant::now()));
        }
        self.moved.set(self.moved.get() + bytes);
    }

    /// What was counted was no payload after all.
    pub(crate) fn take_back(&self, bytes: u64) {
        self.moved.set(self.moved.get().saturating_sub(bytes));
        if self.moved.get() == 0 {
            self.began.set(None);
        }
    }
}
