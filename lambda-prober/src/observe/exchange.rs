//! One connection to one address: connect, TLS, one request, the head of the answer; each phase timed by itself. Then the
//! answer's sender is identified.

use std::{io, net::SocketAddr, time::Duration};

use checks::check::Expect;
use jiff::Timestamp;
use shared::{
    certificates::{Certificates, valid_until},
    complaints,
    connection::{ConnectionFailure, connect},
    http::server_name,
    look::{PROBER_HEADER, SignedLook},
    proof::{CHALLENGE_HEADER, Challenge, PROOF_HEADER},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;
use url::Url;

use super::{
    checker::Checker,
    expectation::{Expectation, Held},
    head::{Head, HeadReader},
};
use crate::{
    judge::{
        headers::{AnswerHeaders, CACHE_HEADERS},
        identity::{Identity, ProofHeader},
        observation::{Answer, Exchange, Failure, NotHttp, Origin, Phases, Unmet},
    },
    target::Expected,
};

/// How much of an answer is read at once, in bytes: more than most heads have.
pub(super) const READ_SIZE: usize = 2 << 10;

/// The headers, besides those of caches, that say where an answer comes from.
const SENDER_HEADERS: [&str; 3] = ["location", "server", "via"];

/// Tries one of the target's web addresses at the IP address `address`: each phase within `phase`, all of them before `until`.
pub(super) async fn exchange(
    (checker, url): (&Checker<'_>, &Url),
    address: SocketAddr,
    certificates: &Certificates,
    phase: Duration,
    until: Instant,
) -> Exchange {
    // Before the connection, whose time is not to count this.
    let signs = timeout_at(until, checker.signs_to(address.ip())).await;
    let signed_by = signs.unwrap_or(false).then_some(checker);
    let deadlines = PhaseDeadlines { phase, until };
    let expect = checker.home.expect.as_ref().map(Expected::expect);
    let connection = Connection { url, expect, address, certificates, deadlines, signed_by };
    let mut exchange = Exchange {
        address,
        origin: Origin::Target,
        phases: Phases::default(),
        certificate: None,
        // Replaced below.
        outcome: Err(Failure::TimedOut),
    };
    exchange.outcome = match checker.challenge() {
        Err(error) => Err(Failure::Local(error.to_string())),
        Ok(challenge) => match connection.request(challenge, &mut exchange).await {
            Err(failure) => Err(failure),
            Ok(Received { status, headers, proof: None, unmet, .. }) => {
                Ok(Answer { status, identity: Identity::NotAsked, headers, unmet })
            }
            Ok(Received { status, headers, proof: Some(proof), unmet, .. }) => {
                let start = Instant::now();
                let identity = checker.identify(&proof, until).await;
                exchange.phases.proof = Some(start.elapsed());
                Ok(Answer { status, identity, headers, unmet })
            }
        },
    };
    exchange
}

/// An answer whose sender is not identified yet.
struct Received {
    status: u16,
    headers: AnswerHeaders,
    /// `None` where no proof was asked for.
    proof: Option<ProofHeader>,
    unmet: Option<Unmet>,
    /// How long its body took, where it was read.
    body: Option<Duration>,
}

struct Connection<'a> {
    url: &'a Url,
    /// What the answer must be, where anything is expected.
    expect: Option<&'a Expect>,
    address: SocketAddr,
    certificates: &'a Certificates,
    deadlines: PhaseDeadlines,
    /// `None` where the request is not signed.
    signed_by: Option<&'a Checker<'a>>,
}

impl Connection<'_> {
    /// Connects and makes the request; notes phases and certificate in `exchange`.
    async fn request(&self, challenge: Option<Challenge>, exchange: &mut Exchange) -> Result<Received, Failure> {
        let (url, deadlines) = (self.url, &self.deadlines);
        let stream = deadlines.time(&mut exchange.phases.connect, async { Ok(connect(self.address).await?) }).await?;
        if url.scheme() != "https" {
            return self.send(stream, None, challenge, &mut exchange.phases).await;
        }
        let name = url.host().as_ref().and_then(server_name);
        let name = name.ok_or_else(|| Failure::Tls("the host has no name that TLS knows".into()))?;
        if challenge.is_none() && !self.certificates.can_verify() {
            return Err(Failure::Local(
                "no certificate is trusted here, so none can be checked: install ca-certificates".into(),
            ));
        }
        let (config, recorded) = self.certificates.recording();
        let handshake = TlsConnector::from(config).connect(name, stream);
        let handshake = async { handshake.await.map_err(|error| tls_failure(&error)) };
        let stream = deadlines.time(&mut exchange.phases.tls, handshake).await?;
        exchange.certificate = recorded.text();
        if let (Some(error), None) = (&exchange.certificate, &challenge) {
            // Without a key there is nothing else that could show who answers.
            return Err(Failure::Tls(error.clone()));
        }
        let shown = stream.get_ref().1.peer_certificates().and_then(|shown| shown.first());
        let ends = shown.and_then(|certificate| valid_until(certificate));
        self.send(stream, ends, challenge, &mut exchange.phases).await
    }

    /// As [`send`], which keeps to the deadline itself: what has come by then may be enough.
    async fn send(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        certificate_ends: Option<Timestamp>,
        challenge: Option<Challenge>,
        phases: &mut Phases,
    ) -> Result<Received, Failure> {
        let expectation = self.expect.map(|expect| Expectation { expect, certificate_ends });
        let look = challenge.as_ref().and_then(|challenge| self.signed_by?.sign(challenge));
        let request = request(self.url, expectation.is_some(), challenge.as_ref(), look.as_ref());
        let start = Instant::now();
        let sending = (self.url, expectation.as_ref());
        let answer = send(sending, stream, &request, challenge, self.deadlines.of_phase(start)).await;
        phases.body = answer.as_ref().ok().and_then(|answer| answer.body);
        phases.answer = Some(start.elapsed().saturating_sub(phases.body.unwrap_or_default()));
        answer
    }
}

/// Runs phases against their deadlines and notes how long each took.
struct PhaseDeadlines {
    phase: Duration,
    until: Instant,
}

impl PhaseDeadlines {
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

/// Sends the one request and waits for the head of the answer, at most until then; its body is read only where something is
/// expected of it.
async fn send(
    (url, expectation): (&Url, Option<&Expectation<'_>>),
    mut stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    request: &str,
    challenge: Option<Challenge>,
    until: Instant,
) -> Result<Received, Failure> {
    let sent = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await
    };
    // A server that does not take all of it may have answered all the same.
    let sent = timeout_at(until, sent).await;
    let wanted = |name: &str| name == PROOF_HEADER || SENDER_HEADERS.contains(&name) || CACHE_HEADERS.contains(&name);
    let reader = HeadReader::new(wanted).and(expectation.map(Expectation::headers).unwrap_or_default());
    let (mut reader, mut buffer, mut before) = (reader, [0; READ_SIZE], 0);
    let end = loop {
        match timeout_at(until, stream.read(&mut buffer)).await {
            Ok(Ok(length @ 1..)) => match reader.push(&buffer[..length]) {
                Ok(Some(head)) => {
                    let answer = received(url, &head, challenge, Failure::NotHttp(NotHttp::Unknown))?;
                    let Some(expectation) = expectation else { return Ok(answer) };
                    if !head.complete {
                        let unmet = expectation.hold_beginning(&head, None);
                        return Ok(Received { unmet: Some(unmet), ..answer });
                    }
                    let begun = &buffer[reader.length() - before..length];
                    let Held { unmet, body } = expectation.hold(&head, begun, stream, until).await?;
                    return Ok(Received { unmet, body, ..answer });
                }
                Ok(None) => before += length,
                Err(what) => return Err(Failure::NotHttp(what)),
            },
            // Many servers close TLS without `close_notify`.
            Ok(Err(error)) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(tls_failure(&error)),
            Ok(_) => break sent.ok().and_then(Result::err).map_or(Failure::Reset, |error| tls_failure(&error)),
            Err(_) => break Failure::TimedOut,
        }
    };
    // A status is an answer, even where the rest is missing.
    match reader.end() {
        Some(head) => {
            let unmet = expectation.map(|expectation| expectation.hold_beginning(&head, Some(&end)));
            received(url, &head, challenge, end).map(|answer| Received { unmet, ..answer })
        }
        None => Err(end),
    }
}

/// The request, which asks proxies and caches to pass it on, and where the body may be read for a plain one.
fn request(url: &Url, expects: bool, challenge: Option<&Challenge>, look: Option<&SignedLook>) -> String {
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let agent = shared::http::USER_AGENT;
    let challenge = challenge.map(|it| format!("{CHALLENGE_HEADER}: {}\r\n", it.as_str())).unwrap_or_default();
    let look = look.map(|it| format!("{PROBER_HEADER}: {it}\r\n")).unwrap_or_default();
    let plain = if expects { "accept: */*\r\naccept-encoding: identity\r\n" } else { "" };
    format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: {agent}\r\nconnection: close\r\ncache-control: no-cache\r\n\
         pragma: no-cache\r\n{plain}{challenge}{look}\r\n"
    )
}

/// What a head says in answer to a request for `url`; `end` is why a head that is not complete ended.
fn received(url: &Url, head: &Head, challenge: Option<Challenge>, end: Failure) -> Result<Received, Failure> {
    let proof = challenge.map(|challenge| ProofHeader::read(challenge, head.values(PROOF_HEADER)));
    // The proof may have been in what is missing.
    if !head.complete && proof == Some(ProofHeader::Absent) {
        return Err(end);
    }
    let mut headers = AnswerHeaders::default();
    head.fields.iter().for_each(|(name, value)| headers.note(name, value, url));
    if let Some(ProofHeader::Presented { proof, .. }) = &proof {
        headers.proof = Some(*proof);
    }
    Ok(Received { status: head.status, headers, proof, unmet: None, body: None })
}

fn tls_failure(error: &io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(tls) => Failure::Tls(complaints::of_handshake(tls)),
        None => ConnectionFailure::of(error).into(),
    }
}
