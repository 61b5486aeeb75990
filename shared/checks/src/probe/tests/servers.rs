//! Servers of one address each that end with the test.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// A server, and what it was sent.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    task: JoinHandle<()>,
    requests: mpsc::UnboundedReceiver<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What it does with a connection.
#[derive(Clone, Debug)]
pub(super) enum Does {
    /// Takes it, and nothing else.
    Nothing,
    /// Closes it at once.
    Closes,
    /// Resets it once something was sent.
    Resets,
    /// Says that, whatever it is sent, and then nothing more; the connection stays.
    Says(Vec<u8>),
    /// Reads a request, says that, and closes.
    Answers(Vec<u8>),
    /// As before, over and over with the second part.
    Repeats(Vec<u8>, Vec<u8>),
    /// As before, with a pause between two.
    Drips(Vec<u8>, Vec<u8>),
}

impl Does {
    pub(super) fn answers(text: impl AsRef<[u8]>) -> Self {
        Self::Answers(text.as_ref().to_vec())
    }
}

impl Server {
    pub(super) async fn start(does: Does) -> Self {
        Self::start_with(does, None).await
    }

    pub(super) async fn start_tls(does: Does, tls: ServerConfig) -> Self {
        Self::start_with(does, Some(TlsAcceptor::from(Arc::new(tls)))).await
    }

    async fn start_with(does: Does, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (does, tls, sender) = (does.clone(), tls.clone(), sender.clone());
                connections.spawn(async move {
                    if matches!(does, Does::Resets) {
                        // Nothing is said before the connection is gone.
                        stream.set_zero_linger().unwrap();
                    }
                    match tls {
                        None => act(&does, stream, &sender).await,
                        // Whether the handshake comes about is the probe's business.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                act(&does, stream, &sender).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, task, requests }
    }

    /// What it was sent so far, connection by connection.
    pub(super) fn requests(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.requests.try_recv().ok()).collect()
    }
}

async fn act(does: &Does, mut stream: impl AsyncRead + AsyncWrite + Unpin, sender: &mpsc::UnboundedSender<String>) {
    // The other side may end at any time.
    match does {
        Does::Nothing => std::future::pending().await,
        Does::Closes => (),
        Does::Resets => drop(stream.read(&mut [0; 1]).await),
        Does::Says(words) => {
            drop(stream.write_all(words).await);
            drop(stream.flush().await);
            std::future::pending::<()>().await;
        }
        Does::Answers(answer) => {
            request(&mut stream, sender).await;
            drop(stream.write_all(answer).await);
            drop(stream.shutdown().await);
            // Closed with something unread, the connection would be reset, and the answer be lost.
            while stream.read(&mut [0; 512]).await.is_ok_and(|read| read > 0) {}
        }
        Does::Repeats(first, then) => {
            request(&mut stream, sender).await;
            drop(stream.write_all(first).await);
            while stream.write_all(then).await.is_ok() {}
        }
        Does::Drips(first, then) => {
            request(&mut stream, sender).await;
            drop(stream.write_all(first).await);
            while stream.write_all(then).await.is_ok() && stream.flush().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Reads a request to the end of its head, and a body of the length that it says.
async fn request(stream: &mut (impl AsyncRead + Unpin), sender: &mpsc::UnboundedSender<String>) {
    let (mut read, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                drop(sender.send(text));
                return;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(length @ 1..) => read.extend_from_slice(&buffer[..length]),
            _ => return,
        }
    }
}

/// An address of this machine at which nothing listens.
pub(super) async fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A listener whose queue is full, so that no connection comes about; it is kept as long as what is returned.
pub(super) async fn full() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut kept = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        kept.push(stream);
        assert!(kept.len() < 50, "the queue has an end");
    }
    (address, listener, kept)
}
