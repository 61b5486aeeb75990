//! A connection to a host, with TLS or without, each phase noted.

use std::{
    error::Error as StdError,
    io::{self, ErrorKind},
};

use rustls::{
    AlertDescription, Error,
    pki_types::{CertificateDer, ServerName},
};
use shared::{
    certificates::CertificateFacts,
    complaints,
    connection::ConnectionFailure,
    dial::{Dial, DialFailure},
    http::server_name,
    names::{Names, Search},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::Host;

use super::{
    Prober,
    run::{Finding, Run},
};
use crate::cause::Cause;

/// A connection, with TLS or without.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// A connection over TLS, and what was shown.
pub(super) struct Secured {
    pub(super) stream: TlsStream<TcpStream>,
    /// Why the certificate is not valid.
    pub(super) invalid: Option<String>,
    /// `None` where it cannot be read.
    pub(super) facts: Option<CertificateFacts>,
}

impl Secured {
    /// The server's certificate.
    pub(super) fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.stream.get_ref().1.peer_certificates()?.first()
    }
}

/// How TLS is spoken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tls<'a> {
    /// Whether a certificate that is not valid is a failure.
    pub(super) verify: bool,
    /// Protocols that are offered (ALPN).
    pub(super) protocols: &'a [&'a [u8]],
}

impl Prober {
    /// A connection, over TLS where that is wished for.
    pub(super) async fn connect(
        &self,
        run: &mut Run,
        host: &Host<&str>,
        port: u16,
        tls: Option<Tls<'_>>,
    ) -> Result<Box<dyn Connection>, Finding> {
        let stream = self.connect_plainly(run, host, port).await?;
        let Some(tls) = tls else { return Ok(Box::new(stream)) };
        let name = tls_name(host)?;
        let secured = self.secure(run, stream, name, tls).await?;
        if tls.protocols.iter().any(|wanted| secured.stream.get_ref().1.alpn_protocol() != Some(*wanted)) {
            return Err(no_http2());
        }
        Ok(Box::new(secured.stream))
    }

    pub(super) async fn connect_plainly(
        &self,
        run: &mut Run,
        host: &Host<&str>,
        port: u16,
    ) -> Result<TcpStream, Finding> {
        let dial = Dial { search: search(host), local: None };
        // The files of names are read for a name alone.
        let names = if let Host::Domain(_) = host { self.names() } else { Names::of_servers(Vec::new()) };
        let dialled = dial.connect_timed(&names, host.clone(), port, run.until).await;
        dialled.resolve.into_iter().for_each(|took| run.note(|phases| &mut phases.resolve, took));
        dialled.connect.into_iter().for_each(|took| run.note(|phases| &mut phases.connect, took));
        dialled.stream.map_err(|failure| match failure {
            DialFailure::NoSuchName(why) => Finding::new(Cause::Name, why),
            DialFailure::NameService(why) => Finding::new(Cause::NameService, why),
            DialFailure::Connection(address, ConnectionFailure::TimedOut) => {
                run.too_late(&format!("no connection to {address}"))
            }
            DialFailure::Connection(address, failure) => {
                Finding::new(cause_of(&failure), format!("no connection to {address}: {failure}"))
            }
        })
    }

    /// Shakes hands. A certificate that is not valid is a failure, or recorded where it need not be verified.
    pub(super) async fn secure(
        &self,
        run: &mut Run,
        stream: TcpStream,
        name: ServerName<'static>,
        tls: Tls<'_>,
    ) -> Result<Secured, Finding> {
        if tls.verify && !self.certificates.can_verify() {
            let text = "no certificate is trusted here, so none can be checked: install ca-certificates";
            return Err(Finding::new(Cause::Local, text));
        }
        let (config, recorded) = self.certificates.recording_with(tls.protocols);
        let handshake = TlsConnector::from(config).connect(name, stream);
        let handshake = async { handshake.await.map_err(|error| broken(&error, "in the TLS handshake")) };
        let stream = run.phase(|phases| &mut phases.tls, "no end of the TLS handshake", handshake).await?;
        let mut secured = Secured { stream, invalid: recorded.text(), facts: None };
        secured.facts = secured.certificate().and_then(|certificate| CertificateFacts::read(certificate));
        secured.facts.iter().for_each(|facts| run.note_certificate(facts.ends));
        match secured.invalid {
            Some(why) if tls.verify => Err(Finding::new(Cause::Certificate, why)),
            _ => Ok(secured),
        }
    }
}

/// The name that a certificate must be for.
pub(super) fn tls_name(host: &Host<&str>) -> Result<ServerName<'static>, Finding> {
    server_name(host).ok_or_else(|| Finding::new(Cause::Local, "its host has no name that TLS knows"))
}

/// A host as files have it: a name or an address, that of IPv6 with brackets or without.
pub(super) fn host_of(text: &str) -> Result<Host<String>, Finding> {
    let host = if text.contains(':') && !text.starts_with('[') { format!("[{text}]") } else { text.to_owned() };
    Host::parse(&host).map_err(|_| Finding::new(Cause::Local, "its host is neither a name nor an address"))
}

/// As it is looked up.
pub(super) fn borrowed(host: &Host<String>) -> Host<&str> {
    match host {
        Host::Domain(name) => Host::Domain(name),
        Host::Ipv4(address) => Host::Ipv4(*address),
        Host::Ipv6(address) => Host::Ipv6(*address),
    }
}

fn search(host: &Host<&str>) -> Search {
    if let Host::Domain(name) = host { Search::of_target(name) } else { Search::Never }
}

const fn cause_of(failure: &ConnectionFailure) -> Cause {
    match failure {
        ConnectionFailure::Refused => Cause::Refused,
        ConnectionFailure::Reset => Cause::Reset,
        ConnectionFailure::Unreachable => Cause::Unreachable,
        ConnectionFailure::TimedOut => Cause::TimedOut,
        ConnectionFailure::Local(_) => Cause::Local,
    }
}

fn no_http2() -> Finding {
    Finding::new(Cause::Protocol, "what answers over TLS does not offer HTTP/2")
}

/// What an error of a connection means; `when` it happened: *before an answer*.
pub(super) fn broken(error: &(dyn StdError + 'static), when: &str) -> Finding {
    if let Some(tls) = complaints::behind(error) {
        if matches!(tls, Error::AlertReceived(AlertDescription::NoApplicationProtocol)) {
            return no_http2();
        }
        return Finding::new(Cause::Tls, complaints::of_handshake(tls));
    }
    match io_behind(error) {
        Some(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput) => {
            Finding::new(Cause::Protocol, format!("what answers does not keep to its protocol {when}"))
        }
        Some(error) => {
            let failure = ConnectionFailure::of(error);
            Finding::new(cause_of(&failure), format!("{failure} {when}"))
        }
        None => Finding::new(Cause::Protocol, format!("what answers does not keep to its protocol {when}")),
    }
}

/// The error of I/O behind another one.
fn io_behind<'a>(mut error: &'a (dyn StdError + 'static)) -> Option<&'a io::Error> {
    loop {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        if let Some(found) = error.downcast_ref::<h2::Error>().and_then(h2::Error::get_io) {
            return Some(found);
        }
        error = error.source()?;
    }
}
