//! One connection to one address: connect, TLS, one request, the head of the answer; each phase timed by itself. Then the
//! answer's sender is identified.

use std::{error::Error as _, io, net::SocketAddr, time::Duration};

use http_body_util::Empty;
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1,
    header::{CONNECTION, HOST, HeaderValue, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use shared::proof::{CHALLENGE_HEADER, Challenge, PROOF_HEADER};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::{Certificates, Checker, failure_of};
use crate::{
    identity::{Evidence, Identity},
    observation::{Answer, Exchange, Failure, Origin, Phases},
};

/// The longest head of an answer that is read, and the most fields in it.
const LONGEST_HEAD: usize = 64 << 10;
const MOST_FIELDS: usize = 512;

/// Tries the target at `address`: each phase within `phase`, all of them before `until`.
pub(super) async fn exchange(
    checker: &Checker<'_>,
    address: SocketAddr,
    certificates: &Certificates,
    phase: Duration,
    until: Instant,
) -> Exchange {
    let connection =
        Connection { url: &checker.home.url, address, certificates, deadlines: Deadlines { phase, until } };
    let mut seen = Exchange {
        address,
        origin: Origin::Target,
        phases: Phases::default(),
        certificate: None,
        // Until there is an outcome.
        outcome: Err(Failure::TimedOut),
    };
    seen.outcome = match checker.challenge() {
        Err(error) => Err(Failure::Local(error.to_string())),
        Ok(challenge) => match connection.talk(challenge, &mut seen).await {
            Err(failure) => Err(failure),
            Ok(Head { status, evidence: None }) => Ok(Answer { status, identity: Identity::NotAsked }),
            Ok(Head { status, evidence: Some(evidence) }) => {
                let start = Instant::now();
                let identity = checker.identify(&evidence, until).await;
                seen.phases.proof = Some(start.elapsed());
                Ok(Answer { status, identity })
            }
        },
    };
    seen
}

/// The head of an answer, as far as it matters.
struct Head {
    status: u16,
    /// What it showed of its sender; `None` where that was not asked.
    evidence: Option<Evidence>,
}

struct Connection<'a> {
    url: &'a Url,
    address: SocketAddr,
    certificates: &'a Certificates,
    deadlines: Deadlines,
}

impl Connection<'_> {
    async fn talk(&self, challenge: Option<Challenge>, seen: &mut Exchange) -> Result<Head, Failure> {
        let (url, deadlines) = (self.url, &self.deadlines);
        let stream = deadlines.time(&mut seen.phases.connect, connect(self.address)).await?;
        if url.scheme() != "https" {
            return deadlines.time(&mut seen.phases.answer, ask(url, stream, challenge)).await;
        }
        let name = server_name(url).ok_or_else(|| Failure::Tls("the host has no name that TLS knows".into()))?;
        let (config, complaint) = self.certificates.noting();
        let handshake = TlsConnector::from(config).connect(name, stream);
        let handshake = async { handshake.await.map_err(|error| tls_failure(&error)) };
        let stream = deadlines.time(&mut seen.phases.tls, handshake).await?;
        seen.certificate = complaint.text();
        match (&seen.certificate, &challenge) {
            // Without a key there is nothing else that could show whose answer it is.
            (Some(complaint), None) => Err(Failure::Tls(complaint.clone())),
            _ => deadlines.time(&mut seen.phases.answer, ask(url, stream, challenge)).await,
        }
    }
}

/// What Linux makes of an ICMP answer that names neither port, host nor network: EACCES, ENONET, ENOPROTOOPT, EOPNOTSUPP, EHOSTDOWN.
const REJECTED: [i32; 5] = [13, 64, 92, 95, 112];

/// Opens a connection, and tells our own missing network from a router's word.
pub(super) async fn connect(address: SocketAddr) -> Result<TcpStream, Failure> {
    TcpStream::connect(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::NetworkUnreachable if !has_route(address) => {
            Failure::Local("this machine has no route to the address".into())
        }
        // A router's word, as Linux passes it on.
        _ if error.raw_os_error().is_some_and(|number| REJECTED.contains(&number)) => Failure::Unreachable,
        _ => failure_of(&error),
    })
}

/// Whether this machine knows a way to the address: tells our own missing network from a router's "unreachable". Nothing
/// is sent.
fn has_route(address: SocketAddr) -> bool {
    let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
    std::net::UdpSocket::bind(any).and_then(|socket| socket.connect(address)).is_ok()
}

/// Runs phases against their deadlines and notes how long each took.
struct Deadlines {
    phase: Duration,
    until: Instant,
}

impl Deadlines {
    async fn time<T>(
        &self,
        took: &mut Option<Duration>,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let start = Instant::now();
        let result = timeout_at(self.until.min(start + self.phase), work).await;
        *took = Some(start.elapsed());
        result.unwrap_or(Err(Failure::TimedOut))
    }
}

/// Sends the one request and waits for the head of the answer; its body is nobody's business.
async fn ask(
    url: &Url,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    challenge: Option<Challenge>,
) -> Result<Head, Failure> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_FIELDS)
        // An answer is an answer: routers and cameras send heads that no standard allows.
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .ignore_invalid_headers_in_responses(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| answer_failure(&error))?;
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let mut request =
        Request::get(path).header(HOST, host).header(USER_AGENT, shared::http::USER_AGENT).header(CONNECTION, "close");
    if let Some(challenge) = &challenge {
        request = request.header(CHALLENGE_HEADER, challenge.as_str());
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(|error| Failure::Local(error.to_string()))?;
    let answer = sender.send_request(request);
    tokio::pin!(answer, connection);
    // The connection does the work; whichever ends first, the answer knows how it went.
    let response = tokio::select! {
        biased;
        response = &mut answer => response,
        _ = &mut connection => answer.await,
    };
    let response = response.map_err(|error| answer_failure(&error))?;
    let proofs = response.headers().get_all(PROOF_HEADER).iter().map(HeaderValue::as_bytes);
    let evidence = challenge.map(|challenge| Evidence::read(challenge, proofs));
    Ok(Head { status: response.status().as_u16(), evidence })
}

fn server_name(url: &Url) -> Option<ServerName<'static>> {
    match url.host()? {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).ok(),
        Host::Ipv4(address) => Some(ServerName::IpAddress(std::net::IpAddr::from(address).into())),
        Host::Ipv6(address) => Some(ServerName::IpAddress(std::net::IpAddr::from(address).into())),
    }
}

fn tls_failure(error: &io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(tls) => Failure::Tls(tls.to_string()),
        None => failure_of(error),
    }
}

fn answer_failure(error: &hyper::Error) -> Failure {
    if error.is_parse() {
        return Failure::NotHttp;
    }
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return tls_failure(io);
        }
        source = inner.source();
    }
    Failure::Reset
}
