//! A connection to measure over: HTTP/1.1 with one request at a time, and what may still come of the last one.

use std::{sync::Arc, time::Duration};

use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::http1::SendRequest,
    header::{CONTENT_LENGTH, HOST, HeaderValue, USER_AGENT},
};
use shared::chain::root_cause;
use socket2::Socket;
use tokio::{task::AbortHandle, time::timeout};
use url::{Position, Url};

use super::{meter::Meter, payload::Payload, trouble::Trouble};

/// How long the head of an answer may take.
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// A connection. Dropped, it is closed, whatever is on its way.
#[derive(Debug)]
pub(super) struct Line {
    sender: SendRequest<Payload>,
    connection: AbortHandle,
    /// The same socket, to ask it.
    socket: Socket,
    host: String,
    meter: Arc<Meter>,
    received: Arc<Meter>,
    /// How much of what was asked for is still to come, in bytes.
    pub(super) coming: u64,
    /// Whether it has had an answer before.
    pub(super) used: bool,
}

impl Line {
    pub(super) fn new(
        sender: SendRequest<Payload>,
        connection: AbortHandle,
        socket: Socket,
        host: String,
        meter: Arc<Meter>,
        received: Arc<Meter>,
    ) -> Self {
        Self { sender, connection, socket, host, meter, received, coming: 0, used: false }
    }

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
        Trouble::Broken { host: self.host.clone(), why: root_cause(error).to_string() }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether it can be asked again.
    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// All that has come over it, whether anybody has read it or it still waits on our side: heads, and what TLS adds.
    pub(super) fn received(&self) -> u64 {
        self.received.total()
    }

    /// The most that can have been sent to us and not been read yet: what the kernel keeps room for.
    pub(super) fn room(&self) -> u64 {
        self.socket.recv_buffer_size().map_or(u64::MAX, |room| room as u64)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.connection.abort();
        // What is on its way when a connection is cut may still arrive, as far as there was room for it. Nobody here will
        // ever see it, but the line has carried it.
        self.meter.add(self.coming.min(self.room()));
    }
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
