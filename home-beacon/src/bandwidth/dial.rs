//! Connections to measure over: HTTP/1.1 with one request at a time, and every byte counted that passes the socket.
//! Bodies are handed on piece by piece and never collected, but for short texts.

use std::{
    cell::OnceCell,
    error::Error,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    client::conn::http1::{self, SendRequest},
    header::{CONTENT_LENGTH, HOST, HeaderValue, USER_AGENT},
};
use hyper_util::{
    client::legacy::connect::{HttpConnector, dns::Name},
    rt::TokioIo,
};
use shared::chain::deepest;
use socket2::{SockRef, Socket};
use tokio::{
    io::{AsyncRead, AsyncWrite, BufReader, ReadBuf},
    net::TcpStream,
    task::AbortHandle,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};
use tower::Service;
use url::{Host, Position, Url};

use super::{payload::Payload, trouble::Trouble};

/// How long a connection may take, its TLS handshake included, and the head of an answer.
const CONNECT: Duration = Duration::from_secs(4);
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// How long a text may take from the first byte asked for to the last one received.
const TEXT: Duration = Duration::from_secs(6);

/// How much of what is to be sent may wait in the kernel: what waits has not been sent yet, whatever we count.
const WAITING: u32 = 16 << 10;

/// How much is read, or waits to be sent, at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Buffer {
    /// For what is sent: see [`WAITING`].
    Small,
    /// For what is received in bulk.
    Large,
}

impl Buffer {
    fn bytes(self) -> usize {
        match self {
            Self::Small => 16 << 10,
            Self::Large => 64 << 10,
        }
    }
}

/// What has passed our sockets, TLS and heads included; and what may have when they were closed.
#[derive(Debug, Default)]
pub(super) struct Meter(AtomicU64);

impl Meter {
    pub(super) fn total(&self) -> u64 {
        self.0.load(Relaxed)
    }

    fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Relaxed);
    }
}

/// Makes connections.
#[derive(Debug)]
pub(super) struct Dialer {
    connector: HttpConnector<Names>,
    tls: OnceCell<Arc<ClientConfig>>,
    meter: Arc<Meter>,
    /// With more than this on the meter no text is read.
    allowance: u64,
}

/// A connection. Dropped, it is closed, whatever is on its way.
#[derive(Debug)]
pub(super) struct Line {
    sender: SendRequest<Payload>,
    connection: AbortHandle,
    /// The same socket, to ask it.
    socket: Socket,
    host: String,
    meter: Arc<Meter>,
    /// How much of what was asked for is still to come, in bytes.
    pub(super) coming: u64,
    /// Whether it has had an answer before.
    pub(super) used: bool,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.connection.abort();
        // What is on its way when a connection is cut may still arrive, as far as there was room for it. Nobody here will
        // ever see it, but the line has carried it.
        self.meter.add(self.coming.min(self.room()));
    }
}

impl Dialer {
    pub(super) fn new(meter: Arc<Meter>, allowance: u64) -> Self {
        let mut connector = HttpConnector::new_with_resolver(Names);
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        Self { connector, tls: OnceCell::new(), meter, allowance }
    }

    /// # Errors
    /// When there is no connection in time.
    pub(super) async fn dial(&self, url: &Url, buffer: Buffer) -> Result<Line, Trouble> {
        let host = host(url);
        let unreachable = |why: String| Trouble::Unreachable { host: host.clone(), why };
        let dialled = timeout(CONNECT, self.connect(url, buffer)).await;
        let dialled = dialled.map_err(|_| unreachable(format!("no connection within {} s", CONNECT.as_secs())))?;
        let (sender, connection, socket) = dialled.map_err(|error| unreachable(deepest(&*error).to_string()))?;
        let meter = Arc::clone(&self.meter);
        Ok(Line { sender, connection, socket, host, meter, coming: 0, used: false })
    }

    async fn connect(
        &self,
        url: &Url,
        buffer: Buffer,
    ) -> Result<(SendRequest<Payload>, AbortHandle, Socket), Box<dyn Error>> {
        let stream = self.connector.clone().call(url.as_str().parse()?).await?.into_inner();
        let socket = SockRef::from(&stream).try_clone()?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_notsent_lowat(WAITING)?;
        let metered = Metered { stream, meter: Arc::clone(&self.meter) };
        let (sender, connection) = if url.scheme() == "https" {
            let name = server_name(url).ok_or("the host has no name that TLS knows")?;
            let tls = TlsConnector::from(self.tls()?);
            // rustls asks the socket for 4 kB at a time.
            let buffered = BufReader::with_capacity(buffer.bytes(), metered);
            begin(tls.connect(name, buffered).await?, buffer).await?
        } else {
            begin(metered, buffer).await?
        };
        Ok((sender, connection, socket))
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, shared::http::SetupError> {
        match self.tls.get() {
            Some(tls) => Ok(Arc::clone(tls)),
            None => shared::http::tls_config().map(|tls| Arc::clone(self.tls.get_or_init(|| tls))),
        }
    }

    /// Gets a text of at most `longest` bytes.
    ///
    /// # Errors
    /// When there is none in time, or it is longer, or is no text.
    pub(super) async fn text(&self, url: &Url, longest: usize, instead: &'static str) -> Result<String, Trouble> {
        let host = host(url);
        let get = async {
            let mut line = self.dial(url, Buffer::Small).await?;
            let (head, mut body) = line.ask(request("GET", url, Payload::empty())).await?.into_parts();
            line.coming = body.size_hint().exact().unwrap_or(u64::MAX);
            Trouble::look(&host, &head, instead)?;
            let mut text = Vec::new();
            while let Some(piece) = body.frame().await {
                let piece = piece.map_err(|error| line.broken(&error))?.into_data().unwrap_or_default();
                line.coming = line.coming.saturating_sub(piece.len() as u64);
                if self.meter.total() > self.allowance {
                    return Err(Trouble::spent());
                }
                if text.len() + piece.len() > longest {
                    return Err(Trouble::unusable(&host, format!("{instead} is longer than {longest} bytes")));
                }
                text.extend_from_slice(&piece);
            }
            line.coming = 0;
            String::from_utf8(text).map_err(|_| Trouble::unusable(&host, format!("{instead} is no text")))
        };
        timeout(TEXT, get).await.unwrap_or_else(|_| Err(Trouble::Silent { host: host.clone(), after: TEXT }))
    }
}

/// Begins to speak HTTP.
async fn begin<S>(stream: S, buffer: Buffer) -> hyper::Result<(SendRequest<Payload>, AbortHandle)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        http1::Builder::new().max_buf_size(buffer.bytes()).handshake(TokioIo::new(stream)).await?;
    // How it ends is told to who waits for an answer.
    let task = tokio::spawn(async { drop(connection.await) });
    Ok((sender, task.abort_handle()))
}

/// A request for what is at `url`, with its length told.
pub(super) fn request(method: &'static str, url: &Url, body: Payload) -> Request<Payload> {
    let length = body.length();
    let mut request = Request::new(body);
    *request.method_mut() = method.parse().unwrap_or_default();
    let path = &url[Position::BeforePath..Position::AfterQuery];
    *request.uri_mut() = path.parse().unwrap_or_default();
    let fields = request.headers_mut();
    if let Ok(host) = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]) {
        fields.insert(HOST, host);
    }
    fields.insert(USER_AGENT, HeaderValue::from_static(shared::http::USER_AGENT));
    if method == "POST" {
        fields.insert(CONTENT_LENGTH, length.into());
    }
    request
}

impl Line {
    /// # Errors
    /// When the head of an answer does not come in time.
    pub(super) async fn ask(&mut self, request: Request<Payload>) -> Result<Response<Incoming>, Trouble> {
        let answer = timeout(ANSWER, self.send(request)).await;
        answer.unwrap_or_else(|_| Err(Trouble::Silent { host: self.host.clone(), after: ANSWER }))
    }

    /// As [`Line::ask`], for as long as it takes.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) async fn send(&mut self, request: Request<Payload>) -> Result<Response<Incoming>, Trouble> {
        self.sender.ready().await.map_err(|error| self.broken(&error))?;
        let answer = self.sender.send_request(request).await.map_err(|error| self.broken(&error))?;
        self.used = true;
        Ok(answer)
    }

    pub(super) fn broken(&self, error: &hyper::Error) -> Trouble {
        Trouble::Broken { host: self.host.clone(), why: deepest(error).to_string() }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether it can be asked again.
    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// The most that can have been sent to us and not been read yet: what the kernel keeps room for.
    pub(super) fn room(&self) -> u64 {
        self.socket.recv_buffer_size().map_or(u64::MAX, |room| room as u64)
    }
}

/// The host of an address, for people.
pub(super) fn host(url: &Url) -> String {
    url.host_str().unwrap_or("the server").to_owned()
}

fn server_name(url: &Url) -> Option<ServerName<'static>> {
    match url.host()? {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).ok(),
        Host::Ipv4(address) => Some(ServerName::IpAddress(std::net::IpAddr::from(address).into())),
        Host::Ipv6(address) => Some(ServerName::IpAddress(std::net::IpAddr::from(address).into())),
    }
}

/// The connector's look-ups, by our resolver.
#[derive(Clone, Copy, Debug)]
struct Names;

impl Service<Name> for Names {
    type Response = std::vec::IntoIter<std::net::SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        // The connector puts the port in, and takes whichever family connects first.
        Box::pin(async move { shared::names::Names::resolve(name.as_str()).await.map(Vec::into_iter) })
    }
}

/// A socket whose bytes are counted.
struct Metered {
    stream: TcpStream,
    meter: Arc<Meter>,
}

impl AsyncRead for Metered {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.meter.add((buf.filled().len() - before) as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.meter.add(written as u64);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.meter.add(written as u64);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
