//! The calls: one notice to one channel, tried again within its budget.

mod mail;
mod stream;

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::Response;
use rustls::ClientConfig;
use shared::{
    chain::root_cause,
    dial::Dial,
    http::{CallError, Client, Deadlines, SetupError, client, tls_config, wait_asked},
    names::Search,
    retry::{self, Retryable},
};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use url::Host;

use crate::{
    channel::{
        Channel, Outgoing, Request,
        answer::{Answer, Failure},
    },
    event::Event,
};

/// How much of an answer is read.
const MAX_ANSWER: usize = 64 << 10;

/// Servers that send on take their time.
const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(5), read: Duration::from_secs(15), total: Duration::from_secs(20) };

/// A notice that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// What the owner should change nevertheless.
    pub advice: Option<String>,
}

/// A notice that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.words())]
pub struct NotDelivered(pub Failure);

impl Retryable for NotDelivered {
    fn retry_after(&self) -> Option<Duration> {
        match &self.0 {
            Failure::Passing { after, .. } => Some(after.unwrap_or_default()),
            Failure::Refused(_) | Failure::Unsure(_) | Failure::Moved(_) => None,
        }
    }

    fn out_of_time() -> Self {
        // It may have been asked by then.
        Self(Failure::Unsure("it did not answer in time".into()))
    }
}

/// Sends notices, to what this machine trusts. Clones share its TLS configuration.
#[derive(Clone)]
pub struct Sender {
    http: Client,
    tls: Arc<ClientConfig>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl Sender {
    /// Reads what this machine trusts.
    ///
    /// # Errors
    /// When the TLS library refuses its configuration.
    pub fn new() -> Result<Self, SetupError> {
        let tls = tls_config()?;
        Ok(Self { http: client(&tls, DEADLINES), tls })
    }

    /// Sends one notice, tried again until `until` as long as that can help.
    ///
    /// # Errors
    /// When it was not taken: why, in words without a secret.
    pub async fn send(&self, channel: &Channel, event: &Event, until: Instant) -> Result<Delivered, NotDelivered> {
        match retry::silently(until, || self.once(channel, event, None, until)).await {
            Err(NotDelivered(moved @ Failure::Moved(_))) => {
                let Failure::Moved(chat) = &moved else { unreachable!("it was matched") };
                retry::silently(until, || self.once(channel, event, Some(chat), until)).await?;
                Ok(Delivered { advice: Some(moved.words()) })
            }
            sent => sent.map(|()| Delivered { advice: None }),
        }
    }

    /// Sends one notice, and tries nothing again: that is the caller's business.
    ///
    /// # Errors
    /// When it was not taken: why, in words without a secret.
    pub async fn send_once(&self, channel: &Channel, event: &Event, until: Instant) -> Result<Delivered, NotDelivered> {
        self.send_once_with(channel, event, None, until).await
    }

    /// The same with a JPEG, where the channel takes one: where it refuses that, the notice is sent without.
    ///
    /// # Errors
    /// When it was not taken: why, in words without a secret.
    pub async fn send_once_with(
        &self,
        channel: &Channel,
        event: &Event,
        picture: Option<&[u8]>,
        until: Instant,
    ) -> Result<Delivered, NotDelivered> {
        let within = |moved_to| async move {
            let sent = async {
                if let Some(request) = picture.and_then(|jpeg| channel.with_picture(event, jpeg, moved_to)) {
                    let sent = self.call(channel, request).await;
                    if !matches!(sent, Err(NotDelivered(Failure::Refused(_)))) {
                        return sent;
                    }
                }
                self.once(channel, event, moved_to, until).await
            };
            let sent = timeout_at(until, sent).await;
            sent.unwrap_or_else(|_| Err(NotDelivered::out_of_time()))
        };
        match within(None).await {
            Err(NotDelivered(moved @ Failure::Moved(_))) => {
                let Failure::Moved(chat) = &moved else { unreachable!("it was matched") };
                within(Some(chat.as_str())).await?;
                Ok(Delivered { advice: Some(moved.words()) })
            }
            sent => sent.map(|()| Delivered { advice: None }),
        }
    }

    /// Whether the channel's server takes connections; nothing is sent.
    ///
    /// # Errors
    /// When it does not, or its name is not known.
    pub async fn reach(&self, channel: &Channel, event: &Event, until: Instant) -> Result<(), NotDelivered> {
        let connected = match channel.outgoing(event, Timestamp::now(), None) {
            Outgoing::Call(Request { url, .. }) => match (url.host(), url.port_or_known_default()) {
                (Some(host), Some(port)) => dial(&host.to_owned(), port, until).await,
                _ => return Ok(()),
            },
            Outgoing::Mail(mail) => mail::dial(mail, until).await,
        };
        connected.map(|_| ()).map_err(|failure| NotDelivered(hidden(channel, failure)))
    }

    async fn once(
        &self,
        channel: &Channel,
        event: &Event,
        moved_to: Option<&str>,
        until: Instant,
    ) -> Result<(), NotDelivered> {
        match channel.outgoing(event, Timestamp::now(), moved_to) {
            Outgoing::Call(request) => self.call(channel, request).await,
            Outgoing::Mail(mail) => {
                let posted = Box::pin(mail::post(&self.tls, mail, event, until)).await;
                posted.map_err(|failure| NotDelivered(hidden(channel, failure)))
            }
        }
    }

    async fn call(&self, channel: &Channel, request: Request) -> Result<(), NotDelivered> {
        let mut call = self.http.call(request.method, request.url).confidential();
        for (name, value) in request.headers {
            call = call.header(name, value);
        }
        if let Some((kind, body)) = request.body {
            call = call.body(kind, body);
        }
        let answered = async {
            let answer = call.send().await?;
            let status = answer.status().as_u16();
            let wait = wait_asked(status, answer.headers());
            Ok((status, wait, start_of(answer).await?))
        };
        let (status, wait, body) =
            answered.await.map_err(|error: CallError| NotDelivered(hidden(channel, failure(&error))))?;
        channel.taken(&Answer { status, wait, body: &body }).map_err(NotDelivered)
    }
}

fn hidden(channel: &Channel, failure: Failure) -> Failure {
    match failure {
        Failure::Passing { what, after } => Failure::Passing { what: channel.hide(&what), after },
        Failure::Refused(what) => Failure::Refused(channel.hide(&what)),
        Failure::Unsure(what) => Failure::Unsure(channel.hide(&what)),
        moved @ Failure::Moved(_) => moved,
    }
}

fn failure(error: &CallError) -> Failure {
    let (cause, what) = (root_cause(error).to_string(), error.to_string());
    let words = if cause == what { what } else { format!("{what} ({cause})") };
    match error {
        CallError::Request(_) => Failure::Refused(words),
        error if error.is_connect() => Failure::passing(words),
        _ => Failure::Unsure(words),
    }
}

fn borrowed(host: &Host) -> Host<&str> {
    match host {
        Host::Domain(name) => Host::Domain(name.as_str()),
        Host::Ipv4(address) => Host::Ipv4(*address),
        Host::Ipv6(address) => Host::Ipv6(*address),
    }
}

async fn dial(host: &Host, port: u16, until: Instant) -> Result<TcpStream, Failure> {
    let search = if let Host::Domain(name) = host { Search::of(name) } else { Search::of("") };
    let connected = Dial { search, local: None }.connect(borrowed(host), port, until).await;
    connected.map_err(|error| {
        let (what, cause) = (error.to_string(), root_cause(&error).to_string());
        Failure::passing(if what == cause { what } else { format!("{what} ({cause})") })
    })
}

async fn start_of(mut answer: Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER
        && let Some(chunk) = answer.chunk().await.map_err(CallError::Body)?
    {
        body.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER - body.len())]);
    }
    Ok(body)
}
