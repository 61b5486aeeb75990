//! Whether an answer is what is expected of the target: its body is read, as far as anything is said about that.

use std::{io, time::Duration};

use checks::{
    answer::{Finding, MAX_BODY, judge_body, judge_certificate, judge_head, quote},
    cause::Cause,
    check::Expect,
    outcome::State,
};
use jiff::Timestamp;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

use super::{
    body::{Body, BodyReader, FRAMING_HEADERS},
    exchange::READ_SIZE,
    head::{Head, MAX_HEAD},
};
use crate::judge::observation::{Failure, Unmet, Weight};

/// What the bodies of all targets may take at once, in units of [`UNIT`]: 32 MiB of a function's 128. A run asks 200 targets at
/// once, each at several addresses.
static ROOM: Semaphore = Semaphore::const_new(512);

/// In bytes.
const UNIT: usize = 64 << 10;

/// What is expected of one answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expectation<'a> {
    pub(super) expect: &'a Expect,
    /// Until when the certificate that was shown is valid; `None` where none was, or none that can be read.
    pub(super) certificate_ends: Option<Timestamp>,
}

/// An answer, held against what is expected.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) unmet: Option<Unmet>,
    /// How long its body took; `None` where it was not read.
    pub(super) body: Option<Duration>,
}

impl Expectation<'_> {
    /// The names of the headers that are needed, in lower case.
    pub(super) fn headers(&self) -> Vec<String> {
        let named = self.expect.headers.iter().map(|header| header.name.as_str().to_owned());
        named.chain(FRAMING_HEADERS.map(str::to_owned)).collect()
    }

    /// Holds an answer against what is expected; `begun` is what was read behind its head, and `stream` brings the rest.
    ///
    /// # Errors
    /// When this machine has no room for its body.
    pub(super) async fn hold(
        &self,
        head: &Head,
        begun: &[u8],
        stream: impl AsyncRead + Unpin,
        until: Instant,
    ) -> Result<Held, Failure> {
        let mut body = None;
        let result = match self.judge_head(head) {
            Ok(()) if self.needs_body() => {
                let start = Instant::now();
                let read = self.read(head, begun, stream, until).await;
                body = Some(start.elapsed());
                match read {
                    Ok((read, _room)) => self.judge_body(&read),
                    Err(Problem::Finding(finding)) => Err(finding),
                    Err(Problem::NoRoom) => {
                        let text = "the bodies of other targets take all the memory that there is for them";
                        return Err(Failure::Local(text.into()));
                    }
                }
            }
            judged => judged,
        };
        let unmet = result.and_then(|()| self.judge_certificate(Timestamp::now())).err().map(unmet);
        Ok(Held { unmet, body })
    }

    /// Of a head that did not end, the status alone can be judged; `end` is why, `None` where it is too long.
    pub(super) fn hold_beginning(&self, head: &Head, end: Option<&Failure>) -> Unmet {
        let (cause, why) = match end {
            None => (Cause::TooLarge, format!("is longer than {} KiB", MAX_HEAD >> 10)),
            Some(Failure::TimedOut) => (Cause::TimedOut, "did not end in time".into()),
            Some(_) => (Cause::Reset, "ended with the connection".into()),
        };
        let cut = || Finding::new(cause, format!("the head of its answer {why}"));
        let only_status = Expect { status: self.expect.status.clone(), ..Expect::default() };
        let judged = judge_head(&only_status, head.status, |_| Vec::new(), quoted);
        unmet(judged.err().unwrap_or_else(cut))
    }

    fn judge_head(&self, head: &Head) -> Result<(), Finding> {
        let values = |name: &str| head.values(name).map(|value| String::from_utf8_lossy(value).into_owned()).collect();
        judge_head(self.expect, head.status, values, quoted)
    }

    fn judge_body(&self, body: &Body) -> Result<(), Finding> {
        match self.expect.largest {
            Some(largest) if !body.is_whole && largest <= body.bytes.len() as u64 => Err(too_large(largest)),
            _ => judge_body(self.expect, (&body.bytes, body.is_whole), quoted),
        }
    }

    fn judge_certificate(&self, now: Timestamp) -> Result<(), Finding> {
        self.certificate_ends.map_or(Ok(()), |ends| judge_certificate(ends, now, self.expect.certificate))
    }

    const fn needs_body(&self) -> bool {
        !self.expect.body.is_empty() || self.expect.largest.is_some()
    }

    async fn read(
        &self,
        head: &Head,
        begun: &[u8],
        mut stream: impl AsyncRead + Unpin,
        until: Instant,
    ) -> Result<(Body, Room), Problem> {
        let largest = self.expect.largest;
        let limit = largest.and_then(|largest| usize::try_from(largest).ok()).map_or(MAX_BODY, |it| it.min(MAX_BODY));
        let mut reader = BodyReader::new(head, limit);
        if let Some(largest) = largest.filter(|largest| reader.announced().is_some_and(|length| length > *largest)) {
            return Err(too_large(largest).into());
        }
        let is_encoded = |value: &[u8]| !value.trim_ascii().is_empty() && !value.eq_ignore_ascii_case(b"identity");
        if !self.expect.body.is_empty() && head.values("content-encoding").any(is_encoded) {
            let text = "its body is compressed, which was not asked for, so it cannot be read";
            return Err(Finding::new(Cause::Body, text).into());
        }
        let mut room = Room::default();
        room.make_for(begun.len())?;
        let framed = |pushed: Result<(), _>| {
            pushed.map_err(|_| Finding::new(Cause::Protocol, "its body is not framed as its head says"))
        };
        framed(reader.push(begun))?;
        let mut buffer = [0; READ_SIZE];
        while !reader.has_ended() {
            let length = match timeout_at(until, stream.read(&mut buffer)).await {
                Ok(Ok(length)) => length,
                // Many servers close TLS without `close_notify`.
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
                Ok(Err(_)) => {
                    return Err(Finding::new(Cause::Reset, "the connection was broken off within its body").into());
                }
                Err(_) => return Err(Finding::new(Cause::TimedOut, "the end of its body did not come in time").into()),
            };
            if length == 0 {
                break;
            }
            room.make_for(reader.kept() + length)?;
            framed(reader.push(&buffer[..length]))?;
        }
        let cut = || Finding::new(Cause::Reset, "the connection was closed before the end of its body");
        Ok((reader.end().ok_or_else(cut)?, room))
    }
}

/// Why a body was not read.
enum Problem {
    Finding(Finding),
    NoRoom,
}

impl From<Finding> for Problem {
    fn from(finding: Finding) -> Self {
        Self::Finding(finding)
    }
}

/// Memory for one body, taken as it comes and given back at the end.
#[derive(Default)]
struct Room {
    permits: Option<SemaphorePermit<'static>>,
    units: usize,
}

impl Room {
    /// Makes room for so many bytes in all. It waits for nobody: who holds room may be waiting, too.
    fn make_for(&mut self, bytes: usize) -> Result<(), Problem> {
        while bytes > self.units * UNIT {
            let more = ROOM.try_acquire().map_err(|_| Problem::NoRoom)?;
            match &mut self.permits {
                Some(permits) => permits.merge(more),
                None => self.permits = Some(more),
            }
            self.units += 1;
        }
        Ok(())
    }
}

fn too_large(largest: u64) -> Finding {
    Finding::new(Cause::TooLarge, format!("its body is larger than {largest} bytes"))
}

fn unmet(Finding { state, cause, text }: Finding) -> Unmet {
    let weight = if state == State::Warning { Weight::Warning } else { Weight::Critical };
    Unmet { weight, cause, text: quote::one_line(&text) }
}

/// A request holds nothing secret that an answer could repeat but for the challenge, which is none.
fn quoted(text: &str) -> String {
    quote::quoted(text, &[])
}
