//! One piece of a download.

use std::cell::Cell;

use http_body_util::BodyExt;
use hyper::{
    body::{Body, Incoming},
    header::CONTENT_RANGE,
    http::response,
};
use tokio::time::{Instant, sleep_until};
use url::Url;

use super::{
    foreign::{is_html, whole_length},
    line::Line,
    source::{LEAST_FILE, Source},
    stream::{STALL, Shared},
    trouble::Trouble,
};

/// What a download should be answered with.
const PAYLOAD: &str = "payload";

/// An answer of less than half of this, or of what was asked for, measures requests instead of the line.
const LEAST_ANSWER: u64 = 128 << 10;

/// How much may be read from the socket between two looks at how much that was: what HTTP, TLS and the way between the two
/// hold, a buffer each.
const READING: u64 = 3 * (64 << 10);

/// As many bytes of a body are looked at: some tell no type, or a wrong one.
const BEGIN: usize = 64;

impl Shared<'_> {
    /// Gets a piece; the connection where it can be used again. What came of the piece, or still may, is `used`.
    pub(super) async fn download(
        &self,
        mut line: Line,
        server: &Url,
        piece: u64,
        used: &Cell<u64>,
    ) -> Result<Option<Line>, Trouble> {
        let request = self.servers.source.down(server, piece);
        let before = line.received();
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
        if !bounded {
            self.endless.set(true);
        }
        Trouble::look_no_page(line.host(), &head, PAYLOAD)?;
        self.large_enough(line.host(), &head, length, piece)?;
        self.receive(line, body, piece, (!bounded).then_some(before), used).await
    }

    /// Reads a body and drops it. Of one that may be longer than the piece, `endless` is how much the line had received
    /// before it: what has come since, and what may still when it is cut, is never more than the piece.
    async fn receive(
        &self,
        mut line: Line,
        mut body: Incoming,
        piece: u64,
        endless: Option<u64>,
        used: &Cell<u64>,
    ) -> Result<Option<Line>, Trouble> {
        let (mut read, mut begin) = (0, Vec::new());
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
                None if read < self.least(piece) => {
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
                    used.set(endless.map_or(read, |before| line.received() - before));
                    return Err(line.broken(&error));
                }
            };
            let came = data.len() as u64;
            read += came;
            line.coming = line.coming.saturating_sub(came);
            self.count(came);
            if begin.len() < BEGIN {
                begin.extend_from_slice(&data[..data.len().min(BEGIN)]);
                if is_html(None, &begin) {
                    self.take_back(read);
                    return Err(Trouble::Html { host: line.host().to_owned(), instead: PAYLOAD });
                }
            }
            if let Some(before) = endless {
                let came = line.received() - before;
                line.coming = piece.saturating_sub(came);
                if came.saturating_add(line.room()).saturating_add(READING) >= piece {
                    used.set(came.saturating_add(line.room()).min(piece));
                    return Ok(None);
                }
            }
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
}
