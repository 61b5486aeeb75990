//! One connection to one address: connect, TLS, one request, the head of the answer; each phase timed by itself. Then the
//! answer's sender is identified.

use std::{io, net::SocketAddr, time::Duration};

use shared::{
    complaints,
    http::server_name,
    proof::{CHALLENGE_HEADER, Challenge, PROOF_HEADER},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;
use url::Url;

use super::{Certificates, Checker, failure_of};
use crate::{
    head::{self, NotHttp, Reader},
    identity::{Evidence, Identity},
    marks::{CACHES, Marks},
    observation::{Answer, Exchange, Failure, Origin, Phases},
};

/// How much of an answer is read at once, in bytes: more than most heads have.
const PIECE: usize = 2 << 10;

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
            Ok(Head { status, marks, evidence: None }) => Ok(Answer { status, identity: Identity::NotAsked, marks }),
            Ok(Head { status, marks, evidence: Some(evidence) }) => {
                let start = Instant::now();
                let identity = checker.identify(&evidence, until).await;
                seen.phases.proof = Some(start.elapsed());
                Ok(Answer { status, identity, marks })
            }
        },
    };
    seen
}

/// The head of an answer, as far as it matters.
struct Head {
    status: u16,
    marks: Marks,
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
            return self.ask(stream, challenge, &mut seen.phases.answer).await;
        }
        let name = url
            .host()
            .as_ref()
            .and_then(server_name)
            .ok_or_else(|| Failure::Tls("the host has no name that TLS knows".into()))?;
        if challenge.is_none() && !self.certificates.can_tell() {
            return Err(Failure::Local(
                "no certificate is trusted here, so none can be checked: install ca-certificates".into(),
            ));
        }
        let (config, complaint) = self.certificates.noting();
        let handshake = TlsConnector::from(config).connect(name, stream);
        let handshake = async { handshake.await.map_err(|error| tls_failure(&error)) };
        let stream = deadlines.time(&mut seen.phases.tls, handshake).await?;
        seen.certificate = complaint.text();
        match (&seen.certificate, &challenge) {
            // Without a key there is nothing else that could show whose answer it is.
            (Some(complaint), None) => Err(Failure::Tls(complaint.clone())),
            _ => self.ask(stream, challenge, &mut seen.phases.answer).await,
        }
    }

    /// As [`ask`], which keeps to the deadline itself: what has come by then may be enough.
    async fn ask(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        challenge: Option<Challenge>,
        took: &mut Option<Duration>,
    ) -> Result<Head, Failure> {
        let start = Instant::now();
        let answer = ask(self.url, stream, challenge, self.deadlines.of_phase(start)).await;
        *took = Some(start.elapsed());
        answer
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
    fn of_phase(&self, start: Instant) -> Instant {
        self.until.min(start + self.phase)
    }

    async fn time<T>(
        &self,
        took: &mut Option<Duration>,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let start = Instant::now();
        let result = timeout_at(self.of_phase(start), work).await;
        *took = Some(start.elapsed());
        result.unwrap_or(Err(Failure::TimedOut))
    }
}

/// Sends the one request and waits for the head of the answer, at most until then; its body is nobody's business.
async fn ask(
    url: &Url,
    mut stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    challenge: Option<Challenge>,
    until: Instant,
) -> Result<Head, Failure> {
    let sent = async {
        stream.write_all(request(url, challenge.as_ref()).as_bytes()).await?;
        stream.flush().await
    };
    // Who does not take it all may have answered all the same.
    let sent = timeout_at(until, sent).await;
    let wanted = |name: &str| name == PROOF_HEADER || MARKS.contains(&name) || CACHES.contains(&name);
    let (mut reader, mut piece) = (Reader::new(wanted), [0; PIECE]);
    let end = loop {
        match timeout_at(until, stream.read(&mut piece)).await {
            Ok(Ok(length @ 1..)) => match reader.take(&piece[..length]) {
                Ok(Some(head)) => return told(url, &head, challenge, Failure::NotHttp(NotHttp::Unknown)),
                Ok(None) => (),
                Err(what) => return Err(Failure::NotHttp(what)),
            },
            // Many close TLS without a word of farewell.
            Ok(Err(error)) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(tls_failure(&error)),
            Ok(_) => break sent.ok().and_then(Result::err).map_or(Failure::Reset, |error| tls_failure(&error)),
            Err(_) => break Failure::TimedOut,
        }
    };
    // A status is an answer, whatever came of the rest.
    match reader.end() {
        Some(head) => told(url, &head, challenge, end),
        None => Err(end),
    }
}

/// The headers, besides those of caches, by which an answer tells of itself.
const MARKS: [&str; 3] = ["location", "server", "via"];

/// The request, which asks whatever is between to pass it on.
fn request(url: &Url, challenge: Option<&Challenge>) -> String {
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let agent = shared::http::USER_AGENT;
    let challenge = challenge.map(|it| format!("{CHALLENGE_HEADER}: {}\r\n", it.as_str())).unwrap_or_default();
    format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: {agent}\r\nconnection: close\r\ncache-control: no-cache\r\n\
         pragma: no-cache\r\n{challenge}\r\n"
    )
}

/// What a head tells, asked for `url`; `end` is why there is no more of it, where it is not whole.
fn told(url: &Url, head: &head::Head, challenge: Option<Challenge>, end: Failure) -> Result<Head, Failure> {
    let evidence = challenge.map(|challenge| Evidence::read(challenge, head.values(PROOF_HEADER)));
    // The proof may have been in what is missing.
    if !head.whole && evidence == Some(Evidence::Absent) {
        return Err(end);
    }
    let mut marks = Marks::default();
    head.fields.iter().for_each(|(name, value)| marks.note(name, value, url));
    if let Some(Evidence::Presented { proof, .. }) = &evidence {
        marks.proof = Some(*proof);
    }
    Ok(Head { status: head.status, marks, evidence })
}

fn tls_failure(error: &io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(tls) => Failure::Tls(complaints::of_handshake(tls)),
        None => failure_of(error),
    }
}
