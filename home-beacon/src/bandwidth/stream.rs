//! One stream of a transfer: piece after piece over one connection, which is replaced when it fails.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http_body_util::BodyExt;
use hyper::{
    body::{Body, Incoming},
    header::{CONTENT_RANGE, CONTENT_TYPE},
    http::response,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until, timeout},
};
use url::Url;

use super::{
    allowance::{Allowance, HANDSHAKE},
    dial::{ANSWER, Buffer, Line},
    foreign::{is_html, whole_length},
    payload::Payload,
    source::{LEAST_FILE, Servers, Source},
    trouble::Trouble,
};

/// A server that sends nothing for so long is as good as gone; all of them are sooner, so that those who take turns at
/// being silent are noticed.
const STALL: Duration = Duration::from_secs(6);
const ALL_STALL: Duration = Duration::from_secs(4);

/// How long the answer to an upload may take once all has left our hands: what waits on the way takes its time.
const TAKEN: Duration = Duration::from_secs(10);

/// Uploads begin small, so that a slow line ends one in time, and grow.
const FIRST_UPLOAD: u64 = 128 << 10;

/// How often an upload is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What a download should be answered with.
const PAYLOAD: &str = "payload";

/// The pause before another try, and how many tries all streams share.
const PAUSE: Duration = Duration::from_millis(250);
const TRIES: u32 = 8;

/// An answer of less than half of this, or of what was asked for, measures requests instead of the line.
const LEAST_ANSWER: u64 = 128 << 10;

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
    pub(super) streams: usize,
    pub(super) until: Instant,
}

/// What is known of a body before its first byte.
#[derive(Clone, Copy)]
struct Coming {
    /// How much was asked for.
    piece: u64,
    /// Whether it is no longer than that.
    bounded: bool,
    /// Whether its type was told, and is no page.
    typed: bool,
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
            self.failures.set(self.failures.get() + 1);
            if self.failures.get() >= TRIES {
                return Ended::Failed(trouble);
            }
            // Another server's turn.
            turn += 1;
            sleep(PAUSE).await;
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

    /// Gets a piece; the connection where it can be used again. What came of the piece, or still may, is `used`.
    async fn download(
        &self,
        mut line: Line,
        server: &Url,
        piece: u64,
        used: &Cell<u64>,
    ) -> Result<Option<Line>, Trouble> {
        let request = self.servers.source.down(server, piece);
        line.coming = piece;
        let answer = line.ask(request).await;
        if let Err(Trouble::Silent { .. }) = answer {
            // It may come after all.
            used.set(piece);
        } else {
            line.coming = 0;
        }
        let (head, body) = answer?.into_parts();
        let length = body.size_hint().exact();
        // Where the other side sends more than it was asked for, the connection is cut before that can come.
        let bounded = length.is_some_and(|length| length <= piece);
        line.coming = length.unwrap_or(piece).min(piece);
        used.set(line.coming);
        Trouble::look_no_page(line.host(), &head, PAYLOAD)?;
        self.large_enough(line.host(), &head, length, piece)?;
        let typed = head.headers.contains_key(CONTENT_TYPE);
        self.receive(line, body, Coming { piece, bounded, typed }, used).await
    }

    /// Reads a body and drops it.
    async fn receive(
        &self,
        mut line: Line,
        mut body: Incoming,
        coming: Coming,
        used: &Cell<u64>,
    ) -> Result<Option<Line>, Trouble> {
        let mut read = 0;
        let silence = sleep_until(Instant::now() + STALL);
        tokio::pin!(silence);
        loop {
            let frame = tokio::select! {
                biased;
                frame = body.frame() => frame,
                () = &mut silence => return Err(Trouble::Silent { host: line.host().to_owned(), after: STALL }),
            };
            silence.as_mut().reset(Instant::now() + STALL);
            let data = match frame {
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                None if read == 0 => return Err(Trouble::unusable(line.host(), "its answer is empty")),
                // Where the length was told, this was looked at before.
                None if read < self.least(coming.piece) => {
                    line.coming = 0;
                    used.set(read);
                    self.take_back(read);
                    return Err(Trouble::unusable(line.host(), format!("it sent no more than {read} bytes")));
                }
                None => {
                    line.coming = 0;
                    return Ok(Some(line));
                }
                Some(Err(error)) => {
                    line.coming = 0;
                    used.set(read);
                    return Err(line.broken(&error));
                }
            };
            if read == 0 && !coming.typed && is_html(None, &data) {
                return Err(Trouble::Html { host: line.host().to_owned(), instead: PAYLOAD });
            }
            let came = data.len() as u64;
            read += came;
            line.coming = line.coming.saturating_sub(came);
            self.count(came);
            if !coming.bounded && read.saturating_add(line.room()) >= coming.piece {
                return Ok(None);
            }
        }
    }

    fn count(&self, bytes: u64) {
        if self.began.get().is_none() {
            self.began.set(Some(Instant::now()));
        }
        self.moved.set(self.moved.get() + bytes);
    }

    /// What was counted was no payload after all.
    fn take_back(&self, bytes: u64) {
        self.moved.set(self.moved.get().saturating_sub(bytes));
        if self.moved.get() == 0 {
            self.began.set(None);
        }
    }

    /// The least that an answer must have; a shorter one is a message, or measures requests instead of the line.
    fn least(&self, piece: u64) -> u64 {
        match self.servers.source {
            Source::File(_) => piece.min(LEAST_FILE),
            _ => piece.min(LEAST_ANSWER) / 2,
        }
    }

    /// # Errors
    /// When so little comes that it measures requests instead of the line.
    fn large_enough(&self, host: &str, head: &response::Parts, length: Option<u64>, piece: u64) -> Result<(), Trouble> {
        let whole = head.headers.get(CONTENT_RANGE).and_then(|field| whole_length(field.to_str().ok()?)).or(length);
        match (whole, length) {
            (Some(whole), _) if whole < LEAST_FILE && matches!(self.servers.source, Source::File(_)) => {
                let what = format!("the file has {whole} bytes, which is too few: choose one of 1 MB or more");
                Err(Trouble::unusable(host, what))
            }
            (_, Some(length)) if length < piece.min(LEAST_ANSWER) / 2 => {
                Err(Trouble::unusable(host, format!("it sent {length} bytes where {piece} were asked for")))
            }
            _ => Ok(()),
        }
    }

    /// Sends a piece; the connection where it can be used again. What left us is `used`.
    async fn upload(
        &self,
        mut line: Line,
        server: &Url,
        piece: u64,
        used: &Cell<u64>,
    ) -> Result<Option<Line>, Trouble> {
        let host = line.host().to_owned();
        let sent = Arc::new(AtomicU64::new(0));
        let request = self.servers.source.up(server, Payload::new(piece, Arc::clone(&sent)));
        let mut since = Instant::now();
        let answer = {
            let answer = line.send(request);
            tokio::pin!(answer);
            loop {
                let answer = timeout(LOOK, &mut answer).await;
                let now = sent.load(Relaxed);
                if now > used.get() {
                    self.count(now - used.replace(now));
                    since = Instant::now();
                }
                if let Ok(answer) = answer {
                    break answer;
                }
                let after = since.elapsed();
                if after >= if now < piece { STALL } else { TAKEN } {
                    break Err(Trouble::Silent { host: host.clone(), after });
                }
            }
        };
        let looked = answer.and_then(|answer| {
            let (head, body) = answer.into_parts();
            Trouble::look_no_page(&host, &head, "thanks for an upload")?;
            // What it thanks for may not even have left this machine.
            let whole = used.get() >= piece;
            whole.then_some(body).ok_or_else(|| Trouble::unusable(&host, "it answered before it had taken the upload"))
        });
        // What was sent to somebody who did not want it has not arrived.
        let mut body = looked.inspect_err(|_| self.take_back(used.get()))?;
        if self.uploads.replace(self.uploads.get() + 1) == 0 {
            self.taken.notify_one();
        }
        let end = async { while let Some(Ok(_)) = body.frame().await {} };
        let ended = timeout(ANSWER, end).await.is_ok();
        Ok((ended && used.get() == piece).then_some(line))
    }
}
