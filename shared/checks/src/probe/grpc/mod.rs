//! The health service of gRPC, over HTTP/2 with TLS or without.
//!
//! - `health`: its two messages

mod health;

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http2,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE, USER_AGENT},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::Instant;

use self::health::{MAX_ANSWER, ServingStatus};
use super::{
    Prober,
    connect::{Connection, Tls, borrowed, host_of},
    http::exchange::{Driver, ended},
    run::{Finding, Run, seconds},
};
use crate::{cause::Cause, check::GrpcCheck, outcome::Outcome};

/// How much may be under way to us at once, in bytes: more than an answer has.
const WINDOW: u32 = 64 << 10;

const PATH: &str = "/grpc.health.v1.Health/Check";

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

pub(super) async fn run(prober: &Prober, check: &GrpcCheck, until: Instant) -> Outcome {
    let mut run = Run::new(until);
    let result = probe(prober, check, &mut run).await;
    run.end(result)
}

async fn probe(prober: &Prober, check: &GrpcCheck, run: &mut Run) -> Result<String, Finding> {
    let host = host_of(&check.host)?;
    let tls = check.tls.then_some(Tls { verify: check.verify, protocols: &[b"h2"] });
    let stream = prober.connect(run, &borrowed(&host), check.port, tls).await?;
    let request = request(check, &host.to_string(), run)?;
    let answer = run.phase(|phases| &mut phases.answer, "connected, but no answer", call(stream, request)).await?;
    let (answer, _driver) = answer;
    let answered = run.elapsed();
    let (head, body) = answer.into_parts();
    if head.status != StatusCode::OK {
        return Err(Finding::new(Cause::Status, format!("HTTP {} instead of 200", head.status.as_u16())));
    }
    let is_grpc = |value: &HeaderValue| value.as_bytes().starts_with(b"application/grpc");
    if !head.headers.get(CONTENT_TYPE).is_some_and(is_grpc) {
        return Err(Finding::new(Cause::Protocol, "what answers speaks HTTP/2, but not gRPC"));
    }
    let reading = read(body);
    let (message, trailers) = run.phase(|phases| &mut phases.transfer, "an answer without end", reading).await?;
    judge_status(check, trailers.as_ref().unwrap_or(&head.headers), run)?;
    let serving = health::read(&message).ok_or_else(|| {
        Finding::new(Cause::Protocol, "what answers speaks gRPC, but its answer is none of the health service")
    })?;
    let service = named(check);
    match serving {
        ServingStatus::Serving => Ok(format!("{service} is serving, it said after {}", seconds(answered))),
        ServingStatus::NotServing => {
            Err(Finding::new(Cause::NotServing, format!("{service} is not serving (NOT_SERVING)")))
        }
        ServingStatus::Unknown => {
            Err(Finding::new(Cause::NotServing, format!("{service} does not know whether it serves (UNKNOWN)")))
        }
        ServingStatus::Other(number) => {
            Err(Finding::new(Cause::NotServing, format!("{service} says that it is {number}, which is not serving")))
        }
    }
}

fn named(check: &GrpcCheck) -> String {
    if check.service.is_empty() { "the server".into() } else { format!("the service {}", check.service) }
}

fn request(check: &GrpcCheck, host: &str, run: &Run) -> Result<Request<Full<Bytes>>, Finding> {
    let scheme = if check.tls { "https" } else { "http" };
    let left = run.until.saturating_duration_since(Instant::now()).as_millis().max(1);
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{scheme}://{host}:{}{PATH}", check.port))
        .header(CONTENT_TYPE, "application/grpc")
        .header(TE, "trailers")
        .header(USER_AGENT, shared::http::USER_AGENT)
        // At most eight digits.
        .header(GRPC_TIMEOUT, format!("{}m", left.min(99_999_999)))
        .body(Full::new(health::request(&check.service).into()));
    request.map_err(|_| Finding::new(Cause::Local, "its host cannot stand in a request"))
}

async fn call(
    stream: Box<dyn Connection>,
    request: Request<Full<Bytes>>,
) -> Result<(Response<Incoming>, Driver), Finding> {
    let when = "before an answer";
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(WINDOW).initial_connection_window_size(WINDOW);
    let (mut sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|error| ended(&error, when))?;
    let mut driver = Driver::start(connection);
    match sender.send_request(request).await {
        Ok(answer) => Ok((answer, driver)),
        Err(error) => Err(ended(&driver.reason(error).await, when)),
    }
}

/// The message, and the trailers behind it.
async fn read(mut body: Incoming) -> Result<(Vec<u8>, Option<HeaderMap>), Finding> {
    let (mut message, mut trailers) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ended(&error, "in the middle of an answer"))?;
        match frame.into_data() {
            Ok(piece) if message.len() + piece.len() > MAX_ANSWER => {
                let text = format!("its answer is longer than {} KiB", MAX_ANSWER >> 10);
                return Err(Finding::new(Cause::TooLarge, text));
            }
            Ok(piece) => message.extend_from_slice(&piece),
            Err(frame) => trailers = frame.into_trailers().ok().or(trailers),
        }
    }
    Ok((message, trailers))
}

/// How the call ended, as its trailers say: `grpc-status` is 0 where it went well.
fn judge_status(check: &GrpcCheck, trailers: &HeaderMap, run: &Run) -> Result<(), Finding> {
    let code = trailers.get(GRPC_STATUS).and_then(|code| code.to_str().ok()?.parse::<u32>().ok());
    let message = trailers.get(GRPC_MESSAGE).map(|message| String::from_utf8_lossy(message.as_bytes()));
    let message = message.filter(|message| !message.is_empty());
    let said = message.map(|message| format!(": it said {}", run.quoted(&message))).unwrap_or_default();
    let wrong = |text: String| Err(Finding::new(Cause::Status, format!("{text}{said}")));
    match code {
        Some(0) => Ok(()),
        Some(5) => wrong(format!("{} is not known there (NOT_FOUND)", named(check))),
        Some(12) => wrong("the server has no health service (UNIMPLEMENTED)".into()),
        Some(code) => wrong(format!("the call failed with gRPC's code {code} ({})", label(code))),
        None => Err(Finding::new(Cause::Protocol, "what answers speaks gRPC, but does not say how the call ended")),
    }
}

/// The codes of gRPC, as they are written.
const fn label(code: u32) -> &'static str {
    match code {
        1 => "CANCELLED",
        2 => "UNKNOWN",
        3 => "INVALID_ARGUMENT",
        4 => "DEADLINE_EXCEEDED",
        7 => "PERMISSION_DENIED",
        8 => "RESOURCE_EXHAUSTED",
        9 => "FAILED_PRECONDITION",
        10 => "ABORTED",
        13 => "INTERNAL",
        14 => "UNAVAILABLE",
        16 => "UNAUTHENTICATED",
        _ => "another one",
    }
}
