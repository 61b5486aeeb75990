//! What a server answers: whole, slowly, in part, or without an end.

use std::{io, sync::LazyLock, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, sleep, sleep_until},
};

/// What payload is made of: nothing on the way could compress it.
static RANDOM: LazyLock<Vec<u8>> =
    LazyLock::new(|| std::iter::repeat_with(|| fastrand::u8(..)).take(256 << 10).collect());

/// What an answer consists of.
#[derive(Clone, Debug)]
pub enum Body {
    Text(String),
    /// So many bytes.
    Payload(u64),
    /// So many bytes, at so many a second.
    Slow(u64, u64),
    /// So many bytes are promised, so many come, and then nothing does.
    Stalls(u64, u64),
    /// So many bytes are promised, so many come, and the connection is closed.
    Breaks(u64, u64),
    /// A text in two pieces, with a pause between them and without its length.
    InPieces([&'static str; 2]),
    /// As many bytes as the client reads, without a length, until the connection is closed.
    Endless,
    /// So many bytes, without a length, and then the connection is closed.
    NoLength(u64),
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    /// Each as `Name: value`.
    pub fields: Vec<String>,
    pub body: Body,
    /// The answer waits for so long.
    pub delay: Duration,
    /// A body of the request is not read before the answer, and the connection is closed after it.
    pub early: bool,
}

impl Reply {
    pub fn new(status: u16, body: Body) -> Self {
        Self { status, fields: Vec::new(), body, delay: Duration::ZERO, early: false }
    }

    pub fn text(status: u16, kind: &str, text: impl Into<String>) -> Self {
        Self::new(status, Body::Text(text.into())).field("Content-Type", kind)
    }

    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push(format!("{name}: {value}"));
        self
    }
}

/// Writes a body; whether the connection can go on.
pub(super) async fn write(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), body: &Body) -> io::Result<bool> {
    match body {
        Body::Text(text) => stream.write_all(text.as_bytes()).await.map(|()| true),
        Body::Payload(length) => payload(stream, *length).await.map(|()| true),
        Body::Slow(length, rate) => {
            let (start, mut written) = (Instant::now(), 0);
            while written < *length {
                let piece = (length - written).min((rate / 50).max(1));
                payload(stream, piece).await?;
                stream.flush().await?;
                written += piece;
                #[expect(clippy::cast_precision_loss, reason = "it is small")]
                sleep_until(start + Duration::from_secs_f64(written as f64 / *rate as f64)).await;
            }
            Ok(true)
        }
        Body::Stalls(_, length) => {
            payload(stream, *length).await?;
            stream.flush().await?;
            // Until the other side has had enough.
            stream.read(&mut [0; 16]).await.map(|_| false)
        }
        Body::Breaks(_, length) => {
            payload(stream, *length).await?;
            stream.flush().await?;
            Ok(false)
        }
        Body::InPieces(pieces) => {
            for piece in pieces {
                stream.write_all(piece.as_bytes()).await?;
                stream.flush().await?;
                sleep(Duration::from_millis(50)).await;
            }
            Ok(false)
        }
        Body::Endless => loop {
            payload(stream, 256 << 10).await?;
        },
        Body::NoLength(length) => {
            payload(stream, *length).await?;
            // Only its end shows that it is whole.
            Ok(false)
        }
    }
}

async fn payload(stream: &mut (impl AsyncWrite + Unpin), length: u64) -> io::Result<()> {
    let mut left = length;
    while left > 0 {
        let piece = RANDOM.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        stream.write_all(&RANDOM[..piece]).await?;
        left -= piece as u64;
    }
    Ok(())
}
