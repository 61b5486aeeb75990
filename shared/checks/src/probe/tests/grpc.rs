use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

use super::{
    LONG, SHORT,
    certificates::{self, Shown},
    fine, prober, run,
    servers::{Does, Server, closed},
    wrong,
};
use crate::{
    cause::Cause,
    check::{GrpcCheck, Kind},
};

/// A server of the health service that knows the services `up`, `down` and `mute`, and does other things for others.
struct Health {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Health {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Health {
    async fn start(tls: Option<Vec<&'static str>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tls = tls.map(|protocols| {
            let mut config = certificates::server(Shown::default());
            config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
            TlsAcceptor::from(Arc::new(config))
        });
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let builder = http2::Builder::new(TokioExecutor::new());
                match &tls {
                    None => drop(builder.serve_connection(TokioIo::new(stream), service_fn(answer)).await),
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            drop(builder.serve_connection(TokioIo::new(stream), service_fn(answer)).await);
                        }
                    }
                }
            }
        });
        Self { address, task }
    }
}

type Answer = Response<http_body_util::combinators::BoxBody<Bytes, Infallible>>;

fn with(message: &[u8], code: &'static str, said: &'static str) -> Answer {
    let mut trailers = HeaderMap::new();
    trailers.insert(HeaderName::from_static("grpc-status"), HeaderValue::from_static(code));
    trailers.insert(HeaderName::from_static("grpc-message"), HeaderValue::from_static(said));
    let body = Full::new(Bytes::copy_from_slice(message)).with_trailers(async { Some(Ok(trailers)) }).boxed();
    Response::builder().header(CONTENT_TYPE, "application/grpc+proto").body(body).unwrap()
}

fn without_trailers(status: u16, kind: &str, code: Option<&str>, body: Vec<u8>) -> Answer {
    let mut answer = Response::builder().status(status).header(CONTENT_TYPE, kind);
    if let Some(code) = code {
        answer = answer.header("grpc-status", code);
    }
    answer.body(Full::new(Bytes::from(body)).boxed()).unwrap()
}

async fn answer(request: Request<Incoming>) -> Result<Answer, Infallible> {
    let is_call = request.uri().path() == "/grpc.health.v1.Health/Check"
        && request.headers()["te"] == "trailers"
        && request.headers()["content-type"] == "application/grpc"
        && request.headers().contains_key("grpc-timeout");
    assert!(is_call, "{request:?}");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let service = body.get(7..).map(|name| String::from_utf8_lossy(name).into_owned()).unwrap_or_default();
    Ok(match service.as_str() {
        "" | "up" => with(&[0, 0, 0, 0, 2, 8, 1], "0", ""),
        "down" => with(&[0, 0, 0, 0, 2, 8, 2], "0", ""),
        "mute" => with(&[0, 0, 0, 0, 0], "0", ""),
        "garbage" => with(b"garbage", "0", ""),
        "flood" => with(&vec![0; 100_000], "0", ""),
        "nothing" => std::future::pending().await,
        "page" => without_trailers(200, "text/html", None, b"<html>".to_vec()),
        "status" => without_trailers(503, "text/html", None, b"<html>".to_vec()),
        "without" => without_trailers(200, "application/grpc", None, vec![0, 0, 0, 0, 2, 8, 1]),
        "unimplemented" => without_trailers(200, "application/grpc", Some("12"), Vec::new()),
        "unavailable" => with(&[], "14", "try\tagain"),
        _ => without_trailers(200, "application/grpc", Some("5"), Vec::new()),
    })
}

fn check(address: SocketAddr, service: &str) -> GrpcCheck {
    GrpcCheck {
        host: address.ip().to_string(),
        port: address.port(),
        service: service.into(),
        tls: false,
        verify: true,
    }
}

#[tokio::test]
async fn each_answer_of_the_health_service_has_its_cause() {
    let server = Health::start(None).await;
    let at_the_end = "connect answer transfer";
    for (service, within, wanted, said) in [
        ("", LONG, fine(at_the_end), "the server is serving"),
        ("up", LONG, fine(at_the_end), "the service up is serving"),
        ("down", LONG, wrong(Cause::NotServing, at_the_end), "NOT_SERVING"),
        ("mute", LONG, wrong(Cause::NotServing, at_the_end), "UNKNOWN"),
        ("other", LONG, wrong(Cause::Status, at_the_end), "the service other is not known there (NOT_FOUND)"),
        ("unimplemented", LONG, wrong(Cause::Status, at_the_end), "no health service"),
        ("unavailable", LONG, wrong(Cause::Status, at_the_end), "14 (UNAVAILABLE): it said \"try again\""),
        ("garbage", LONG, wrong(Cause::Protocol, at_the_end), "none of the health service"),
        ("flood", LONG, wrong(Cause::TooLarge, at_the_end), "longer than 16 KiB"),
        ("without", LONG, wrong(Cause::Protocol, at_the_end), "does not say how the call ended"),
        ("page", LONG, wrong(Cause::Protocol, "connect answer"), "but not gRPC"),
        ("status", LONG, wrong(Cause::Status, "connect answer"), "HTTP 503 instead of 200"),
        ("nothing", SHORT, wrong(Cause::TimedOut, "connect answer"), "no answer within"),
    ] {
        let outcome = run(&prober(), Kind::Grpc(check(server.address, service)), within, wanted, service).await;
        assert!(outcome.text.contains(said), "{service}: {}", outcome.text);
    }
}

#[tokio::test]
async fn over_tls_http2_must_be_agreed_on() {
    for (protocols, wanted) in [
        (vec!["h2"], fine("connect tls answer transfer")),
        (vec!["http/1.1", "h2"], fine("connect tls answer transfer")),
        (vec!["http/1.1"], wrong(Cause::Protocol, "connect tls")),
        (vec![], wrong(Cause::Protocol, "connect tls")),
    ] {
        let server = Health::start(Some(protocols.clone())).await;
        let check = GrpcCheck { tls: true, ..check(server.address, "up") };
        let outcome = run(&prober(), Kind::Grpc(check), LONG, wanted, &format!("{protocols:?}")).await;
        assert_eq!(outcome.certificate_ends.is_some(), protocols != ["http/1.1"], "{protocols:?}");
    }
    let server = Health::start(None).await;
    let check = GrpcCheck { tls: true, ..check(server.address, "up") };
    run(&prober(), Kind::Grpc(check), LONG, wrong(Cause::Tls, "connect tls"), "plain").await;
}

#[tokio::test]
async fn what_does_not_speak_http2_has_its_cause() {
    let http1 = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    for (does, within, wanted) in [
        (Does::Nothing, SHORT, wrong(Cause::TimedOut, "connect answer")),
        (Does::Closes, LONG, wrong(Cause::Reset, "connect answer")),
        (Does::Resets, LONG, wrong(Cause::Reset, "connect answer")),
        (Does::Says(http1.into()), LONG, wrong(Cause::Protocol, "connect answer")),
        (Does::answers(http1), LONG, wrong(Cause::Protocol, "connect answer")),
        (Does::Says(b"220 mail\r\n".to_vec()), LONG, wrong(Cause::Protocol, "connect answer")),
    ] {
        let server = Server::start(does.clone()).await;
        run(&prober(), Kind::Grpc(check(server.address, "")), within, wanted, &format!("{does:?}")).await;
    }
    run(&prober(), Kind::Grpc(check(closed().await, "")), LONG, wrong(Cause::Refused, "connect"), "closed").await;
}
