//! One mail over one connection. lettre speaks SMTP on it; its own connections would resolve names beyond any deadline, and wait for
//! one address as long as for all of them.

use std::{sync::Arc, time::Duration};

use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, TlsParameters},
    extension::ClientId,
};
use rustls::ClientConfig;
use shared::{chain::root_cause, http::server_name};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::TlsConnector;
use url::Host;

use super::{borrowed, stream::Stream};
use crate::{
    channel::{
        answer::{Failure, quoted},
        mail::{Encryption, Mail},
    },
    event::Event,
};

/// How long connecting may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

/// How long a server may take to say goodbye: the mail is its by then.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// Sends the mail.
///
/// # Errors
/// When it was not taken, or may not have been.
pub(super) async fn post(tls: &Arc<ClientConfig>, mail: &Mail, event: &Event, until: Instant) -> Result<(), Failure> {
    let message = mail.message(event).map_err(Failure::Refused)?;
    let late = |_| Failure::passing("it did not answer in time");
    let stream = connect(tls, mail, until.min(Instant::now() + CONNECT_TIMEOUT)).await?;
    let greeted = timeout_at(until, greet(mail, stream)).await;
    let mut connection = greeted.map_err(late)??;
    let sending = timeout_at(until, connection.send(message.envelope(), &message.formatted())).await;
    // From here on the server may have it.
    let sent =
        sending.map_err(|_| Failure::Unsure("the server did not say in time whether it took the mail".into()))?;
    sent.map_err(|error| match error.status() {
        None if !error.is_client() => {
            Failure::Unsure(format!("the connection broke ({})", quoted(&root_cause(&error).to_string())))
        }
        _ => failure(&error),
    })?;
    // It has the mail, whatever it answers to this.
    let _ = timeout(QUIT_TIMEOUT, connection.quit()).await;
    Ok(())
}

/// A connection to the mail's server.
pub(super) async fn dial(mail: &Mail, until: Instant) -> Result<TcpStream, Failure> {
    let host = Host::parse(&mail.bracketed()).map_err(|_| Failure::Refused("its host is none".into()))?;
    super::dial(&host, mail.port, until).await
}

async fn connect(tls: &Arc<ClientConfig>, mail: &Mail, until: Instant) -> Result<Stream, Failure> {
    let stream = dial(mail, until).await?;
    if mail.encryption != Encryption::Tls {
        return Ok(Stream::Plain(stream));
    }
    let host = Host::parse(&mail.bracketed()).map_err(|_| Failure::Refused("its host is none".into()))?;
    let name =
        server_name(&borrowed(&host)).ok_or_else(|| Failure::Refused("its host has no name that TLS knows".into()))?;
    let shaken = timeout_at(until, TlsConnector::from(Arc::clone(tls)).connect(name, stream)).await;
    let shaken = shaken.map_err(|_| Failure::passing("no secure connection in time"))?;
    let shaken = shaken.map_err(|error| Failure::passing(format!("no secure connection ({})", root_cause(&error))))?;
    Ok(Stream::Tls(Box::new(shaken)))
}

/// Says who we are, begins STARTTLS where it is wanted, and logs in.
async fn greet(mail: &Mail, stream: Stream) -> Result<AsyncSmtpConnection, Failure> {
    let us = ClientId::Domain(mail.sender_domain().to_owned());
    let connected = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &us).await;
    let mut connection = connected.map_err(|error| failure(&error))?;
    if mail.encryption == Encryption::StartTls {
        let parameters = TlsParameters::new(mail.host.clone()).map_err(|error| failure(&error))?;
        let encrypted = connection.starttls(parameters, &us).await;
        encrypted.map_err(|error| {
            if error.is_client() {
                Failure::Refused("the server has no STARTTLS, and without it nothing is sent".into())
            } else {
                Failure::passing(format!("no secure connection ({})", quoted(&root_cause(&error).to_string())))
            }
        })?;
    }
    if let Some((user, password)) = mail.login.clone() {
        let credentials = Credentials::new(user, password);
        connection.auth(&MECHANISMS, &credentials).await.map_err(|error| failure(&error))?;
    }
    Ok(connection)
}

/// What an error means before the mail is the server's.
fn failure(error: &Error) -> Failure {
    let words = quoted(&root_cause(error).to_string());
    match error.status().map(u16::from) {
        Some(530 | 534 | 535 | 538) => Failure::Refused(format!("the server does not accept the login: {words}")),
        Some(code @ 500..) => Failure::Refused(format!("the server refuses the mail ({code}): {words}")),
        Some(code) => Failure::passing(format!("the server takes no mail now ({code}): {words}")),
        // Something that it cannot do at all.
        None if error.is_client() => Failure::Refused(format!("the mail cannot be sent: {words}")),
        None => Failure::passing(format!("the connection broke ({words})")),
    }
}
