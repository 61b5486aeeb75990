//! One connection: with or without TLS, one request, its answer, and the end.

use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use axum::{Router, body::Body};
use hyper::{Request, body::Body as _, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::{Limits, limiter::Slot};

/// The longest head of a request, in bytes: the smallest limit that hyper allows.
const MAX_HEAD: usize = 8 << 10;

/// How long a request's unread rest is taken in after the answer, because closing over it would destroy the answer; and how long
/// TLS may take to say that it ends.
const LINGER: Duration = Duration::from_secs(1);

/// Where a request comes from; each has it among its extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// A connection that was accepted.
pub(super) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) slot: Slot,
}

/// From its first byte to its close.
pub(super) async fn serve_connection(accepted: Accepted, tls: Option<TlsAcceptor>, router: Router, limits: Limits) {
    let Accepted { stream, peer, slot } = accepted;
    let until = Instant::now() + limits.total;
    let Some(tls) = tls else {
        if let Some((stream, true)) = answer(stream, peer, router, limits, &slot, until).await {
            slot.answered();
            linger(stream).await;
        }
        return;
    };
    // On the heap: a connection without TLS is not to have room for one.
    Box::pin(async {
        match timeout(limits.head, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                let Some((mut stream, is_unread)) = answer(stream, peer, router, limits, &slot, until).await else {
                    return;
                };
                slot.answered();
                if is_unread {
                    linger(stream).await;
                } else {
                    // Without a word of its end, what was sent might have been cut off.
                    let _ = timeout(LINGER, stream.shutdown()).await;
                }
            }
            Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
            Err(_) => tracing::debug!("a handshake took too long"),
        }
    })
    .await;
}

/// Answers one request; the stream, and whether something of the request is unread.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    slot: &Slot,
    until: Instant,
) -> Option<(S, bool)> {
    let unread = AtomicBool::new(false);
    let answer = service_fn(|mut request: Request<Incoming>| {
        slot.requested();
        unread.store(!request.body().is_end_stream(), Ordering::Relaxed);
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request.map(Body::new))
    });
    // What cannot be read as a request hyper answers by itself (400, 414, 431, with no body), and no header can be added to
    // that: it alone goes without `Cache-Control: no-store`. A cache that understood so little would have nothing to keep it by.
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(MAX_HEAD)
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .serve_connection(TokioIo::new(stream), answer)
        .without_shutdown();
    match timeout_at(until, connection).await {
        Ok(Ok(parts)) => return Some((parts.io.into_inner(), unread.load(Ordering::Relaxed))),
        Ok(Err(error)) => tracing::debug!(%error, "a connection ended without an answer"),
        Err(_) => tracing::debug!("a connection took too long"),
    }
    None
}

async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let _ = timeout(LINGER, async {
        stream.shutdown().await?;
        let mut rest = [0; 4096];
        while stream.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    })
    .await;
}
