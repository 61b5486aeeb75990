//! Makes connections to measure over, every byte of which is counted, and reads the short texts that lead to servers.

use std::{cell::OnceCell, error::Error, sync::Arc, time::Duration};

use http_body_util::BodyExt;
use hyper::{
    body::Body,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use shared::{complaints, dial::Dial, http::server_name, names::Search};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, BufReader},
    task::AbortHandle,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsConnector, rustls::ClientConfig};
use url::Url;

use super::{
    super::error::MeasureError,
    Connection, Payload,
    meter::{Meter, Metered},
    request,
};

/// How long a connection may take, its TLS handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// Servers to measure against are in the world, never at home.
const DIAL: Dial = Dial { search: Search::Never, local: None };

/// How long a text may take from the first byte asked for to the last one received.
const TEXT_TIMEOUT: Duration = Duration::from_secs(6);

/// How much of what is to be sent may wait in the kernel: what waits has not been sent yet, whatever we count.
const MAX_UNSENT: u32 = 16 << 10;

/// How much is read, or waits to be sent, at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Buffer {
    /// For what is sent: see [`MAX_UNSENT`].
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

/// Makes connections.
#[derive(Debug)]
pub(crate) struct Dialer {
    tls: OnceCell<Arc<ClientConfig>>,
    meter: Arc<Meter>,
    /// With more than this on the meter no text is read.
    allowance: u64,
}

impl Dialer {
    pub(crate) fn new(meter: Arc<Meter>, allowance: u64) -> Self {
        Self { tls: OnceCell::new(), meter, allowance }
    }

    /// # Errors
    /// When there is no connection in time.
    pub(crate) async fn dial(&self, url: &Url, buffer: Buffer) -> Result<Connection, MeasureError> {
        let host = host(url);
        let unreachable = |why: String| MeasureError::Unreachable { host: host.clone(), why };
        let dialled = timeout(CONNECT_TIMEOUT, self.connect(url, buffer)).await;
        let dialled =
            dialled.map_err(|_| unreachable(format!("no connection within {} s", CONNECT_TIMEOUT.as_secs())))?;
        dialled.map_err(|error| unreachable(complaints::describe(&*error)))
    }

    async fn connect(&self, url: &Url, buffer: Buffer) -> Result<Connection, Box<dyn Error>> {
        let at = url.host().ok_or("the address names no host")?;
        let until = Instant::now() + CONNECT_TIMEOUT;
        let stream = DIAL.connect(at.clone(), url.port_or_known_default().unwrap_or(80), until).await?;
        let socket = SockRef::from(&stream).try_clone()?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_notsent_lowat(MAX_UNSENT)?;
        let received = Arc::default();
        let metered = Metered::new(stream, Arc::clone(&self.meter), Arc::clone(&received));
        let (sender, connection) = if url.scheme() == "https" {
            let name = server_name(&at).ok_or("the host has no name that TLS knows")?;
            let tls = TlsConnector::from(self.tls()?);
            // rustls asks the socket for 4 kB at a time.
            let buffered = BufReader::with_capacity(buffer.bytes(), metered);
            begin(tls.connect(name, buffered).await?, buffer).await?
        } else {
            begin(metered, buffer).await?
        };
        Ok(Connection::new(sender, connection, socket, host(url), Arc::clone(&self.meter), received))
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, shared::http::SetupError> {
        match self.tls.get() {
            Some(tls) => Ok(Arc::clone(tls)),
            None => shared::http::tls_config().map(|tls| Arc::clone(self.tls.get_or_init(|| tls))),
        }
    }

    /// Gets a text of at most `max_bytes`.
    ///
    /// # Errors
    /// When there is none in time, or it is longer, or is no text.
    pub(crate) async fn text(
        &self,
        url: &Url,
        max_bytes: usize,
        instead: &'static str,
    ) -> Result<String, MeasureError> {
        let host = host(url);
        let get = async {
            let mut connection = self.dial(url, Buffer::Small).await?;
            let (head, mut body) = connection.ask(request("GET", url, Payload::empty())).await?.into_parts();
            connection.coming = body.size_hint().exact().unwrap_or(u64::MAX);
            MeasureError::check(&host, &head, instead)?;
            let mut text = Vec::new();
            while let Some(piece) = body.frame().await {
                let piece = piece.map_err(|error| connection.broken(&error))?.into_data().unwrap_or_default();
                connection.coming = connection.coming.saturating_sub(piece.len() as u64);
                if self.meter.total() > self.allowance {
                    return Err(MeasureError::spent());
                }
                if text.len() + piece.len() > max_bytes {
                    return Err(MeasureError::unusable(&host, format!("{instead} is longer than {max_bytes} bytes")));
                }
                text.extend_from_slice(&piece);
            }
            connection.coming = 0;
            String::from_utf8(text).map_err(|_| MeasureError::unusable(&host, format!("{instead} is no text")))
        };
        timeout(TEXT_TIMEOUT, get)
            .await
            .unwrap_or_else(|_| Err(MeasureError::Silent { host: host.clone(), after: TEXT_TIMEOUT }))
    }
}

/// Begins to speak HTTP.
async fn begin<S>(stream: S, buffer: Buffer) -> hyper::Result<(SendRequest<Payload>, AbortHandle)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        http1::Builder::new().max_buf_size(buffer.bytes()).handshake(TokioIo::new(stream)).await?;
    // How it ends is reported to the task that waits for an answer.
    let task = tokio::spawn(async { drop(connection.await) });
    Ok((sender, task.abort_handle()))
}

/// The host of an address, for messages.
pub(crate) fn host(url: &Url) -> String {
    url.host_str().unwrap_or("the server").to_owned()
}
