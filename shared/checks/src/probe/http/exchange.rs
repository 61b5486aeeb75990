//! One request on a connection of its own, and the head of its answer.

use hyper::{
    Response,
    body::{Body as _, Incoming},
    client::conn::http1,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
    http::response,
};
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;

use super::request::Request;
use crate::{
    cause::Cause,
    probe::{
        Prober,
        connect::{Tls, broken},
        run::{Finding, Run},
    },
};

/// The longest head that is read, in bytes.
const MAX_HEAD: usize = 64 << 10;

/// The head of an answer, and its body yet to be read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) head: response::Parts,
    pub(super) body: Incoming,
    _driver: Driver,
}

/// The task that drives a connection; it ends with whoever waits for the answer.
#[derive(Debug)]
pub(in crate::probe) struct Driver(JoinHandle<hyper::Result<()>>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Driver {
    pub(in crate::probe) fn start(connection: impl Future<Output = hyper::Result<()>> + Send + 'static) -> Self {
        Self(tokio::spawn(connection))
    }

    /// Why a request failed: where it was given up because the connection had ended, why that did.
    pub(in crate::probe) async fn reason(&mut self, error: hyper::Error) -> hyper::Error {
        if !error.is_canceled() && !error.is_closed() {
            return error;
        }
        match (&mut self.0).await {
            Ok(Err(reason)) => reason,
            Ok(Ok(())) | Err(_) => error,
        }
    }
}

impl Answer {
    /// The length of the body in bytes, where the head says so; that of an answer to HEAD is 0.
    pub(super) fn announced(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// Whether the body has no other end than that of the connection.
    pub(super) fn ends_with_the_connection(&self) -> bool {
        !self.head.headers.contains_key(CONTENT_LENGTH) && !self.head.headers.contains_key(TRANSFER_ENCODING)
    }
}

/// Connects and makes the request.
pub(super) async fn exchange(
    prober: &Prober,
    request: &Request,
    verify: bool,
    run: &mut Run,
) -> Result<Answer, Finding> {
    let wired = request.on_the_wire()?;
    let host = request.url.host().ok_or_else(|| Finding::new(Cause::Local, "its address names no host"))?;
    let port = request.url.port_or_known_default().unwrap_or(80);
    let tls = (request.url.scheme() == "https").then_some(Tls { verify, protocols: &[] });
    let stream = prober.connect(run, &host, port, tls).await?;
    let answer = async {
        // As lenient as routers, cameras and old servers need it.
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEAD).ignore_invalid_headers_in_responses(true);
        builder.allow_obsolete_multiline_headers_in_responses(true);
        let (mut sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(|error| unanswered(&error))?;
        let mut driver = Driver::start(connection);
        match sender.send_request(wired).await {
            Ok(answer) => Ok((answer, driver)),
            Err(error) => Err(unanswered(&driver.reason(error).await)),
        }
    };
    let (answer, driver) = run.phase(|phases| &mut phases.answer, "connected, but no answer", answer).await?;
    let (head, body) = Response::into_parts(answer);
    Ok(Answer { head, body, _driver: driver })
}

/// Why a request brought no answer.
fn unanswered(error: &hyper::Error) -> Finding {
    if error.is_parse_too_large() {
        let text = format!("the head of its answer is longer than {} KiB, or has too many headers", MAX_HEAD >> 10);
        return Finding::new(Cause::TooLarge, text);
    }
    if error.is_parse() {
        return Finding::new(Cause::Protocol, "what answers does not speak HTTP/1.1");
    }
    if error.is_user() {
        return Finding::new(Cause::Local, "the request cannot be made as it is written");
    }
    ended(error, "before an answer")
}

/// What an error of hyper's means for the connection.
pub(in crate::probe) fn ended(error: &hyper::Error, when: &str) -> Finding {
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return Finding::new(Cause::Reset, format!("the connection was closed {when}"));
    }
    broken(error, when)
}
