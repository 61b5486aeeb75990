//! The body of an answer, which no service can drag out.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use tokio::{
    task::AbortHandle,
    time::{Instant, Sleep, sleep_until},
};

/// The task of a connection, which ends with its answer.
#[derive(Debug)]
pub(super) struct AbortOnDrop(pub(super) AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A body that ends with an error when nothing of it comes for a while, or when the call has taken too long.
pub(super) struct Timed {
    body: Incoming,
    read: Duration,
    until: Instant,
    silence: Pin<Box<Sleep>>,
    _task: AbortOnDrop,
}

impl Timed {
    /// The body of an answer: `read` between two pieces, all of it before `until`.
    pub(super) fn new(body: Incoming, read: Duration, until: Instant, task: AbortOnDrop) -> Self {
        let mut timed = Self { body, read, until, silence: Box::pin(sleep_until(until)), _task: task };
        timed.extend();
        timed
    }

    /// Something was received.
    fn extend(&mut self) {
        let end = self.until.min(Instant::now() + self.read);
        self.silence.as_mut().reset(end);
    }
}

impl hyper::body::Body for Timed {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if Instant::now() >= self.until {
            return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())));
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.extend();
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.silence.as_mut().poll(context));
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
