//! What is uploaded: so many random bytes, which nothing on the way can compress, counted as they leave.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use hyper::body::{Body, Bytes, Frame, SizeHint};

/// Small, so that a slow line is seen in small steps.
const PIECE: usize = 8 << 10;

static RANDOM: LazyLock<Bytes> =
    LazyLock::new(|| std::iter::repeat_with(|| fastrand::u8(..)).take(PIECE).collect::<Vec<_>>().into());

/// The body of a request.
#[derive(Debug)]
pub(crate) struct Payload {
    left: u64,
    /// Counts what has been sent.
    sent: Option<Arc<AtomicU64>>,
}

impl Payload {
    pub(crate) fn empty() -> Self {
        Self { left: 0, sent: None }
    }

    pub(crate) fn new(bytes: u64, sent: Arc<AtomicU64>) -> Self {
        Self { left: bytes, sent: Some(sent) }
    }

    pub(crate) fn length(&self) -> u64 {
        self.left
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let piece = self.left.min(PIECE as u64);
        self.left -= piece;
        if let Some(sent) = &self.sent {
            sent.fetch_add(piece, Relaxed);
        }
        let piece = usize::try_from(piece).unwrap_or(PIECE);
        Poll::Ready(Some(Ok(Frame::data(RANDOM.slice(..piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
