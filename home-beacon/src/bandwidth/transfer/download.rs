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
    super::{
        connection::Connection,
        error::MeasureError,
        sources::{
            MIN_FILE, Source,
            parsers::{is_html, whole_length},
        },
    },
    stream::{STALL_TIMEOUT, TransferState},
};

/// What a download should be answered with.
const PAYLOAD: &str = "payload";

/// An answer of less than half of this, or of what was asked for, measures requests instead of the connection.
const MIN_ANSWER: u64 = 128 << 10;

/// How much may be read from the socket before it is checked how much that was: what HTTP, TLS and the way between the two
/// hold, a buffer each.
const READ_AHEAD: u64 = 3 * (64 << 10);

/// As many bytes of a body are inspected: some servers send no type, or a wrong one.
const INSPECTED: usize = 64;

impl TransferState<'_> {
    /// Gets a piece; the connection where it can be used again. What came of the piece, or still may, is `used`.
    pub(crate) async fn download(
        &self,
        mut connection: Connection,
        server: &Url,
        piece: u64,
        used: &Cell<u64>,
    ) -> Result<Option<Connection>, MeasureError> {
        let request = self.servers.source.down(server, piece);
        let before = connection.received();
        connection.coming = piece;
        let answer = connection.ask(request).await;
        if let Err(MeasureError::Silent { .. }) = answer {
            // It may come after all.
            used.set(piece);
        } else {
            connection.coming = 0;
        }
        let (head, body) = answer?.into_parts();
        let length = body.size_hint().exact();
        // Where the other side sends more than it was asked for, the connection is cut before that can come.
        let bounded = length.is_some_and(|length| length <= piece);
        connection.coming = length.unwrap_or(piece).min(piece);
        used.set(connection.coming);
        if !bounded {
            self.endless.set(true);
        }
        MeasureError::check_payload(connection.host(), &head, PAYLOAD)?;
        self.large_enough(connection.host(), &head, length, piece)?;
        self.receive(connection, body, piece, (!bounded).then_some(before), used).await
    }

    /// Reads a body and drops it. Of one that may be longer than the piece, `endless` is how much the line had received
    /// before it: what has come since, and what may still when it is cut, is never more than the piece.
    async fn receive(
        &self,
        mut connection: Connection,
        mut body: Incoming,
        piece: u64,
        endless: Option<u64>,
        used: &Cell<u64>,
    ) -> Result<Option<Connection>, MeasureError> {
        let (mut read, mut begin) = (0, Vec::new());
        let silence = sleep_until(Instant::now() + STALL_TIMEOUT);
        tokio::pin!(silence);
        loop {
            let frame = tokio::select! {
                biased;
                frame = body.frame() => frame,
                () = &mut silence => {
                    let host = connection.host().to_owned();
                    return Err(MeasureError::Silent { host, after: STALL_TIMEOUT });
                }
            };
            silence.as_mut().reset(Instant::now() + STALL_TIMEOUT);
            let data = match frame {
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                None if read == 0 => return Err(MeasureError::unusable(connection.host(), "its answer is empty")),
                // Where the length was known, this was checked before.
                None if read < self.least(piece) => {
                    connection.coming = 0;
                    used.set(read);
                    self.take_back(read);
                    return Err(MeasureError::unusable(
                        connection.host(),
                        format!("it sent no more than {read} bytes"),
                    ));
                }
                None => {
                    connection.coming = 0;
                    return Ok(Some(connection));
                }
                Some(Err(error)) => {
                    connection.coming = 0;
                    used.set(endless.map_or(read, |before| connection.received() - before));
                    return Err(connection.broken(&error));
                }
            };
            let came = data.len() as u64;
            read += came;
            connection.coming = connection.coming.saturating_sub(came);
            self.count(came);
            if begin.len() < INSPECTED {
                begin.extend_from_slice(&data[..data.len().min(INSPECTED)]);
                if is_html(None, &begin) {
                    self.take_back(read);
                    return Err(MeasureError::Html { host: connection.host().to_owned(), instead: PAYLOAD });
                }
            }
            if let Some(before) = endless {
                let came = connection.received() - before;
                connection.coming = piece.saturating_sub(came);
                if came.saturating_add(connection.room()).saturating_add(READ_AHEAD) >= piece {
                    used.set(came.saturating_add(connection.room()).min(piece));
                    return Ok(None);
                }
            }
        }
    }

    /// The least that an answer must have; a shorter one is a message, or measures requests instead of the connection.
    fn least(&self, piece: u64) -> u64 {
        match self.servers.source {
            Source::File(_) => piece.min(MIN_FILE),
            _ => piece.min(MIN_ANSWER) / 2,
        }
    }

    /// # Errors
    /// When so little comes that it measures requests instead of the connection.
    fn large_enough(
        &self,
        host: &str,
        head: &response::Parts,
        length: Option<u64>,
        piece: u64,
    ) -> Result<(), MeasureError> {
        let whole = head.headers.get(CONTENT_RANGE).and_then(|field| whole_length(field.to_str().ok()?)).or(length);
        match (whole, length) {
            (Some(whole), _) if whole < MIN_FILE && matches!(self.servers.source, Source::File(_)) => {
                let what = format!("the file has {whole} bytes, which is too few: choose one of 1 MB or more");
                Err(MeasureError::unusable(host, what))
            }
            (_, Some(length)) if length < piece.min(MIN_ANSWER) / 2 => {
                Err(MeasureError::unusable(host, format!("it sent {length} bytes where {piece} were asked for")))
            }
            _ => Ok(()),
        }
    }
}
