//! The transport behind reqwest's requests and responses. reqwest's own would try the addresses of a name one after the other,
//! with its connect timeout divided among them (`findings/reqwest-divides-connect-timeout.sh`).
//!
//! One connection for each call, over HTTP/1, and none is kept: a Lambda is frozen between runs, and what it kept would be dead.

use std::{fmt, io, net::SocketAddrV6, sync::Arc, time::Duration};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use reqwest::{
    Body, Method, Request, Response,
    header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT},
};
use rustls::{ClientConfig, pki_types::ServerName};
use serde::Serialize;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;
use url::{Host, Position, Url};

use super::{
    Deadlines,
    body::{AbortOnDrop, Timed},
};
use crate::{
    dial::{Dial, NotConnected},
    names::Search,
};

/// A call that has brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It cannot be put together; says why.
    #[error("the request cannot be made: {0}")]
    Request(String),
    /// No address took the connection.
    #[error("no connection")]
    Connect(#[source] NotConnected),
    /// There is a connection, but TLS failed on it.
    #[error("no secure connection")]
    Tls(#[source] io::Error),
    /// A deadline passed.
    #[error("no answer in time")]
    TooLate,
    /// After it was made, and before an answer.
    #[error("the connection broke")]
    Broken(#[source] hyper::Error),
    /// While the answer was being read.
    #[error("the answer broke off")]
    Body(#[source] reqwest::Error),
}

impl CallError {
    /// Whether nothing can have reached the service.
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Tls(_))
    }

    /// Whether a deadline passed, in whichever phase.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::TooLate | Self::Connect(NotConnected::TooLate) => true,
            Self::Body(error) => error.is_timeout(),
            _ => false,
        }
    }
}

/// Makes calls, under one policy.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) tls: Arc<ClientConfig>,
    pub(super) deadlines: Deadlines,
    pub(super) local: Option<std::net::IpAddr>,
    /// `None`: by each host, see [`Search::of`].
    pub(super) search: Option<Search>,
    /// The number of the interface that an address of one link alone (`fe80::`) is behind; 0 where none is named.
    pub(super) scope: u32,
}

impl Client {
    /// With the interface, by its number, that addresses of one link alone (`fe80::`) are behind.
    #[must_use]
    pub const fn by_interface(mut self, scope: u32) -> Self {
        self.scope = scope;
        self
    }

    /// A GET of that address.
    pub fn get(&self, url: &Url) -> Call<'_> {
        self.call(Method::GET, url.clone())
    }

    /// A call by that method.
    pub fn call(&self, method: Method, url: Url) -> Call<'_> {
        Call { client: self, deadlines: self.deadlines, hides: Hides::Nothing, request: Ok(Request::new(method, url)) }
    }
}

/// A request that is being put together. `Debug` does not show it: its address may be a secret.
pub struct Call<'client> {
    client: &'client Client,
    deadlines: Deadlines,
    hides: Hides,
    request: Result<Request, String>,
}

/// What of a call's address is not logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hides {
    Nothing,
    /// What follows the host.
    Path,
    All,
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}

impl Call<'_> {
    /// Of an address that is a secret: only its host is logged.
    #[must_use]
    pub const fn confidential(mut self) -> Self {
        self.hides = Hides::Path;
        self
    }

    /// Of an address whose host is a secret too: nothing of it is logged.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.hides = Hides::All;
        self
    }

    /// With that body, of that type.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: Vec<u8>) -> Self {
        if let Ok(request) = &mut self.request {
            *request.body_mut() = Some(body.into());
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        self
    }

    /// With that header, in the place of one of the same name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Ok(request) = &mut self.request {
            request.headers_mut().insert(name, value);
        }
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).map_err(|error| error.to_string());
        self.request = self.request.and_then(|mut request| {
            *request.body_mut() = Some(body?.into());
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Ok(request)
        });
        self
    }

    /// With another deadline for all of it.
    #[must_use]
    pub fn within(mut self, total: Duration) -> Self {
        self.deadlines.total = total;
        self
    }

    /// Makes the call.
    ///
    /// # Errors
    /// When there is no answer; whether it is a success is the caller's business.
    pub async fn send(self) -> Result<Response, CallError> {
        let until = Instant::now() + self.deadlines.total;
        let request = self.request.map_err(CallError::Request)?;
        let url = request.url();
        let path = if self.hides == Hides::Nothing { url.path() } else { "(hidden)" };
        let host = if self.hides == Hides::All { Some("(hidden)") } else { url.host_str() };
        tracing::debug!(method = %request.method(), host, port = url.port_or_known_default(), path, "calling");
        // On the heap: connecting takes much room, and every caller's future would be as large.
        let sent = Box::pin(self.client.send(request, self.deadlines, until));
        timeout_at(until, sent).await.unwrap_or(Err(CallError::TooLate))
    }
}

impl Client {
    async fn send(&self, request: Request, deadlines: Deadlines, until: Instant) -> Result<Response, CallError> {
        let url = request.url().clone();
        let host = url.host().ok_or_else(|| CallError::Request("its address names no host".into()))?;
        let port = url.port_or_known_default().unwrap_or(80);
        let search = self.search.unwrap_or_else(|| url.host_str().map_or(Search::Never, Search::of));
        let connected_by = until.min(Instant::now() + deadlines.connect);
        let stream = match host {
            Host::Ipv6(six) if self.scope > 0 && six.is_unicast_link_local() => {
                on_link(SocketAddrV6::new(six, port, 0, self.scope), connected_by).await
            }
            _ => Dial { search, local: self.local }.connect(host.clone(), port, connected_by).await,
        };
        let stream = stream.map_err(CallError::Connect)?;
        let request = on_the_wire(request, &url)?;
        if url.scheme() != "https" {
            return exchange(stream, request, deadlines, until).await;
        }
        let name =
            server_name(&host).ok_or_else(|| CallError::Request("its host has no name that TLS knows".into()))?;
        let shaken = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream);
        let shaken = timeout_at(connected_by, shaken).await;
        let stream = shaken.map_err(|_| CallError::Connect(NotConnected::TooLate))?.map_err(CallError::Tls)?;
        exchange(stream, request, deadlines, until).await
    }
}

async fn on_link(address: SocketAddrV6, until: Instant) -> Result<TcpStream, NotConnected> {
    let connected = timeout_at(until, TcpStream::connect(address)).await.map_err(|_| NotConnected::TooLate)?;
    connected.map_err(|why| NotConnected::Refused { address: address.into(), why })
}

/// The name that a certificate must have: without the dot that ends a complete name.
pub fn server_name(host: &Host<&str>) -> Option<ServerName<'static>> {
    match host {
        Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned()).ok(),
        Host::Ipv4(address) => Some(ServerName::IpAddress(std::net::IpAddr::from(*address).into())),
        Host::Ipv6(address) => Some(ServerName::IpAddress(std::net::IpAddr::from(*address).into())),
    }
}

/// The request as it is sent: a path instead of an address, and the fields that every request has.
fn on_the_wire(request: Request, url: &Url) -> Result<hyper::Request<Body>, CallError> {
    let wrong = |error: &dyn std::error::Error| CallError::Request(error.to_string());
    let mut wired: hyper::Request<Body> = request.try_into().map_err(|error: reqwest::Error| wrong(&error))?;
    *wired.uri_mut() = url[Position::BeforePath..Position::AfterQuery]
        .parse()
        .map_err(|error: hyper::http::uri::InvalidUri| wrong(&error))?;
    let host = &url[Position::BeforeHost..Position::AfterPort];
    let host = HeaderValue::from_str(host).map_err(|error| wrong(&error))?;
    let length = wired.body().as_bytes().map_or(0, <[u8]>::len);
    let may_have_a_body = !matches!(*wired.method(), Method::GET | Method::HEAD);
    let fields = wired.headers_mut();
    fields.insert(HOST, host);
    fields.insert(USER_AGENT, HeaderValue::from_static(super::USER_AGENT));
    fields.insert(CONNECTION, HeaderValue::from_static("close"));
    if length > 0 || may_have_a_body {
        fields.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(wired)
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    request: hyper::Request<Body>,
    deadlines: Deadlines,
    until: Instant,
) -> Result<Response, CallError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(CallError::Broken)?;
    // It ends with the answer, which shows how it went.
    let task = AbortOnDrop(tokio::spawn(async { drop(connection.await) }).abort_handle());
    let answered_by = until.min(Instant::now() + deadlines.read);
    let answer = timeout_at(answered_by, sender.send_request(request)).await.map_err(|_| CallError::TooLate)?;
    let (head, body) = answer.map_err(CallError::Broken)?.into_parts();
    tracing::trace!(status = head.status.as_u16(), "answered");
    let body = Timed::new(body, deadlines.read, until, task);
    Ok(hyper::Response::from_parts(head, Body::wrap(body)).into())
}
