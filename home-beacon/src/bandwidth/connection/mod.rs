//! A connection to measure over: HTTP/1.1 with one request at a time, and what may still come of the last one.

mod dial;
mod meter;
mod payload;

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

pub(crate) use self::{
    dial::{Buffer, Dialer, host},
    meter::Meter,
    payload::Payload,
};
use super::error::MeasureError;

/// How long the head of an answer may take.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection. Dropped, it is closed, whatever is on its way.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Payload>,
    task: AbortHandle,
    /// The same socket, to ask it.
    socket: Socket,
    host: String,
    meter: Arc<Meter>,
    received: Arc<Meter>,
    /// How much of what was asked for is still to come, in bytes.
    pub(crate) coming: u64,
    /// Whether it has had an answer before.
    pub(crate) used: bool,
}

impl Connection {
    pub(crate) fn new(
        sender: SendRequest<Payload>,
        task: AbortHandle,
        socket: Socket,
        host: String,
        meter: Arc<Meter>,
        received: Arc<Meter>,
    ) -> Self {
        Self { sender, task, socket, host, meter, received, coming: 0, used: false }
    }

    /// # Errors
    /// When the head of an answer does not come in time.
    pub(crate) async fn ask(&mut self, request: Request<Payload>) -> Result<Response<Incoming>, MeasureError> {
        let answer = timeout(ANSWER_TIMEOUT, self.send(request)).await;
        answer.unwrap_or_else(|_| Err(MeasureError::Silent { host: self.host.clone(), after: ANSWER_TIMEOUT }))
    }

    /// As [`Connection::ask`], for as long as it takes.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(crate) async fn send(&mut self, request: Request<Payload>) -> Result<Response<Incoming>, MeasureError> {
        self.sender.ready().await.map_err(|error| self.broken(&error))?;
        let answer = self.sender.send_request(request).await.map_err(|error| self.broken(&error))?;
        self.used = true;
        Ok(answer)
    }

    pub(crate) fn broken(&self, error: &hyper::Error) -> MeasureError {
        MeasureError::Broken { host: self.host.clone(), why: root_cause(error).to_string() }
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether it can be asked again.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// All that has come over it, read or still waiting on our side: heads, and what TLS adds.
    pub(crate) fn received(&self) -> u64 {
        self.received.total()
    }

    /// The most that can have been sent to us and not been read yet: what the kernel keeps room for.
    pub(crate) fn room(&self) -> u64 {
        self.socket.recv_buffer_size().map_or(u64::MAX, |room| room as u64)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
        // What is on its way when a connection is cut may still arrive, as far as there was room for it. It is
        // never read, but the line has carried it.
        self.meter.add(self.coming.min(self.room()));
    }
}

/// A request for what is at `url`, with the length of its body.
pub(crate) fn request(method: &'static str, url: &Url, body: Payload) -> Request<Payload> {
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
