//! A web server for emulators: HTTP/1.1 over plain sockets or TLS, connections kept as the other side wishes, every byte
//! counted at the socket, and payload written from one static buffer, so that it is faster than what is measured.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use rcgen::generate_simple_self_signed;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};
use tokio_rustls::TlsAcceptor;

/// What payload is made of: nothing on the way could compress it.
static RANDOM: LazyLock<Vec<u8>> =
    LazyLock::new(|| std::iter::repeat_with(|| fastrand::u8(..)).take(256 << 10).collect());

/// The head of a request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    query: String,
    head: String,
}

impl Request {
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.split('&').find_map(|pair| pair.split_once('=').filter(|(n, _)| *n == name)).map(|(_, value)| value)
    }

    /// How many fields the query has.
    pub fn query_fields(&self) -> usize {
        self.query.split('&').filter(|pair| !pair.is_empty()).count()
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub fn length(&self) -> u64 {
        self.field("content-length").and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

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
    /// A text in two pieces, with a pause between them and without telling how long it is.
    InPieces([&'static str; 2]),
    /// As many bytes as anybody reads, without telling how many, until the connection is closed.
    Endless,
    /// So many bytes, without telling how many, and then the connection is closed.
    Untold(u64),
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

/// What has passed the server's sockets, TLS included.
#[derive(Debug, Default)]
pub struct Traffic {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Traffic {
    pub fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    pub fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }
}

/// Answers requests for as long as it is kept.
#[derive(Debug)]
pub struct Web {
    pub address: SocketAddr,
    /// With TLS: what `SSL_CERT_FILE` must hold.
    pub certificate: Option<String>,
    pub traffic: Arc<Traffic>,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Web {
    /// On a free port of the loopback interface, with or without TLS. `answer` is handed the server's own base address
    /// too.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn open(tls: bool, answer: impl Fn(&str, &Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::open_at(([127, 0, 0, 1], 0).into(), tls, answer).await
    }

    /// # Panics
    /// When the address cannot be had.
    pub async fn open_at(
        address: SocketAddr,
        tls: bool,
        answer: impl Fn(&str, &Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (acceptor, certificate) = if tls {
            let (acceptor, certificate) = acceptor(address.ip());
            (Some(acceptor), Some(certificate))
        } else {
            (None, None)
        };
        let (traffic, requests) = (Arc::<Traffic>::default(), Arc::<Mutex<Vec<Request>>>::default());
        let scheme = if tls { "https" } else { "http" };
        let (counting, noting, base) = (Arc::clone(&traffic), Arc::clone(&requests), format!("{scheme}://{address}"));
        let answer: Answer = Arc::new(move |request| {
            noting.lock().expect("no request panics").push(request.clone());
            answer(&base, request)
        });
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
                let stream = Counted { stream, traffic: Arc::clone(&counting) };
                tokio::spawn(async move {
                    // A client that goes away is none of our troubles.
                    let _ = match acceptor {
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => serve(stream, &answer).await,
                            Err(error) => Err(error),
                        },
                        None => serve(stream, &answer).await,
                    };
                });
            }
        });
        Self { address, certificate, traffic, requests, task }
    }

    /// Its base address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.certificate.is_some() { "https" } else { "http" }, self.address)
    }

    /// The requests so far.
    ///
    /// # Panics
    /// Never in practice.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no request panics").clone()
    }

    /// How many requests so far have a path that begins like that.
    pub fn asked(&self, path: &str) -> usize {
        self.requests().iter().filter(|request| request.path.starts_with(path)).count()
    }
}

type Answer = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

fn acceptor(address: IpAddr) -> (TlsAcceptor, String) {
    let made = generate_simple_self_signed(vec!["localhost".to_owned(), address.to_string()]).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("the key fits");
    (TlsAcceptor::from(Arc::new(config)), made.cert.pem())
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &Answer) -> io::Result<()> {
    let mut begun = Vec::new();
    while let Some(request) = read_head(&mut stream, &mut begun).await? {
        let reply = answer(&request);
        let close = reply.early || request.field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if !reply.early {
            drain(&mut stream, &mut begun, request.length()).await?;
        }
        sleep(reply.delay).await;
        let length = match &reply.body {
            Body::Text(text) => Some(text.len() as u64),
            Body::Payload(length) | Body::Slow(length, _) | Body::Stalls(length, _) | Body::Breaks(length, _) => {
                Some(*length)
            }
            Body::InPieces(_) | Body::Endless | Body::Untold(_) => None,
        };
        let mut head = vec![format!("HTTP/1.1 {} Emulated", reply.status)];
        head.extend(length.map(|length| format!("Content-Length: {length}")));
        if close || length.is_none() {
            head.push("Connection: close".into());
        }
        head.extend(reply.fields);
        let head = head.join("\r\n") + "\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        if request.method != "HEAD" && !write(&mut stream, &reply.body).await? {
            return Ok(());
        }
        stream.flush().await?;
        if close {
            return stream.shutdown().await;
        }
    }
    Ok(())
}

/// Writes a body; whether the connection can go on.
async fn write(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), body: &Body) -> io::Result<bool> {
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
        Body::Untold(length) => {
            payload(stream, *length).await?;
            // Only its end tells that it is whole.
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

/// The next head; `None` at the end of the connection. What was read beyond it is left in `begun`.
async fn read_head(stream: &mut (impl AsyncRead + Unpin), begun: &mut Vec<u8>) -> io::Result<Option<Request>> {
    loop {
        if let Some(end) = begun.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&begun[..end]).into_owned();
            begun.drain(..end + 4);
            let mut words = head.lines().next().unwrap_or_default().split(' ');
            let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
            return Ok(Some(Request { method, path, query, head }));
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await? {
            0 => return Ok(None),
            read => begun.extend_from_slice(&piece[..read]),
        }
    }
}

/// Reads a body and forgets it.
async fn drain(stream: &mut (impl AsyncRead + Unpin), begun: &mut Vec<u8>, length: u64) -> io::Result<()> {
    let there = begun.len().min(usize::try_from(length).unwrap_or(usize::MAX));
    begun.drain(..there);
    let mut left = length - there as u64;
    let mut piece = vec![0; 64 << 10];
    while left > 0 {
        let most = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        match stream.read(&mut piece[..most]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => left -= read as u64,
        }
    }
    Ok(())
}

/// A socket whose bytes are counted.
struct Counted {
    stream: TcpStream,
    traffic: Arc<Traffic>,
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.traffic.received.fetch_add((buf.filled().len() - before) as u64, Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.traffic.sent.fetch_add(written as u64, Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
